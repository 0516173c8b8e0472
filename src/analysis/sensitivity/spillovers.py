"""Effects under interference: controls beside the treated and elsewhere, and bounds between.

In a village with the programme the treated get its effect and whatever others' treatment adds, the
untreated get the latter only. Against other villages the treated show both; against neighbours they
show the effect less what spills over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from analysis.effects.exposure import neighbours, saturation
from analysis.effects.group_time import WHERE, Comparison
from analysis.effects.record import Key
from analysis.effects.result import EffectSet, stack
from analysis.effects.table import Table, refuse
from analysis.faults import FaultsError
from analysis.inference import clusters
from analysis.sensitivity.combine import combination, difference, only, overall

SPILLOVER = "on untreated neighbours"


@dataclass(frozen=True)
class Alternatives:
    """The overall effect on one outcome against alternative controls.

    Attributes
    ----------
    effects : EffectSet
        One estimate per way that these data allow, then the effect on untreated neighbours if it
        can be estimated; jointly estimated, in yuan.
    names : tuple of str
        Of each: a word of `analysis.effects.group_time.WHERE`, or `SPILLOVER`.
    missing : mapping of str to str
        What these data do not allow, and why.
    """

    effects: EffectSet
    names: tuple[str, ...]
    missing: dict[str, str]

    def frame(self) -> pl.DataFrame:
        """Return one row per estimate: `name`, `estimate`, interval, villages and households."""
        return self.effects.to_frame().select(
            pl.Series("name", self.names),
            "estimate",
            "std_error",
            "ci_low",
            "ci_high",
            "n_villages_treated",
            "n_villages_control",
            "n_households_treated",
            "n_households_control",
            "note",
        )

    def between(self, first: str, second: str) -> EffectSet:
        """Return the estimate of one name less that of another."""
        key = Key(self.effects.keys[0].outcome, "simple", programme=f"{first} less {second}")
        return difference(self.effects, self.names.index(first), self.names.index(second), key)


def alternatives(table: Table, outcome: str = "total") -> Alternatives:
    """Estimate the overall effect against controls elsewhere, beside the treated, and both.

    Parameters
    ----------
    table : Table
        Of a programme; one given to whole villages has no controls beside the treated.
    outcome : str
        Which outcome.

    Raises
    ------
    FaultsError
        If none of the ways can be estimated.
    """
    chosen = table.select(outcome)
    found: list[EffectSet] = []
    names: list[str] = []
    missing: dict[str, str] = {}
    for where in WHERE:
        try:
            how = Comparison(where=where)  # type: ignore[arg-type]
            found.append(only(overall(chosen, how), outcome))
            names.append(where)
        except FaultsError as error:
            missing[where] = error.faults[0].problem
    try:
        found.append(only(overall(neighbours(chosen), Comparison(where="other_villages")), outcome))
        names.append(SPILLOVER)
    except FaultsError as error:
        missing[SPILLOVER] = error.faults[0].problem
    if not found:
        refuse(
            "there is no overall effect",
            "; ".join(missing.values()),
            column="programme",
            value=table.programme,
        )
    keyed = [
        replace(one, keys=(replace(one.keys[0], programme=name),))
        for one, name in zip(found, names, strict=True)
    ]
    return Alternatives(stack(*keyed), tuple(names), missing)


@dataclass(frozen=True)
class DirectBounds:
    """What the programme does to its own households, if others' treatment moves them too.

    Attributes
    ----------
    low, high : float
        Of the direct effect, in yuan.
    ci_low, ci_high : float
        Interval over both ends.
    share : float
        The treated feel at most this multiple of what their untreated neighbours feel.
    """

    low: float
    high: float
    ci_low: float
    ci_high: float
    share: float


def direct_bounds(found: Alternatives, share: float = 1.0) -> DirectBounds:
    """Bound the direct effect by how far others' treatment may reach the treated.

    Against other villages the treated show direct effect and spillover. If the spillover on them
    has the sign of that on their untreated neighbours and is at most `share` times as large, the
    direct effect lies between the estimate and the estimate less that.

    Parameters
    ----------
    found : Alternatives
        With other villages and untreated neighbours estimated.
    share : float
        0: the treated feel none of it; 1: as much as their neighbours.

    Raises
    ------
    FaultsError
        If one of both estimates is missing.
    """
    for name in ("other_villages", SPILLOVER):
        if name not in found.names:
            refuse(
                "spillovers cannot be bounded",
                found.missing.get(name, ""),
                column="programme",
                value=name,
            )
    ends = []
    for part in (0.0, share):
        weights = np.zeros(len(found.names))
        weights[found.names.index("other_villages")] = 1.0
        weights[found.names.index(SPILLOVER)] = -part
        one = combination(found.effects, weights, found.effects.keys[0])
        half = clusters.half_width(one.std_errors, one.degrees, one.level)
        ends.append(
            (float(one.points[0]), float((one.points - half)[0]), float((one.points + half)[0]))
        )
    points = [end[0] for end in ends]
    # Where one end has no interval, as where no village varies, the bounds have none.
    low, high = np.min([end[1] for end in ends]), np.max([end[2] for end in ends])
    return DirectBounds(min(points), max(points), float(low), float(high), share)


def by_saturation(table: Table, edges: tuple[float, ...], outcome: str = "total") -> pl.DataFrame:
    """Return the effect on untreated neighbours by the share of their village that is treated.

    Parameters
    ----------
    table : Table
        Of a programme given to households.
    edges : tuple of float
        Ascending shares; a bin holds low < share ≤ high.

    Returns
    -------
    DataFrame
        `low`, `high`, `villages` with the programme in the bin, `estimate`, interval (yuan), and
        `why` there is no estimate.
    """
    chosen, share = table.select(outcome), saturation(table)
    first = table.village_cohort()
    rows = []
    for low, high in pairwise(edges):
        inside = int(((first > 0) & (share > low) & (share <= high)).sum())
        row: dict[str, object] = {"low": low, "high": high, "villages": inside}
        try:
            one = (
                only(overall(neighbours(chosen, low, high)), outcome).to_frame().row(0, named=True)
            )
            row |= {name: one[name] for name in ("estimate", "ci_low", "ci_high")} | {"why": ""}
        except FaultsError as error:
            row |= {
                "estimate": None,
                "ci_low": None,
                "ci_high": None,
                "why": error.faults[0].problem,
            }
        rows.append(row)
    return pl.DataFrame(
        rows,
        schema={
            "low": pl.Float64,
            "high": pl.Float64,
            "villages": pl.Int64,
            "estimate": pl.Float64,
            "ci_low": pl.Float64,
            "ci_high": pl.Float64,
            "why": pl.String,
        },
    )
