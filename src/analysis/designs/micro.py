"""Results from microdata: one estimate, and what a reader must know to judge it."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np
import polars as pl

from analysis.designs.sample import Sample
from analysis.effects.record import About, Key
from analysis.inference import clusters

ERRORS = {
    "classical": "equal variance of every unit, t of rows less columns",
    "HC1": "robust to unequal variances (HC1), t of rows less columns",
    "HC2": "robust to unequal variances (HC2), t of rows less columns",
    "Neyman": "variance of each arm (Neyman, equal to HC2), t with Satterthwaite's degrees",
    "CV1": "by cluster with Stata's factor, t of clusters less one",
    "CV3": "jackknife over clusters (CV3), t of clusters less one",
    "influence": "squared influence of each unit, normal quantiles",
    "placebo": "spread of placebo effects on the controls, normal quantiles",
    "robust": "robust to the bias of the bandwidth (rdrobust), normal quantiles",
    "conventional": "ignores the bias of the bandwidth (rdrobust), normal quantiles",
}
"""What each kind of standard error means, as results print it."""
ESTIMANDS = {
    "ate": "mean effect on everybody in the sample",
    "att": "mean effect on the treated",
    "itt": "mean effect of the offer",
    "late": "mean effect on those who take part because of the offer",
    "coefficient": "coefficient of a regression",
    "cutoff": "mean effect at the cutoff",
}
FEW = f"no interval: fewer than {clusters.LEAST_VILLAGES} clusters in an arm"


@dataclass(frozen=True)
class MicroEffect:
    """One estimate from microdata.

    Attributes
    ----------
    key : Key
        Outcome, programme, and as aggregation one of `ESTIMANDS`.
    estimate, std_error, ci_low, ci_high : float
        In the unit of the outcome; NaN where there is no interval, `note` says why.
    degrees : float
        Degrees of freedom; infinite for normal quantiles.
    convention : str
        One of `ERRORS`.
    n_treated, n_control : int
        Units by arm.
    n_clusters_treated, n_clusters_control, n_clusters : int
        Clusters by arm and in either; a cluster can be in both. Zero without clusters.
    note : str
        Why there is no interval; empty if there is one.
    about : About
        What was compared: rows in, used, left out, covariates, weights, library.
    more : mapping of str to float
        Other numbers of this estimator, such as a bandwidth or the effect on take-up.
    """

    key: Key
    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    degrees: float
    convention: str
    n_treated: int
    n_control: int
    n_clusters_treated: int
    n_clusters_control: int
    n_clusters: int
    note: str
    about: About
    more: Mapping[str, float] = field(default_factory=dict)

    def describe(self) -> str:
        """Return in a sentence or two what was compared."""
        a = self.about
        parts = [
            f"{a.estimator}: {ESTIMANDS[self.key.aggregation]}",
            f"tier {a.tier}",
            f"covariates {', '.join(a.covariates)}" if a.covariates else "no covariates",
            a.controls and f"controls: {a.controls}",
            f"weights: {a.weights}",
            f"{a.rows_used:,} of {a.rows_in:,} rows used",
            *(f"left out: {n:,} {reason}" for reason, n in a.left_out.items() if n),
            f"{self.n_treated:,} treated, {self.n_control:,} control",
            f"{self.n_clusters:,} clusters, {self.n_clusters_treated:,} with treated and"
            f" {self.n_clusters_control:,} with controls"
            if self.n_clusters
            else "",
            f"errors: {ERRORS[self.convention]}",
            a.library,
        ]
        return "; ".join(part for part in parts if part)

    def to_frame(self) -> pl.DataFrame:
        """Return one row, with `more` as further columns."""
        return MicroEffects((self,)).to_frame()

    def __str__(self) -> str:
        interval = self.note or f"{self.ci_low:,.6g} to {self.ci_high:,.6g}"
        return (
            f"{self.key.aggregation} on {self.key.outcome}: {self.estimate:,.6g}"
            f" (error {self.std_error:,.6g}; {interval})"
        )

    def __repr__(self) -> str:
        return f"{self.describe()}\n{self}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.describe())}</p><p>{html.escape(str(self))}</p>"


@dataclass(frozen=True)
class MicroEffects:
    """Several estimates from microdata; of other estimators, outcomes or samples.

    Attributes
    ----------
    effects : tuple of MicroEffect
        The estimates.
    """

    effects: tuple[MicroEffect, ...]

    def __len__(self) -> int:
        return len(self.effects)

    def __iter__(self) -> Iterator[MicroEffect]:
        return iter(self.effects)

    def __getitem__(self, number: int) -> MicroEffect:
        return self.effects[number]

    def to_frame(self) -> pl.DataFrame:
        """Return one row per estimate."""
        rows = [
            {
                "estimator": e.about.estimator,
                "outcome": e.key.outcome,
                "estimand": e.key.aggregation,
                "estimate": e.estimate,
                "std_error": e.std_error,
                "ci_low": e.ci_low,
                "ci_high": e.ci_high,
                "degrees": e.degrees,
                "convention": e.convention,
                "n_treated": e.n_treated,
                "n_control": e.n_control,
                "n_clusters_treated": e.n_clusters_treated,
                "n_clusters_control": e.n_clusters_control,
                "n_clusters": e.n_clusters,
                "rows_in": e.about.rows_in,
                "rows_used": e.about.rows_used,
                "left_out": "; ".join(f"{n} {why}" for why, n in e.about.left_out.items() if n),
                "covariates": ", ".join(e.about.covariates),
                "weights": e.about.weights,
                "unit": e.about.units.get(e.key.outcome, ""),
                "library": e.about.library,
                "note": e.note,
                **e.more,
            }
            for e in self.effects
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def __repr__(self) -> str:
        return "\n".join(repr(effect) for effect in self.effects)

    def _repr_html_(self) -> str:
        described = "".join(f"<li>{html.escape(e.describe())}</li>" for e in self.effects)
        return f"<ul>{described}</ul>{self.to_frame()._repr_html_()}"


def library(name: str) -> str:
    """Return a library with the version that is installed."""
    return f"{name} {version(name)}"


def made(
    sample: Sample,
    estimator: str,
    estimand: str,
    point: float,
    std_error: float,
    degrees: float,
    convention: str,
    *,
    used: tuple[str, ...] = (),
    controls: str = "",
    note: str = "",
    level: float = 0.95,
    with_library: str = "statsmodels",
    more: Mapping[str, float] | None = None,
) -> MicroEffect:
    """Return an estimate as a record, with the account of its sample.

    Parameters
    ----------
    sample : Sample
        What was estimated from.
    estimator, estimand, convention : str
        In words; one of `ESTIMANDS`; one of `ERRORS`.
    point, std_error, degrees : float
        The estimate; an error of NaN leaves the interval out, with `note`.
    used : tuple of str
        Covariates that the estimator used.
    controls, note : str
        Who the controls are; why there is no interval.
    level : float
        Probability of the interval.
    with_library : str
        The library behind it.
    more : mapping of str to float
        Other numbers.
    """
    t, clustered = sample.treated, bool(sample.cluster)
    arms = [np.unique(sample.group[arm]).size if clustered else 0 for arm in (t, ~t)]
    if clustered and convention in ("CV1", "CV3") and min(arms) < clusters.LEAST_VILLAGES:
        std_error, note = float("nan"), note or FEW
    half = clusters.half_width(np.array([std_error]), np.array([float(degrees)]), level).item()
    about = About(
        estimator=estimator,
        tier=sample.tier,
        controls=controls,
        weights=sample.weight or "none",
        handling="as given",
        rows_in=sample.rows_in,
        rows_used=len(sample),
        left_out=dict(sample.left_out),
        units={sample.outcome: sample.unit},
        covariates=used,
        library=library(with_library),
    )
    return MicroEffect(
        Key(sample.outcome, estimand, programme=sample.programme),
        float(point),
        float(std_error),
        float(point - half),
        float(point + half),
        float(degrees),
        convention,
        int(t.sum()),
        int((~t).sum()),
        arms[0],
        arms[1],
        np.unique(sample.group).size if clustered else 0,
        note,
        about,
        dict(more or {}),
    )
