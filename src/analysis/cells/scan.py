"""The scan: income joined to what its household was at baseline, added up.

The sums are kept apart by the *pattern* of a household: the set of periods in which it is seen, one
bit a period. Every handling of unbalanced panels, every pair of periods and every inverse-count
moment follows exactly from sums by pattern, so one scan serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import add, and_
from typing import Any, Final

import narwhals as nw
import polars as pl

from analysis import money
from analysis.cells.design import CellsDesign
from analysis.cells.engines import Frame, Tables
from analysis.cells.outcomes import ADULT_EQUIVALENTS, POVERTY, VALUES, Outcome
from analysis.faults import Fault, FaultsError
from analysis.panels import schemas
from analysis.panels.outcomes import MONEY
from analysis.panels.prices import Prices

MOST_PERIODS: Final = 62
"""A pattern is one whole number of 64 bits."""


@dataclass(frozen=True)
class Plan:
    """What the scan adds up, and how outcomes follow from it.

    Attributes
    ----------
    raw : mapping of str to narwhals.Expr
        Values of a household and period, by the name of their sum; whole numbers or floats.
    whole : mapping of str to bool
        Whether values are whole numbers.
    parts : mapping of str to tuple of str
        Names in `raw` that add up to each outcome.
    scale : mapping of str to mapping of int to Fraction, or None
        What to multiply a period's sum by, for each outcome in prices of another year.
    """

    raw: Mapping[str, Any]
    whole: Mapping[str, bool]
    parts: Mapping[str, tuple[str, ...]]
    scale: Mapping[str, Mapping[int, Fraction] | None]


def plan(
    design: CellsDesign,
    periods: tuple[int, ...],
    prices: Prices,
    columns: tuple[str, ...] = schemas.SOURCES,
) -> Plan:
    """Decide what to add up: each value once, a total from its sources where they are there.

    With disclosure control also every column of the income table, by which a later release is known
    to be of the same households, and each source per whom the outcomes are: see `sizes`.
    """
    raw: dict[str, Any] = {}
    whole: dict[str, bool] = {}
    parts: dict[str, tuple[str, ...]] = {}
    scale: dict[str, Mapping[int, Fraction] | None] = {}
    plain = {(o.source, o.per) for o in design.outcomes if o.transform is None}
    for outcome in design.outcomes:
        scaled = (
            outcome.is_money
            and outcome.real is not None
            and not outcome.measured.nominal
            and not _is_winsorised(outcome)
        )
        scale[outcome.name] = (
            {t: prices.factor(t, outcome.real) for t in periods}
            if scaled and outcome.real is not None
            else None
        )
        sources: tuple[str, ...] = (outcome.source,)
        if (
            outcome.transform is None
            and outcome.source == "total"
            and all((source, outcome.per) in plain for source in schemas.SOURCES)
        ):
            sources = schemas.SOURCES
        names = []
        for source in sources:
            name = _raw_name(outcome, source)
            raw[name] = _value(outcome, source, periods, prices)
            # Prices come after the scan: before it, an amount is whole whatever its year.
            whole[name] = outcome.is_whole or (
                outcome.is_money and outcome.per == "household" and not _is_winsorised(outcome)
            )
            names.append(name)
        parts[outcome.name] = tuple(names)
    if design.disclosure:
        for per in dict.fromkeys(o.per for o in design.outcomes if o.is_of_sources or o.is_gap):
            for source in schemas.SOURCES:
                name = _raw_name(Outcome(source, per=per), source)
                # Nobody need have answered what no outcome asks for.
                value = _value(Outcome(source, per=per), source, periods, prices)
                raw[name] = value.fill_null(0)
                whole[name] = per == "household"
        for column in columns:
            raw[known_by(column)] = nw.col(column).cast(nw.Float64).fill_null(0.0)
            whole[known_by(column)] = False
    return Plan(raw, whole, parts, scale)


def known_by(column: str) -> str:
    """Return what the values of a column are called that tell whose a release is."""
    return f"column_{column}"


def _raw_name(outcome: Outcome, source: str) -> str:
    """Name a value so that outcomes that differ only in prices share it."""
    transform = outcome.transform
    name = f"{source}_{outcome.per}"
    if transform is None:
        return name
    if transform.reference is not None:
        # Spark reads a dot in a name as a field of a struct.
        return f"{name}_{transform.kind}_{transform.share}_{transform.reference.digest}".replace(
            ".", "_"
        )
    if transform.kind == "winsorised":
        return f"{name}_winsorised_" + "_".join(f"{share:g}" for share in transform.shares).replace(
            ".", "_"
        )
    real = outcome.real if transform.kind in ("threshold", "log", "asinh") else None
    return f"{name}_{transform.kind}_{transform.line or transform.fen or ''}_{real or ''}"


def _is_winsorised(outcome: Outcome) -> bool:
    return outcome.transform is not None and outcome.transform.kind == "winsorised"


def _value(outcome: Outcome, source: str, periods: tuple[int, ...], prices: Prices) -> Any:
    """Return the value of an outcome, in prices of each period."""
    names = schemas.SOURCES if source == "total" else (source,)
    income = sum((nw.col(name) for name in names[1:]), start=nw.col(names[0]))
    size = nw.col("size_baseline").cast(nw.Int64)
    transform = outcome.transform
    if transform is None and outcome.per == "household":
        return income.cast(nw.Int64) if outcome.is_count else income
    if transform is None:
        return income / _divisor(outcome)
    if transform.kind in VALUES:
        return _transformed(outcome, periods, prices)
    if transform.reference is not None:
        return transform.reference.influence(amounts(outcome, periods, prices), transform.share)
    amount = _by_period({t: _amount(outcome, t, prices) for t in periods})
    if transform.kind in POVERTY:
        amount = amount * size
    elif outcome.per != "household":
        amount = amount * _divisor(outcome)
    if transform.kind in ("headcount", "threshold"):
        return (income < amount).cast(nw.Int64)
    lacking = nw.when(income < amount).then(amount - income).otherwise(nw.lit(0, nw.Int64))
    if transform.kind == "squared_gap":
        share = lacking.cast(nw.Float64) / amount
        return share * share
    return lacking if outcome.per == "household" else lacking / _divisor(outcome)


def _divisor(outcome: Outcome) -> Any:
    if outcome.per == "adult_equivalent":
        return nw.col(ADULT_EQUIVALENTS)
    return nw.col("size_baseline").cast(nw.Int64)


def amounts(outcome: Outcome, periods: tuple[int, ...], prices: Prices) -> Any:
    """Return what an outcome is made of: a float in its prices and per whom it is."""
    first, *others = (nw.col(name) for name in outcome.columns)
    value = sum(others, start=first).cast(nw.Float64)
    if outcome.real is not None and not outcome.measured.nominal:
        factors = {t: float(prices.factor(t, outcome.real)) for t in periods}
        value = value * _by_period(factors, nw.Float64)
    return value if outcome.per == "household" else value / _divisor(outcome)


def _transformed(outcome: Outcome, periods: tuple[int, ...], prices: Prices) -> Any:
    """Return the logarithm, the inverse hyperbolic sine, or the value drawn in to its bounds."""
    transform, value = outcome.transform, amounts(outcome, periods, prices)
    assert transform is not None  # noqa: S101  # asked for outcomes with a transform only
    if transform.kind == "winsorised":
        return value.clip(*outcome.measured.bounds)
    if outcome.measured.kind in MONEY:
        value = value / money.FEN_PER_YUAN
    if transform.kind == "log":
        return value.log()
    # Of the absolute value, so that no large number is taken from one nearly as large.
    size = value.abs()
    sine = (size + (size * size + 1).sqrt()).log()
    return nw.when(value < 0).then(-sine).otherwise(sine)


def _amount(outcome: Outcome, period: int, prices: Prices) -> int:
    """Return a line or threshold in fen in the prices the incomes of a period are in."""
    transform = outcome.transform
    assert transform is not None  # noqa: S101  # asked for outcomes with a transform only
    if transform.line:
        year = prices.year(period)
        if year is None or not isinstance(prices.index, str):
            remedy = "give an amount in place of the name of a line"
            problem = "a named line needs years and a series of prices.csv"
            raise FaultsError([Fault("panel.json", problem, remedy, column=outcome.name)])
        return money.load().line_fen(transform.line, year, prices.index or money.PRICE_INDEX)
    assert transform.fen is not None  # noqa: S101  # checked by Transform
    if outcome.real is None or transform.kind != "threshold":
        return transform.fen
    return round(transform.fen / prices.factor(period, outcome.real))


def _by_period(amounts: Mapping[int, Any], kind: Any = nw.Int64) -> Any:
    """Return an amount that depends on the period, as an expression."""
    values = list(amounts.values())
    if len(set(values)) == 1:
        return nw.lit(values[0], kind)
    expression = nw.lit(values[-1], kind)
    for period, amount in list(amounts.items())[-2::-1]:
        here = nw.col("period") == period
        expression = nw.when(here).then(nw.lit(amount, kind)).otherwise(expression)
    return expression


def attributes(
    tables: Tables, design: CellsDesign, levels: tuple[str, ...], weighted: bool
) -> Frame:
    """Return one row per household: size, weight if they differ, and the keys it varies in.

    What is the same for all, or for all of a village, would only slow the scan: `complete` adds it.
    """
    stratum = nw.col(design.stratum).cast(nw.String).alias("stratum") if design.stratum else None
    per_equivalent = any(outcome.per == "adult_equivalent" for outcome in design.outcomes)
    frame = tables.households.select(
        "household",
        "village",
        "size_baseline",
        *([_weight(design)] if weighted else []),
        *([] if stratum is None else [stratum]),
        *([ADULT_EQUIVALENTS] if per_equivalent else []),
        *(nw.col(name).cast(nw.Float64).alias(f"z_{name}") for name in design.covariates),
    )
    if per_equivalent:
        frame = frame.filter(nw.col(ADULT_EQUIVALENTS) > 0)
    if stratum is not None:
        frame = frame.filter(~nw.col("stratum").is_null())
    for name, programme, level in _cohorts(design, levels):
        if level == "household":
            treated = _treated(tables, programme, level, name)
            frame = frame.join(treated, on=level, how="left").with_columns(
                nw.col(name).fill_null(0)
            )
    if "dose" in design.moments:
        # Who never takes part has none of it.
        dose = _of_programme(tables, design.programmes[0], levels[0]).select(
            levels[0], nw.col("dose").alias("z_dose")
        )
        frame = frame.join(dose, on=levels[0], how="left").with_columns(
            nw.col("z_dose").fill_null(0.0)
        )
    return frame


def _cohorts(design: CellsDesign, levels: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Return the column of cohorts, the programme and its level, for each programme."""
    names = [name for name in design.keys if name.startswith("cohort")]
    return list(zip(names, design.programmes, levels, strict=True))


