"""From a panel to cells."""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import polars as pl

from analysis.cells import handling, measured, presence, scan, second_moments, sizes
from analysis.cells.design import CellsDesign, Level
from analysis.cells.engines import EngineName, Tables, opened
from analysis.cells.outcomes import ADULT_EQUIVALENTS
from analysis.cells.result import Cells
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.account import Account
from analysis.panels.panel import Panel
from analysis.panels.prices import Prices

OUTSIDE: Final = "outside the periods asked for"
INCOMPLETE: Final = "a source of income is missing"
NO_OUTCOME: Final = "an outcome is missing"
NOT_POSITIVE: Final = "zero or below, which has no logarithm"


def build(
    source: Panel | Path,
    design: CellsDesign,
    engine: EngineName = "polars",
    *,
    session: Any = None,
) -> Cells:
    """Add a panel up to cells; the incomes are read once.

    Household and period alone are read before that where not every household has every period, to
    learn who is seen when. With second moments the values of each household are laid side by side
    in that one reading, which needs memory: eight bytes per household, period and value.

    Parameters
    ----------
    source : Panel or Path
        A panel or the folder of one. DuckDB and Spark read the folder's files.
    design : CellsDesign
        What to add up and how.
    engine : str
        ``polars`` (streaming), ``duckdb`` or ``spark``. Sums of whole numbers are equal on each;
        sums of floats to 1e-12 of the sum of absolute values.
    session : optional
        A DuckDB connection or Spark session to use; it is left open.

    Returns
    -------
    Cells
        With the account of every row of the income table.

    Raises
    ------
    FaultsError
        If the panel lacks what the design names, or has no row that can be used.
    """
    panel = panels.read(source) if isinstance(source, Path) else source
    with opened(source if engine != "polars" else panel, engine, session) as tables:
        return _build(panel, tables, design)


def _build(panel: Panel, tables: Tables, design: CellsDesign) -> Cells:
    levels = levels_of(tables, design)
    raise_if_any(
        [*faults_of(panel, tables, design), *second_moments.faults(panel, tables, design, levels)]
    )
    prices = Prices.of(panel, design.price_series)
    design = measured.read(panel, design)
    counts = counts_of(tables, design)
    periods, account = periods_of(counts, design)
    design, notes = measured.priced(panel, design, periods, prices)
    weighted = design.unit == "person" or _any_weight(tables)
    plan = scan.plan(design, periods, prices, columns_of(panel))
    households = scan.attributes(tables, design, levels, weighted)
    item = presence.look(tables, design, households, periods, account)
    rows = scan.seen(tables, design, periods, everything=account.rows_used == account.rows_read)
    values = scan.values_of(rows, item.households, plan)
    products, sized = None, None
    if design.moments or design.disclosure:
        side = tables.keep(second_moments.side_by_side(values, item.households, plan, periods))
        values = second_moments.rows_again(side, item.households, plan, periods)
        if design.moments:
            products = second_moments.table(tables, side, design, plan, periods, weighted)
            products = scan.complete(products, tables, design, levels)
        if design.disclosure:
            sized = sizes.table(tables, side, design, plan, periods, weighted)
            if item.pattern is not None:
                sized = sized.with_columns(pl.lit(item.pattern, pl.Int64).alias("pattern"))
            sized = scan.complete(sized, tables, design, levels)
            sized = sized.sort(*design.keys, "pattern", "base", "period")
    sums = tables.collect(scan.add_up(values, design, plan, weighted))
    if item.pattern is not None:
        sums = sums.with_columns(pl.lit(item.pattern, pl.Int64).alias("pattern"))
    sums = scan.complete(sums, tables, design, levels)
    patterned = _outcomes(sums, design, plan, weighted).sort(*design.keys, "pattern", "period")
    ever = None if item.ever is None else scan.complete(item.ever, tables, design, levels)
    item = replace(item, ever=ever)
    raise_if_any(_miscounted(patterned, design.keys, item.account.rows_used))
    level: Level = levels[0] if len(set(levels)) == 1 else "auto"
    meta: dict[str, Any] = {
        "panel": panel.name,
        "currency": panel.currency,
        "calendar": panel.calendar,
        "notes": list(notes),
        "price_year": panel.price_year,
        "levels": list(levels),
        "engine": tables.engine,
        "versions": {
            tables.engine: tables.version,
            "polars": pl.__version__,
            "narwhals": nw.__version__,
            "python": platform.python_version(),
        },
    }
    references = {
        frozen.digest: frozen.about()
        for outcome in design.outcomes
        if outcome.transform and (frozen := outcome.transform.reference)
    }
    if references:
        meta["references"] = references
    cells = _handle(
        patterned, item, replace(design, level=level), panel.tier, periods, meta, weighted
    )
    return replace(cells, second=products, sizes=sized)


