"""Pooling of studies: one question, one mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import polars as pl
from scipy import special  # type: ignore[import-untyped]

from analysis.faults import Fault, FaultsError
from analysis.results import Account, Comparison, FrameDigest, Provenance
from analysis.results.result import frame_of
from analysis.studies.bayesian import Prior
from analysis.studies.estimates import FILE, Studies, tables
from analysis.studies.multilevel import FEWEST_DF, ThreeLevel
from analysis.studies.pool_result import MOSTLY_PRIOR, PoolResult, back, fit
from analysis.studies.question import Question, Selection, select
from analysis.studies.random_effects import RandomEffects

UNIT: Final = "per cent of the comparison mean"
DESCRIPTIVE: Final = "fewer than four degrees of freedom: the interval is descriptive"


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
    frame = tables().priors.filter(pl.col("outcome_family").cast(pl.String) == outcome)
    if frame.is_empty():
        remedy = "add a row to data/studies/priors.csv before looking at results"
        raise FaultsError([Fault("pool", "no prior for the outcome", remedy, value=outcome)])
    row = frame.row(0, named=True)
    factor = 0.01 if scale == "log" else 1.0
    mean, sd, tau_scale = (row[name] * factor for name in ("mean", "sd", "tau_scale"))
    return Prior(mean, sd, tau_scale, source=str(row["source"]))


def _display_table(selection: Selection) -> pl.DataFrame:
    """Return what entered with one name for each column."""
    more = [
        name
        for name in (
            "id",
            "short",
            "country",
            "place",
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
    subgroup: str = "whole",
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
        ``offer``, ``participation``, ``area``, ``spillover`` or ``dose``: never in one mean.
    subgroup : str
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
    question = Question(outcome, effect, subgroup, comparison, tuple(designs))
    chosen = select(rows, question, one_per_study=not dependent)
    if chosen.rows.is_empty():
        why = "; ".join(f"{n} {reason}" for reason, n in chosen.left_out.items())
        remedy = "ask va.rate, which says that the library has none, or widen effect or designs"
        raise FaultsError([Fault("pool", f"no estimate to pool ({why or 'no row'})", remedy)])
    shown = _display_table(chosen)
    model = fit(shown, dependent=dependent)
    shown = shown.with_columns(weight=pl.Series(model.weights))
    every = chosen.rows
    if "outcome_family" in rows.columns:
        family = outcome or str(rows["outcome_family"][0])
        wide = Question(family, effect, subgroup, comparison, _EVERY_RISK)
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
        alternatives=_display_table(Selection(every, {}, chosen.scale, 0)),
        frame=_frame(model, chosen, question, level),
        comparison=_compared(model, chosen, question),
        account=Account(
            rows_in=chosen.rows_in,
            rows_used=chosen.rows.height,
            left_out=chosen.left_out,
            decisions=_decisions(shown),
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


def _decisions(shown: pl.DataFrame) -> tuple[str, ...]:
    """Return what a reader of few studies should know."""
    k = shown["study"].n_unique()
    return ("spread between places: mostly the prior's",) if k <= MOSTLY_PRIOR else ()


def _digest(rows: pl.DataFrame) -> FrameDigest:
    if "outcome_family" in rows.columns:
        return FrameDigest(tables().estimates, FILE)
    return FrameDigest(rows, "frame")


def _frame(
    model: RandomEffects | ThreeLevel, chosen: Selection, question: Question, level: float
) -> pl.DataFrame:
    printed = back(chosen.scale)
    low, high = model.interval(level)
    ahead_low, ahead_high = model.prediction(level)
    k = chosen.rows["study"].n_unique()
    percent = chosen.scale != "as given"
    mean = printed(model.mean)
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
            "ci_low": printed(low),
            "ci_high": printed(high),
            **common,
        },
        {
            "term": "prediction",
            "estimate": mean,
            "std_error": _spread(model) * (100 + mean if chosen.scale == "log" else 1),
            "ci_low": printed(ahead_low) if not few else math.nan,
            "ci_high": printed(ahead_high) if not few else math.nan,
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
                "ci_low": printed(robust_low),
                "ci_high": printed(robust_high),
                **common,
                "df": model.robust_df,
            }
        )
    return frame_of(rows)


def _spread(model: RandomEffects | ThreeLevel) -> float:
    """Return the standard deviation of the effect in a next place; NaN of one study."""
    return math.hypot(model.tau, model.std_error)


def _p_value(model: RandomEffects | ThreeLevel) -> float:

    return 2 * float(special.stdtr(model.df, -abs(model.mean / model.std_error)))


def _compared(
    model: RandomEffects | ThreeLevel, chosen: Selection, question: Question
) -> Comparison:
    few = model.descriptive if isinstance(model, ThreeLevel) else model.df < FEWEST_DF
    flag = chosen.rows["study"].n_unique() == 1
    errors = "the study's own" if flag else "Hartung and Knapp, t of studies less one"
    if isinstance(model, ThreeLevel):
        errors = "model-based, t of studies less one; beside it CR2 with Satterthwaite degrees"
    return Comparison(
        estimator="one study" if flag else "random effects by REML",
        estimand=f"mean effect of the {question.effect} on {question.outcome or 'the outcome'}",
        compared=question.comparison.replace("_", " "),
        errors=f"{errors}; {DESCRIPTIVE}" if few else errors,
        weights="pooled as logarithms" if chosen.scale == "log" else "",
    )
