"""Group-time effects adjusted for continuous covariates, doubly robust, from microdata.

Sant'Anna & Zhao (2020) inside Callaway & Sant'Anna (2021): a logit for who is treated and least
squares for how controls change; right if either is. The influence of households is added up by
village, so that results are those of `analysis.effects.group_time`: same intervals, same sums.
Strata, which cells carry, need none of this; covariates with many values do.

Other households in each period go through diff-diff (`analysis.effects.cross_sections`). The same
households over time do not: its doubly robust estimator divides the controls' weights by the number
of the treated, not by their sum as equation 2.6 of the article, R's did and csdid do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.designs import propensity as regression
from analysis.designs.sample import Sample
from analysis.effects import cross_sections
from analysis.effects.group_time import Comparison, base_period
from analysis.effects.households import Households, about, with_base
from analysis.effects.record import Key
from analysis.effects.result import EffectSet
from analysis.effects.table import refuse
from analysis.faults import FaultsError
from analysis.inference.arrays import Booleans, Floats, Integers


def estimate(
    households: Households, how: Comparison | None = None, *, leave_out: bool = True
) -> EffectSet:
    """Estimate every group-time effect.

    Parameters
    ----------
    households : Households
        As `analysis.effects.households.prepare` makes them.
    how : Comparison, optional
        Controls, base and anticipation; controls may live anywhere.
    leave_out : bool
        Estimate again without each village, for the intervals that are reported: as many fits as
        villages. Without it only the intervals of convention ``parity`` exist.

    Returns
    -------
    EffectSet
        As from `analysis.effects.group_time.estimate`, with covariates and library stated.

    Raises
    ------
    FaultsError
        If no control is left, covariates separate treated from controls, or no effect can be made.
    """
    kept, how = with_base(households, how)
    if households.handling == "cross_sections":
        return cross_sections.estimate(kept, how, leave_out=leave_out)
    wide = _spread(kept)
    cohorts = [int(g) for g in np.unique(wide.cohort) if g > 0]
    keys, parts, missing = [], [], []
    for g in cohorts:
        for t in wide.periods.tolist():
            key = Key(
                kept.outcome,
                "group_time",
                cohort=g,
                period=t,
                programme=kept.programme,
                base=base_period(wide.periods, g, t, how),
            )
            if key.base is None or key.base == t:
                continue
            try:
                part = wide.compared(g, t, key.base, how)
                parts.append((part, *regression.augmented(part)))
                keys.append(key)
            except FaultsError as fault:
                missing.append((key, "; ".join(one.problem for one in fault.faults)))
    if not keys:
        refuse(
            missing[0][1] if missing else "no effect has a base period",
            "look at how many controls each cohort has",
            column="cohort",
        )
    v = len(wide.villages)
    arms = [
        np.stack(
            [np.bincount(part.group[part.d == arm], minlength=v) > 0 for part, _, _ in parts],
            axis=1,
        )
        for arm in (1, 0)
    ]
    weights = [regression.arm_weights(part) for part, _, _ in parts]
    points = np.array([point for _, point, _ in parts])
    used = arms[0] | arms[1]
    without = np.where(used, np.nan, points)
    if leave_out:
        for k, (part, _, _) in enumerate(parts):
            for village in np.flatnonzero(used[:, k]):
                without[village, k] = _without(part, int(village))
    return EffectSet(
        keys=tuple(keys),
        points=points,
        without=without,
        treated=arms[0],
        control=arms[1],
        used=used,
        treated_weight=_held(parts, [one[0] for one in weights], v),
        control_weight=_held(parts, [one[1] for one in weights], v),
        treated_size=_held(parts, [part.d for part, _, _ in parts], v),
        control_size=_held(parts, [1 - part.d for part, _, _ in parts], v),
        villages=wide.villages,
        influence=np.stack([np.bincount(p.group, i, v) for p, _, i in parts], axis=1),
        n_treated=np.array([int(part.treated.sum()) for part, _, _ in parts]),
        n_control=np.array([int((~part.treated).sum()) for part, _, _ in parts]),
        n_left_out=np.zeros(len(keys), np.int64),
        about=about(kept, how, "statsmodels"),
        convention="reported" if leave_out else "parity",
        missing=tuple(missing),
    )


@dataclass(frozen=True, eq=False)
class _Wide:
    """Households by periods: h, t, p covariates; NaN where not seen."""

    villages: tuple[str, ...]
    periods: Integers
    village: Integers
    cohort: Integers
    weight: Floats
    outcome: Floats
    covariates: Floats
    of: Households

    def compared(self, cohort: int, period: int, base: int, how: Comparison) -> Sample:
        """Return the changes of one comparison; `group` numbers the villages of all."""
        b, t = np.searchsorted(self.periods, (base, period))
        change = self.outcome[:, t] - self.outcome[:, b]
        treated = self.cohort == cohort
        control = self.cohort == 0
        if how.controls == "not_yet":
            later = self.cohort > max(base, period) + how.anticipation
            control = control | (later & ~treated)
        rows = np.isfinite(change) & (treated | control)
        found = Sample(
            self.of.outcome,
            "treated",
            change[rows],
            treated[rows].astype(np.float64),
            self.of.covariates,
            self.covariates[rows, b],
            self.weight[rows],
            self.village[rows],
            np.zeros(int(rows.sum()), np.int64),
            cluster="village",
            clusters=self.villages,
        )
        for arm, name in ((found.treated, "treated household"), (~found.treated, "control")):
            if not arm.any():
                refuse(f"no {name} is left", "compare with others", column="cohort", value=cohort)
        return found


def _spread(households: Households) -> _Wide:
    frame = households.frame.sort("household", "period")
    first = frame.unique("household", keep="first", maintain_order=True)
    villages = tuple(first["village"].unique().sort().to_list())
    periods = np.array(sorted(frame["period"].unique()), np.int64)
    at = (
        np.searchsorted(first["household"].to_numpy(), frame["household"].to_numpy()),
        np.searchsorted(periods, frame["period"].to_numpy()),
    )
    outcome = np.full((first.height, periods.size), np.nan)
    covariates = np.full((*outcome.shape, len(households.covariates)), np.nan)
    outcome[at] = frame["outcome"].to_numpy()
    covariates[at] = frame.select(households.covariates).to_numpy()
    return _Wide(
        villages,
        periods,
        np.searchsorted(villages, first["village"].to_numpy().astype(str)),
        first["cohort"].to_numpy(),
        first["weight"].to_numpy(),
        outcome,
        covariates,
        households,
    )


def _held(parts: list[tuple[Sample, float, Floats]], rows: list[Floats], size: int) -> Floats:
    """Return what each village holds of a number of households in each effect, shape (v, k)."""
    columns = [np.bincount(p.group, x, size) for (p, _, _), x in zip(parts, rows, strict=True)]
    return np.stack(columns, axis=1)


def _without(part: Sample, village: int) -> float:
    """Return an estimate without a village; NaN where there is none."""
    keep: Booleans = part.group != village
    less = replace(
        part,
        y=part.y[keep],
        d=part.d[keep],
        x=part.x[keep],
        w=part.w[keep],
        group=part.group[keep],
        block=part.block[keep],
    )
    if not (less.treated.any() and (~less.treated).any()):
        return float("nan")
    try:
        return regression.augmented(less)[0]
    except FaultsError:
        return float("nan")
