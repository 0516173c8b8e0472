"""Tests of one comparison that hold with few villages: wild bootstrap, randomisation.

The wild bootstrap tests one cohort against its controls in one pair of periods. Randomisation
inference asks how often an assignment by chance would have given as much; it is defined only where
whole villages were assigned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.did.estimators.group_time import Comparison, base_period, control_rows
from analysis.did.estimators.table import Table, refuse
from analysis.inference import randomisation, wild
from analysis.inference.arrays import Floats, Integers


@dataclass(frozen=True)
class TwoByTwo:
    """One cohort and its controls in two periods, by village.

    Attributes
    ----------
    villages : array, shape (u,)
        Numbers of the villages that have households in an arm.
    weight : array, shape (u, s, 2)
        Weight of the treated (first) and the control households in each stratum with treated.
    total : array, shape (u, s, 2, k)
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
        """Difference of mean changes by stratum, averaged as the treated are: shape (k,)."""
        weight = self.weight.sum(axis=0)
        mean = self.total.sum(axis=0) / weight[..., None]
        share = weight[:, 0] / weight[:, 0].sum()
        values: Floats = share @ (mean[:, 0] - mean[:, 1])
        return values

    def moments(self, outcome: str) -> tuple[Floats, Floats, int]:
        """Return the moments for `wild.bootstrap`, and which coefficient is the effect."""
        gram, moment = wild.contrast_moments(
            self.weight, self.total[..., self.outcomes.index(outcome)]
        )
        return gram, moment, moment.shape[1] - 1


def two_by_two(table: Table, cohort: int, period: int, how: Comparison | None = None) -> TwoByTwo:
    """Lay one comparison out by village and stratum.

    Strata without treated households do not enter, as they have no share of the treated.

    Raises
    ------
    FaultsError
        If it has no base period, lacks an arm, in a stratum or at all, is one of cross-sections or
        of households of one village.
    """
    how = how or Comparison()
    base = base_period(table.periods, cohort, period, how)
    if base is None:
        refuse(
            "the comparison has no base period",
            "choose a later period",
            column="period",
            value=period,
        )
    if table.handling == "cross_sections":
        refuse(
            "changes need households seen twice",
            "make cells that are balanced or of pairs",
            column="handling",
            value=table.handling,
        )
    if how.where == "same_village":
        refuse(
            "a village that is its own control does not flip as one",
            "compare with other villages, or read the interval by CV3",
            column="where",
            value=how.where,
        )
    (leg,) = table.legs(base, period)
    arms = (table.cohort == cohort, control_rows(table, cohort, max(base, period), how))
    size = (len(table.villages), len(table.strata), 2)
    weight, total = np.zeros(size), np.zeros((*size, len(table.outcomes)))
    for side, rows in enumerate(arms):
        at = (table.village[rows], table.stratum[rows], side)
        np.add.at(weight, at, leg.weight[rows])
        np.add.at(total, at, leg.total[rows])
    wanted, served = (weight.sum(axis=0) > 0).T
    if not (wanted.any() and served.any()):
        problem = "no control is left" if wanted.any() else "no household is treated"
        remedy = "choose another cohort, period or controls"
        refuse(problem, remedy, column="cohort", value=cohort)
    if (wanted & ~served).any():
        lacking = [table.strata[s] for s in np.flatnonzero(wanted & ~served)]
        refuse(
            "a stratum has no controls", "join strata", column="stratum", value=", ".join(lacking)
        )
    weight, total = weight[:, wanted], total[:, wanted]
    there = np.flatnonzero(weight.any(axis=(1, 2)))
    return TwoByTwo(there, weight[there], total[there], table.outcomes)


def over_periods(every: Sequence[TwoByTwo]) -> TwoByTwo:
    """Return the mean of comparisons of one cohort over periods, each by the units seen in it.

    Raises
    ------
    FaultsError
        If strata of households differ between the periods.
    """
    villages = np.unique(np.concatenate([two.villages for two in every]))
    first = every[0]
    if any(two.weight.shape[1:] != first.weight.shape[1:] for two in every):
        refuse("other strata are seen in each period", "name one: period=", column="period")
    weight = np.zeros((villages.size, *first.weight.shape[1:]))
    total = np.zeros((villages.size, *first.total.shape[1:]))
    for two in every:
        at = np.searchsorted(villages, two.villages)
        weight[at] += two.weight
        total[at] += two.total
    # Where all are seen always, this is the mean of the changes of each unit.
    return TwoByTwo(villages, weight / len(every), total / len(every), first.outcomes)


def wild_bootstrap(
    two: TwoByTwo,
    outcome: str,
    *,
    null: float = 0.0,
    draws: int = wild.DRAWS,
    seed: int = wild.SEED,
    weights: wild.Weights = "rademacher",
) -> wild.WildTest:
    """Test one effect by the restricted wild cluster bootstrap; see `wild.bootstrap`.

    With strata the null is on their average, standardised to the treated; the shares of the treated
    are taken as known, which the standard errors of group-time effects do not do.
    """
    return wild.bootstrap(*two.moments(outcome), null=null, draws=draws, seed=seed, weights=weights)


def wild_interval(
    two: TwoByTwo,
    outcome: str,
    *,
    level: float = 0.95,
    draws: int = wild.DRAWS,
    seed: int = wild.SEED,
    weights: wild.Weights = "rademacher",
) -> tuple[float, float]:
    """Return the effects that the wild bootstrap does not reject; see `wild.interval`."""
    return wild.interval(
        *two.moments(outcome), level=level, draws=draws, seed=seed, weights=weights
    )


def randomise(
    two: TwoByTwo,
    stratum: Integers | None = None,
    *,
    draws: int = randomisation.DRAWS,
    seed: int = randomisation.SEED,
) -> randomisation.RandomisationTest:
    """Test that no village's change was moved, by every other assignment of villages.

    The statistic is the plain difference of the arms over its CR0 error, also where villages were
    assigned in strata: the test of no effect on any village is then as exact, since the actual
    assignment is compared with those that the strata allow.

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
        If a village has treated and control households, the comparison has strata of households, or
        no other assignment is possible.
    """
    if two.weight.shape[1] > 1:
        refuse(
            "the test is of the plain difference, and the comparison has strata of households",
            "make the table without strata; strata in which villages were assigned are given to"
            " the test",
            column="stratum",
            value=two.weight.shape[1],
        )
    weight, total = two.weight[:, 0], two.total[:, 0]
    mixed = (weight > 0).all(axis=1)
    if mixed.any():
        refuse(
            "households were assigned inside villages, and cells do not tell which others"
            " could have been",
            "use the microdata, or a programme given to whole villages",
            column="village",
            value=f"{int(mixed.sum())} villages in both arms",
        )
    blocks = None if stratum is None else np.asarray(stratum)[two.villages]
    try:
        return randomisation.permute(
            weight.sum(axis=1), total.sum(axis=1), weight[:, 0] > 0, blocks, draws=draws, seed=seed
        )
    except ValueError as error:
        refuse(str(error), "use wider strata", column="stratum")
