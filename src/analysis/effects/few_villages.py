"""Tests of one comparison that hold with few villages: wild bootstrap, randomisation.

The wild bootstrap tests one cohort against its controls in one pair of periods. Randomisation
inference asks how often an assignment by chance would have given as much; it is defined only where
whole villages were assigned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.effects.group_time import Comparison, base_period, control_rows
from analysis.effects.table import Table, refuse
from analysis.inference import randomisation, wild
from analysis.inference.arrays import Floats, Integers


@dataclass(frozen=True)
class TwoByTwo:
    """One cohort and its controls in two periods, by village.

    Attributes
    ----------
    villages : array, shape (u,)
        Numbers of the villages that have households in an arm.
    weight : array, shape (u, 2)
        Weight of the treated (first column) and the control households.
    total : array, shape (u, 2, k)
        Σw of their changes.
    outcomes : tuple of str
        Names.
    """

    villages: Integers
    weight: Floats
    total: Floats
    outcomes: tuple[str, ...]

    @property
    def points(self) -> Floats:
        """Difference of mean changes, shape (k,): the group-time effect."""
        mean = self.total.sum(axis=0) / self.weight.sum(axis=0)[:, None]
        found: Floats = mean[0] - mean[1]
        return found


def two_by_two(table: Table, cohort: int, period: int, how: Comparison | None = None) -> TwoByTwo:
    """Lay one comparison out by village.

    Raises
    ------
    FaultsError
        If it has strata, has no base period, lacks an arm, or is one of cross-sections.
    """
    how = how or Comparison()
    base = base_period(table.periods, cohort, period, how)
    if base is None:
        refuse("the comparison has no base period", "choose a later period", column="period",
               value=period)  # fmt: skip
    if table.handling == "cross_sections":
        refuse("changes need households seen twice", "make cells that are balanced or of pairs",
               column="handling", value=table.handling)  # fmt: skip
    if how.where == "same_village" or len(table.strata) > 1:
        refuse("the test is one of two arms without strata", "join the strata",
               column="stratum", value=", ".join(table.strata))  # fmt: skip
    (leg,) = table.legs(base, period)
    arms = (table.cohort == cohort, control_rows(table, cohort, max(base, period), how))
    size = len(table.villages)
    weight, total = np.zeros((size, 2)), np.zeros((size, 2, len(table.outcomes)))
    for side, rows in enumerate(arms):
        np.add.at(weight[:, side], table.village[rows], leg.weight[rows])
        np.add.at(total[:, side], table.village[rows], leg.total[rows])
    if not weight.sum(axis=0).all():
        problem = "no control is left" if weight[:, 0].any() else "no household is treated"
        remedy = "choose another cohort, period or controls"
        refuse(problem, remedy, column="cohort", value=cohort)
    there = np.flatnonzero(weight.any(axis=1))
    return TwoByTwo(there, weight[there], total[there], table.outcomes)


def wild_bootstrap(
    two: TwoByTwo, outcome: str, *, null: float = 0.0, draws: int = wild.DRAWS,
    seed: int = wild.SEED,
) -> wild.WildTest:  # fmt: skip
    """Test one effect by the restricted wild cluster bootstrap; see `wild.bootstrap`."""
    gram, moment = wild.contrast_moments(two.weight, two.total[..., two.outcomes.index(outcome)])
    return wild.bootstrap(gram, moment, 1, null=null, draws=draws, seed=seed)


def wild_interval(
    two: TwoByTwo, outcome: str, *, level: float = 0.95, draws: int = wild.DRAWS,
    seed: int = wild.SEED,
) -> tuple[float, float]:  # fmt: skip
    """Return the effects that the wild bootstrap does not reject; see `wild.interval`."""
    gram, moment = wild.contrast_moments(two.weight, two.total[..., two.outcomes.index(outcome)])
    return wild.interval(gram, moment, 1, level=level, draws=draws, seed=seed)


def randomise(
    two: TwoByTwo,
    stratum: Integers | None = None,
    *,
    draws: int = randomisation.DRAWS,
    seed: int = randomisation.SEED,
) -> randomisation.RandomisationTest:
    """Test that no village's change was moved, by every other assignment of villages.

    Parameters
    ----------
    two : TwoByTwo
        The comparison.
    stratum : array, shape (v,), optional
        Stratum of the assignment of every village of the table; villages change places inside it.
    draws, seed : int
        Random assignments, unless fewer are possible.

    Raises
    ------
    FaultsError
        If a village has treated and control households, or no other assignment is possible.
    """
    mixed = (two.weight[:, 0] > 0) & (two.weight[:, 1] > 0)
    if mixed.any():
        refuse("households were assigned inside villages, and cells do not tell which others"
               " could have been", "use the microdata, or a programme given to whole villages",
               column="village", value=f"{int(mixed.sum())} villages in both arms")  # fmt: skip
    blocks = None if stratum is None else np.asarray(stratum)[two.villages]
    try:
        return randomisation.permute(two.weight.sum(axis=1), two.total.sum(axis=1),
                                     two.weight[:, 0] > 0, blocks, draws=draws,
                                     seed=seed)  # fmt: skip
    except ValueError as error:
        refuse(str(error), "use wider strata", column="stratum")
