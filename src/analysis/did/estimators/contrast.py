"""One comparison of two periods and two arms, in strata: point, influence, each village left out.

Formulas, for stratum s with treated weight W_gs and control weight W_Cs:

* θ_s = ΣD/ΣW over treated cells − ΣD/ΣW over controls; ATT = Σ_s (W_gs / W_g) θ_s, the saturated
  form of outcome regression, inverse probability and doubly robust (Callaway & Sant'Anna 2021,
  equations 2.2 to 2.6, with strata for covariates).
* ψ_v = Σ_s (W_gs/W_g) {[D − W m_g]_vgs / W_gs − [D − W m_C]_vs / W_Cs} + Σ_s W_vgs (θ_s − ATT)/W_g,
  summed inside a village. Its squares add up to the CR0 variance.
* θ₍₋ᵥ₎: the same from totals less the village's own.

In repeated cross-sections each mean is taken of its own period: two legs of opposite sign.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.did.estimators.table import Leg
from analysis.inference.arrays import Booleans, Floats, Integers


@dataclass(frozen=True)
class Groups:
    """Which village × stratum each row of a table belongs to; made once, used in each contrast.

    Attributes
    ----------
    pair : array, shape (c,)
        Number of the village × stratum of each row.
    village, stratum : array, shape (p,)
        Of each pair.
    n_villages, n_strata : int
        How many there are.
    nested : bool
        Whether strata lie inside villages: a village then takes whole strata with it when it is
        left out, and treated households in a stratum without controls are left out and counted.
    """

    pair: Integers
    village: Integers
    stratum: Integers
    n_villages: int
    n_strata: int
    nested: bool


def groups(village: Integers, stratum: Integers, n_villages: int, *, nested: bool) -> Groups:
    """Give each village × stratum a number.

    Parameters
    ----------
    village, stratum : array, shape (c,)
        Of each row of a table.
    n_villages : int
        Villages of the table.
    nested : bool
        Compare inside villages: the stratum becomes village × stratum.
    """
    if nested:
        both = village * (stratum.max(initial=0) + 1) + stratum
        stratum = np.unique(both, return_inverse=True)[1]
    n_strata = int(stratum.max(initial=-1)) + 1
    keys, pair = np.unique(village * n_strata + stratum, return_inverse=True)
    return Groups(pair, keys // n_strata, keys % n_strata, n_villages, n_strata, nested)


@dataclass(frozen=True)
class Contrast:
    """Effects on k outcomes in one comparison.

    Attributes
    ----------
    point : array, shape (k,)
        ATT.
    influence : array, shape (v, k)
        ψ of each village.
    without : array, shape (v, k)
        ATT without each village; NaN where the village alone holds an arm of a stratum.
    treated, control : array, shape (v,)
        Villages in each arm.
    treated_weight, control_weight : array, shape (v,)
        Share of each arm that a village holds; controls as strata are standardised.
    treated_size, control_size : array, shape (v,)
        Households behind it.
    n_treated, n_control, n_left_out : int
        Households; left out: treated in a stratum without controls.
    """

    point: Floats
    influence: Floats
    without: Floats
    treated: Booleans
    control: Booleans
    treated_weight: Floats
    control_weight: Floats
    treated_size: Floats
    control_size: Floats
    n_treated: int
    n_control: int
    n_left_out: int


class NoControlsError(Exception):
    """Treated households have no comparison; the message names what lacks it.

    Attributes
    ----------
    strata : tuple of int
        Strata with treated households and no controls.
    """

    def __init__(self, problem: str, strata: tuple[int, ...] = ()) -> None:
        self.strata = strata
        super().__init__(problem)


@dataclass(frozen=True)
class _Arm:
    """Sums of one arm in one leg, by pair (p) and by stratum (s)."""

    n: Floats
    weight: Floats
    total: Floats
    n_all: Floats
    weight_all: Floats
    total_all: Floats

    @property
    def mean(self) -> Floats:
        return _ratio(self.total_all, self.weight_all)

    def without(self, stratum: Integers) -> Floats:
        """Return the mean of each pair's stratum without the pair, shape (p, k)."""
        rest = self.total_all[stratum] - self.total
        weight = self.weight_all[stratum] - self.weight
        # Counts are whole, so they tell an empty arm; a difference of weights can miss zero.
        there = self.n_all[stratum] - self.n > 0
        return np.where(there[:, None], _ratio(rest, weight), np.nan)


