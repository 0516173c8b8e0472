"""Group-time effects ATT(g, t) from cells (Callaway & Sant'Anna 2021).

The base is the last period before cohort − anticipation; with a varying base, periods before that
are compared with the period before them. Controls are the never treated, or all who are not yet
treated in either period, by default only in villages where nobody is: programmes spill over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from analysis.did.estimators.contrast import Contrast, Groups, NoControlsError, contrast, groups
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.record import About, Key
from analysis.did.estimators.rows_used import Compared, of_comparisons
from analysis.did.estimators.table import Table, check_constant, refuse
from analysis.inference.arrays import Booleans, Floats, Integers

CONTROLS: Final = ("never", "not_yet")
WHERE: Final = {
    "other_villages": "villages in which no household is treated by then",
    "same_village": "untreated households of the treated household's own village",
    "anywhere": "every untreated household, also beside treated ones",
}
BASES: Final = ("varying", "universal")
ALL_TREATED: Final = "nobody is untreated any more"
UNSEEN: Final = "nobody of the cohort is seen in the period"
NO_CONTROL_SEEN: Final = "nobody untreated is seen in the period"


@dataclass(frozen=True)
class Comparison:
    """Who is compared with whom, and when.

    Attributes
    ----------
    controls : str
        ``never`` treated, or ``not_yet`` treated (which includes the never treated).
    where : str
        One of `WHERE`.
    base : str
        ``varying`` or ``universal``.
    anticipation : int
        Periods before the first in which the programme may already act.

    Raises
    ------
    FaultsError
        If a word is unknown or anticipation is negative.
    """

    controls: Literal["never", "not_yet"] = "never"
    where: Literal["other_villages", "same_village", "anywhere"] = "other_villages"
    base: Literal["varying", "universal"] = "varying"
    anticipation: int = 0

    def __post_init__(self) -> None:
        for column, allowed in (("controls", CONTROLS), ("where", WHERE), ("base", BASES)):
            if getattr(self, column) not in allowed:
                refuse(
                    "not a word of this design",
                    f"use one of {', '.join(allowed)}",
                    column=column,
                    value=getattr(self, column),
                )
        if self.anticipation < 0:
            refuse(
                "less than no period",
                "use 0 or more",
                column="anticipation",
                value=self.anticipation,
            )


def base_period(periods: Integers, cohort: int, period: int, how: Comparison) -> int | None:
    """Return the period that a group-time effect is compared with; None if there is none.

    Examples
    --------
    >>> years = np.array([2012, 2013, 2015, 2016])
    >>> base_period(years, 2015, 2016, Comparison()), base_period(years, 2015, 2013, Comparison())
    (2013, 2012)
    >>> base_period(years, 2016, 2012, Comparison(base="universal"))
    2015
    """
    limit = cohort - how.anticipation
    if period < limit and how.base == "varying":
        limit = period
    before = periods[periods < limit]
    if not before.size or before[-1] == period:
        return None
    return int(before[-1])


def has_base(periods: Integers, cohort: int, anticipation: int) -> bool:
    """Say whether a cohort has a period before treatment."""
    return bool(periods[0] < cohort - anticipation)


def control_rows(table: Table, cohort: int, until: int, how: Comparison) -> Booleans:
    """Return the rows that are controls until a period, shape (c,)."""
    late = until + how.anticipation
    rows: Booleans = table.cohort == 0
    if how.controls == "not_yet":
        rows = rows | ((table.cohort > late) & (table.cohort != cohort))
    if how.where == "other_villages":
        first = table.village_cohort()
        clean = first == 0
        if how.controls == "not_yet":
            clean |= first > late
        rows = rows & clean[table.village]
    return rows


def out_of_scope(table: Table, cohort: int, period: int, base: int, how: Comparison) -> str:
    """Say why no design could estimate an effect from these rows; empty if one could."""
    there = table.n[:, table.place(period)] > 0
    if not there.any():  # a pack of pairs tells counts of pairs only
        there = np.ones_like(there)
    if not there[table.cohort == cohort].any():
        return UNSEEN
    untreated = table.cohort == 0
    if how.controls == "not_yet":
        late = max(period, base) + how.anticipation
        untreated = untreated | ((table.cohort > late) & (table.cohort != cohort))
    if not untreated.any():
        return ALL_TREATED
    return "" if there[untreated].any() else NO_CONTROL_SEEN


def estimate(table: Table, how: Comparison | None = None, *, leads: bool = True) -> EffectSet:
    """Estimate every group-time effect on every outcome.

    Parameters
    ----------
    table : Table
        Cells as arrays.
    how : Comparison, optional
        Never treated controls in other villages, varying base, no anticipation by default.
    leads : bool
        Estimate the periods before treatment too.

    Returns
    -------
    EffectSet
        In the order outcome, cohort, period. What has no controls is in `missing`; what nobody at
        all is untreated for is in `unasked`; a cohort with no period before treatment is dropped
        and its rows counted in ``about.left_out``.

    Raises
    ------
    FaultsError
        If nothing can be estimated, or an outcome is constant.
    """
    how = how or Comparison()
    where = places(table, how)

    def compare(g: int, t: int, b: int, controls: Booleans) -> Contrast:
        return contrast(table.legs(b, t), table.cohort == g, controls, where)

    return over_comparisons(table, how, compare, leads=leads, linear=True)


def places(table: Table, how: Comparison) -> Groups:
    """Return the villages and strata of the rows as a comparison sees them."""
    nested = how.where == "same_village"
    return groups(table.village, table.stratum, len(table.villages), nested=nested)


def over_comparisons(
    table: Table,
    how: Comparison,
    compare: Callable[[int, int, int, Booleans], Contrast],
    *,
    leads: bool = True,
    linear: bool = False,
) -> EffectSet:
    """Make every comparison of a cohort in a period, each by a function.

    Parameters
    ----------
    table : Table
        Cells as arrays.
    how : Comparison
        Who is compared with whom.
    compare : callable
        From cohort, period, base and the rows of the controls (shape (c,)) to a contrast.
    leads : bool
        The periods before treatment too.
    linear : bool
        Whether the function gives differences of means of the two arms.

    Raises
    ------
    FaultsError
        As `estimate`.
    """
    check_constant(table)
    cohorts = _cohorts(table, how)
    entries: list[tuple[int, int, int, Contrast]] = []
    failed: list[tuple[int, int, str]] = []
    unasked: list[tuple[int, int, str]] = []
    for g, t, b in _comparisons(table, cohorts, how, leads=leads):
        if why := out_of_scope(table, g, t, b, how):
            unasked.append((g, t, why))
            continue
        try:
            controls = control_rows(table, g, max(t, b), how)
            entries.append((g, t, b, compare(g, t, b, controls)))
        except NoControlsError as error:
            failed.append((g, t, _reason(error, table, how)))
    if not entries:
        problem = failed[0][2] if failed else "no control is left: everybody is treated"
        refuse(problem, _remedy(how), column="controls", value=f"{how.controls}, {how.where}")
    served = {g for g, *_ in entries}
    effects = _set(
        table, entries, failed, how, [g for g in cohorts if g not in served], linear=linear
    )
    return replace(effects, unasked=_keys(table, unasked))


def _cohorts(table: Table, how: Comparison) -> list[int]:
    """Return the cohorts with a period before treatment, up to the last period."""
    known = table.cohorts
    if not known:
        refuse(
            "no household is treated",
            "check the programme and its first periods",
            column="programme",
            value=table.programme,
        )
    cohorts = [g for g in known if has_base(table.periods, g, how.anticipation)]
    cohorts = [g for g in cohorts if g <= table.periods[-1]]
    if not cohorts:
        refuse(
            "every cohort is treated from the first period on (anticipation counted)",
            "add earlier periods",
            column="cohort",
            value=", ".join(map(str, known)),
        )
    if how.controls == "never" and not (table.cohort == 0).any():
        refuse(
            "no household is never treated",
            "use the not yet treated as controls",
            column="controls",
            value="never",
        )
    return cohorts


def _comparisons(
    table: Table, cohorts: list[int], how: Comparison, *, leads: bool
) -> Iterator[tuple[int, int, int]]:
    """Yield cohort, period, base."""
    for g in cohorts:
        for t in table.periods.tolist():
            base = base_period(table.periods, g, t, how)
            if base is not None and (leads or t >= g):
                yield g, t, base


def _reason(error: NoControlsError, table: Table, how: Comparison) -> str:
    if error.strata:
        named = ", ".join(table.strata[s] for s in error.strata)
        return f"{error}: {named}"
    if str(error) == "no control is left":
        return f"no control is left ({WHERE[how.where]}; {how.controls.replace('_', ' ')} treated)"
    return str(error)


def _remedy(how: Comparison) -> str:
    wider = [] if how.controls == "not_yet" else ["use the not yet treated as controls"]
    if how.where == "other_villages":
        wider.append("look for controls in the same village")
    return " or ".join([*wider, "join strata, or use earlier periods"])


def _set(
    table: Table,
    entries: list[tuple[int, int, int, Contrast]],
    failed: list[tuple[int, int, str]],
    how: Comparison,
    controls_only: list[int],
    *,
    linear: bool,
) -> EffectSet:
    """Lay the contrasts out, outcome by outcome."""
    k = len(table.outcomes)
    keys = tuple(
        Key(outcome, "group_time", cohort=g, period=t, base=b, programme=table.programme)
        for outcome in table.outcomes
        for g, t, b, _ in entries
    )
    contrasts = [contrast for *_, contrast in entries]

    def columns(name: str) -> Floats:
        stacked = np.stack([getattr(contrast, name) for contrast in contrasts], axis=-1)
        return stacked.reshape(*stacked.shape[:-2], -1) if stacked.ndim > 1 else stacked

    def arms(name: str) -> Any:
        return np.tile(
            np.stack([getattr(contrast, name) for contrast in contrasts], axis=-1), (1, k)
        )

    def counts(name: str) -> Integers:
        return np.tile(np.array([getattr(contrast, name) for contrast in contrasts]), k)

    return EffectSet(
        keys=keys,
        points=columns("point"),
        influence=columns("influence"),
        without=columns("without"),
        treated=arms("treated"),
        control=arms("control"),
        used=arms("treated") | arms("control"),
        treated_weight=arms("treated_weight"),
        control_weight=arms("control_weight"),
        treated_size=arms("treated_size"),
        control_size=arms("control_size"),
        n_treated=counts("n_treated"),
        n_control=counts("n_control"),
        n_left_out=counts("n_left_out"),
        linear=np.full(len(keys), linear),
        villages=table.villages,
        about=_about(table, how, controls_only, entries),
        missing=_keys(table, failed),
    )


def _keys(table: Table, pairs: list[tuple[int, int, str]]) -> tuple[tuple[Key, str], ...]:
    """Name cohort and period of every outcome, with a reason."""
    return tuple(
        (Key(outcome, "group_time", cohort=g, period=t, programme=table.programme), why)
        for outcome in table.outcomes
        for g, t, why in pairs
    )


def _about(
    table: Table,
    how: Comparison,
    controls_only: list[int],
    entries: list[tuple[int, int, int, Contrast]],
) -> About:
    entered = of_comparisons(
        table,
        [_compared(table, how, *entry) for entry in entries],
        np.array(
            [g > 0 and not has_base(table.periods, g, how.anticipation) for g in table.cohort]
        ),
        np.isin(table.cohort, controls_only) & (how.controls == "never"),
    )
    return About(
        estimator="group_time",
        tier=table.tier,
        controls=how.controls,
        base=how.base,
        where=how.where,
        anticipation=how.anticipation,
        weights="baseline weights" if table.weighted else "none",
        handling=table.handling,
        rows_in=table.rows_in or int(table.n.sum()),
        rows_used=entered.rows_used,
        n_units=(entered.n_treated, entered.n_control),
        left_out=entered.left_out,
        units=table.units,
    )


def _compared(
    table: Table, how: Comparison, cohort: int, period: int, base: int, contrast: Contrast
) -> Compared:
    """Return the rows that entered a contrast: of its villages, and of strata with both arms."""
    treated = (table.cohort == cohort) & contrast.treated[table.village]
    controls = control_rows(table, cohort, max(period, base), how)
    there = table.n[:, table.place(period)] > 0
    strata = np.unique(table.stratum[treated & there])
    controls &= contrast.control[table.village] & np.isin(table.stratum, strata)
    return Compared(period, base, treated, controls)
