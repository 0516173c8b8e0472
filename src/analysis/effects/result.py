"""Results: estimates with their joint influence, and their intervals by convention."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl

from analysis.effects.record import About, Effect, Key
from analysis.inference import bands, clusters, wald
from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.money import FEN_PER_YUAN

Convention = Literal["reported", "parity"]
CONVENTIONS = {
    "reported": "CV3 jackknife over villages, t of the villages used less one",
    "parity": "influence of villages (CR0), normal quantiles; to compare with packages only",
}

COLUMNS = ("influence", "without", "treated", "control", "used")
"""Arrays of an `EffectSet` with a row per village."""
ROWS = ("points", "n_treated", "n_control", "n_left_out")
"""Its other arrays."""


@dataclass(frozen=True, eq=False)
class EffectSet:
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

    def __post_init__(self) -> None:
        v, k = len(self.villages), len(self.keys)
        for name in COLUMNS:
            array = getattr(self, name)
            if array.shape != (v, k):
                raise ValueError(f"{name} has shape {array.shape}, not {(v, k)}")

    def __len__(self) -> int:
        return len(self.keys)

    def under(self, convention: Convention) -> EffectSet:
        """Return the same estimates with the intervals of another convention."""
        if convention not in CONVENTIONS:
            raise ValueError(f"convention {convention!r} is none of {', '.join(CONVENTIONS)}")
        return replace(self, convention=convention)

    @cached_property
    def smaller_arm(self) -> Integers:
        """Villages in the smaller arm of each estimate, shape (k,)."""
        found: Integers = np.minimum(self.treated.sum(axis=0), self.control.sum(axis=0))
        return found

    @cached_property
    def covariance(self) -> Floats:
        """Joint covariance by the convention, shape (k, k); NaN where there is no interval."""
        if self.convention == "parity":
            return self.about.parity_factor * clusters.influence_covariance(self.influence)
        found = clusters.jackknife_covariance(self.points, self.without, self.used)
        few = self.smaller_arm < clusters.LEAST_VILLAGES
        found[few, :] = np.nan
        found[:, few] = np.nan
        return found

    @property
    def std_errors(self) -> Floats:
        """Standard errors, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def degrees(self) -> Floats:
        """Degrees of freedom, shape (k,); infinite for normal quantiles."""
        if self.convention == "parity":
            return np.full(len(self), np.inf)
        return clusters.degrees_of_freedom(self.used)

    @property
    def notes(self) -> tuple[str, ...]:
        """Why an estimate has no interval; empty where it has one."""
        if self.convention == "parity":
            return ("",) * len(self)
        alone = np.isnan(np.where(self.used, self.without, 0.0)).any(axis=0)
        few_villages = self.smaller_arm < clusters.LEAST_VILLAGES
        return tuple(
            f"no interval: fewer than {clusters.LEAST_VILLAGES} villages in an arm" if few
            else "no interval: one village alone holds an arm of a comparison or stratum" if lone
            else ""
            for few, lone in zip(few_villages, np.atleast_1d(alone), strict=True)
        )  # fmt: skip

    def design_covariance(self, design_stratum: Mapping[str, str]) -> Floats:
        """Return the covariance under a stratified sample of villages, shape (k, k).

        Parameters
        ----------
        design_stratum : mapping of str to str
            Stratum of the sampling design of each village. Villages must be the primary sampling
            units: units inside or across villages are not supported from cells.

        Raises
        ------
        ValueError
            If a village has no design stratum, or is alone in it.
        """
        unknown = [name for name in self.villages if name not in design_stratum]
        if unknown:
            raise ValueError(f"no design stratum for the villages {', '.join(unknown[:5])}")
        number = np.unique([design_stratum[name] for name in self.villages], return_inverse=True)[1]
        return clusters.stratified_covariance(self.influence, number)

    def in_yuan(self) -> EffectSet:
        """Return amounts in yuan; outcomes that are not money stay as they are."""
        units = dict(self.about.units)
        money = np.array([units.get(key.outcome, "").startswith("fen/") for key in self.keys])
        scale = np.where(money, 1 / FEN_PER_YUAN, 1.0)
        changed = {name: unit.replace("fen/", "yuan/", 1) for name, unit in units.items()}
        return replace(
            self, points=self.points * scale, influence=self.influence * scale,
            without=self.without * scale, about=replace(self.about, units=changed),
        )  # fmt: skip

    def effects(self) -> Iterator[Effect]:
        """Yield each estimate as a record of its own."""
        errors, degrees, notes = self.std_errors, self.degrees, self.notes
        half = clusters.half_width(errors, degrees, self.level)
        for k, key in enumerate(self.keys):
            yield Effect(
                key, float(self.points[k]), float(errors[k]), float(self.points[k] - half[k]),
                float(self.points[k] + half[k]), float(degrees[k]), self.convention,
                int(self.treated[:, k].sum()), int(self.control[:, k].sum()),
                int(self.used[:, k].sum()), int(self.n_treated[k]), int(self.n_control[k]),
                notes[k], self.about,
            )  # fmt: skip

    def band(self, *, draws: int = bands.DRAWS, seed: int = bands.SEED) -> bands.Band:
        """Return the joint band over all estimates that have a standard error.

        The covariance that draws are made from is Ψ′Ψ; estimates without an error get NaN.
        """
        there = self.std_errors > 0
        critical = np.full(len(self), np.nan)
        if not there.any():
            return bands.Band(critical, "none")
        found = bands.band(
            clusters.influence_covariance(self.influence[:, there]), self.degrees[there],
            int(self.smaller_arm[there].min()), level=self.level, draws=draws, seed=seed,
        )  # fmt: skip
        critical[there] = found.critical
        return replace(found, critical=critical)

    def wald(self) -> wald.WaldTest:
        """Test that all estimates are zero; refused if they are too many for the villages."""
        return wald.wald(self.points, self.covariance, int(self.smaller_arm.min()),
                         float(self.degrees.min()))  # fmt: skip

    def at(self, index: Booleans | Integers) -> EffectSet:
        """Return some of the estimates, by number or mask."""
        chosen = np.arange(len(self))[index]
        columns: dict[str, Any] = {name: getattr(self, name)[:, chosen]
                   for name in COLUMNS}  # fmt: skip
        rows: dict[str, Any] = {name: getattr(self, name)[chosen]
                for name in ROWS}  # fmt: skip
        return replace(self, keys=tuple(self.keys[k] for k in chosen), **columns, **rows)

    def select(self, **wanted: str | int | None) -> EffectSet:
        """Return the estimates whose key has these values, such as ``outcome="wage"``."""
        mask = [all(getattr(key, name) == value for name, value in wanted.items())
                for key in self.keys]  # fmt: skip
        return self.at(np.array(mask, bool))

    def to_frame(self, *, band: bool = False) -> pl.DataFrame:
        """Return one row per estimate, with intervals; with `band` also the joint band."""
        frame = pl.DataFrame(
            [
                {"programme": e.key.programme, "outcome": e.key.outcome,
                 "aggregation": e.key.aggregation, "at": e.key.at, "cohort": e.key.cohort,
                 "period": e.key.period, "base": e.key.base, "estimate": e.estimate,
                 "std_error": e.std_error, "ci_low": e.ci_low, "ci_high": e.ci_high,
                 "degrees": e.degrees, "n_villages_treated": e.n_villages_treated,
                 "n_villages_control": e.n_villages_control, "n_villages": e.n_villages,
                 "n_households_treated": e.n_households_treated,
                 "n_households_control": e.n_households_control,
                 "unit": self.about.units.get(e.key.outcome, ""), "note": e.note}
                for e in self.effects()
            ],
            schema_overrides=dict.fromkeys(("at", "cohort", "period", "base"), pl.Int32),
            infer_schema_length=None,
        )  # fmt: skip
        if not band:
            return frame
        half = self.band().critical * self.std_errors
        return frame.with_columns(band_low=pl.Series(self.points - half),
                                  band_high=pl.Series(self.points + half))  # fmt: skip

    def describe(self) -> str:
        """Return in a sentence or two what was compared."""
        a = self.about
        parts = [
            f"{a.estimator}, tier {a.tier}, {a.handling}",
            a.controls and f"controls {a.controls.replace('_', ' ')} treated"
            + (f", {a.where.replace('_', ' ')}" if a.where else ""),
            a.base and f"{a.base} base",
            f"anticipation {a.anticipation}", f"weights: {a.weights}",
            f"{a.rows_used:,} of {a.rows_in:,} rows used",
            *(f"left out: {n:,} {reason}" for reason, n in a.left_out.items() if n),
            f"intervals: {CONVENTIONS[self.convention]}",
        ]  # fmt: skip
        return "; ".join(part for part in parts if part)

    def __repr__(self) -> str:
        lines = [self.describe(), *(str(effect) for effect in self.effects())]
        lines += [f"not estimated: {key.estimand} on {key.outcome}: {why}"
                  for key, why in self.missing]  # fmt: skip
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = self.to_frame()._repr_html_()
        return f"<p>{html.escape(self.describe())}</p>{body}"


