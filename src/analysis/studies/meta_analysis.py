"""Pooling of studies: mean, spread, prediction, and every check beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis.faults import Fault, FaultsError
from analysis.results import (
    Account,
    Comparison,
    Effect,
    FrameDigest,
    Number,
    Provenance,
    Range,
    Result,
    formatting,
)
from analysis.results.result import frame_of
from analysis.studies.bayesian import Mixture, Posterior, Prior, posterior
from analysis.studies.estimates import FILE, Studies, tables
from analysis.studies.multilevel import FEWEST_DF, ThreeLevel, three_level
from analysis.studies.question import Question, Selection, select
from analysis.studies.random_effects import RandomEffects, random_effects
from analysis.studies.small_study import SmallStudy, egger, funnel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
UNIT: Final = "per cent of the comparison mean"
DESCRIPTIVE: Final = "fewer than four degrees of freedom: the interval is descriptive"
PRIOR_SCALES: Final = (0.5, 1.0, 2.0)
MOSTLY_PRIOR: Final = 3
"""Up to this many studies the spread between places is mostly the prior's."""


def prior_of(outcome: str, scale: str = "percent") -> Prior:
    """Return the prior of a family of outcomes from ``data/studies/priors.csv``.

    Parameters
    ----------
    outcome : str
        Family of outcomes.
    scale : {"percent", "log"}
        On the log scale the same numbers, over 100: for effects of this size the two agree.

    Raises
    ------
    FaultsError
        If the file has no prior for the family.
    """
    found = tables().priors.filter(pl.col("outcome_family").cast(pl.String) == outcome)
    if found.is_empty():
        remedy = "add a row to data/studies/priors.csv before looking at results"
        raise FaultsError([Fault("pool", "no prior for the outcome", remedy, value=outcome)])
    row = found.row(0, named=True)
    factor = 0.01 if scale == "log" else 1.0
    values = (row[name] * factor for name in ("mean", "sd", "tau_scale"))
    return Prior(*values, source=row["source"])


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PoolResult(Result):
    """Estimates of several studies pooled.

    Attributes
    ----------
    question : Question
        What was asked.
    studies : polars.DataFrame
        What entered: study, short, country, effect, std_error (per cent or log points), low, high,
        weight, sub_type, risk_of_bias, setting.
    scale : str
        ``percent``, ``log`` (pooled as logarithms, printed as per cent) or ``as given``.
    model : RandomEffects or ThreeLevel
        The frequentist model.
    prior : Prior or None
        What was thought before; None where no family of outcomes is known.
    alternatives : polars.DataFrame
        Rows of the same question under other risks of bias, for `by_risk_of_bias`.
    """

    question: Question
    studies: pl.DataFrame
    scale: str
    model: RandomEffects | ThreeLevel
    prior: Prior | None
    alternatives: pl.DataFrame

    def _number(
        self,
        value: float,
        what: str,
        low: float = math.nan,
        high: float = math.nan,
        error: float = math.nan,
        unit: str = "",
    ) -> Number:
        return Number(
            value=value,
            low=low,
            high=high,
            error=error,
            what=what,
            unit=unit or self.unit,
            provenance=self.provenance,
        )

    @property
    def unit(self) -> str:
        """Unit of the printed effects."""
        return str(self.frame["unit"][0])

    @cached_property
    def mean(self) -> Effect:
        """The pooled mean, with its interval."""
        return self.effect_of("mean")

    @cached_property
    def prediction(self) -> Effect:
        """The interval for the effect in a next place; NaN with fewer than three studies."""
        return self.effect_of("prediction")

    @property
    def n_studies(self) -> Number:
        """Studies that entered."""
        return self._number(self.studies["study"].n_unique(), "studies pooled", unit="studies")

    @property
    def n_randomised(self) -> int:
        """Randomised studies among them."""
        if "risk_of_bias" not in self.studies.columns:
            return 0
        held = self.studies.filter(pl.col("risk_of_bias") == "randomised")
        return held["study"].n_unique()

    @property
    def tau(self) -> Number:
        """Standard deviation of effects between places, on the scale of the pool."""
        return self._number(self.model.tau, "spread of effects between places")

    @property
    def i_squared(self) -> float:
        """Share of the variation that is not sampling; NaN for one study or dependent estimates."""
        if isinstance(self.model, RandomEffects) and self.model.n_studies > 1:
            return self.model.i_squared
        return math.nan

    @property
    def descriptive(self) -> bool:
        """Whether the interval has fewer than four degrees of freedom."""
        if isinstance(self.model, ThreeLevel):
            return self.model.descriptive
        return self.model.df < FEWEST_DF

    @property
    def mostly_prior(self) -> bool:
        """Whether the spread between places comes mostly from the prior."""
        return self.studies["study"].n_unique() <= MOSTLY_PRIOR

    @property
    def weights(self) -> pl.DataFrame:
        """Share of each study in the mean: study, weight."""
        return self.studies.select("study", "weight")

    @cached_property
    def _arrays(self) -> tuple[Array, Array]:
        return self.studies["effect"].to_numpy(), self.studies["std_error"].to_numpy()

    @cached_property
    def bayesian(self) -> Posterior:
        """The hierarchical normal model under the stated prior.

        Raises
        ------
        FaultsError
            If no prior is known: a frame of one's own gives one, ``pool(…, prior=Prior(…))``.
        """
        if self.prior is None:
            remedy = "give one: va.pool(frame, prior=Prior(mean, sd, tau_scale))"
            raise FaultsError([Fault("pool", "no prior is known for this frame", remedy)])
        effects, errors = self._arrays
        return posterior(effects, errors, self.prior, self._bayes_scale)

    @property
    def _bayes_scale(self) -> str:
        return "log" if self.scale == "log" else "percent"

    def predictive(self) -> Mixture:
        """Return the distribution of the effect in a next place.

        Returns
        -------
        Mixture
            mean, sd, quantile(p), interval(), probability_below(x), and quantiles(): a grid that
            is the same on every run.
        """
        return self.bayesian.predictive

    @property
    def predictive_interval(self) -> Range:
        """Central interval of `predictive`, printed to the place of its spread."""
        low, high = self.predictive().interval(self.level)
        return Range(
            low=low,
            high=high,
            decimals=formatting.places(self.predictive().sd),
            what="effect in a next place, hierarchical model",
            unit=self.unit,
            provenance=replace(self.provenance, method="hierarchical normal model, stated prior"),
        )

    @cached_property
    def prior_sensitivity(self) -> pl.DataFrame:
        """The hierarchical model with both prior scales halved, as stated, and doubled.

        Columns: scale, mean, ci_low, ci_high, tau, predictive_low, predictive_high.
        """
        if self.prior is None:
            return pl.DataFrame()
        effects, errors = self._arrays
        rows = []
        for factor in PRIOR_SCALES:
            after = posterior(effects, errors, self.prior.scaled(factor), self._bayes_scale)
            low, high = after.mean_effect.interval(self.level)
            ahead_low, ahead_high = after.predictive.interval(self.level)
            rows.append(
                {
                    "scale": factor,
                    "mean": after.mean_effect.mean,
                    "ci_low": low,
                    "ci_high": high,
                    "tau": after.tau * (100 if self.scale == "log" else 1),
                    "predictive_low": ahead_low,
                    "predictive_high": ahead_high,
                }
            )
        return pl.DataFrame(rows)

    @cached_property
    def leave_one_out(self) -> pl.DataFrame:
        """The mean without each study: left_out, n_studies, mean, ci_low, ci_high, tau."""
        names = self.studies["study"].unique(maintain_order=True).to_list()
        if len(names) < 2:
            return pl.DataFrame(schema={"left_out": pl.String})
        return pl.DataFrame(
            {"left_out": name} | _short_fit(self.studies.filter(pl.col("study") != name), self)
            for name in names
        )

    def _by(self, column: str, rows: pl.DataFrame) -> pl.DataFrame:
        if column not in rows.columns:
            return pl.DataFrame(schema={column: pl.String})
        groups = rows.sort("effect").group_by(column, maintain_order=True)
        return pl.DataFrame(
            [{column: key[0]} | _short_fit(part, self) for key, part in groups],
            schema_overrides={"mean": pl.Float64},
        ).sort(column)

    @cached_property
    def by_subtype(self) -> pl.DataFrame:
        """The mean of each kind of the programme."""
        return self._by("sub_type", self.studies)

    @cached_property
    def by_setting(self) -> pl.DataFrame:
        """The mean of each setting."""
        return self._by("setting", self.studies)

    @cached_property
    def by_risk_of_bias(self) -> pl.DataFrame:
        """The mean of each risk of bias, of the same question; never all in one mean."""
        return self._by("risk_of_bias", self.alternatives)

    @cached_property
    def small_study(self) -> SmallStudy:
        """Egger's regression; a test only with ten studies or more."""
        return egger(*self._arrays)

    @property
    def funnel(self) -> pl.DataFrame:
        """Points of a funnel plot: study, effect, std_error, low, high."""
        return funnel(self.studies, self.model.mean)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the forest plot: studies, mean, prediction."""
        from analysis.studies.forest_plot import forest_plot

        return forest_plot(self, ax=ax, **options)


def _short_fit(rows: pl.DataFrame, of: PoolResult) -> dict[str, Any]:
    fit = _fit(rows, dependent=isinstance(of.model, ThreeLevel))
    low, high = fit.interval(of.level)
    back = _back(of.scale)
    return {
        "n_studies": rows["study"].n_unique(),
        "mean": back(fit.mean),
        "ci_low": back(low),
        "ci_high": back(high),
        "tau": fit.tau,
    }


def _back(scale: str) -> Any:
    """Return how a number of the pool's scale is printed."""
    return (lambda x: 100 * math.expm1(x)) if scale == "log" else (lambda x: x)


