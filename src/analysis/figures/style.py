"""The one look of every figure, and what a figure is.

Colours are those of Okabe and Ito (2008), distinguishable with every common colour blindness; what
a colour says is always said by position or text too. A figure is as wide as a phone shows without
shrinking its letters much.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import polars as pl
from cycler import cycler
from IPython.display import publish_display_data
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from analysis import printing

WIDTH = 5.2
"""Inches; 374 points, about the width of the text on a phone, so that letters keep their size."""
FONT = 10.5
"""Points, of axis labels."""
SMALL = 9.0
"""Points, of everything else; nothing is smaller."""

REFERENCE = 1
"""Depth of lines at zero or the truth: above the grid, below labels and marks."""

BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
)

TIER_LABELS = {
    "reported": "Reported claim",
    "published": "Published study",
    "public": "Public microdata",
    "model": "Model panel (simulated)",
    "twin": "Synthetic twin",
    "yours": "Your data",
}


@dataclass(frozen=True)
class Theme:
    """Colours that differ between the light and the dark page.

    Attributes
    ----------
    name : str
        ``light`` or ``dark``.
    ink, faint, grid : str
        Text, secondary text, grid lines.
    page : str
        The page behind the figure, ``--page`` of its style sheet.
    accents : tuple of str
        Series colours, in order of use.
    """

    name: str
    ink: str
    faint: str
    grid: str
    page: str
    accents: tuple[str, ...]


LIGHT = Theme(
    "light", "#1b1f24", "#57606a", "#d8dee4", "#ffffff", (BLUE, ORANGE, GREEN, PINK, SKY, RED)
)
DARK = Theme(
    "dark",
    "#e6e9ed",
    "#a9b3be",
    "#3a424c",
    "#14191f",
    (SKY, ORANGE, "#33C29A", PINK, "#8FB8DE", "#FF8A4C"),
)


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Attributes
    ----------
    name : str
        The label of its cell, ``fig-...``; its downloads carry it.
    light, dark : str
        The drawing as SVG.
    data : polars.DataFrame
        What is drawn, for download.
    alt : str
        Alternative text, written from the result.
    """

    name: str
    light: str
    dark: str
    data: pl.DataFrame
    alt: str

    def _ipython_display_(self) -> None:
        """Show the light and the dark drawing; alt text and data travel as metadata."""
        about = {"name": self.name, "alt": self.alt, "csv": printing.download(self.data)}
        publish_display_data({"image/svg+xml": self.light}, {"analysis": about})
        publish_display_data({"image/svg+xml": self.dark}, {"analysis": {"name": self.name}})


def draw(
    name: str,
    tier: str,
    painter: Callable[[Axes, Theme], None],
    data: pl.DataFrame,
    alt: str,
    *,
    height: float = 3.2,
) -> Figure:
    """Draw a figure in both themes.

    Parameters
    ----------
    name : str
        The label of the cell that shows it.
    tier : str
        Evidence tier; its badge stands above the plot.
    painter : callable
        Paints the axes with a theme's colours.
    data : polars.DataFrame
        What is drawn.
    alt : str
        Alternative text.
    height : float
        Inches.

    Returns
    -------
    Figure
        Light and dark drawings with data and alt text. The same input gives the same bytes.
    """
    drawings = {theme.name: _svg(name, tier, painter, theme, height) for theme in (LIGHT, DARK)}
    return Figure(name, drawings["light"], drawings["dark"], data, alt)


def row_label(axes: Axes, theme: Theme, text: str, y: float, **look: Any) -> None:
    """Write a label from the left edge, on the page's own colour.

    Labels stand above their row: beside the axis they would leave no room on a phone. So the lines
    that mark zero or the truth pass below them (`REFERENCE`), and marks of the row above them.

    Parameters
    ----------
    axes, theme : Axes, Theme
        Where, and in whose colours.
    text : str
        The label.
    y : float
        Its middle, in the units of the vertical axis.
    **look
        Further properties of the text.
    """
    box = {"facecolor": theme.page, "edgecolor": "none", "pad": 1.2}
    known: dict[str, Any] = {
        "fontsize": SMALL,
        "color": theme.ink,
        "va": "center",
        "zorder": REFERENCE + 0.5,
    }
    axes.text(0, y, text, transform=axes.get_yaxis_transform(), bbox=box, **(known | look))


def _svg(
    name: str, tier: str, painter: Callable[[Axes, Theme], None], theme: Theme, height: float
) -> str:
    with mpl.rc_context(_settings(name, theme)):
        canvas = Canvas(figsize=(WIDTH, height), layout="constrained")
        axes = canvas.add_subplot()
        painter(axes, theme)
        axes.set_title(
            TIER_LABELS[tier].upper(), loc="left", fontsize=SMALL, color=theme.faint, pad=8
        )
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _settings(name: str, theme: Theme) -> dict[Any, Any]:
    return {
        "font.family": "DejaVu Sans",
        "font.size": FONT,
        "svg.fonttype": "path",
        "svg.hashsalt": f"{name}-{theme.name}",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.facecolor": "none",
        "axes.edgecolor": theme.faint,
        "axes.labelcolor": theme.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": theme.grid,
        "grid.linewidth": 0.7,
        "text.color": theme.ink,
        "xtick.color": theme.faint,
        "ytick.color": theme.ink,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "legend.frameon": False,
        "legend.fontsize": SMALL,
        "axes.prop_cycle": cycler(color=theme.accents),
        "path.simplify": False,
    }