def _handle(
    patterned: pl.DataFrame,
    item: presence.Presence,
    design: CellsDesign,
    tier: str,
    periods: tuple[int, ...],
    meta: dict[str, Any],
    weighted: bool,
) -> Cells:
    """Make the tables that the handling asks for."""
    keys, found_pairs, account = design.keys, None, item.account
    if not patterned.height:
        raise FaultsError(
            [
                Fault(
                    "income.parquet",
                    "no row can be used",
                    "use the handling pairs or cross_sections, or other periods",
                    value=str(account.left_out),
                )
            ]
        )
    if design.handling == "pairs":
        cohorts = set(patterned["cohort"].to_list())
        if "cohort_2" in keys:
            cohorts |= set(patterned["cohort_2"].to_list())
        compared = handling.comparisons(tuple(sorted(cohorts)), periods, design.anticipation)
        found_pairs = handling.pairs(patterned, keys, periods, compared)
        alone = _rows(handling.in_no_pair(patterned, periods, compared))
        account = _leave_out(account, handling.NOT_IN_PAIR, alone)
    inverse = [
        handling.inverse(patterned, keys, periods, omega, design.anticipation)
        for omega in design.inverse
    ]
    untreated = None
    if "untreated" in design.inverse:
        some = handling.seen_untreated(patterned, keys, periods, design.anticipation)
        untreated = handling.totals(some, keys)
        both = [handling.ever(frame, keys)["n_ever"].sum() for frame in (patterned, some)]
        meta["households_never_seen_untreated"] = int(both[0]) - int(both[1])
    return Cells(
        design=design,
        tier=tier,
        periods=periods,
        weighted=weighted,
        risk=patterned if design.disclosure else None,
        totals=handling.totals(patterned, keys),
        ever=handling.ever(patterned, keys) if item.ever is None else item.ever,
        account=account,
        pairs=found_pairs,
        inverse=pl.concat(inverse) if inverse else None,
        untreated=untreated,
        meta=meta,
    )


def _miscounted(patterned: pl.DataFrame, keys: tuple[str, ...], expected: int) -> list[Fault]:
    """Return what shows that a key occurs twice, against the contract of a panel.

    The households of one pattern are equally many in each of its periods.
    """
    parts = patterned.filter(pl.col("pattern") != presence.ANY).group_by(*keys, "pattern")
    counts = parts.agg(pl.col("n").n_unique(), periods=pl.len())
    bits = pl.col("pattern").bitwise_count_ones()
    uneven = counts.filter((pl.col("n") > 1) | (pl.col("periods") != bits))
    return [
        Fault(f"{table}.parquet", problem, "keep one row for each key")
        for wrong, table, problem in (
            (_rows(patterned) != expected, "households", "a household occurs twice"),
            (uneven.height > 0, "income", "a household has two rows in one period"),
        )
        if wrong
    ]


def _outcomes(
    sums: pl.DataFrame, design: CellsDesign, plan: scan.Plan, weighted: bool
) -> pl.DataFrame:
    """Turn sums of values into sums of outcomes: sources into total, nominal into real."""
    expressions = []
    for outcome in design.outcomes:
        scale = plan.scale[outcome.name]
        names = [("s_", "sum_", plan.parts[outcome.name])]
        if weighted:
            names.append(("w_", "wsum_", plan.parts[outcome.name]))
        for prefix, name, parts in names:
            first, *others = (pl.col(prefix + part) for part in parts)
            value = sum(others, start=first)
            if scale is not None:
                factors = {period: float(factor) for period, factor in scale.items()}
                value = value * pl.col("period").replace_strict(factors, return_dtype=pl.Float64)
            expressions.append(value.alias(name + outcome.name))
    return sums.select(*design.keys, "pattern", "period", "n", "weight", *expressions)


def _rows(patterned: pl.DataFrame) -> int:
    return int(patterned["n"].sum())


def _leave_out(account: Account, reason: str, rows: int) -> Account:
    if not rows:
        return account
    return Account(account.rows_read, account.rows_used - rows, {**account.left_out, reason: rows})


def columns_of(panel: Panel) -> tuple[str, ...]:
    """Return the columns of values of the income table, whether they were answered or not."""
    return (*schemas.SOURCES, *(outcome.name for outcome in panel.outcomes))


def counts_of(tables: Tables, design: CellsDesign) -> pl.DataFrame:
    """Return rows, rows with every outcome asked for, and rows that can be used, by period."""
    answered, usable = scan.answered(design), scan.usable(design)
    counts = (
        tables.income.select(
            "period",
            answered.cast(nw.Int64).alias("answered"),
            usable.cast(nw.Int64).alias("complete"),
        )
        .group_by("period")
        .agg(nw.len().alias("rows"), nw.col("answered").sum(), nw.col("complete").sum())
    )
    whole = pl.col("rows", "answered", "complete").cast(pl.Int64).fill_null(0)
    return tables.collect(counts).with_columns(whole)


