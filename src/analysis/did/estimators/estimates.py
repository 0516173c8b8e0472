"""What every set of estimates can be asked, whether it comes from cells or from a pack.

Tables and figures take an `Estimates`. Cells know each village's influence (`result.EffectSet`), a
pack only how estimates vary together (`from_pack.PackEffects`); intervals, bands and tests follow
from the same few arrays.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, Self

import numpy as np
import polars as pl

from analysis.did.estimators.record import About, Effect, Key
from analysis.inference import bands, clusters, degrees, wald
from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.money import FEN_PER_YUAN, is_in_hundredths, main_unit

Convention = Literal["reported", "parity"]
CONVENTIONS = {
    "reported": "CV3 jackknife over villages, t with degrees from the design of the comparison",
    "parity": "influence of villages (CR0), normal quantiles; to compare with packages only",
}


NO_VARIANCE = "no interval: no village varies, and that is no certainty"


class Estimates(ABC):
    """Estimates with what intervals, bands and tests need: k of them.

    Attributes
    ----------
    keys : tuple of Key
        What each estimate is of.
    points : array, shape (k,)
        Estimates.
    about : About
        What was compared.
    convention : str
        ``reported`` or ``parity``.
    level : float
        Probability of the intervals.
    missing : tuple of (Key, str)
        What could not be estimated, and why; an aggregate that needs it is missing too.
    unasked : tuple of (Key, str)
        Effects in periods when nobody at all is untreated: no design could estimate them, and
        aggregates are over the others.
    """

    keys: tuple[Key, ...]
    points: Floats
    about: About
    convention: Convention
    level: float
    missing: tuple[tuple[Key, str], ...]
    unasked: tuple[tuple[Key, str], ...]

    @property
    @abstractmethod
    def covariance(self) -> Floats:
        """Joint covariance by the convention, shape (k, k); NaN where there is no interval."""

    @property
    @abstractmethod
    def village_covariance(self) -> Floats:
        """Ψ′Ψ, the joint CR0 covariance that draws of bands are made from, shape (k, k)."""

    @property
    @abstractmethod
    def reported_degrees(self) -> Floats:
        """Degrees of freedom of `reported` intervals, shape (k,); see `inference.degrees`."""

    @property
    @abstractmethod
    def effective_clusters(self) -> Floats:
        """Effective clusters treated and control, shape (2, k); zero for an arm there is not."""

    @property
    @abstractmethod
    def max_leverage(self) -> Floats:
        """Largest share of an arm that one village holds, shape (k,); NaN if it is not told."""

    @property
    @abstractmethod
    def no_village_varies(self) -> Booleans:
        """Where the variance is none but for rounding, shape (k,)."""

    @property
    @abstractmethod
    def n_villages(self) -> tuple[Integers, Integers, Integers]:
        """Villages treated, control, and used in any way, shape (k,) each."""

    @property
    @abstractmethod
    def n_households(self) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Households treated and control of each estimate; None where it is not told."""

    @property
    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """Why an estimate has no interval; empty where it has one."""

    @abstractmethod
    def under(self, convention: Convention) -> Self:
        """Return the same estimates with the intervals of another convention."""

    @abstractmethod
    def scaled(self, scale: Floats, about: About) -> Self:
        """Return the estimates times a number each, shape (k,), in other units."""

    @abstractmethod
    def at(self, index: Booleans | Integers) -> Self:
        """Return some of the estimates, by number or mask."""

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def smaller_arm(self) -> Integers:
        """Villages in the smaller arm of each estimate, shape (k,)."""
        treated, control, _ = self.n_villages
        values: Integers = np.minimum(treated, control)
        return values

    @property
    def smaller_effective(self) -> Floats:
        """Effective clusters of the smaller arm, shape (k,)."""
        return degrees.smaller(self.effective_clusters)

    @property
    def too_few(self) -> Booleans:
        """Where an estimate rests on too few villages for a t interval, shape (k,)."""
        return degrees.few(np.stack(self.n_villages[:2]), self.reported_degrees)

    def reasons(self, alone: Booleans, inside: Booleans, why: str) -> tuple[str, ...]:
        """Return why each estimate has no interval; empty where it has one.

        Parameters
        ----------
        alone : array, shape (k,)
            Whether the jackknife gives none.
        inside : array, shape (k,)
            Whether households were treated inside villages.
        why : str
            What is said of `alone`.
        """
        parity = self.convention == "parity"
        names = []
        for k in range(len(self)):
            if self.no_village_varies[k]:
                names.append(NO_VARIANCE)
            elif parity:
                names.append("")
            elif self.too_few[k]:
                names.append(
                    degrees.few_clusters(
                        np.array([arm[k] for arm in self.n_villages[:2]]),
                        self.effective_clusters[:, k],
                        inside=bool(inside[k]),
                    )
                )
            else:
                names.append(why if alone[k] else "")
        return tuple(names)

    @property
    def std_errors(self) -> Floats:
        """Standard errors, shape (k,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def degrees(self) -> Floats:
        """Degrees of freedom, shape (k,); infinite for normal quantiles."""
        if self.convention == "parity":
            return np.full(len(self), np.inf)
        return self.reported_degrees

    def in_yuan(self) -> Self:
        """Return amounts in the main unit of their currency; other outcomes stay as they are."""
        units = dict(self.about.units)
        money = np.array([is_in_hundredths(units.get(key.outcome, "")) for key in self.keys], bool)
        changed = {name: main_unit(unit) for name, unit in units.items()}
        scale = np.where(money, 1 / FEN_PER_YUAN, 1.0)
        return self.scaled(scale, replace(self.about, units=changed))

    def effects(self) -> Iterator[Effect]:
        """Yield each estimate as a record of its own."""
        errors, freedom, notes = self.std_errors, self.degrees, self.notes
        half = clusters.half_width(errors, freedom, self.level)
        effective, leverage = self.effective_clusters, self.max_leverage
        (treated, control, used), households = self.n_villages, self.n_households
        for k, key in enumerate(self.keys):
            yield Effect(
                key,
                float(self.points[k]),
                float(errors[k]),
                float(self.points[k] - half[k]),
                float(self.points[k] + half[k]),
                float(freedom[k]),
                self.convention,
                int(treated[k]),
                int(control[k]),
                int(used[k]),
                households[0][k],
                households[1][k],
                notes[k],
                float(effective[0, k]),
                float(effective[1, k]),
                float(leverage[k]),
                self.about,
            )

    def band(self, *, draws: int = bands.DRAWS, seed: int = bands.SEED) -> bands.Band:
        """Return the joint band over all estimates that have a standard error.

        The covariance that draws are made from is Ψ′Ψ; estimates without an error get NaN. With
        few effective clusters no draws are made; see `analysis.inference.bands.band`.
        """
        there = self.std_errors > 0
        critical = np.full(len(self), np.nan)
        if not there.any():
            return bands.Band(critical, "none")
        parity, covariance = self.convention == "parity", self.village_covariance
        # Where a pack does not tell how estimates vary together, no draws are made.
        flag = np.isfinite(covariance[np.ix_(there, there)]).all()
        effective = float(self.smaller_effective[there].min()) if flag else 0.0
        band = bands.band(
            covariance[np.ix_(there, there)],
            self.degrees[there],
            np.inf if parity else effective,
            level=self.level,
            draws=draws,
            seed=seed,
        )
        critical[there] = band.critical
        return replace(band, critical=critical)

    def wald(self) -> wald.WaldTest:
        """Test that all estimates are zero; refused if they are too many for the villages."""
        parity = self.convention == "parity"
        return wald.wald(
            self.points,
            self.covariance,
            float(self.smaller_arm.min() if parity else self.smaller_effective.min()),
            float(self.degrees.min()),
        )

    def select(self, **wanted: str | int | None) -> Self:
        """Return the estimates whose key has these values, such as ``outcome="wage"``."""
        mask = [
            all(getattr(key, name) == value for name, value in wanted.items()) for key in self.keys
        ]
        return self.at(np.array(mask, bool))

    def to_frame(self, *, band: bool = False) -> pl.DataFrame:
        """Return one row per estimate, with intervals; with `band` also the joint band."""
        frame = pl.DataFrame(
            [
                {
                    "programme": e.key.programme,
                    "outcome": e.key.outcome,
                    "aggregation": e.key.aggregation,
                    "at": e.key.at,
                    "cohort": e.key.cohort,
                    "period": e.key.period,
                    "base": e.key.base,
                    "estimate": e.estimate,
                    "std_error": e.std_error,
                    "ci_low": e.ci_low,
                    "ci_high": e.ci_high,
                    "degrees": e.degrees,
                    "n_villages_treated": e.n_villages_treated,
                    "n_villages_control": e.n_villages_control,
                    "n_villages": e.n_villages,
                    "n_households_treated": e.n_households_treated,
                    "n_households_control": e.n_households_control,
                    "unit": self.about.units.get(e.key.outcome, ""),
                    "effective_treated": e.effective_treated,
                    "effective_control": e.effective_control,
                    "max_leverage": e.max_leverage,
                    "note": e.note,
                }
                for e in self.effects()
            ],
            schema_overrides={
                **dict.fromkeys(("at", "cohort", "period", "base"), pl.Int32),
                **dict.fromkeys(("n_households_treated", "n_households_control"), pl.Int64),
            },
            infer_schema_length=None,
        )
        if not band:
            return frame
        half = self.band().critical * self.std_errors
        return frame.with_columns(
            band_low=pl.Series(self.points - half), band_high=pl.Series(self.points + half)
        )

    def describe(self) -> str:
        """Return in a sentence or two what was compared."""
        a = self.about
        parts = [
            f"{a.estimator}, tier {a.tier}, {a.handling}",
            a.controls
            and f"controls {a.controls.replace('_', ' ')} treated"
            + (f", {a.where.replace('_', ' ')}" if a.where else ""),
            a.base and f"{a.base} base",
            f"anticipation {a.anticipation}",
            f"weights: {a.weights}",
            f"{a.rows_used:,} of {a.rows_in:,} rows used",
            *(f"left out: {n:,} {reason}" for reason, n in a.left_out.items() if n),
            f"covariates {', '.join(a.covariates)}" if a.covariates else "",
            a.library,
            f"intervals: {CONVENTIONS[self.convention]}",
        ]
        return "; ".join(part for part in parts if part)

    def __repr__(self) -> str:
        lines = [self.describe(), *(str(effect) for effect in self.effects())]
        lines += [
            f"not estimated: {key.estimand} on {key.outcome}: {why}"
            for key, why in (*self.missing, *self.unasked)
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = self.to_frame()._repr_html_()
        return f"<p>{html.escape(self.describe())}</p>{body}"
