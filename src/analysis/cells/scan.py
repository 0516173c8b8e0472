"""The scan: income joined to what its household was at baseline, added up.

The sums are kept apart by the *pattern* of a household: the set of periods in which it is seen, one
bit a period. Every handling of unbalanced panels, every pair of periods and every inverse-count
moment follows exactly from sums by pattern, so one scan serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import narwhals as nw
import polars as pl

from analysis import money
from analysis.cells.design import CellsDesign
from analysis.cells.engines import Frame, Tables
from analysis.cells.outcomes import POVERTY, Outcome
from analysis.panels import schemas

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
    sized : mapping of str to str
        For each outcome that is money, the name in `sizes` of its value.
    sizes : mapping of str to narwhals.Expr
        Values whose absolute sum and maximum disclosure control needs; empty if not asked for.
    """

    raw: Mapping[str, Any]
    whole: Mapping[str, bool]
    parts: Mapping[str, tuple[str, ...]]
    scale: Mapping[str, Mapping[int, Fraction] | None]
    sized: Mapping[str, str]
    sizes: Mapping[str, Any]


@dataclass(frozen=True)
class Prices:
    """In which prices the panel is, and how to bring amounts to others."""

    series: str
    price_year: int | None

    def of(self, period: int) -> int:
        """Return the year whose prices the incomes of a period are in."""
        return self.price_year or period

    def factor(self, period: int, real: int) -> Fraction:
        """Return what brings an income of the period to the prices of a year."""
        return money.load().factor(real, self.of(period), self.series)


def plan(design: CellsDesign, periods: tuple[int, ...], prices: Prices) -> Plan:
    """Decide what to add up: each value once, a total from its sources where they are there."""
    raw: dict[str, Any] = {}
    whole: dict[str, bool] = {}
    parts: dict[str, tuple[str, ...]] = {}
    scale: dict[str, Mapping[int, Fraction] | None] = {}
    sized: dict[str, str] = {}
    sizes: dict[str, Any] = {}
    plain = {(o.source, o.per) for o in design.outcomes if o.transform is None}
    for outcome in design.outcomes:
        scaled = outcome.is_money and outcome.real is not None
        scale[outcome.name] = (
            {t: prices.factor(t, outcome.real) for t in periods}
            if scaled and outcome.real is not None
            else None
        )
        sources: tuple[str, ...] = (str(outcome.source),)
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
            whole[name] = outcome.is_whole or (outcome.is_money and outcome.per == "household")
            names.append(name)
        parts[outcome.name] = tuple(names)
        if design.disclosure and outcome.is_money:
            name = _raw_name(outcome, str(outcome.source))
            sized[outcome.name] = name
            sizes[name] = _value(outcome, str(outcome.source), periods, prices).abs()
    return Plan(raw, whole, parts, scale, sized, sizes)


def _raw_name(outcome: Outcome, source: str) -> str:
    """Name a value so that outcomes that differ only in prices share it."""
    made = outcome.transform
    name = f"{source}_{outcome.per}"
    if made is None:
        return name
    if made.reference is not None:
        # Spark reads a dot in a name as a field of a struct.
        return f"{name}_{made.kind}_{made.share}_{made.reference.digest}".replace(".", "_")
    real = outcome.real if made.kind == "threshold" else None
    return f"{name}_{made.kind}_{made.line or made.fen}_{real or ''}"


def _value(outcome: Outcome, source: str, periods: tuple[int, ...], prices: Prices) -> Any:
    """Return the value of an outcome, in prices of each period."""
    names = schemas.SOURCES if source == "total" else (source,)
    income = sum((nw.col(name) for name in names[1:]), start=nw.col(names[0]))
    size = nw.col("size_baseline").cast(nw.Int64)
    made = outcome.transform
    if made is None:
        return income if outcome.per == "household" else income / size
    if made.reference is not None:
        amounts = income.cast(nw.Float64)
        if outcome.real is not None:
            factors = {t: float(prices.factor(t, outcome.real)) for t in periods}
            amounts = amounts * _by_period(factors, nw.Float64)
        amounts = amounts if outcome.per == "household" else amounts / size
        return made.reference.influence(amounts, made.share)
    amount = _by_period({t: _amount(outcome, t, prices) for t in periods})
    if made.kind in POVERTY or outcome.per == "head":
        amount = amount * size
    if made.kind in ("headcount", "threshold"):
        return (income < amount).cast(nw.Int64)
    lacking = nw.when(income < amount).then(amount - income).otherwise(nw.lit(0, nw.Int64))
    if made.kind == "squared_gap":
        share = lacking.cast(nw.Float64) / amount
        return share * share
    return lacking if outcome.per == "household" else lacking / size