def periods_of(counts: pl.DataFrame, design: CellsDesign) -> tuple[tuple[int, ...], Account]:
    """Return the periods with income, and the account up to here."""
    first, last = design.periods or (-(2**31), 2**31 - 1)
    inside = counts.filter(pl.col("period").is_between(first, last))
    periods = tuple(sorted(inside.filter(pl.col("complete") > 0)["period"].to_list()))
    value = ", ".join(map(str, periods))
    raise_if_any(
        Fault("income.parquet", problem, remedy, column="period", value=value)
        for wrong, problem, remedy in (
            (
                len(periods) < 2,
                f"fewer than two periods in which {_names(design)} were answered",
                "an effect compares periods: use more of them, or other outcomes",
            ),
            (
                len(periods) > scan.MOST_PERIODS,
                f"more than {scan.MOST_PERIODS} periods",
                "name the first and last to use",
            ),
        )
        if wrong
    )
    rows = int(counts["rows"].sum())
    account = Account(rows, rows)
    account = _leave_out(account, OUTSIDE, rows - int(inside["rows"].sum()))
    rows, answered, usable = (int(inside[name].sum()) for name in ("rows", "answered", "complete"))
    columns = {name for outcome in design.outcomes for name in outcome.columns}
    reason = INCOMPLETE if columns <= set(schemas.SOURCES) else NO_OUTCOME
    account = _leave_out(account, reason, rows - answered)
    return periods, _leave_out(account, NOT_POSITIVE, answered - usable)


def _names(design: CellsDesign) -> str:
    return ", ".join(dict.fromkeys(name for o in design.outcomes for name in o.columns))


def _any_weight(tables: Tables) -> bool:
    other = tables.households.filter(nw.col("weight") != 1).select(nw.len().alias("n"))
    return bool(tables.collect(other)["n"].item())


def levels_of(tables: Tables, design: CellsDesign) -> tuple[Level, ...]:
    """Return the level of each programme, and raise where the panel does not have it."""
    kinds = tables.participation.select("programme", nw.col("unit_level").cast(nw.String)).unique()
    known = tables.collect(kinds).sort("programme", "unit_level")
    levels: list[Level] = []
    faults = []
    for programme in design.programmes:
        there = known.filter(pl.col("programme") == programme)["unit_level"].to_list()
        if design.level in there or (design.level == "auto" and len(there) == 1):
            levels.append(design.level if design.level != "auto" else there[0])
            continue
        others = ", ".join(f"{p} ({level}s)" for p, level in known.iter_rows())
        if there and design.level == "auto":
            problem, remedy = "it was given to households and to villages", "name the level"
        elif there:
            problem, remedy = f"no {design.level} has it", f"use the level {there[0]}"
        else:
            problem, remedy = "nobody was ever treated", f"use one of: {others or 'none is there'}"
        faults.append(
            Fault("participation.parquet", problem, remedy, column="programme", value=programme)
        )
    raise_if_any(faults)
    return tuple(levels)


def faults_of(panel: Panel, tables: Tables, design: CellsDesign) -> list[Fault]:
    """Return what the design names and the panel cannot give."""
    faults = []
    columns = tables.households.collect_schema().names()
    if design.stratum and design.stratum not in columns:
        faults.append(
            Fault(
                "households.parquet",
                "there is no such column",
                f"use one of: {', '.join(columns)}",
                column="stratum",
                value=design.stratum,
            )
        )
    there = [name for name in columns_of(panel) if name not in panel.absent]
    for outcome in design.outcomes:
        faults += [
            Fault(
                "income.parquet",
                "the panel has no such outcome",
                f"use one of: {', '.join((*panel.outcome_names,))}",
                column=outcome.name,
                value=name,
            )
            for name in outcome.columns
            if name not in there
        ]
        if outcome.transform is not None and outcome.transform.line and panel.currency != "yuan":
            faults.append(
                Fault(
                    "panel.json",
                    "the named lines are those of the yuan",
                    "give an amount in place of a named line",
                    column=outcome.name,
                    value=panel.currency,
                )
            )
        if outcome.per == "adult_equivalent" and ADULT_EQUIVALENTS not in columns:
            faults.append(
                Fault(
                    "households.parquet",
                    "there is no column of adult equivalents",
                    f"add {ADULT_EQUIVALENTS} to [household] of the map",
                    column=outcome.name,
                )
            )
    return faults