def _fit(rows: pl.DataFrame, *, dependent: bool) -> RandomEffects | ThreeLevel:
    effects, errors = rows["effect"].to_numpy(), rows["std_error"].to_numpy()
    if dependent and rows["study"].n_unique() > 1:
        return three_level(effects, errors, rows["study"].to_list())
    return random_effects(effects, errors)


def _shown(selection: Selection) -> pl.DataFrame:
    """Return what entered with one name for each column."""
    more = [
        name
        for name in (
            "id",
            "short",
            "country",
            "sub_type",
            "risk_of_bias",
            "setting",
            "horizon_months",
        )
        if name in selection.rows.columns
    ]
    return selection.rows.select(
        "study",
        *(pl.col(name).cast(pl.String) if name != "horizon_months" else name for name in more),
        effect=pl.col("effect_size").cast(pl.Float64),
        std_error=pl.col("std_error_size").cast(pl.Float64),
    )


def pool(
    frame: Studies | pl.DataFrame,
    outcome: str | None = None,
    effect: str = "offer",
    *,
    sample: str = "whole",
    comparison: str = "no_programme",
    designs: Sequence[str] = ("randomised",),
    dependent: bool = False,
    prior: Prior | None = None,
    level: float = 0.95,
) -> PoolResult:
    r"""Pool estimates of one question over studies.

    Parameters
    ----------
    frame : Studies or polars.DataFrame
        `analysis.studies` of one programme, or a frame of one's own with study, estimate and
        std_error on one scale.
    outcome : str, optional
        Family of outcomes, such as ``consumption``; needed where the frame has several.
    effect : str
        ``offer``, ``participants``, ``area``, ``spillover`` or ``dose``: never in one mean.
    sample : str
        ``whole``, or the name of one part of the samples, such as ``women``.
    comparison : str
        ``no_programme``, ``neighbours`` or ``other_arm``.
    designs : sequence of str
        Risks of bias that may enter one mean.
    dependent : bool
        Use every estimate of a study, in a three-level model; else the one that stands for it.
    prior : Prior, optional
        Of the hierarchical model; that of the outcome in ``data/studies/priors.csv``.
    level : float
        Probability of the intervals.

    Returns
    -------
    PoolResult
        mean, prediction, tau, weights, leave_one_out, by_subtype, by_risk_of_bias, small_study,
        bayesian, predictive(), plot().

    Raises
    ------
    FaultsError
        If several programmes or outcomes would be mixed, a column is missing, or no estimate
        answers the question.

    Notes
    -----
    One estimate a study: restricted maximum likelihood with Hartung and Knapp's interval, never
    narrower than without. Dependent estimates: three levels with :math:`t_{k-1}`, checked by CR2
    with Satterthwaite degrees. Logarithms are pooled as such and turned into per cent at the end.

    Examples
    --------
    >>> from analysis.studies.estimates import studies
    >>> credit = pool(studies("credit_funds"), outcome="consumption")
    >>> int(credit.n_studies.value), credit.mean.ci_low < 0 < credit.mean.ci_high
    (6, True)
    """
    rows = frame.frame if isinstance(frame, Studies) else frame
    question = Question(outcome, effect, sample, comparison, tuple(designs))
    chosen = select(rows, question, one_per_study=not dependent)
    if chosen.rows.is_empty():
        why = "; ".join(f"{n} {reason}" for reason, n in chosen.left_out.items())
        remedy = "ask va.rate, which says that the library has none, or widen effect or designs"
        raise FaultsError([Fault("pool", f"no estimate to pool ({why or 'no row'})", remedy)])
    shown = _shown(chosen)
    model = _fit(shown, dependent=dependent)
    shown = shown.with_columns(weight=pl.Series(model.weights))
    every = chosen.rows
    if "outcome_family" in rows.columns:
        family = outcome or str(rows["outcome_family"][0])
        wide = Question(family, effect, sample, comparison, _EVERY_RISK)
        every = select(rows, wide, one_per_study=not dependent).rows
        every = every.with_columns(
            effect_size=pl.col("log_effect") if chosen.scale == "log" else pl.col("effect_size"),
            std_error_size=pl.col("log_se") if chosen.scale == "log" else pl.col("std_error_size"),
        )
        prior = prior or prior_of(family, chosen.scale)
    return PoolResult(
        question=question,
        studies=shown,
        scale=chosen.scale,
        model=model,
        prior=prior,
        alternatives=_shown(Selection(every, {}, chosen.scale, 0)),
        frame=_frame(model, chosen, question, level),
        comparison=_compared(model, chosen, question),
        account=Account(
            rows_in=chosen.rows_in,
            rows_used=chosen.rows.height,
            left_out=chosen.left_out,
            units="studies",
        ),
        provenance=Provenance.of(
            pool,
            evidence="published" if "outcome_family" in rows.columns else "yours",
            rows_in=chosen.rows_in,
            rows_used=chosen.rows.height,
            method="three-level REML" if dependent else "REML with Hartung and Knapp's interval",
            inputs=(_digest(rows),),
        ),
        title="Pooled studies",
        level=level,
    )


