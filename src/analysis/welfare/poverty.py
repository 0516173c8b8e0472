"""Poverty: headcount, gap and squared gap at named lines, per person and per household.

Foster, Greer & Thorbecke (1984): P_α = Σ w ((z − y)/z)^α 1{y < z} / Σ w, with y income per
baseline member and z the line, both in prices of the period. α = 0 is the headcount, 1 the gap, 2
the squared gap. Who is exactly on the line is not poor.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from analysis import money
from analysis.cells.outcomes import Outcome, gap, headcount, squared_gap
from analysis.cells.result import Cells
from analysis.inference.arrays import Floats
from analysis.panels import schemas
from analysis.welfare import linearised
from analysis.welfare.linearised import Measures
from analysis.welfare.people import HOUSEHOLD, PERSON, UNITS, People, SurveyDesign

MEASURES = ("headcount", "gap", "squared_gap")
"""P₀, P₁, P₂: shares, the last two of the line."""
GROUPS: Mapping[str, pl.Expr] = {
    "all": pl.lit(True),
    "registered": pl.col("registered").fill_null(False),
    "other": ~pl.col("registered").fill_null(True),
}
"""Groups of households by the baseline register; who is unknown is in `all` only."""
KEYS = ["period", "line_name", "group"]
LABELS = {
    "period": pl.Int32,
    "line_name": pl.String,
    "line_status": pl.String,
    "group": pl.String,
    "unit": pl.String,
    "measure": pl.String,
}


def measure(people: People, lines: tuple[str, ...] = ()) -> Measures:
    """Measure poverty from households: each period, line, group, unit and measure.

    Parameters
    ----------
    people : People
        Household-years.
    lines : tuple of str
        Poverty lines; all that are known if empty.

    Returns
    -------
    Measures
        Labels period, line_name, line_status, group, unit (person, household), measure (one of
        `MEASURES`); shares between 0 and 1. None where lines do not apply to the currency.
    """
    names = (lines or money.load().line_names()) if people.has_lines else ()
    known = [(name, t, people.line_fen(name, t)) for name in names for t in people.periods]
    if not known:
        return _empty(people.design)
    table = pl.DataFrame(known, schema=["line_name", "period", "line_fen"], orient="row")
    table = table.with_columns(pl.col("period").cast(people.frame.schema["period"]))
    amount = pl.col("line_fen") * pl.col("size")
    lacking = (amount - pl.col("total_fen")).clip(lower_bound=0)
    share = lacking / amount
    rows = (
        people.frame.lazy()
        .join(table.lazy(), on="period")
        .with_columns(headcount=(lacking > 0).cast(pl.Float64), gap=share, squared_gap=share**2)
    )
    parts = [
        rows.filter(condition)
        .group_by("cluster", *KEYS[:2])
        .agg(_sums(), n=pl.len().cast(pl.Int64))
        .with_columns(group=pl.lit(name))
        for name, condition in GROUPS.items()
    ]
    sums = pl.concat(pl.collect_all(parts))
    status = {(name, t): people.line_status(name, t) for name, t, _ in known}
    return _of_sums(sums, status, people.design)


def _sums() -> list[pl.Expr]:
    """Add weights and measures up, per household and per person."""
    found = []
    for unit in UNITS:
        weight = pl.col("weight") * (pl.col("size") if unit == PERSON else 1)
        found.append(weight.sum().alias(f"weight_{unit}"))
        found += [(weight * pl.col(name)).sum().alias(f"{name}_{unit}") for name in MEASURES]
    return found


def _of_sums(
    sums: pl.DataFrame, status: Mapping[tuple[str, int], str], design: SurveyDesign
) -> Measures:
    """Turn sums by cluster and key into measures."""
    units = [unit for unit in UNITS if f"weight_{unit}" in sums.columns]
    keys = sums.select(KEYS).unique().sort("line_name", "group", "period").with_row_index("k")
    sums = sums.join(keys, on=KEYS)
    shape = (len(design.clusters), keys.height)
    at = sums["cluster"].to_numpy(), sums["k"].to_numpy()

    def spread(column: str) -> Floats:
        found = np.zeros(shape)
        found[at] = sums[column].to_numpy()
        return found

    n_rows = spread("n").sum(axis=0).astype(np.int64)
    found = []
    for unit in units:
        bottom = spread(f"weight_{unit}")
        for name in MEASURES:
            labels = keys.select(
                "period",
                "line_name",
                line_status=pl.Series(
                    [status[line, t] for line, t in keys.select("line_name", "period").iter_rows()]
                ),
                group="group",
                unit=pl.lit(unit),
                measure=pl.lit(name),
            )
            found.append(
                linearised.ratios(labels, spread(f"{name}_{unit}"), bottom, n_rows, design).of_kind(
                    "share"
                )
            )
    return _joined(found)


def _joined(sets: list[Measures]) -> Measures:
    """Put sets of the same clusters side by side."""
    return Measures(
        pl.concat([one.labels for one in sets]),
        np.concatenate([one.points for one in sets]),
        np.concatenate([one.influence for one in sets], axis=1),
        np.concatenate([one.used for one in sets], axis=1),
        np.concatenate([one.n_rows for one in sets]),
        sets[0].design,
        tuple(kind for one in sets for kind in one.kinds),
    )


def _empty(design: SurveyDesign) -> Measures:
    nothing = np.zeros((len(design.clusters), 0))
    return Measures(
        pl.DataFrame(schema=LABELS),
        np.zeros(0),
        nothing,
        nothing.astype(bool),
        np.zeros(0, np.int64),
        design,
    )


def outcomes(lines: tuple[str, ...]) -> tuple[Outcome, ...]:
    """Return the outcomes that cells need for `from_cells`: three a line.

    The gap is per head: its mean over persons or households, over the line, is P₁.

    Examples
    --------
    >>> [outcome.name for outcome in outcomes(("national",))]
    ['national_headcount', 'national_gap', 'national_squared_gap']
    """
    return tuple(
        outcome
        for line in lines
        for outcome in (
            Outcome(f"{line}_headcount", "total", transform=headcount(line)),
            Outcome(f"{line}_gap", "total", "head", transform=gap(line)),
            Outcome(f"{line}_squared_gap", "total", transform=squared_gap(line)),
        )
    )


def from_cells(cells: Cells, lines: tuple[str, ...]) -> Measures:
    """Measure poverty from cells: added up over cohorts and strata, by village.

    Parameters
    ----------
    cells : Cells
        With the outcomes of `outcomes`; their design's unit decides who is counted. Every
        handling but ``pairs`` gives the households it names; ``cross_sections`` gives all.
    lines : tuple of str
        Poverty lines.

    Returns
    -------
    Measures
        As `measure` gives them for the group ``all`` and one unit. Clusters are the villages of the
        cells, in one stratum: cells do not know the sampling design.
    """
    unit = PERSON if cells.design.unit == "person" else HOUSEHOLD
    names = tuple(cells.totals["village"].unique().sort().to_list())
    design = SurveyDesign(names, np.zeros(len(names), np.int64))
    number = {name: i for i, name in enumerate(names)}
    price_year = cells.meta.get("price_year")
    parts = []
    for line in lines:
        columns = {name: cells.column(f"{line}_{name}") for name in MEASURES}
        part = cells.totals.group_by("village", "period").agg(
            pl.col("n").sum(),
            pl.col("weight").sum().alias(f"weight_{unit}"),
            *(
                pl.col(column).sum().cast(pl.Float64).alias(f"{name}_{unit}")
                for name, column in columns.items()
            ),
        )
        amounts = {t: money.load().line_fen(line, price_year or t) for t in cells.periods}
        fen = pl.col("period").replace_strict(amounts, return_dtype=pl.Int64)
        parts.append(
            part.with_columns(
                pl.col(f"gap_{unit}") / fen,
                line_name=pl.lit(line),
                group=pl.lit("all"),
                cluster=pl.col("village").replace_strict(number, return_dtype=pl.Int64),
            )
        )
    status = {
        (line, t): money.load().line_status(line, price_year or t)
        for line in lines
        for t in cells.periods
    }
    return _of_sums(pl.concat(parts), status, design)


def changes(found: Measures) -> Measures:
    """Return the change of each measure from its first to its last period, both in `labels`.

    Households seen in both periods are one sample: their covariance is in the error.
    """
    keys = ["line_name", "group", "unit", "measure"]
    ends = (
        found.labels.with_row_index("k")
        .group_by(keys, maintain_order=True)
        .agg(
            first=pl.col("period").min(),
            last=pl.col("period").max(),
            a=pl.col("k").sort_by("period").first(),
            b=pl.col("k").sort_by("period").last(),
        )
        .filter(pl.col("first") < pl.col("last"))
    )
    before, after = found.at(ends["a"].to_list()), found.at(ends["b"].to_list())
    return linearised.less(after, before, ends.drop("a", "b"))


def sources_of_the_poor(people: People, line: str) -> pl.DataFrame:
    """Return what the poor and the others live on: the share of each source in their income.

    Returns
    -------
    polars.DataFrame
        period, group (below the line, others), source, per_head (yuan a year, prices of the
        period), share (of total income; null where that is not above zero), n_rows. Persons.
    """
    schema = {
        "period": pl.Int32,
        "group": pl.String,
        "source": pl.String,
        "per_head": pl.Float64,
        "share": pl.Float64,
        "n_rows": pl.Int64,
    }
    if not people.has_lines or people.frame.is_empty():
        return pl.DataFrame(schema=schema)
    amounts = {t: people.line_fen(line, t) for t in people.periods}
    fen = pl.col("period").replace_strict(amounts, return_dtype=pl.Int64)
    poor = pl.col("total_fen") < fen * pl.col("size")
    persons = (pl.col("weight") * pl.col("size")).sum()
    names = schemas.SOURCES
    wide = people.frame.group_by(
        "period", group=pl.when(poor).then(pl.lit("below the line")).otherwise(pl.lit("others"))
    ).agg(
        *((pl.col("weight") * pl.col(name)).sum().alias(name) for name in names),
        persons=persons,
        n_rows=pl.len().cast(pl.Int64),
    )
    total = pl.sum_horizontal(names)
    long = [
        wide.select(
            "period",
            "group",
            source=pl.lit(name),
            per_head=pl.col(name) / pl.col("persons") / money.FEN_PER_YUAN,
            share=pl.when(total > 0).then(pl.col(name) / total),
            n_rows="n_rows",
        )
        for name in names
    ]
    return pl.concat(long).sort("period", "group", maintain_order=True)
