"""How large the largest households are in each sum and in each change: for disclosure control only.

For every value that a reader could get a sum of, by village, cohort, stratum, pattern of presence
and period (or pair of periods): how many households have any of it, the sum of its absolute values,
the largest, and the sum of squares, from which the second largest is bounded. A value is one of the
fifteen sums of sources of income, since any of them may follow from others, or an outcome of any
other kind, as it is added up; beside a gap also the incomes of who is below its line, and of who is
not: with the headcount both follow. Counts have no size: see `analysis.cells.disclosure`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import narwhals as nw
import polars as pl

from analysis.cells.design import CellsDesign
from analysis.cells.engines import Frame, Tables
from analysis.cells.outcomes import Outcome
from analysis.cells.scan import Plan, known_by
from analysis.cells.second_moments import LEVEL, Periods
from analysis.panels import schemas

ALL: Final = (1 << len(schemas.SOURCES)) - 1
"""The total: a sum of sources is named by bits, the first source by the lowest."""


def mask(outcome: Outcome) -> int:
    """Return the sources that an amount is made of, as bits.

    Examples
    --------
    >>> mask(Outcome("wage")), mask(Outcome("total"))
    (1, 15)
    """
    if outcome.source == "total":
        return ALL
    return 1 << schemas.SOURCES.index(str(outcome.source))


def family(outcome: Outcome) -> str:
    """Return what the values of an amount are called, but for the sources."""
    return f"{outcome.per}_{outcome.real or ''}_"


def families(design: CellsDesign) -> dict[str, Outcome]:
    """Return one amount of each family: of the incomes declared, and those in nominal prices."""
    plain = [o for o in design.outcomes if o.is_of_sources]
    nominal = [Outcome("total", per=o.per) for o in plain]
    return {family(o): o for o in (*nominal, *plain)}


def is_sized(outcome: Outcome) -> bool:
    """Whether an outcome has a size of its own: all but sums of sources, and counts.

    Examples
    --------
    >>> is_sized(Outcome("land")), is_sized(Outcome("wage"))
    (True, False)
    """
    return not (outcome.is_of_sources or outcome.is_count or outcome.is_approximate)


def sides(gap: Outcome) -> dict[str, bool]:
    """Return the values of who is below the line of a gap, and who is not, by whether below.

    Examples
    --------
    >>> from analysis.cells.outcomes import gap as lacking
    >>> sides(Outcome("lack", transform=lacking(100)))
    {'below_lack': True, 'above_lack': False}
    """
    return {f"below_{gap.name}": True, f"above_{gap.name}": False}


def table(
    tables: Tables, side: Frame, design: CellsDesign, found: Plan, periods: Periods, weighted: bool
) -> pl.DataFrame:
    """Return the sizes by the keys that households have.

    Parameters
    ----------
    side : narwhals.LazyFrame
        From `analysis.cells.second_moments.side_by_side`.

    Returns
    -------
    polars.DataFrame
        keys, pattern, base (Int32; null: the level of the period, else the change from base to
        period, where a household not seen has nothing), period (Int32), n, and for each value v
        ``num_v`` (households with any), ``abs_v``, ``top_v``, ``sq_v``; where `weighted` also
        ``wabs_v``, ``wtop_v``, ``wsq_v``.
    """
    there = side.collect_schema().names()
    keys = [name for name in (*design.keys, "pattern") if name in there]
    parts = [
        _view(side, design, found, base, t, keys, weighted)
        for last, t in enumerate(periods)
        for base in (LEVEL, *periods[:last])
    ]
    collected = tables.collect(nw.concat(parts))
    return collected.with_columns(
        pl.when(pl.col("base") != LEVEL).then(pl.col("base")).alias("base")
    )


def _view(
    side: Frame,
    design: CellsDesign,
    found: Plan,
    base: int,
    period: int,
    keys: list[str],
    weighted: bool,
) -> Frame:
    seen = nw.col(f"seen_{period}") > 0
    if base != LEVEL:
        seen = seen | (nw.col(f"seen_{base}") > 0)
    values = {
        **dict(_values(design, found, base, period)),
        **dict(_columns(found, base, period)),
    }
    kept = [*keys, *(["weight"] if weighted else [])]
    rows = side.filter(seen).select(
        *kept, *(value.cast(nw.Float64).abs().alias(name) for name, value in values.items())
    )
    if weighted:
        rows = rows.with_columns((nw.col(v) * nw.col("weight")).alias(f"w_{v}") for v in values)
    sums = [nw.len().cast(nw.Int64).alias("n")]
    for name in values:
        sums.append((nw.col(name) != 0).cast(nw.Int64).sum().cast(nw.Int64).alias(f"num_{name}"))
        for prefix, column in (("", name), ("w", f"w_{name}"))[: 1 + weighted]:
            value = nw.col(column)
            sums += [
                value.sum().alias(f"{prefix}abs_{name}"),
                value.max().alias(f"{prefix}top_{name}"),
                (value * value).sum().alias(f"{prefix}sq_{name}"),
            ]
    grouped = rows.group_by(*keys).agg(*sums)
    order = [name for name in grouped.collect_schema().names() if name not in keys]
    return grouped.select(
        *keys,
        nw.lit(base, nw.Int32).alias("base"),
        nw.lit(period, nw.Int32).alias("period"),
        *order,
    )


def _values(design: CellsDesign, found: Plan, base: int, period: int) -> Iterator[tuple[str, Any]]:
    """Yield each value in a view, by its name."""
    for name, outcome in families(design).items():
        for bits in range(1, ALL + 1):
            value = _amount(outcome, found, period, bits)
            if base != LEVEL:
                value = value - _amount(outcome, found, base, bits)
            yield f"{name}{bits}", value
    for outcome in filter(is_sized, design.outcomes):
        value = _own(outcome, found, period)
        yield outcome.name, value if base == LEVEL else value - _own(outcome, found, base)
        for name, below in sides(outcome).items() if outcome.is_gap else ():
            value = _side(outcome, found, period, below)
            yield name, value if base == LEVEL else value - _side(outcome, found, base, below)


def _columns(found: Plan, base: int, period: int) -> Iterator[tuple[str, Any]]:
    """Yield each column as it is."""
    for name in (name for name in found.raw if name.startswith(known_by(""))):
        value = nw.col(f"{name}_at_{period}")
        yield name, value if base == LEVEL else value - nw.col(f"{name}_at_{base}")


def _own(outcome: Outcome, found: Plan, period: int) -> Any:
    """Return an outcome in a period, in its prices."""
    (raw,) = found.parts[outcome.name]
    value, scale = nw.col(f"{raw}_at_{period}"), found.scale[outcome.name]
    return value if scale is None else value.cast(nw.Float64) * float(scale[period])


def _side(gap: Outcome, found: Plan, period: int, below: bool) -> Any:
    """Return the income of who is, or is not, below the line of a gap in a period; else nothing."""
    income = _amount(Outcome(gap.source, per=gap.per), found, period, mask(gap))
    lacking = _own(gap, found, period) > 0
    kept = lacking if below else ~lacking
    return nw.when(kept).then(income.cast(nw.Float64)).otherwise(nw.lit(0.0))


def _amount(outcome: Outcome, found: Plan, period: int, bits: int) -> Any:
    """Return the sum of some sources in a period, in the prices of an outcome."""
    names = [s for number, s in enumerate(schemas.SOURCES) if bits >> number & 1]
    first, *others = (nw.col(f"{s}_{outcome.per}_at_{period}") for s in names)
    value = sum(others, start=first)
    scale = None if outcome.real is None else found.scale[outcome.name]
    return value if scale is None else value.cast(nw.Float64) * float(scale[period])
