"""Results: effects with their influence, and what was compared with what."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl

from analysis.inference import bands, clusters, wald
from analysis.inference.arrays import Booleans, Floats, Integers

Convention = Literal["reported", "parity"]
CONVENTIONS = {
    "reported": "CV3 jackknife over villages, t of the villages used less one",
    "parity": "influence of villages (CR0), normal quantiles; to compare with packages only",
}

COLUMNS = ("influence", "without", "treated", "control", "used")
"""Arrays of an `EffectSet` with a row per village."""
ROWS = ("points", "n_treated", "n_control", "n_left_out")
"""Its other arrays."""


@dataclass(frozen=True)
class Key:
    """What an estimate is of.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    aggregation : str
        ``group_time``, or one of `analysis.panels.estimands.AGGREGATIONS`.
    at : int or None
        Event time, cohort or period of an aggregate.
    cohort, period, base : int or None
        Of a group-time effect: first treated period, the period, and the one it is compared with.
    programme : str
        What was treated.
    """

    outcome: str
    aggregation: str
    at: int | None = None
    cohort: int | None = None
    period: int | None = None
    base: int | None = None
    programme: str = ""

    @property
    def estimand(self) -> str:
        """Name of the estimand.

        Examples
        --------
        >>> Key("wage", "event_time", at=2).estimand, Key("wage", "simple").estimand
        ('event_time(2)', 'simple')
        >>> Key("wage", "group_time", cohort=2015, period=2016).estimand
        'group_time(2015, 2016)'
        """
        if self.aggregation == "group_time":
            return f"group_time({self.cohort}, {self.period})"
        return self.aggregation if self.at is None else f"{self.aggregation}({self.at})"


@dataclass(frozen=True)
class About:
    """What was estimated and from what.

    Attributes
    ----------
    estimator : str
        ``group_time``, ``imputation``, ``two_way``.
    tier : str
        Evidence tier.
    controls, base, where : str
        Who was compared, with which period, and where they live; empty if that has no meaning.
    anticipation : int
        Periods before the first in which the programme may act.
    weights : str
        ``none`` or ``baseline weights``.
    handling : str
        Of households not always seen.
    rows_in, rows_used : int
        Household × period records of the source, and those in the cells that were used.
    left_out : mapping of str to int
        Records not used, by reason.
    parity_factor : float
        What the parity variance is multiplied by.
    units : mapping of str to str
        Unit of each outcome.
    """

    estimator: str
    tier: str
    controls: str = ""
    base: str = ""
    where: str = ""
    anticipation: int = 0
    weights: str = "none"
    handling: str = "balanced"
    rows_in: int = 0
    rows_used: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    parity_factor: float = 1.0
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Effect:
    """One estimate, all that a page prints of it.

    Attributes
    ----------
    key : Key
        What it is of.
    estimate, std_error, ci_low, ci_high : float
        NaN where there is no interval; `note` says why.
    degrees : float
        Degrees of freedom.
    convention : str
        ``reported`` or ``parity``.
    n_villages_treated, n_villages_control, n_villages : int
        Villages by arm, and in either.
    n_households_treated, n_households_control : int
        Households by arm (of an aggregate: added over its comparisons).
    note : str
        Why there is no interval; empty if there is one.
    about : About
        What was compared.
    """

    key: Key
    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    degrees: float
    convention: str
    n_villages_treated: int
    n_villages_control: int
    n_villages: int
    n_households_treated: int
    n_households_control: int
    note: str
    about: About

    def __str__(self) -> str:
        interval = self.note or f"{self.ci_low:,.6g} to {self.ci_high:,.6g}"
        return (f"{self.key.estimand} on {self.key.outcome}: {self.estimate:,.6g} ({interval};"
                f" villages {self.n_villages_treated} treated,"
                f" {self.n_villages_control} control)")  # fmt: skip


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