def stack(*sets: EffectSet) -> EffectSet:
    """Join sets, of other outcomes or programmes, with their joint influence.

    Villages are matched by name; a village that a set does not have adds nothing to it. What was
    compared is taken from the first set, rows and what was left out from none.
    """
    names = tuple(sorted({name for one in sets for name in one.villages}))
    rows = {name: row for row, name in enumerate(names)}

    def spread(one: EffectSet, array: str, empty: Floats | bool) -> Any:
        values = getattr(one, array)
        found = np.broadcast_to(np.asarray(empty, values.dtype), (len(names), len(one))).copy()
        found[[rows[name] for name in one.villages]] = values
        return found

    joined: dict[str, Any] = {
        "influence": np.concatenate([spread(one, "influence", False) for one in sets], axis=1),
        "without": np.concatenate([spread(one, "without", one.points) for one in sets], axis=1),
        **{arm: np.concatenate([spread(one, arm, False) for one in sets], axis=1).astype(bool)
           for arm in ("treated", "control", "used")},
        **{name: np.concatenate([getattr(one, name) for one in sets])
           for name in ROWS},
    }  # fmt: skip
    units = {name: unit for one in sets for name, unit in one.about.units.items()}
    return replace(
        sets[0], villages=names, keys=tuple(key for one in sets for key in one.keys),
        missing=tuple(pair for one in sets for pair in one.missing),
        about=replace(sets[0].about, units=units), **joined,
    )  # fmt: skip
