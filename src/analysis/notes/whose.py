"""Whose data the pages show: what a reader brought with PANEL or PACK, said page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from IPython.display import publish_display_data

from analysis import paths
from analysis.notes.book import listed
from analysis.panels import current
from analysis.panels.brought import brought
from analysis.panels.panel import Panel
from analysis.panels.views import escaped

OF_PANEL: Final = {
    "03-data": "the data",
    "05-training-and-placement": "training and placement",
    "06-cooperatives": "co-operatives",
    "07-dividends-and-collectives": "dividends and collectives",
    "08-pairing-credit-funds": "pairing, credit and funds",
    "09-industry-and-land": "industry and land",
    "10-bundles": "bundles",
    "11-targeting-and-exit": "targeting and exit",
    "13-poverty-and-inequality": "poverty and inequality",
    "16-design-your-study": "design your study",
    "17-sensitivity": "sensitivity",
}
"""Pages that show the current panel."""
OF_PACK: Final = {"18-your-pack": "what a pack shows"}
"""Pages that show the pack."""
OF_NEITHER: Final = ("the claims", "the studies", "costs", "scenarios")
"""What rests on no household record."""


@dataclass(frozen=True)
class Notice:
    """What the first page says of data that were brought; nothing if there are none.

    Examples
    --------
    >>> Notice("")._ipython_display_()
    """

    text: str

    def _ipython_display_(self) -> None:
        """Show the text as Markdown in a box; nothing without one."""
        if self.text:
            box = f"::: {{.callout-important}}\n{self.text}\n:::"
            publish_display_data({"text/markdown": box})


def notice(named: frozenset[str], pages: frozenset[str], panel: Panel | None = None) -> Notice:
    """Say which pages show data that were brought, and which do not.

    Parameters
    ----------
    named : frozenset of str
        As `brought` gives it.
    pages : frozenset of str
        Names of the notebooks that there are.
    panel : Panel, optional
        The panel, where one was brought.

    Examples
    --------
    >>> notice(frozenset(), frozenset()).text
    ''
    >>> print(notice(frozenset({"PACK"}), frozenset({"03-data", "18-your-pack"})).text)
    **This copy was built with a pack.** Its effects stand on [what a pack \
shows](/notebooks/18-your-pack.ipynb). Still of the simulated model panel: [the \
data](/notebooks/03-data.ipynb). This page, the claims, the studies, costs and scenarios rest on \
no household record that was brought.
    """
    if not named:
        return Notice("")
    of_panel, of_pack = (_links(these, pages) for these in (OF_PANEL, OF_PACK))
    parts = []
    if "PANEL" in named:
        what = _called(panel)
        parts.append(
            f"**This copy was built with {what}.** These pages show it, "
            f"and say what such data cannot show: {of_panel}."
        )
    if "PACK" in named:
        start = "A pack was brought too." if parts else "**This copy was built with a pack.**"
        parts.append(f"{start} Its effects stand on {of_pack}.")
    if "PANEL" not in named:
        parts.append(f"Still of the simulated model panel: {of_panel}.")
    elif "PACK" not in named:
        parts.append(f"Still of a worked example, simulated: {of_pack}.")
    neither = listed(["This page", *OF_NEITHER])
    parts.append(f"{neither} rest on no household record that was brought.")
    return Notice(" ".join(parts))


def here() -> Notice:
    """Return the notice of this build, from its environment and the notebooks that there are.

    Raises
    ------
    FaultsError
        If ``PANEL`` is no panel.
    """
    named = brought()
    pages = frozenset(file.stem for file in (paths.root() / "notebooks").glob("*.ipynb"))
    return notice(named, pages, current.current() if "PANEL" in named else None)


def _called(panel: Panel | None) -> str:
    if panel is None or (panel.tier == "model" and not panel.twin):
        return "another simulated panel"
    if panel.twin:
        return "a synthetic twin, from which no estimate means anything"
    return f"your panel, *{escaped(panel.name)}*"


def _links(these: Mapping[str, str], pages: frozenset[str]) -> str:
    found = [name for name in these if name in pages]
    links = [f"[{these[name]}](/notebooks/{name}.ipynb)" for name in found]
    return listed(links) if links else "no page"