def _treated(tables: Tables, programme: str, level: str, name: str) -> Frame:
    """Return who was ever treated: unit (named as its level), first period (named as the key)."""
    return _of_programme(tables, programme, level).select(
        level, nw.col("first_period").cast(nw.Int32).alias(name)
    )


def _of_programme(tables: Tables, programme: str, level: str) -> Frame:
    return tables.participation.filter(
        nw.col("programme") == programme, nw.col("unit_level").cast(nw.String) == level
    )


def complete(
    frame: pl.DataFrame, tables: Tables, design: CellsDesign, levels: tuple[str, ...]
) -> pl.DataFrame:
    """Add the keys that `attributes` left out, and put the keys first and in order."""
    if not design.stratum:
        frame = frame.with_columns(pl.lit("all").alias("stratum"))
    for name, programme, level in _cohorts(design, levels):
        if level == "village":
            treated = tables.collect(_treated(tables, programme, level, name))
            frame = frame.join(treated, on="village", how="left").with_columns(
                pl.col(name).fill_null(0)
            )
    frame = tables.named(frame)
    if design.stratum == "village":
        frame = frame.with_columns(pl.col("village").alias("stratum"))
    return frame.select(*design.keys, pl.exclude(design.keys)).sort(design.keys)


def _weight(design: CellsDesign) -> Any:
    weight = nw.col("weight")
    if design.unit == "person":
        weight = weight * nw.col("size_baseline").cast(nw.Float64)
    return weight.alias("weight")


