"""Results: estimates with their joint influence, and their intervals by convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from analysis.did.estimators.estimates import CONVENTIONS, Convention, Estimates
from analysis.did.estimators.record import About, Key
from analysis.inference import clusters, degrees
from analysis.inference.arrays import Booleans, Floats, Integers

WEIGHTS = ("treated_weight", "control_weight", "treated_size", "control_size")
"""Arrays that say how much of each arm a village holds."""
COLUMNS = ("influence", "without", "treated", "control", "used", *WEIGHTS)
"""Arrays of an `EffectSet` with a row per village."""
ALONE = "no interval: one village alone holds an arm of a comparison or stratum"
ROWS = ("points", "n_treated", "n_control", "n_left_out", "linear")
"""Its other arrays."""


@dataclass(frozen=True, eq=False, repr=False)
class EffectSet(Estimates):
    """Estimates with their joint influence: v villages, k estimates.

    Attributes
    ----------
    keys : tuple of Key
        What each estimate is of.
    points : array, shape (k,)
        Estimates.
    influence : array, shape (v, k)
        Ψ; Ψ′Ψ is the joint CR0 covariance. Sources add up to the total in it too.
    without : array, shape (v, k)
        Estimates without each village; NaN where there is none.
    treated, control : array, shape (v, k)
        Villages in each arm.
    used : array, shape (v, k)
        Villages that enter: those in the arms and, in an aggregate, those that only count in the
        shares of cohorts because their treated households have no comparison.
    n_treated, n_control, n_left_out : array, shape (k,)
        Households.
    treated_weight, control_weight : array, shape (v, k), optional
        How much of each arm a village holds, on any scale; all the same where not given.
    treated_size, control_size : array, shape (v, k), optional
        Households behind it; so many that only villages differ where not given.
    linear : array, shape (k,), optional
        Whether an estimate is a difference of weighted means of its arms; no if not given.
    villages : tuple of str
        Names of the rows.
    about : About
        What was compared.
    convention : str
        ``reported`` (default) or ``parity``.
    level : float
        Probability of the intervals.
    missing : tuple of (Key, str)
        What could not be estimated, and why.
    """

    keys: tuple[Key, ...]
    points: Floats
    influence: Floats
    without: Floats
    treated: Booleans
    control: Booleans
    used: Booleans
    n_treated: Integers
    n_control: Integers
    n_left_out: Integers
    villages: tuple[str, ...]
    about: About
    convention: Convention = "reported"
    level: float = 0.95
    missing: tuple[tuple[Key, str], ...] = ()
    unasked: tuple[tuple[Key, str], ...] = ()
    treated_weight: Floats = None  # type: ignore[assignment]
    control_weight: Floats = None  # type: ignore[assignment]
    treated_size: Floats = None  # type: ignore[assignment]
    control_size: Floats = None  # type: ignore[assignment]
    linear: Booleans = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        v, k = len(self.villages), len(self.keys)
        for arm in ("treated", "control"):
            for what, alike in (("weight", 1.0), ("size", np.inf)):
                if getattr(self, f"{arm}_{what}") is None:
                    filled = np.where(getattr(self, arm), alike, 0.0)
                    object.__setattr__(self, f"{arm}_{what}", filled)
        if getattr(self, "linear") is None:  # noqa: B009  # the default that stands for "no"
            object.__setattr__(self, "linear", np.zeros(k, bool))
        for name in COLUMNS:
            array = getattr(self, name)
            if array.shape != (v, k):
                raise ValueError(f"{name} has shape {array.shape}, not {(v, k)}")

    def under(self, convention: Convention) -> EffectSet:
        """Return the same estimates with the intervals of another convention."""
        if convention not in CONVENTIONS:
            raise ValueError(f"convention {convention!r} is none of {', '.join(CONVENTIONS)}")
        return replace(self, convention=convention)

    @cached_property
    def n_villages(self) -> tuple[Integers, Integers, Integers]:
        """Villages treated, control, and used in any way, shape (k,) each."""
        return self.treated.sum(axis=0), self.control.sum(axis=0), self.used.sum(axis=0)

    @property
    def n_households(self) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Households treated and control of each estimate."""
        return tuple(self.n_treated.tolist()), tuple(self.n_control.tolist())

    @property
    def village_covariance(self) -> Floats:
        """Ψ′Ψ, shape (k, k)."""
        return clusters.influence_covariance(self.influence)

    @cached_property
    def covariance(self) -> Floats:
        """Joint covariance by the convention, shape (k, k); NaN where there is no interval."""
        values = self._variances
        lost = self.no_village_varies
        if self.convention == "reported":
            lost = lost | self.too_few
        values = values.copy()
        values[lost, :] = np.nan
        values[:, lost] = np.nan
        return values

    @cached_property
    def _variances(self) -> Floats:
        if self.convention == "parity":
            return self.about.parity_factor * clusters.influence_covariance(self.influence)
        return clusters.jackknife_covariance(self.points, self.without, self.used)

    @cached_property
    def no_village_varies(self) -> Booleans:
        """Where the variance is none but for rounding, shape (k,)."""
        scale = np.maximum(np.abs(self.points), np.nan_to_num(np.abs(self.without)).max(axis=0))
        return clusters.no_variance(np.diag(self._variances), scale)

    @cached_property
    def arms(self) -> degrees.Arms:
        """How much of each arm each village holds."""
        return degrees.Arms(
            self.treated_weight, self.control_weight, self.treated_size, self.control_size
        )

    @cached_property
    def effective_clusters(self) -> Floats:
        """Effective clusters treated and control, shape (2, k)."""
        return self.arms.effective

    @cached_property
    def max_leverage(self) -> Floats:
        """Largest share of an arm that one village holds, shape (k,)."""
        return self.arms.leverage

    @cached_property
    def reported_degrees(self) -> Floats:
        """Degrees of freedom of `reported` intervals, shape (k,)."""
        return degrees.design_degrees(self.arms, self.linear)

    @property
    def notes(self) -> tuple[str, ...]:
        """Why an estimate has no interval; empty where it has one."""
        alone = np.isnan(np.where(self.used, self.without, 0.0)).any(axis=0)
        inside = (self.treated & self.control).any(axis=0)
        return self.reasons(np.atleast_1d(alone), np.atleast_1d(inside), ALONE)

    def design_covariance(
        self, design_stratum: Mapping[str, str], psu: Mapping[str, str] | None = None
    ) -> Floats:
        """Return the covariance under a stratified sample of villages or groups of them: (k, k).

        Parameters
        ----------
        design_stratum : mapping of str to str
            Stratum of the sampling design of each village.
        psu : mapping of str to str, optional
            Primary sampling unit of each village, which may group villages; the village if not
            given. `analysis.did.estimators.survey.of_panel` reads both from a panel.

        Raises
        ------
        ValueError
            If a village has no design stratum or unit, a unit lies in two strata, or is alone in
            one.
        """
        units = psu if psu is not None else {name: name for name in self.villages}
        for what, known in (("design stratum", design_stratum), ("sampling unit", units)):
            unknown = [name for name in self.villages if name not in known]
            if unknown:
                raise ValueError(f"no {what} for the villages {', '.join(unknown[:5])}")
        own = [units[name] for name in self.villages]
        names, place = np.unique(own, return_inverse=True)
        added = np.zeros((names.size, len(self)))
        np.add.at(added, place, self.influence)
        of = {unit: design_stratum[name] for unit, name in zip(own, self.villages, strict=True)}
        double = [u for u, v in zip(own, self.villages, strict=True) if of[u] != design_stratum[v]]
        if double:
            raise ValueError(f"the sampling unit {double[0]} lies in two design strata")
        number = np.unique([of[unit] for unit in names], return_inverse=True)[1]
        return clusters.stratified_covariance(added, number)

    def scaled(self, scale: Floats, about: About) -> EffectSet:
        """Return the estimates times a number each, shape (k,), in other units."""
        return replace(
            self,
            points=self.points * scale,
            influence=self.influence * scale,
            without=self.without * scale,
            about=about,
        )

    def at(self, index: Booleans | Integers) -> EffectSet:
        """Return some of the estimates, by number or mask."""
        chosen = np.arange(len(self))[index]
        columns: dict[str, Any] = {name: getattr(self, name)[:, chosen] for name in COLUMNS}
        rows: dict[str, Any] = {name: getattr(self, name)[chosen] for name in ROWS}
        return replace(self, keys=tuple(self.keys[k] for k in chosen), **columns, **rows)


