"""Second moments of cells: squares and products that a household's own rows are needed for.

The values of a household are laid side by side, one column per value and period, in the one reading
of the incomes; a *view* of them is the level of one period, or the change between two, of the
households seen in it. Every view has the same moments. With z for the dose and the covariates, and
v for an outcome: Σv, Σv², Σz, Σzz′, Σzv, each times the weight where weights differ.

From them follow the variance of changes between households of a village (for power), the response
to a household's dose (`analysis.did.estimators.dose`), and regressions on baseline covariates and
their products with treatment (Lin 2013). They identify people sooner than sums do (the sum and the
sum of squares of two incomes are the two incomes), so no pack has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Any, Final

import narwhals as nw
import polars as pl

from analysis.cells.design import CellsDesign
from analysis.cells.engines import Frame, Tables
from analysis.cells.outcomes import Outcome
from analysis.cells.scan import Plan
from analysis.faults import Fault
from analysis.panels.panel import Panel

LIMB: Final = 21
"""Bits of the lower part of a whole number whose square is wanted.

A change of four sources of 10¹² fen has 43 bits, so parts have 22 and their products 44: sums of
half a million of them fit into 64 bits, on every engine."""
LEVEL: Final = 0
"""Base of a view that is the level of a period, until it becomes null."""
Periods = tuple[int, ...]


def faults(
    panel: Panel, tables: Tables, design: CellsDesign, levels: tuple[str, ...]
) -> list[Fault]:
    """Return what second moments need and the panel cannot give: doses, covariates."""
    faults = []
    if "dose" in design.moments:
        programme = design.programmes[0]
        units = tables.participation.filter(
            nw.col("programme") == programme, nw.col("unit_level").cast(nw.String) == levels[0]
        )
        lacking = tables.collect(units.filter(nw.col("dose").is_null()).select("unit"))
        if lacking.height:
            faults.append(
                Fault(
                    "participation.parquet",
                    f"{lacking.height} treated have no dose",
                    "give each its dose, or leave the moments of doses out",
                    column="dose",
                    value=str(lacking["unit"].min()),
                )
            )
    schema = panel.households.collect_schema()
    for name in design.covariates:
        kind = schema.get(name)
        if kind is None or not (kind.is_numeric() or kind == pl.Boolean):
            problem = "there is no such column" if kind is None else "the covariate is no number"
            faults.append(
                Fault(
                    "households.parquet",
                    problem,
                    "name numbers or true and false",
                    column=name,
                    value=str(kind or name),
                )
            )
            continue
        empty = panel.households.filter(pl.col(name).is_null()).select("household")
        lacking = empty.collect()
        if lacking.height:
            faults.append(
                Fault(
                    "households.parquet",
                    f"{lacking.height} households lack it",
                    "fill it when importing, or leave the covariate out",
                    column=name,
                    value=str(lacking["household"].min()),
                )
            )
    return faults


def side_by_side(values: Frame, households: Frame, plan: Plan, periods: Periods) -> Frame:
    """Return one row per household: each value in each period, and in how many rows it is seen.

    Parameters
    ----------
    values : narwhals.LazyFrame
        From `scan.values_of`.
    households : narwhals.LazyFrame
        Of `presence.Presence`.
    """
    sums = [
        nw.when(nw.col("period") == t)
        .then(nw.col(name))
        .otherwise(nw.lit(0))
        .sum()
        .alias(f"{name}_at_{t}")
        for t in periods
        for name in plan.raw
    ]
    seen = [
        nw.when(nw.col("period") == t).then(nw.lit(1)).otherwise(nw.lit(0)).sum().alias(f"seen_{t}")
        for t in periods
    ]
    types = [
        *(nw.col(f"seen_{t}").cast(nw.Int64) for t in periods),
        *(
            nw.col(f"{name}_at_{t}").cast(nw.Int64 if plan.whole[name] else nw.Float64)
            for t in periods
            for name in plan.raw
        ),
    ]
    wide = values.group_by("household").agg(*seen, *sums).with_columns(*types)
    return wide.join(households, on="household", how="inner")


def rows_again(side: Frame, households: Frame, plan: Plan, periods: Periods) -> Frame:
    """Return what `scan.values_of` did, from the values side by side."""
    own = [name for name in households.collect_schema().names() if not name.startswith("z_")]
    views = [
        side.filter(nw.col(f"seen_{t}") > 0).select(
            *own,
            nw.lit(t, nw.Int32).alias("period"),
            *(nw.col(f"{name}_at_{t}").alias(name) for name in plan.raw),
        )
        for t in periods
    ]
    return nw.concat(views)


def table(
    tables: Tables, side: Frame, design: CellsDesign, plan: Plan, periods: Periods, weighted: bool
) -> pl.DataFrame:
    """Return the second moments by the keys that households have.

    Returns
    -------
    polars.DataFrame
        keys, base (Int32; null: the level of the period, else the change from base to period, base
        before period), period (Int32), n (Int64), weight (Float64), and for each outcome o ``sum_o``
        (Σv; Int64 where whole) and, with the moments ``change``, ``ss_o`` (Σv², Float64; where the
        values are whole, the exact sum rounded once). For each z: ``zsum_z``, ``zz_z_y`` (z and y in
        the order of the design, the dose first), ``zs_z_o``. Where `weighted`, also ``wsum_o`` and
        ``wss_o``, and what has a z is weighted.
    """  # noqa: E501
    there = side.collect_schema().names()
    keys = [name for name in design.keys if name in there]
    z = ["z_dose"] if "dose" in design.moments else []
    z += [f"z_{name}" for name in design.covariates]
    outcomes = design.outcomes
    views = nw.concat(
        [
            _view(side, design, plan, base, t, [*keys, *(["weight"] if weighted else []), *z])
            for base, t in _pairs(periods)
        ]
    )
    terms = dict(_terms(outcomes, plan, design, z, weighted))
    lazy = views.with_columns(*(term.alias(name) for name, term in terms.items()))
    sums = [nw.len().alias("n"), *(nw.col(name).sum() for name in terms)]
    if weighted:
        sums.append(nw.col("weight").sum())
    grouped = lazy.group_by(*keys, "base", "period").agg(*sums)
    types = [
        nw.col("n").cast(nw.Int64),
        nw.col("weight" if weighted else "n").cast(nw.Float64).alias("weight"),
        *(
            nw.col(name).cast(nw.Int64 if _is_whole(name, outcomes, plan) else nw.Float64)
            for name in terms
        ),
    ]
    order = [*keys, "base", "period", "n", "weight", *terms]
    collected = tables.collect(grouped.with_columns(*types).select(*order))
    joined = collected.with_columns(
        pl.when(pl.col("base") != LEVEL).then(pl.col("base")).alias("base"),
        *_rounded_once(collected.columns),
    ).drop(pl.selectors.matches(r"^(hh|hl|ll)_"))
    return joined.sort(*keys, "base", "period")


def _pairs(periods: Periods) -> Iterator[tuple[int, int]]:
    """Yield every view: base (`LEVEL` for a level) and period."""
    for last, t in enumerate(periods):
        yield LEVEL, t
        for base in periods[:last]:
            yield base, t


def _whole(outcome: Outcome, plan: Plan) -> bool:
    parts = plan.parts[outcome.name]
    return plan.scale[outcome.name] is None and all(plan.whole[part] for part in parts)


def _view(
    side: Frame, design: CellsDesign, plan: Plan, base: int, period: int, kept: list[str]
) -> Frame:
    """Return the households seen in a view with the values of the outcomes in it, ``v_…``."""
    seen = nw.col(f"seen_{period}") > 0
    if base != LEVEL:
        seen = seen & (nw.col(f"seen_{base}") > 0)
    values = []
    for outcome in design.outcomes:
        value = _at(outcome, plan, period)
        if base != LEVEL:
            value = value - _at(outcome, plan, base)
        values.append(value.alias(f"v_{outcome.name}"))
    return side.filter(seen).select(
        *kept,
        nw.lit(base, nw.Int32).alias("base"),
        nw.lit(period, nw.Int32).alias("period"),
        *values,
    )


def _at(outcome: Outcome, plan: Plan, period: int) -> Any:
    """Return an outcome in a period, from the values side by side."""
    first, *others = (nw.col(f"{part}_at_{period}") for part in plan.parts[outcome.name])
    value = sum(others, start=first)
    scale = plan.scale[outcome.name]
    return value if scale is None else value.cast(nw.Float64) * float(scale[period])


def _terms(
    outcomes: tuple[Outcome, ...], plan: Plan, design: CellsDesign, z: list[str], weighted: bool
) -> Iterator[tuple[str, Any]]:
    """Yield what is added up over a view, by the name of its sum."""
    weight = nw.col("weight") if weighted else nw.lit(1.0)
    names = [name.removeprefix("z_") for name in z]
    for outcome in outcomes:
        value, name = nw.col(f"v_{outcome.name}"), outcome.name
        yield f"sum_{name}", value
        if weighted:
            yield f"wsum_{name}", value.cast(nw.Float64) * weight
        if "change" in design.moments:
            yield from _squares(outcome, plan, value)
            if weighted:
                yield f"wss_{name}", value.cast(nw.Float64) * value.cast(nw.Float64) * weight
        for text in names:
            yield f"zs_{text}_{name}", nw.col(f"z_{text}") * value.cast(nw.Float64) * weight
    for text in names:
        yield f"zsum_{text}", nw.col(f"z_{text}") * weight
    for text, other in combinations_with_replacement(names, 2):
        yield f"zz_{text}_{other}", nw.col(f"z_{text}") * nw.col(f"z_{other}") * weight


def _squares(outcome: Outcome, plan: Plan, value: Any) -> Iterator[tuple[str, Any]]:
    if not _whole(outcome, plan):
        yield f"ss_{outcome.name}", value * value
        return
    # |v| = high · 2²¹ + low: three sums of whole numbers, equal on every engine.
    high = nw.col(f"v_{outcome.name}").abs() // 2**LIMB
    low = nw.col(f"v_{outcome.name}").abs() - high * 2**LIMB
    for name, term in (("hh", high * high), ("hl", high * low), ("ll", low * low)):
        yield f"{name}_{outcome.name}", term.cast(nw.Int64)


def _is_whole(name: str, outcomes: tuple[Outcome, ...], plan: Plan) -> bool:
    kind, _, rest = name.partition("_")
    if kind in ("hh", "hl", "ll"):
        return True
    return kind == "sum" and any(_whole(o, plan) for o in outcomes if o.name == rest)


def _rounded_once(columns: list[str]) -> Iterator[pl.Expr]:
    """Yield the squares put together from their parts: exact, then rounded to a float."""
    for name in columns:
        if name.startswith("hh_"):
            rest = name.removeprefix("hh_")
            high, cross, low = (
                pl.col(f"{part}_{rest}").cast(pl.Int128) for part in ("hh", "hl", "ll")
            )
            exact = high * 2 ** (2 * LIMB) + cross * 2 ** (LIMB + 1) + low
            yield exact.cast(pl.Float64).alias(f"ss_{rest}")
