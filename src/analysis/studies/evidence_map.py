"""The evidence map: every study by programme and outcome, by design, precision and sign."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import polars as pl

from analysis import paths
from analysis.results import formatting
from analysis.results.forest import INK, LINE, LINE_INCHES, SMALL, TEXT, blank_axes, wrapped
from analysis.results.labels import country, labels, span, word
from analysis.results.marks import mark
from analysis.results.plot import COLOURS, NEUTRAL, note
from analysis.results.provenance import UNKNOWN, Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILE: Final = "parameters/evidence_map.toml"
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "household_income": ("household_income",),
    "consumption": ("consumption",),
    "earnings": ("earnings", "household_earnings"),
    "profit": ("profit", "revenue"),
    "farm_income": ("farm_income",),
    "area_income": ("area_income",),
}
"""Columns of the map, with the families of outcomes that each has."""
SHAPES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "shape_randomised": ("o", ("randomised",)),
    "shape_quasi": ("s", ("natural_experiment", "cut_off", "panel_comparison")),
    "shape_matched": ("^", ("matched_cross_section", "association")),
}
"""Marks by risk of bias, the least risk first: words, shape, kinds of comparison."""
SIGNS: Final = {"positive": COLOURS[0], "negative": COLOURS[1], "unclear": NEUTRAL}
SIZES: Final = (7.5, 5.6, 4.0)
"""Points across, the most precise first."""
PER_LINE: Final = 4
MARK_INCHES: Final = 0.16
NAME_SIGNS: Final = 22
"""Signs of a name that stand beside its rating on a phone."""
HEAD_POINTS: Final = 8.4


@dataclass(frozen=True)
class Study:
    """One mark: what one study found of one outcome.

    Attributes
    ----------
    text : str
        What it says when pointed at.
    shape : str
        Marker, by risk of bias.
    sign : str
        ``positive`` or ``negative`` where the interval (or what the study says) excludes zero, else
        ``unclear``.
    filled : bool
        Whether its error is known and its interval excludes zero.
    size : float
        Points across, by precision.
    """

    text: str
    shape: str
    sign: str
    filled: bool
    size: float


@cache
def _limits() -> tuple[float, float]:
    by_name = tomllib.loads((paths.data() / FILE).read_text(encoding="utf-8"))
    return float(by_name["precise"]["value"]), float(by_name["imprecise"]["value"])


def sign_of(row: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the sign of what a study found, and whether its interval excludes zero.

    Examples
    --------
    >>> sign_of({"percent": 4.0, "percent_low": 1.0, "percent_high": 7.0, "direction": None})
    ('positive', True)
    >>> sign_of({"percent": 4.0, "percent_low": -1.0, "percent_high": 9.0, "direction": None})
    ('unclear', False)
    >>> sign_of({"percent": None, "percent_low": None, "percent_high": None, "direction": "null"})
    ('unclear', False)
    """
    low, high, percent = row["percent_low"], row["percent_high"], row["percent"]
    if low is not None and high is not None and math.isfinite(low):
        sign = "positive" if low > 0 else "negative" if high < 0 else "unclear"
        return sign, sign != "unclear"
    if percent is not None:
        return "positive" if percent > 0 else "negative" if percent < 0 else "unclear", False
    direction = str(row["direction"] or "")
    return direction if direction in ("positive", "negative") else "unclear", False


def printed(row: Mapping[str, Any], language: str = "en") -> str:
    """Return what a study found, per cent with its interval, or the direction it reports."""
    words, percent, error = labels(language), row["percent"], row["percent_se"]
    if percent is None:
        return words[f"map_direction_{row['direction']}"]
    decimals = formatting.places(error)
    text = formatting.number(percent, decimals)
    unit = "%" if language == "zh" else " %"
    if row["range_low"] is not None and row["unit"] == "percent":
        # The middle of a range that a study prints is no number of the study.
        between = span(formatting.span(row["range_low"], row["range_high"]), language)
        return f"{between}{unit} ({words['map_no_error']})"
    if error is None:
        return f"{text}{unit} ({words['map_no_error']})"
    between = formatting.span(row["percent_low"], row["percent_high"], decimals)
    return f"{text}{unit} ({span(between, language)})"