def stack(*sets: EffectSet) -> EffectSet:
    """Join sets, of other outcomes or programmes, with their joint influence.

    Villages are matched by name; a village that a set does not have adds nothing to it. What was
    compared is taken from the first set, rows and what was left out from none.
    """
    names = tuple(sorted({name for effects in sets for name in effects.villages}))
    rows = {name: row for row, name in enumerate(names)}

    def spread(estimates: EffectSet, array: str, empty: Floats | bool) -> Any:
        values = getattr(estimates, array)
        numbers = np.broadcast_to(
            np.asarray(empty, values.dtype), (len(names), len(estimates))
        ).copy()
        numbers[[rows[name] for name in estimates.villages]] = values
        return numbers

    joined: dict[str, Any] = {
        "influence": np.concatenate(
            [spread(effects, "influence", False) for effects in sets], axis=1
        ),
        "without": np.concatenate(
            [spread(effects, "without", effects.points) for effects in sets], axis=1
        ),
        **{
            arm: np.concatenate([spread(effects, arm, False) for effects in sets], axis=1).astype(
                bool
            )
            for arm in ("treated", "control", "used")
        },
        **{
            name: np.concatenate([spread(effects, name, False) for effects in sets], axis=1)
            for name in WEIGHTS
        },
        **{name: np.concatenate([getattr(effects, name) for effects in sets]) for name in ROWS},
    }
    units = {name: unit for effects in sets for name, unit in effects.about.units.items()}
    return replace(
        sets[0],
        villages=names,
        keys=tuple(key for effects in sets for key in effects.keys),
        missing=tuple(pair for effects in sets for pair in effects.missing),
        unasked=tuple(pair for effects in sets for pair in effects.unasked),
        about=replace(sets[0].about, units=units),
        **joined,
    )
