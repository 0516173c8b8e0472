"""Response to the dose: effect per unit of it, from cells (a straight line through the untreated).

For cohort g, period t and its base b: the weighted least squares slope of the change ΔY on the dose
d, with one constant per stratum, over the households of the cohort and their controls (d = 0).

Estimand. If the average effect of dose d on those who got d is β·d, and the untreated show what
those at every dose would have gained without it, the slope is β. To read it as what one more unit
would have done (a comparison of doses, not of treated with untreated), the average effect of d must
be the same for all dose groups: *strong* parallel trends (Callaway, Goodman-Bacon & Sant'Anna 2024,
assumption SPT). If the response is not straight, the slope is an average of responses with the
weights of the regression, which are largest where doses are near their mean; it is then not the
average response of the treated (their decomposition of the two-way fixed effects slope).

Village v adds to the slope ψ_v = Σ_s Σ_i∈vs w (d − d̄_s)(ΔY − m̄_s − β(d − d̄_s)) / S, with
S = Σ_s Σ_i w (d − d̄_s)²: exact from Σw, Σwd, Σwd², ΣwΔY and ΣwdΔY by village and stratum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from analysis.cells.result import Cells
from analysis.did.estimators.contrast import Contrast, Groups, NoControlsError
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.group_time import Comparison, over_comparisons, places
from analysis.did.estimators.layout import KEYS
from analysis.did.estimators.table import Table, refuse
from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.panels.panel import Panel

FLAT = 1e-12
"""Share of Σwd² under which what is left of it inside strata is rounding: no dose varies."""


@dataclass(frozen=True)
class Sums:
    """Sums of one comparison: rows c, or villages × strata p; k outcomes.

    Attributes
    ----------
    n, weight : array, shape (c,)
        Households, and their weight.
    dose, square : array, shape (c,)
        Σwd and Σwd².
    total, product : array, shape (c, k)
        ΣwΔY and ΣwdΔY.
    """

    n: Floats
    weight: Floats
    dose: Floats
    square: Floats
    total: Floats
    product: Floats

    def added(self, index: Integers, size: int) -> Sums:
        """Return the sums by an index of the rows."""
        return Sums(*(_add(index, array, size) for array in self._arrays))

    def at(self, index: Integers | Booleans) -> Sums:
        """Return some rows."""
        return Sums(*(array[index] for array in self._arrays))

    def less(self, other: Sums) -> Sums:
        """Return these sums less others of the same rows."""
        pairs = zip(self._arrays, other._arrays, strict=True)
        return Sums(*(mine - theirs for mine, theirs in pairs))

    @property
    def _arrays(self) -> tuple[Floats, ...]:
        return self.n, self.weight, self.dose, self.square, self.total, self.product

    def spread(self) -> tuple[Floats, Floats]:
        """Return Σw(d − d̄)², shape (c,), and Σw(d − d̄)(ΔY − m̄), shape (c, k), of each row."""
        there = self.n > 0
        weight = np.where(there, self.weight, 1.0)
        square = np.where(there, self.square - self.dose**2 / weight, 0.0)
        product = self.product - (self.dose / weight)[:, None] * self.total
        return square, np.where(there[:, None], product, 0.0)


def _add(index: Integers, values: Floats, size: int) -> Floats:
    if values.ndim == 1:
        return np.bincount(index, values, size).astype(np.float64)
    return np.stack([_add(index, column, size) for column in values.T], axis=-1)


def of_villages(panel: Panel, programme: str) -> tuple[dict[str, float], str]:
    """Return the dose of each village that has a programme, and its unit.

    Raises
    ------
    FaultsError
        If no village has the programme, one has no dose, or doses have several units.
    """
    treated = panel.participation.filter(
        pl.col("programme") == programme, pl.col("unit_level").cast(pl.String) == "village"
    ).collect()
    units = treated["dose_unit"].unique().to_list()
    if not treated.height or None in units or len(units) > 1:
        problem = (
            "no village has it"
            if not treated.height
            else "a village has no dose"
            if None in units
            else "doses have several units"
        )
        refuse(
            problem,
            "name a programme whose villages all have a dose of one unit",
            column="programme",
            value=programme,
        )
    return dict(treated.select("unit", "dose").iter_rows()), str(units[0])


def by_village(
    table: Table,
    dose: Mapping[str, float],
    how: Comparison | None = None,
    *,
    unit: str = "unit of dose",
    leads: bool = True,
) -> EffectSet:
    """Estimate the effect per unit of the village's dose, for every cohort and period.

    Parameters
    ----------
    table : Table
        Of a programme given to villages; balanced or of pairs.
    dose : mapping of str to float
        Of each treated village, by name.
    how : Comparison, optional
        Controls, base, anticipation, as for group-time effects.
    unit : str
        Of the dose.
    leads : bool
        The periods before treatment too: slopes of trends that were there before.

    Returns
    -------
    EffectSet
        Keys as of group-time effects, so that `analysis.did.estimators.aggregate` adds them up; units are
        those of the outcome per unit of dose.

    Raises
    ------
    FaultsError
        If a treated village has no dose, or nothing can be estimated.

    Examples
    --------
    Doses 0, 0, 1 and 2, changes 1, 1, 3 and 5, one household each: two per unit.

    >>> one = np.ones((4, 2), int)
    >>> table = Table(villages=("a", "b", "c", "d"), strata=("s",), outcomes=("total",),
    ...     periods=np.array([1, 2]), village=np.arange(4), cohort=np.array([0, 0, 2, 2]),
    ...     stratum=np.zeros(4, int), n=one, weight=one * 1.0, n_ever=one[:, 0],
    ...     total=np.array([[0, 1.0], [0, 1], [0, 3], [0, 5]])[..., None], weight_ever=one[:, 0] * 1.0)
    >>> by_village(table, {"c": 1.0, "d": 2.0}).points.item()
    2.0
    """  # noqa: E501
    treated = {table.villages[v] for v in np.unique(table.village[table.cohort > 0])}
    lacking = sorted(name for name in treated if not np.isfinite(dose.get(name, np.nan)))
    if lacking:
        refuse(
            "a treated village has no dose",
            "give every treated village a dose",
            column="village",
            value=", ".join(lacking[:5]),
        )
    given = np.array([dose.get(name, 0.0) for name in table.villages])[table.village]

    def sums(base: int, period: int) -> Sums:
        (leg,) = table.legs(base, period)
        whole = leg.n.astype(np.float64)
        return Sums(
            whole,
            leg.weight,
            leg.weight * given,
            leg.weight * given**2,
            leg.total,
            leg.total * given[:, None],
        )

    return _estimate(table, sums, how, unit, leads=leads)


def by_household(
    table: Table,
    cells: Cells,
    how: Comparison | None = None,
    *,
    unit: str = "unit of dose",
    leads: bool = True,
) -> EffectSet:
    """Estimate the effect per unit of the household's dose, for every cohort and period.

    Parameters
    ----------
    table : Table
        From `analysis.did.estimators.layout.from_cells`; balanced or of pairs.
    cells : Cells
        The cells it was made from, with the moments ``dose``.
    how, unit, leads
        As of `by_village`.

    Raises
    ------
    FaultsError
        If the cells have no moments of doses, or nothing can be estimated.
    """
    if cells.second is None or "dose" not in cells.design.moments:
        refuse(
            "the cells have no moments of doses",
            'build them with moments=("dose",)',
            column="moments",
            value=", ".join(cells.design.moments),
        )
    second = cells.second.filter(pl.col("base").is_not_null())
    prefix = "wsum_" if cells.weighted else "sum_"
    rows = pl.DataFrame(
        {
            "village": [table.villages[v] for v in table.village],
            "cohort": pl.Series(table.cohort, dtype=pl.Int32),
            "stratum": [table.strata[s] for s in table.stratum],
        }
    )

    def sums(base: int, period: int) -> Sums:
        first, last = sorted((base, period))
        there = second.filter(pl.col("base") == first, pl.col("period") == last)
        laid = rows.join(there, on=list(KEYS), how="left", maintain_order="left")
        laid = laid.with_columns(pl.exclude(KEYS).cast(pl.Float64).fill_null(0.0))
        sign = 1.0 if period > base else -1.0
        total, product = (
            sign * laid.select(f"{begin}{name}" for name in table.outcomes).to_numpy()
            for begin in (prefix, "zs_dose_")
        )
        columns = ("n", "weight", "zsum_dose", "zz_dose_dose")
        n, weight, dose, square = (laid[name].to_numpy() for name in columns)
        return Sums(n, weight, dose, square, total, product)

    return _estimate(table, sums, how, unit, leads=leads)


def _estimate(
    table: Table,
    sums: Callable[[int, int], Sums],
    how: Comparison | None,
    unit: str,
    *,
    leads: bool,
) -> EffectSet:
    how = how or Comparison()
    if table.handling == "cross_sections":
        refuse(
            "changes need households seen twice",
            "make cells that are balanced or of pairs",
            column="handling",
            value=table.handling,
        )
    where = places(table, how)

    def compare(g: int, t: int, b: int, controls: Booleans) -> Contrast:
        return slope(sums(b, t), table.cohort == g, controls, where)

    effects = over_comparisons(table, how, compare, leads=leads)
    units = {name: f"{kind}, per {unit}" for name, kind in table.units.items()}
    return replace(effects, about=replace(effects.about, estimator="dose_response", units=units))


def slope(sums: Sums, treated: Booleans, control: Booleans, where: Groups) -> Contrast:
    """Return the slope of the change on the dose, with its influence and without each village.

    Parameters
    ----------
    sums : Sums
        By row; the dose of controls counts as 0 whatever they get later.
    treated, control : array, shape (c,)
        Rows of each arm.
    where : Groups
        Villages and strata of the rows.

    Raises
    ------
    NoControlsError
        If an arm is empty, or the dose does not vary in any stratum.
    """
    rows = treated | control
    zero = np.where(control, 0.0, 1.0)
    own = replace(
        sums, dose=sums.dose * zero, square=sums.square * zero, product=sums.product * zero[:, None]
    ).at(rows)
    arms = [np.where(arm, sums.n, 0.0) for arm in (treated, control)]
    if not arms[0].any():
        raise NoControlsError("no treated household is seen in both periods")
    if not arms[1].any():
        raise NoControlsError("no control is left")
    pairs = own.added(where.pair[rows], where.village.size)
    strata = pairs.added(where.stratum, where.n_strata)
    square, product = strata.spread()
    if square.sum() <= FLAT * strata.square.sum():
        raise NoControlsError("the dose is the same for everybody compared")
    beta = product.sum(axis=0) / square.sum()

    of = strata.at(where.stratum)
    weight = np.where(of.n > 0, of.weight, 1.0)
    mean, level = of.dose / weight, of.total / weight[:, None]
    left = (
        pairs.product
        - mean[:, None] * pairs.total
        - level * pairs.dose[:, None]
        + (mean * pairs.weight)[:, None] * level
    )
    around = pairs.square - 2 * mean * pairs.dose + mean**2 * pairs.weight
    score = left - around[:, None] * beta
    by_village = [_add(where.village[where.pair], arm, where.n_villages) for arm in arms]
    return Contrast(
        point=beta,
        influence=_add(where.village, score, where.n_villages) / square.sum(),
        without=_without(pairs, of, square, product, where, by_village),
        treated=by_village[0] > 0,
        control=by_village[1] > 0,
        treated_weight=by_village[0],
        control_weight=by_village[1],
        treated_size=by_village[0],
        control_size=by_village[1],
        n_treated=int(arms[0].sum()),
        n_control=int(arms[1].sum()),
        n_left_out=0,
    )


def _without(
    pairs: Sums, of: Sums, square: Floats, product: Floats, where: Groups, arms: list[Floats]
) -> Floats:
    """Return the slope without each village, shape (v, k); NaN where it alone holds an arm."""
    rest_square, rest_product = of.less(pairs).spread()
    lost_square = square[where.stratum] - rest_square
    lost_product = product[where.stratum] - rest_product
    below = square.sum() - _add(where.village, lost_square, where.n_villages)
    above = product.sum(axis=0) - _add(where.village, lost_product, where.n_villages)
    alone = np.any([arm == arm.sum() for arm in arms], axis=0) | (below <= FLAT * square.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(alone[:, None], np.nan, above / below[:, None])