def _amount(outcome: Outcome, period: int, prices: Prices) -> int:
    """Return a line or threshold in fen in the prices the incomes of a period are in."""
    made = outcome.transform
    assert made is not None  # noqa: S101  # asked for outcomes with a transform only
    if made.line:
        return money.load().line_fen(made.line, prices.of(period), prices.series)
    assert made.fen is not None  # noqa: S101  # checked by Transform
    if outcome.real is None or made.kind != "threshold":
        return made.fen
    return round(made.fen / prices.factor(period, outcome.real))


def _by_period(amounts: Mapping[int, Any], kind: Any = nw.Int64) -> Any:
    """Return an amount that depends on the period, as an expression."""
    values = list(amounts.values())
    if len(set(values)) == 1:
        return nw.lit(values[0], kind)
    found = nw.lit(values[-1], kind)
    for period, amount in list(amounts.items())[-2::-1]:
        here = nw.col("period") == period
        found = nw.when(here).then(nw.lit(amount, kind)).otherwise(found)
    return found


def attributes(
    tables: Tables, design: CellsDesign, levels: tuple[str, ...], weighted: bool
) -> Frame:
    """Return one row per household: size, weight if they differ, and the keys it varies in.

    What is the same for all, or for all of a village, would only slow the scan: `complete` adds it.
    """
    stratum = nw.col(design.stratum).cast(nw.String).alias("stratum") if design.stratum else None
    frame = tables.households.select(
        "household",
        "village",
        "size_baseline",
        *([_weight(design)] if weighted else []),
        *([] if stratum is None else [stratum]),
        *(nw.col(name).cast(nw.Float64).alias(f"z_{name}") for name in design.covariates),
    )
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


def seen(tables: Tables, periods: tuple[int, ...], everything: bool) -> Frame:
    """Return the complete rows of the periods; nothing is filtered where that is all rows."""
    if everything:
        return tables.income
    inside = (nw.col("period") >= periods[0]) & (nw.col("period") <= periods[-1])
    return tables.income.filter(nw.col("complete"), inside)


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


def values_of(rows: Frame, households: Frame, found: Plan) -> Frame:
    """Return every row with what its household is, and the values that are added up."""
    everything = {**found.raw, **{f"a_{name}": value for name, value in found.sizes.items()}}
    values = rows.join(households, on="household", how="inner")
    return values.with_columns(*(value.alias(name) for name, value in everything.items()))


def add_up(values: Frame, design: CellsDesign, found: Plan, weighted: bool) -> Frame:
    """Return n, weight, ``s_…``, ``w_…`` by period, pattern and the keys that households have.

    Where disclosure control is asked for, also sums and maxima of absolute values: ``s_a_…``,
    ``top_…``, and with weights ``w_a_…``, ``wtop_…``.
    """
    there = values.collect_schema().names()
    keys = [name for name in (*design.keys, "pattern") if name in there] + ["period"]
    everything = [*found.raw, *(f"a_{name}" for name in found.sizes)]
    sums = [nw.len().alias("n"), *(nw.col(name).sum().alias(f"s_{name}") for name in everything)]
    sums += [nw.col(f"a_{name}").max().alias(f"top_{name}") for name in found.sizes]
    if weighted:
        values = values.with_columns(
            *((nw.col(name) * nw.col("weight")).alias(f"w_{name}") for name in everything)
        )
        sums += [nw.col("weight").sum(), *(nw.col(f"w_{name}").sum() for name in everything)]
        sums += [nw.col(f"w_a_{name}").max().alias(f"wtop_{name}") for name in found.sizes]
    # Engines differ in the type of a sum: DuckDB's of whole numbers has 128 bits.
    kind = {True: nw.Int64, False: nw.Float64}
    types = [
        nw.col("n").cast(nw.Int64),
        nw.col("weight" if weighted else "n").cast(nw.Float64).alias("weight"),
        *(nw.col(f"s_{name}").cast(kind[whole]) for name, whole in found.whole.items()),
        *(
            nw.col(f"{prefix}_{name}").cast(nw.Float64)
            for name in found.sizes
            for prefix in ("s_a", "top")
        ),
    ]
    plain = [f"s_{name}" for name in everything] + [f"top_{name}" for name in found.sizes]
    heavy = [f"w_{name}" for name in everything] + [f"wtop_{name}" for name in found.sizes]
    names = [*plain, *(heavy if weighted else [])]
    return (
        values.group_by(*keys).agg(*sums).with_columns(*types).select(*keys, "n", "weight", *names)
    )
