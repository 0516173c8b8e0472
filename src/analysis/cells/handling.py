"""From sums by pattern to the tables of cells: balanced, pairs, cross-sections, moments.

Every function takes *patterned* sums: keys, pattern (Int64, bit k for the k-th period), period, n,
weight, and the sums of outcomes, in the order of keys, pattern and period. What comes out is added
up in that order, so it is the same on each engine.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import polars as pl

NOT_IN_PAIR: Final = "household not seen in the other period of any comparison"
COUNTS: Final = ("n", "weight")

Keys = tuple[str, ...]
Periods = tuple[int, ...]


def sums_of(patterned: pl.DataFrame) -> list[str]:
    """Return the columns of sums, counts first."""
    return [
        name for name in patterned.columns if name in COUNTS or name.startswith(("sum_", "wsum_"))
    ]


def bits(periods: Periods) -> dict[int, int]:
    """Return the bit of each period.

    Examples
    --------
    >>> bits((2012, 2014, 2015))
    {2012: 1, 2014: 2, 2015: 4}
    """
    return {period: 1 << number for number, period in enumerate(periods)}


def _bit(periods: Periods) -> pl.Expr:
    return pl.col("period").replace_strict(bits(periods), return_dtype=pl.Int64)


def _has(mask: int | pl.Expr) -> pl.Expr:
    """Whether the pattern has every bit of a mask."""
    wanted = pl.lit(mask, pl.Int64) if isinstance(mask, int) else mask
    return (pl.col("pattern") & wanted) == wanted


def _add(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Add up in the order of the rows."""
    return frame.group_by(by, maintain_order=True).agg(pl.col(sums_of(frame)).sum()).sort(by)


def totals(patterned: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    """Return keys, period, n, weight and sums over the households seen in the period."""
    return _add(patterned, [*keys, "period"])


def ever(patterned: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    """Return keys, n_ever and weight_ever: the households seen at all."""
    once = patterned.group_by(*keys, "pattern", maintain_order=True).agg(pl.col(COUNTS).first())
    return _add(once, list(keys)).rename({"n": "n_ever", "weight": "weight_ever"})


def comparisons(cohorts: Periods, periods: Periods, anticipation: int) -> list[tuple[int, int]]:
    """Return every (base, period) that a group-time estimator compares.

    The universal base of cohort g is the last period before g − anticipation; the varying base of
    an earlier period is the period before it (Callaway & Sant'Anna 2021; package did).

    Examples
    --------
    >>> comparisons((2014,), (2012, 2013, 2014), 0)
    [(2012, 2013), (2013, 2012), (2013, 2014)]
    """
    entries = set(pairwise(periods))
    for cohort in cohorts:
        before = [period for period in periods if period < cohort - anticipation]
        if before and cohort:
            entries |= {(before[-1], period) for period in periods if period != before[-1]}
    return sorted(entries)


def pairs(
    patterned: pl.DataFrame, keys: Keys, periods: Periods, compared: list[tuple[int, int]]
) -> pl.DataFrame:
    """Return keys, base, period, n, weight, ``…_base``, ``…_period`` over households seen in both.

    Raises
    ------
    ValueError
        If nothing is compared.
    """
    bit, frames = bits(periods), []
    values = [name for name in sums_of(patterned) if name not in COUNTS]
    for base, period in compared:
        both = patterned.filter(_has(bit[base] | bit[period]))
        at_base, at_period = pl.col("period") == base, pl.col("period") == period
        frames.append(
            both.group_by(*keys, maintain_order=True).agg(
                pl.lit(base, pl.Int32).alias("base"),
                pl.lit(period, pl.Int32).alias("period"),
                *(pl.col(name).filter(at_base).sum() for name in COUNTS),
                *(pl.col(name).filter(at_base).sum().alias(f"{name}_base") for name in values),
                *(pl.col(name).filter(at_period).sum().alias(f"{name}_period") for name in values),
            )
        )
    if not frames:
        raise ValueError("no two periods to compare")
    return pl.concat(frames).sort(*keys, "base", "period")


def in_no_pair(
    patterned: pl.DataFrame, periods: Periods, compared: list[tuple[int, int]]
) -> pl.DataFrame:
    """Return the rows that enter no comparison, for the account."""
    bit = bits(periods)
    used = [
        (pl.col("period") == here) & _has(bit[there])
        for pair in compared
        for here, there in (pair, pair[::-1])
    ]
    return patterned.filter(~pl.any_horizontal(used))


def untreated_mask(periods: Periods, anticipation: int, keys: Keys) -> pl.Expr:
    """Return the bits of the periods in which a cohort cannot be affected yet."""
    everything = sum(bits(periods).values())
    mask = pl.lit(everything, pl.Int64)
    for name in keys:
        if name.startswith("cohort"):
            early = pl.sum_horizontal(
                pl.when(pl.col(name) - anticipation > period)
                .then(pl.lit(bit, pl.Int64))
                .otherwise(pl.lit(0, pl.Int64))
                for period, bit in bits(periods).items()
            )
            mask = mask & pl.when(pl.col(name) == 0).then(pl.lit(everything, pl.Int64)).otherwise(
                early
            )
    return mask


def inverse(
    patterned: pl.DataFrame, keys: Keys, periods: Periods, omega: str, anticipation: int
) -> pl.DataFrame:
    """Return the inverse-count pair moments A[s,t] and B[s,t] (base s, period t).

    A[s,t] = Σ_i 1{s ∈ Ω_i, i seen at t} / |Ω_i| and B[s,t] the same times Y_is, where Ω_i are the
    periods in which i is seen (``all``) or seen untreated (``untreated``).

    Returns
    -------
    polars.DataFrame
        keys, omega, base, period, a, ``b_…`` (Float64).
    """
    values = [name for name in sums_of(patterned) if name not in COUNTS]
    weighted = any(name.startswith("wsum_") for name in values)
    prefix = "wsum_" if weighted else "sum_"
    values = [name for name in values if name.startswith(prefix)]
    mask = _mask(omega, periods, anticipation, keys)
    rows = patterned.with_columns(
        inside=pl.col("pattern") & mask,
    ).filter((pl.col("inside") & _bit(periods)) != 0)
    share = pl.col("inside").bitwise_count_ones().cast(pl.Float64)
    rows = rows.select(
        *keys,
        "pattern",
        pl.col("period").alias("base"),
        (pl.col("weight" if weighted else "n") / share).alias("a"),
        *((pl.col(name) / share).alias(f"b_{name.removeprefix(prefix)}") for name in values),
    )
    sums = [name for name in rows.columns if name == "a" or name.startswith("b_")]
    frames = [
        rows.filter(_has(bit))
        .group_by(*keys, "base", maintain_order=True)
        .agg(pl.col(sums).sum(), pl.lit(period, pl.Int32).alias("period"))
        for period, bit in bits(periods).items()
    ]
    return (
        pl.concat(frames)
        .select(*keys, pl.lit(omega).alias("omega"), "base", "period", *sums)
        .sort(*keys, "base", "period")
    )


def _mask(omega: str, periods: Periods, anticipation: int, keys: Keys) -> pl.Expr:
    if omega == "untreated":
        return untreated_mask(periods, anticipation, keys)
    return pl.lit(sum(bits(periods).values()), pl.Int64)


def seen_untreated(
    patterned: pl.DataFrame, keys: Keys, periods: Periods, anticipation: int
) -> pl.DataFrame:
    """Keep the households seen at least once in a period in which they are not yet affected."""
    mask = untreated_mask(periods, anticipation, keys)
    return patterned.filter((pl.col("pattern") & mask) != 0)