def answered(design: CellsDesign) -> Any:
    """Return whether a row has every outcome of a design: no source but those it needs."""
    needed = dict.fromkeys(name for outcome in design.outcomes for name in outcome.columns)
    if tuple(needed) == schemas.SOURCES:
        return nw.col("complete")
    there = [~nw.col(name).is_null() for name in needed]
    return reduce(and_, there)


def defined(design: CellsDesign) -> Any | None:
    """Return whether every logarithm of a design exists; None where there are none."""
    logs = [o for o in design.outcomes if o.transform is not None and o.transform.kind == "log"]
    above = [reduce(add, (nw.col(name) for name in outcome.columns)) > 0 for outcome in logs]
    return reduce(and_, above) if above else None


def usable(design: CellsDesign) -> Any:
    """Return whether a row has every outcome of a design, and a logarithm where one is asked."""
    exists = defined(design)
    return answered(design) if exists is None else answered(design) & exists


def seen(tables: Tables, design: CellsDesign, periods: tuple[int, ...], everything: bool) -> Frame:
    """Return the usable rows of the periods; nothing is filtered where that is all rows."""
    if everything:
        return tables.income
    inside = (nw.col("period") >= periods[0]) & (nw.col("period") <= periods[-1])
    return tables.income.filter(usable(design), inside)


