"""What pooling returns: mean, spread, prediction, and every check beside them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis.faults import Fault, FaultsError
from analysis.results import Effect, Number, Provenance, Range, Result, formatting
from analysis.results.provenance import UNKNOWN
from analysis.studies.bayesian import Mixture, Posterior, Prior, posterior
from analysis.studies.estimates import tables
from analysis.studies.multilevel import FEWEST_DF, ThreeLevel, three_level
from analysis.studies.question import Question
from analysis.studies.random_effects import RandomEffects, random_effects
from analysis.studies.small_study import SmallStudy, egger, funnel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.results.table import ResultTable

Array = NDArray[np.float64]
PRIOR_SCALES: Final = (0.5, 1.0, 2.0)
MOSTLY_PRIOR: Final = 3
"""Up to this many studies the spread between places is mostly the prior's."""


@dataclass(frozen=True, eq=False)
class Predictive(Mixture):
    """What the effect may be in a next place.

    Attributes
    ----------
    outcome, effect, unit, rating : str
        Outcome in words, on whom, unit, and the rating of the mean behind it.
    provenance : Provenance
        Of the studies pooled.
    """

    outcome: str = ""
    effect: str = "offer"
    unit: str = ""
    rating: str = ""
    provenance: Provenance = UNKNOWN


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

    def predictive(self) -> Predictive:
        """Return the distribution of the effect in a next place.

        Returns
        -------
        Predictive
            mean, sd, quantile(p), interval(), probability_below(x), and quantiles(), a grid that
            is the same on every run; with outcome, effect, unit, rating and provenance.
        """
        from analysis.studies.rating import rating_of

        ahead = self.bayesian.predictive
        return Predictive(
            weights=ahead.weights,
            means=ahead.means,
            sds=ahead.sds,
            scale=ahead.scale,
            outcome=self.outcome_name,
            effect=self.question.effect,
            unit=self.unit,
            rating=rating_of(self) if "risk_of_bias" in self.studies.columns else "",
            provenance=self.provenance,
        )

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

    @property
    def outcome_name(self) -> str:
        """The family of outcomes in words."""
        asked = self.question.outcome or ""
        frame = tables().outcomes.filter(pl.col("id").cast(pl.String) == asked)
        return "" if frame.is_empty() else str(frame["name_en"][0])

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

    def sensitivity(self) -> ResultTable:
        """Return the mean with priors halved and doubled, without each study, and by kind."""
        from analysis.studies.sensitivity_table import sensitivity_table

        return sensitivity_table(self)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the forest plot: studies, mean, prediction."""
        from analysis.studies.forest_plot import forest_plot

        return forest_plot(self, ax=ax, **options)


def _short_fit(rows: pl.DataFrame, of: PoolResult) -> dict[str, Any]:
    model = fit(rows, dependent=isinstance(of.model, ThreeLevel))
    low, high = model.interval(of.level)
    printed = back(of.scale)
    return {
        "n_studies": rows["study"].n_unique(),
        "mean": printed(model.mean),
        "ci_low": printed(low),
        "ci_high": printed(high),
        "tau": model.tau,
    }


def back(scale: str) -> Callable[[float], float]:
    """Return how a number of the pool's scale becomes one in per cent.

    Examples
    --------
    >>> round(back("log")(0.0724), 2), back("percent")(3.0)
    (7.51, 3.0)
    """
    if scale == "log":
        return lambda x: 100 * math.expm1(x)
    return lambda x: x


def fit(rows: pl.DataFrame, *, dependent: bool) -> RandomEffects | ThreeLevel:
    """Return the model of rows with study, effect and std_error."""
    effects, errors = rows["effect"].to_numpy(), rows["std_error"].to_numpy()
    if dependent and rows["study"].n_unique() > 1:
        return three_level(effects, errors, rows["study"].to_list())
    return random_effects(effects, errors)
