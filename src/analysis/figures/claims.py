"""Figures of the reported claims: how many, how precise, whether they add up, what they imply."""

from __future__ import annotations

import textwrap

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

ROW = 0.31
"""Inches a row of a horizontal bar chart needs."""
EXTRA = 0.17
"""Inches that each further line of a label adds."""
WRAP = 30
"""Characters after which a bar's label breaks."""
LONG_LABEL = 12
"""Characters beyond which legend entries stand one below the other."""


def stacked_counts(
    name: str,
    counts: pl.DataFrame,
    *,
    row: str,
    segment: str,
    order: list[str],
    axis: str,
    intro: str,
) -> Figure:
    """Draw horizontal bars of counts, stacked by segment, the longest bar on top.

    Parameters
    ----------
    name : str
        Label of the cell.
    counts : polars.DataFrame
        One row per bar and segment: the columns `row` and `segment`, and ``n``.
    order : list of str
        Segments in the order they are stacked.
    axis : str
        What the bars count.
    intro : str
        First sentence of the alternative text.
    """
    totals = counts.group_by(row).agg(pl.col("n").sum()).sort(["n", row], descending=[True, False])
    rows = totals[row].to_list()
    wide = {
        kind: dict(counts.filter(pl.col(segment) == kind).select(row, "n").iter_rows())
        for kind in order
    }

    longest = max(map(len, order))
    labels = [textwrap.fill(label, WRAP) for label in rows]
    extra = sum(label.count("\n") for label in labels)
    frame = 2.2 if longest > LONG_LABEL else 1.5  # axis, badge, legend

    def paint(axes: Axes, theme: Theme) -> None:
        left = [0] * len(rows)
        for kind, colour in zip(order, theme.accents, strict=False):
            values = [wide[kind].get(label, 0) for label in rows]
            axes.barh(labels, values, left=left, color=colour, label=kind, height=0.72)
            left = [a + b for a, b in zip(left, values, strict=True)]
        for y, total in enumerate(left):
            axes.text(total, y, f" {total}", va="center", fontsize=SMALL, color=theme.faint)
        axes.invert_yaxis()
        axes.set_xlabel(axis)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.grid(visible=False, axis="y")
        axes.figure.legend(
            loc="outside lower center", ncols=1 if longest > LONG_LABEL else len(order)
        )

    said = "; ".join(f"{label} {n}" for label, n in totals.iter_rows())
    alt = f"{intro} Totals, largest first: {said}."
    return draw(
        name,
        "reported",
        paint,
        counts,
        alt,
        height=frame + ROW * len(rows) + EXTRA * extra,
    )


GOOD = ("consistent", "certain", "reading stands", "bounded")
BAD = ("inconsistent", "impossible", "reading rejected", "not computable")


def verdict_bars(name: str, counts: pl.DataFrame) -> Figure:
    """Draw one bar per role and verdict.

    Parameters
    ----------
    name : str
        Label of the cell.
    counts : polars.DataFrame
        ``role``, ``verdict``, ``n``; drawn in this order, grouped by role.
    """
    rows = list(counts.select("role", "verdict", "n").iter_rows())

    def paint(axes: Axes, theme: Theme) -> None:
        blue, orange, green, *_ = theme.accents
        place, ticks, labels = 0.0, [], []
        for i, (role, verdict, n) in enumerate(rows):
            if i and role != rows[i - 1][0]:
                place += 0.7  # a gap between roles
            colour = blue if verdict in GOOD else orange if verdict in BAD else green
            axes.barh(place, n, color=colour, height=0.72)
            axes.text(n, place, f" {n}", va="center", fontsize=SMALL, color=theme.faint)
            ticks.append(place)
            labels.append(f"{role}: {verdict}")
            place += 1
        axes.set_yticks(ticks, labels)
        axes.invert_yaxis()
        axes.set_xlabel("relations")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        axes.grid(visible=False, axis="y")

    said = "; ".join(f"{role}, {verdict}: {n}" for role, verdict, n in rows)
    alt = f"Horizontal bars: how many relations have each verdict, by role. {said}."
    return draw(name, "reported", paint, counts, alt, height=1.0 + ROW * len(rows))


def implied_income(name: str, figures: pl.DataFrame) -> Figure:
    """Draw what the claims imply per head beside official income, on a log axis.

    Parameters
    ----------
    name : str
        Label of the cell.
    figures : polars.DataFrame
        One row per figure: ``label``, ``low``, ``high`` (yuan per person; null where unbounded),
        ``printed`` (the same in words), ``official`` (yuan per person a year) and ``frequency``.
    """
    drawn = figures.sort(pl.coalesce("low", "high"), descending=True)
    ends = [x for c in ("low", "high", "official") for x in drawn[c].drop_nulls().to_list()]

    def paint(axes: Axes, theme: Theme) -> None:
        for y, row in enumerate(drawn.iter_rows(named=True)):
            low, high = row["low"], row["high"]
            colour = theme.accents[1] if row["frequency"] == "one_off" else theme.accents[0]
            if low is None or high is None:
                # An unbounded side is an arrow, never a point.
                start = low if low is not None else high
                reach = start * 1.8 if high is None else start / 1.8
                arrow = {"arrowstyle": "->", "color": colour, "lw": 2}
                axes.annotate("", xy=(reach, y), xytext=(start, y), arrowprops=arrow)
                axes.plot([start], [y], marker="|", color=colour, markersize=10, mew=2)
            else:
                axes.plot([low, high], [y, y], color=colour, lw=7, solid_capstyle="round")
            axes.plot([row["official"]], [y], marker="D", color=theme.ink, markersize=5, ls="none")
            # Labels stand above their row: beside the axis they would leave no room on a phone.
            axes.text(
                0, y - 0.3, row["label"], transform=axes.get_yaxis_transform(), fontsize=SMALL
            )
        axes.set_xscale("log")
        axes.set_xlim(min(ends) / 2, max(ends) * 2.2)
        axes.set_yticks([])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(-0.8, drawn.height - 0.5)
        axes.invert_yaxis()
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("yuan per person (nominal, log scale)")
        for label, style, which in (
            ("reported, a year", theme.accents[0], drawn["frequency"] != "one_off"),
            ("reported, once", theme.accents[1], drawn["frequency"] == "one_off"),
        ):
            if which.any():
                axes.plot([], [], color=style, lw=7, solid_capstyle="round", label=label)
        axes.plot(
            [], [], marker="D", color=theme.ink, ls="none", label="official rural income, Tibet"
        )
        axes.figure.legend(loc="outside lower center", ncols=3)

    said = "; ".join(_sentence(row) for row in drawn.iter_rows(named=True))
    alt = (
        "Yuan per person that the reported figures imply, on a logarithmic axis, each beside the "
        f"official rural income of Tibet in its year. {said}."
    )
    return draw(name, "reported", paint, figures, alt, height=1.3 + 0.5 * drawn.height)


def _sentence(row: dict[str, object]) -> str:
    """Say one figure as the page prints it: rounded outward, open sides as such."""
    return (
        f"{row['label']}: {row['printed']}, against {printing.number(float(str(row['official'])))}"
    )