def with_pattern(households: Frame, rows: Frame, periods: tuple[int, ...]) -> Frame:
    """Add to each household the set of periods it is seen in; who is never seen drops out.

    Also how many rows it has: a household with two rows in one period gets a wrong pattern.
    """
    bit = _by_period({period: 1 << number for number, period in enumerate(periods)})
    patterns = (
        rows.select("household", bit.alias("bit"))
        .group_by("household")
        .agg(nw.col("bit").sum().alias("pattern"), nw.len().alias("rows"))
        .with_columns(nw.col("pattern", "rows").cast(nw.Int64))
    )
    return households.join(patterns, on="household", how="inner")


def values_of(rows: Frame, households: Frame, plan: Plan) -> Frame:
    """Return every row with what its household is, and the values that are added up."""
    values = rows.join(households, on="household", how="inner")
    return values.with_columns(*(value.alias(name) for name, value in plan.raw.items()))


def add_up(values: Frame, design: CellsDesign, plan: Plan, weighted: bool) -> Frame:
    """Return n, weight, ``s_…``, ``w_…`` by period, pattern and the keys that households have."""
    there = values.collect_schema().names()
    keys = [name for name in (*design.keys, "pattern") if name in there] + ["period"]
    sums = [nw.len().alias("n"), *(nw.col(name).sum().alias(f"s_{name}") for name in plan.raw)]
    if weighted:
        values = values.with_columns(
            *((nw.col(name) * nw.col("weight")).alias(f"w_{name}") for name in plan.raw)
        )
        sums += [nw.col("weight").sum(), *(nw.col(f"w_{name}").sum() for name in plan.raw)]
    # Engines differ in the type of a sum: DuckDB's of whole numbers has 128 bits.
    kind = {True: nw.Int64, False: nw.Float64}
    types = [
        nw.col("n").cast(nw.Int64),
        nw.col("weight" if weighted else "n").cast(nw.Float64).alias("weight"),
        *(nw.col(f"s_{name}").cast(kind[whole]) for name, whole in plan.whole.items()),
    ]
    names = [f"{kind}_{name}" for kind in "sw"[: 1 + weighted] for name in plan.raw]
    return (
        values.group_by(*keys).agg(*sums).with_columns(*types).select(*keys, "n", "weight", *names)
    )
