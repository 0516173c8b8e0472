"""Figures of a notebook while the site is built: each once, as one inline drawing.

An IPython extension, loaded by the kernel of the site only; in plain Jupyter figures are shown as
Matplotlib shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from analysis import printing
from analysis.results.figure_svg import drawing, inline_svg
from analysis.results.plot import exhibit_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib.figure import Figure

_OPTION: Final = re.compile(r"^#\|\s*(label|fig-cap|fig-alt):\s*(.*?)\s*$", re.MULTILINE)
Bundle = tuple[dict[str, Any], dict[str, Any]]


def options(source: str) -> dict[str, str]:
    r"""Return label, caption and alternative text of a cell.

    Examples
    --------
    >>> options('#| label: fig-a\n#| fig-cap: "Effect: by year."\nfit.plot()')
    {'label': 'fig-a', 'fig-cap': 'Effect: by year.'}
    """
    return {name: value.strip("\"'") for name, value in _OPTION.findall(source)}


def bundle(figure: Figure, cell: dict[str, str], number: int = 1) -> Bundle:
    """Return a figure as a page shows it, with what is offered for download.

    Parameters
    ----------
    figure : matplotlib Figure
        What to show.
    cell : mapping of str to str
        `options` of its cell.
    number : int
        Place among the figures of its cell, from 1.
    """
    label = cell.get("label", "") or "fig-unlabelled"
    identity = label if number == 1 else f"{label}-{number}"
    exhibit = exhibit_of(figure)
    alt = cell.get("fig-alt", "") or (exhibit.alt if exhibit else "")
    svg = inline_svg(figure, identity, cell.get("fig-cap", ""), alt)
    about: dict[str, Any] = {"name": label, "alt": alt, "svg": drawing(figure, identity)}
    if exhibit:
        about["csv"] = printing.download(exhibit.data)
    return {"text/html": f'<div class="exhibit">\n{svg}\n</div>', "text/plain": alt or label}, {
        "analysis": about
    }


class Display:
    """Shows the figures of one kernel.

    Parameters
    ----------
    shell : InteractiveShell
        The kernel's shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._cell: dict[str, str] = {}
        self._shown: list[Figure] = []

    def begin(self, info: Any) -> None:
        """Note the options of the cell that starts."""
        self._cell, self._shown = options(info.raw_cell or ""), []

    def figure(self, figure: Figure) -> Bundle:
        """Return the forms of a figure."""
        self._shown.append(figure)
        return bundle(figure, self._cell, len(self._shown))

    def axes(self, axes: Any) -> Bundle:
        """Return the forms of the figure that axes lie in."""
        return self.figure(axes.get_figure(root=True))

    def end(self) -> None:
        """Show the open figures of the cell that were not shown; close all, as Jupyter does."""
        import sys

        if "matplotlib.pyplot" not in sys.modules:
            return
        from IPython.display import display
        from matplotlib import pyplot as plt

        for number in plt.get_fignums():
            figure = plt.figure(number)
            if figure not in self._shown:
                display(figure)
        plt.close("all")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Show figures as inline drawings from now on."""
    show = Display(shell)
    display_formatter: Any = shell.display_formatter
    formatter = display_formatter.mimebundle_formatter
    forms: dict[tuple[str, str], Callable[[Any], Bundle]] = {
        ("matplotlib.figure", "Figure"): show.figure,
        ("matplotlib.axes._axes", "Axes"): show.axes,
    }
    for (module, name), form in forms.items():
        formatter.for_type_by_name(module, name, form)
    shell.events.register("pre_run_cell", show.begin)
    shell.events.register("post_run_cell", lambda _: show.end())