def study(row: Mapping[str, Any], language: str = "en") -> Study:
    """Return the mark of one row of the library of studies."""
    sign, filled = sign_of(row)
    precise, imprecise = _limits()
    error = math.inf if row["percent_se"] is None else row["percent_se"]
    size = SIZES[0] if error <= precise else SIZES[1] if error <= imprecise else SIZES[2]
    text = labels(language)["map_study"].format(
        study=row["short"],
        place=country(row["country"], language),
        outcome=row["outcome"] if language == "en" else word(row["outcome_family"], language),
        value=printed(row, language),
    )
    [shape] = [s for s, kinds in SHAPES.values() if row["risk_of_bias"] in kinds] or ["^"]
    return Study(text, shape, sign, filled, size)


def shown(estimates: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the library that the map shows: one a study, programme and column.

    Of several rows of a study the primary one is shown, then one with an error; reviews and rows
    of which not even a direction is known are no marks.
    """
    column = {family: key for key, families in COLUMNS.items() for family in families}
    names = ("programme", "outcome_family", "risk_of_bias", "kind", "direction", "primary")
    rows = estimates.with_columns(pl.col(name).cast(pl.String) for name in names)
    return (
        rows.filter(
            pl.col("kind") != "review",
            pl.col("outcome_family").is_in(list(column)),
            pl.col("percent").is_not_null()
            | pl.col("direction").is_in(["positive", "negative", "null", "mixed"]),
        )
        .with_columns(column=pl.col("outcome_family").replace(column))
        .sort(
            pl.col("primary") != "yes",
            pl.col("percent_se").is_null(),
            pl.col("percent").is_null(),
            maintain_order=True,
        )
        .unique(["programme", "column", "study"], keep="first", maintain_order=True)
        .sort(
            pl.col("risk_of_bias").replace_strict(_order(), default=9),
            pl.col("percent_se").fill_null(math.inf),
            "study",
            maintain_order=True,
        )
    )


def _order() -> dict[str, int]:
    return {kind: n for n, (_, kinds) in enumerate(SHAPES.values()) for kind in kinds}


def evidence_map(
    estimates: pl.DataFrame,
    summary: pl.DataFrame,
    *,
    page: str = "",
    provenance: Provenance = UNKNOWN,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw every study by programme and outcome.

    Parameters
    ----------
    estimates : polars.DataFrame
        The library of studies (`analysis.studies`): programme, outcome_family, outcome, study,
        short, country, kind, risk_of_bias, direction, primary, percent, percent_se, percent_low,
        percent_high.
    summary : polars.DataFrame
        The lines of the first screen, in order: programme, programme_en, programme_zh, rating_en,
        rating_zh.
    page : str
        Page of the list of studies, such as ``/notebooks/09-studies.html#tbl-studies``; a mark
        leads to it, filtered by ``?programme=…&outcome=…``. Empty for no links.
    provenance : Provenance
        Where the rows come from.
    language : str
        ``en`` or ``zh``.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Returns
    -------
    matplotlib Axes
    """
    rows = shown(estimates)
    keys, words = list(COLUMNS), labels(language)
    lines = [_cells(rows, str(p), language) for p in summary["programme"]]
    heads = [wrapped(str(x), NAME_SIGNS) for x in summary[f"programme_{language}"]]
    heights = [
        LINE_INCHES * (len(names) + 0.85)
        + MARK_INCHES * max(1, *(-(-len(c) // PER_LINE) for c in cells.values()))
        for cells, names in zip(lines, heads, strict=True)
    ]
    legend = LINE_INCHES * 4.6
    ax = blank_axes(ax, sum(heights) + LINE_INCHES * 1.5 + legend + 0.1, below=0.05)
    ax.set_xlim(0, len(keys))
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    for number, key in enumerate(keys):
        ax.text(
            number + 0.04, LINE_INCHES, words[f"map_{key}"], fontsize=HEAD_POINTS, color=NEUTRAL
        )
    top = LINE_INCHES * 1.5
    for line, names, cells, height in zip(
        summary.iter_rows(named=True), heads, lines, heights, strict=True
    ):
        ax.plot([0, len(keys)], [top, top], color=LINE, linewidth=0.8)
        _head(ax, names, line.get(f"rating_{language}"), top, language)
        for number, key in enumerate(keys):
            _cell(
                ax,
                cells[key],
                number,
                top + LINE_INCHES * (len(names) + 0.75),
                _link(page, line, key),
            )
        top += height
    ax.plot([0, len(keys)], [top, top], color=LINE, linewidth=0.8)
    _legend(ax, top + LINE_INCHES * 0.4, language)
    ax.set_ylim(top + legend, 0)
    return note(ax, rows, _alternative(summary, lines, language), provenance)


def _cells(rows: pl.DataFrame, programme: str, language: str) -> dict[str, list[Study]]:
    part = rows.filter(pl.col("programme") == programme)
    return {
        key: [study(row, language) for row in part.filter(column=key).iter_rows(named=True)]
        for key in COLUMNS
    }


def _link(page: str, line: Mapping[str, Any], key: str) -> str:
    address, hash_, anchor = page.partition("#")
    query = urlencode({"programme": line["programme"], "outcome": key})
    return f"{address}?{query}{hash_}{anchor}" if page else ""


def _head(ax: Axes, names: Sequence[str], rating: str | None, top: float, language: str) -> None:
    across, down = ax.get_yaxis_transform(), top
    for name in names:
        down += LINE_INCHES
        ax.text(0, down, name, transform=across, fontsize=TEXT, fontweight="bold", color=INK)
    if rating:
        text = labels(language)["map_rating"].format(rating=rating)
        ax.text(1, down, text, transform=across, ha="right", fontsize=SMALL, color=NEUTRAL)


def _cell(ax: Axes, cell: Sequence[Study], number: int, top: float, href: str) -> None:
    for place, study in enumerate(cell):
        x = number + 0.11 + 0.215 * (place % PER_LINE)
        _mark(ax, study, x, top + MARK_INCHES * (place // PER_LINE), href)


def _mark(ax: Axes, study: Study, x: float, y: float, href: str = "") -> None:
    colour = SIGNS[study.sign]
    [point] = ax.plot(
        [x],
        [y],
        study.shape,
        markersize=study.size,
        color=colour,
        markerfacecolor=colour if study.filled else "white",
        markeredgewidth=1.3,
        clip_on=False,
    )
    if study.text:
        mark(point, study.text, href=href)


def _legend(ax: Axes, top: float, language: str) -> None:
    """Say what shapes, colours and sizes mean, in two columns that a phone can hold."""
    words, across = labels(language), len(COLUMNS)
    plain = [Study("", shape, "unclear", True, SIZES[1]) for shape, _ in SHAPES.values()]
    left = list(zip(plain, SHAPES, strict=True))
    left.append((Study("", "o", "unclear", True, SIZES[0]), "size_large"))
    right = [
        (Study("", "o", "positive", True, SIZES[1]), "sign_positive"),
        (Study("", "o", "negative", True, SIZES[1]), "sign_negative"),
        (Study("", "o", "unclear", False, SIZES[1]), "sign_no_error"),
        (Study("", "o", "unclear", True, SIZES[2]), "size_small"),
    ]
    for start, items in ((0.0, left), (0.6 * across, right)):
        for line, (study, key) in enumerate(items):
            y = top + LINE_INCHES * (line + 0.6)
            _mark(ax, study, start + 0.1, y)
            ax.text(start + 0.25, y + 0.045, words[key], fontsize=SMALL, color=INK)


def _alternative(
    summary: pl.DataFrame, lines: Sequence[Mapping[str, Sequence[Study]]], language: str
) -> str:
    words, texts = labels(language), []
    for line, cells in zip(summary.iter_rows(named=True), lines, strict=True):
        parts = [
            words["map_cell"].format(
                outcome=words[f"map_{key}"],
                n=len(cell),
                **{sign: sum(study.sign == sign for study in cell) for sign in SIGNS},
            )
            for key, cell in cells.items()
            if cell
        ]
        colon, comma = ("：", "，") if language == "zh" else (": ", ", ")
        content = comma.join(parts) or words["map_no_study"]
        texts.append(f"{line[f'programme_{language}']}{colon}{content}")
    return words["alt_map"].format(cells=("；" if language == "zh" else "; ").join(texts))