def _ratio(total: Floats, weight: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return total / weight[:, None]


def _add(index: Integers, values: Floats | Integers, size: int) -> Floats:
    """Add values (c,) or (c, k) up by index."""
    if values.ndim == 1:
        return np.bincount(index, values, size).astype(np.float64)
    columns = [np.bincount(index, column, size) for column in values.T]
    return np.stack(columns, axis=-1).astype(np.float64)


def _arm(leg: Leg, rows: Booleans, where: Groups) -> _Arm:
    pair, size = where.pair[rows], where.village.size
    n, weight, total = (_add(pair, x[rows], size) for x in (leg.n, leg.weight, leg.total))
    whole = (_add(where.stratum, x, where.n_strata) for x in (n, weight, total))
    return _Arm(n, weight, total, *whole)


def contrast(
    legs: tuple[Leg, ...], treated: Booleans, control: Booleans, where: Groups
) -> Contrast:
    """Compare treated with control rows.

    Parameters
    ----------
    legs : tuple of Leg
        The change between two periods, or two cross-sections; the first leg's treated weights are
        those that strata are standardised to.
    treated, control : array, shape (c,)
        Rows of each arm; no row is in both.
    where : Groups
        Villages and strata of the rows.

    Raises
    ------
    NoControlsError
        If no treated household has a control, or, unless strata are nested in villages, a stratum
        with treated households has none.

    Examples
    --------
    Two treated villages with mean changes 3 and 5, two controls with 1 and 1, one household each.

    >>> one = np.ones(4)
    >>> leg = Leg(1.0, one.astype(int), one, np.array([[3.0], [5.0], [1.0], [1.0]]))
    >>> arm = np.array([True, True, False, False])
    >>> place = groups(np.arange(4), np.zeros(4, int), 4, nested=False)
    >>> found = contrast((leg,), arm, ~arm, place)
    >>> found.point.item(), found.influence[:, 0].tolist(), found.without[:, 0].tolist()
    (3.0, [-0.5, 0.5, 0.0, 0.0], [4.0, 2.0, 3.0, 3.0])
    """
    arms = [(leg.sign, _arm(leg, treated, where), _arm(leg, control, where)) for leg in legs]
    wanted = np.all([g.n_all > 0 for _, g, _ in arms], axis=0)
    served = np.all([c.n_all > 0 for _, _, c in arms], axis=0)
    active = wanted & served
    if not wanted.any():
        raise NoControlsError("no treated household is seen in both periods")
    lacking = np.flatnonzero(wanted & ~served)
    if lacking.size and served.any() and not where.nested:
        raise NoControlsError("a stratum has no controls", tuple(lacking.tolist()))
    if not active.any():
        raise NoControlsError("no control is left")

    first = arms[0][1]
    theta = np.where(active[:, None], sum(sign * (g.mean - c.mean) for sign, g, c in arms), 0.0)
    size_all = np.where(active, first.weight_all, 0.0)
    point = size_all @ theta / size_all.sum()
    kept = active[where.stratum]
    size = np.where(kept, first.weight, 0.0)
    influence = _influence(arms, theta, point, size, size_all, kept, where)
    without = _without(arms, theta, size, size_all, kept, where)
    # A village that is seen in one leg only, as cross-sections allow, moves the estimate too.
    sides = ([g for _, g, _ in arms], [c for _, _, c in arms])
    in_arm = [
        np.any(
            [_add(where.village[kept], arm.n[kept], where.n_villages) > 0 for arm in side], axis=0
        )
        for side in sides
    ]
    share = size_all / size_all.sum()
    weights = [_weights(side, share, kept, where) for side in sides]
    sizes = [
        _add(where.village, np.where(kept, side[0].n, 0.0), where.n_villages) for side in sides
    ]
    return Contrast(
        point=point,
        influence=influence,
        without=without,
        treated=in_arm[0],
        control=in_arm[1],
        treated_weight=weights[0],
        control_weight=weights[1],
        treated_size=sizes[0],
        control_size=sizes[1],
        n_treated=int(first.n_all[active].sum()),
        n_control=int(arms[0][2].n_all[active].sum()),
        n_left_out=int(first.n_all[~active].sum()),
    )


def _weights(side: list[_Arm], share: Floats, kept: Booleans, where: Groups) -> Floats:
    """Return the share of an arm that each village holds, shape (v,), as a mean of its legs."""
    s = where.stratum
    parts = [
        np.where(kept, share[s] * _ratio(arm.weight[:, None], arm.weight_all[s])[:, 0], 0.0)
        for arm in side
    ]
    return _add(where.village, np.mean(parts, axis=0), where.n_villages)


def _influence(
    arms: list[tuple[float, _Arm, _Arm]],
    theta: Floats,
    point: Floats,
    size: Floats,
    size_all: Floats,
    kept: Booleans,
    where: Groups,
) -> Floats:
    """Return ψ, shape (v, k)."""
    s = where.stratum
    share = size_all / size_all.sum()
    parts = size[:, None] * (theta[s] - point) / size_all.sum()
    for sign, g, c in arms:
        for side, arm in ((sign, g), (-sign, c)):
            residual = arm.total - arm.weight[:, None] * arm.mean[s]
            parts += np.where(
                kept[:, None], side * share[s, None] * _ratio(residual, arm.weight_all[s]), 0.0
            )
    return _add(where.village, parts, where.n_villages)


def _without(
    arms: list[tuple[float, _Arm, _Arm]],
    theta: Floats,
    size: Floats,
    size_all: Floats,
    kept: Booleans,
    where: Groups,
) -> Floats:
    """Return the estimate without each village, shape (v, k)."""
    s = where.stratum
    left = size_all[s] - size
    rest = sum(sign * (g.without(s) - c.without(s)) for sign, g, c in arms)
    if where.nested:
        # The village is the only one in its strata: they go with it, and the others stay.
        moved = -size[:, None] * theta[s]
    else:
        moved = left[:, None] * rest - size_all[s, None] * theta[s]
    moved = np.where(kept[:, None], moved, 0.0)
    numerator = size_all @ theta + _add(where.village, moved, where.n_villages)
    weight = size_all.sum() - _add(where.village, size, where.n_villages)
    alone = _add(where.village, (size > 0).astype(np.int64), where.n_villages) == (size > 0).sum()
    return np.where(alone[:, None], np.nan, _ratio(numerator, weight))