_EVERY_RISK: Final = (
    "randomised",
    "natural_experiment",
    "cut_off",
    "panel_comparison",
    "matched_cross_section",
    "association",
)


def _digest(rows: pl.DataFrame) -> FrameDigest:
    if "outcome_family" in rows.columns:
        return FrameDigest(tables().estimates, FILE)
    return FrameDigest(rows, "frame")


def _frame(
    model: RandomEffects | ThreeLevel, chosen: Selection, question: Question, level: float
) -> pl.DataFrame:
    back = _back(chosen.scale)
    low, high = model.interval(level)
    ahead_low, ahead_high = model.prediction(level)
    k = chosen.rows["study"].n_unique()
    percent = chosen.scale != "as given"
    mean = back(model.mean)
    error = model.std_error * (100 + mean) if chosen.scale == "log" else model.std_error
    common = {
        "outcome": question.outcome or "",
        "unit": UNIT if percent else "",
        "df": model.df,
        "n": k,
    }
    few = "" if math.isfinite(ahead_low) else "fewer than three studies"
    rows = [
        {
            "term": "mean",
            "estimate": mean,
            "std_error": error,
            "statistic": model.mean / model.std_error,
            "p_value": _p_value(model),
            "ci_low": back(low),
            "ci_high": back(high),
            **common,
        },
        {
            "term": "prediction",
            "estimate": mean,
            "std_error": error,
            "ci_low": back(ahead_low) if not few else math.nan,
            "ci_high": back(ahead_high) if not few else math.nan,
            "note": few,
            **common,
        },
    ]
    if isinstance(model, ThreeLevel):
        robust_low, robust_high = model.robust_interval(level)
        rows.append(
            {
                "term": "mean, cluster-robust",
                "estimate": mean,
                "std_error": model.robust_error * (100 + mean if chosen.scale == "log" else 1),
                "ci_low": back(robust_low),
                "ci_high": back(robust_high),
                **common,
                "df": model.robust_df,
            }
        )
    return frame_of(rows)


def _p_value(model: RandomEffects | ThreeLevel) -> float:
    from scipy import stats  # type: ignore[import-untyped]

    return 2 * float(stats.t.sf(abs(model.mean / model.std_error), model.df))


def _compared(
    model: RandomEffects | ThreeLevel, chosen: Selection, question: Question
) -> Comparison:
    few = model.descriptive if isinstance(model, ThreeLevel) else model.df < FEWEST_DF
    one = chosen.rows["study"].n_unique() == 1
    errors = "the study's own" if one else "Hartung and Knapp, t of studies less one"
    if isinstance(model, ThreeLevel):
        errors = "model-based, t of studies less one; beside it CR2 with Satterthwaite degrees"
    return Comparison(
        estimator="one study" if one else "random effects by REML",
        estimand=f"mean effect of the {question.effect} on {question.outcome or 'the outcome'}",
        compared=question.comparison.replace("_", " "),
        errors=f"{errors}; {DESCRIPTIVE}" if few else errors,
        weights="pooled as logarithms" if chosen.scale == "log" else "",
    )
