"""Effects at a cutoff as a result: its window, manipulation, balance, other bandwidths, figure."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import polars as pl
from scipy import stats  # type: ignore[import-untyped]

from analysis.designs import estimates
from analysis.designs.frames import Source
from analysis.designs.sample import Sample
from analysis.faults import refuse
from analysis.inference.arrays import Floats
from analysis.results import Comparison, Effect, Number, Provenance, Result
from analysis.results.result import frame_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.designs.regression_discontinuity import Score

FACTORS: Final = (0.5, 0.75, 1.0, 1.5, 2.0)


@dataclass(frozen=True, eq=False)
class Window:
    """What an outcome was estimated from.

    Attributes
    ----------
    sample, whole : Sample
        Units in the window, and all. The first covariate is the distance from the cutoff, zero or
        above for the treated.
    bandwidth : float or None
        Half the window; None: all units.
    bias_bandwidth : float or None
        Half the window that the bias is estimated in; None where it is not.
    degree : int
        Of the polynomial on each side.
    triangular : bool
        Whether weights fall with the distance.
    """

    sample: Sample
    whole: Sample
    bandwidth: float | None
    bias_bandwidth: float | None
    degree: int
    triangular: bool


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class DiscontinuityResult(Result):
    """Effects at a cutoff.

    Attributes
    ----------
    windows : mapping of str to Window
        What each outcome was estimated from.
    source : Source
        The rows that were given.
    score : Score
        Column, cutoff, sides.
    options : mapping
        Method, covariates and other arguments.
    """

    windows: Mapping[str, Window] = field(repr=False)
    source: Source = field(repr=False)
    score: Score = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)

    @property
    def effect(self) -> Effect:
        """The effect at the cutoff, where there is one outcome."""
        return self.effect_of("effect")

    @property
    def conventional(self) -> Effect:
        """The estimate that ignores the bandwidth's bias (``local`` only)."""
        return self.effect_of("conventional")

    @property
    def first_stage(self) -> Effect:
        """The jump of taking part at the cutoff."""
        return self.effect_of("first_stage")

    @property
    def window(self) -> Number:
        """Half the window, in units of the score, where there is one outcome."""
        effect = self.effect
        bandwidth = self.windows[effect.outcome].bandwidth
        return Number(
            value=math.nan if bandwidth is None else bandwidth,
            what="bandwidth",
            unit=self.score.column,
            provenance=effect.provenance,
        )

    def again(self, **changes: Any) -> DiscontinuityResult:
        """Estimate again with other arguments of `analysis.rdd`."""
        from analysis.designs.regression_discontinuity import rdd

        arguments: dict[str, Any] = {
            "y": list(self.windows),
            "cutoff": self.score.cutoff,
            "treated_below": self.score.treated_below,
            "cutoff_treated": self.score.cutoff_treated,
            "outcome_unit": {name: window.sample.unit for name, window in self.windows.items()},
            "units": self.account.units,
            "level": self.level,
            "evidence": self.source.evidence,
            **self.options,
        }
        return rdd(self.source.frame, running=self.score.column, **(arguments | changes))

    def bandwidths(self, factors: Sequence[float] = FACTORS) -> Result:
        """Estimate with other windows.

        Parameters
        ----------
        factors : sequence of float
            Multiples of the bandwidth that was used.

        Returns
        -------
        Result
            A row per outcome and factor.
        """
        rows = []
        for outcome, window in self.windows.items():
            if window.bandwidth is None:
                refuse("all rows are used", "name a bandwidth first", column="bandwidth")
            for factor in factors:
                bias = window.bias_bandwidth
                discontinuity_result = self.again(
                    y=outcome,
                    bandwidth=factor * window.bandwidth,
                    bias_bandwidth=None if bias is None else factor * bias,
                )
                row = discontinuity_result.frame.row(0, named=True)
                rows.append(row | {"term": f"{factor:g} × bandwidth", "factor": factor})
        return self._result(rows, "other bandwidths", self.comparison)

    def balance(self, covariates: Sequence[str]) -> Result:
        """Estimate the jump of covariates, which treatment cannot have moved.

        Parameters
        ----------
        covariates : sequence of str
            Numeric columns measured before treatment.

        Returns
        -------
        Result
            A row per covariate, each with a bandwidth of its own.
        """
        if not covariates:
            refuse("no covariate is named", "name columns measured before", column="balance")
        units = {name: self.source.units.get(name, name) for name in covariates}
        discontinuity_result = self.again(
            y=list(covariates), covariates=(), take_up=None, outcome_unit=units
        )
        rows = [
            row | {"term": row["outcome"], "outcome": ""}
            for row in discontinuity_result.frame.filter(pl.col("term") == "effect").iter_rows(
                named=True
            )
        ]
        return self._result(rows, "balance at the cutoff", discontinuity_result.comparison)

    def counts(self, steps: Sequence[float] = (1, 2, 3)) -> Result:
        """Test that as many units are just on one side of the cutoff as on the other.

        A score that is bent to get in leaves more units on the better side. Exact binomial test in
        small windows (Cattaneo, Idrobo & Titiunik 2020, section 4.4.2).

        Parameters
        ----------
        steps : sequence of float
            Of a score with few values (whole points): how many values on each side, the same number
            on both. Of a continuous score: half the window, in per cent of the bandwidth (or of the
            score's standard deviation) times ten.

        Returns
        -------
        Result
            A row per window: share of units on the treated side, ``n_treated``, ``n_control``, p.
        """
        whole = next(iter(self.windows.values())).whole
        if self.options["donut"]:
            refuse("units near the cutoff were left out", "test without the donut", column="donut")
        distance = whole.x[:, 0]
        rows = [self._count(whole, distance, step) for step in steps]
        comparison = Comparison(
            estimator="exact binomial test of counts",
            estimand="share of units on the treated side; one half without manipulation",
            compared=self.comparison.compared,
            errors="Clopper–Pearson",
        )
        return self._result(rows, "counts at the cutoff", comparison, [whole])

    def _count(self, whole: Sample, distance: Floats, step: float) -> dict[str, Any]:
        from analysis.designs.regression_discontinuity import step_of

        gap = step_of(distance)
        if gap is None:
            scale = next(iter(self.windows.values())).bandwidth or float(distance.std())
            width = step * scale / 10
            term = f"within {width:.3g}"
            above = (distance >= 0) & (distance < width)
            below = (distance < 0) & (distance >= -width)
        else:
            # As many values on each side; those at the cutoff lie on the side that they are of.
            values = np.unique(np.round(distance, 9))
            number = int(step)
            up, down = values[values >= 0][:number], values[values < 0][::-1][:number]
            term = f"{number} {'value' if number == 1 else 'values'} on each side"
            rounded = np.round(distance, 9)
            above, below = np.isin(rounded, up), np.isin(rounded, down)
            if min(up.size, down.size) < number:
                refuse("there are not so many values on a side", "count fewer", value=number)
        k, n = int(above.sum()), int(above.sum() + below.sum())
        if not n:
            refuse("nobody is that near to the cutoff", "widen the window", value=step)
        test = stats.binomtest(k, n)
        ends = test.proportion_ci(self.level)
        row = estimates.row(term, "", k / n, math.nan, math.nan, unit="share", note="")
        return row | {
            "p_value": float(test.pvalue),
            "ci_low": float(ends.low),
            "ci_high": float(ends.high),
            "n": n,
            "n_treated": k,
            "n_control": n - k,
        }

    def density(self) -> Result:
        """Test that the density of the score does not jump (Cattaneo, Jansson & Ma 2020).

        Returns
        -------
        Result
            Jump of the density, treated side less the other, with its robust error.

        Raises
        ------
        FaultsError
            If the score has few values, for which there is no density: use `counts`.
        """
        from diff_diff import RDDensityTest  # type: ignore[import-untyped]

        from analysis.designs.regression_discontinuity import step_of

        whole = next(iter(self.windows.values())).whole
        distance = whole.x[:, 0]
        if step_of(distance) is not None:
            refuse(
                "the score has few values, and so no density",
                "count units on each side: .counts()",
                column=self.score.column,
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = RDDensityTest(cutoff=0.0).fit(pd.DataFrame({"s": distance}), "s")
        row = estimates.row(
            "jump of the density",
            "",
            float(result.f_diff),
            float(result.se_diff),
            math.inf,
            unit=f"per unit of {self.score.column}",
            level=self.level,
            n=int(result.n_eff_left + result.n_eff_right),
            n_treated=int(result.n_eff_right),
            n_control=int(result.n_eff_left),
        )
        comparison = Comparison(
            estimator="local polynomial density on each side",
            estimand="jump of the density at the cutoff; none without manipulation",
            compared=self.comparison.compared,
            errors="jackknife, robust to the bias of the bandwidth, normal quantiles",
            library=f"diff-diff {version('diff-diff')}",
        )
        return self._result([row], "density at the cutoff", comparison, [whole])

    def plot(self, ax: Axes | None = None, *, outcome: str = "", **_: Any) -> Axes:
        """Draw means of the outcome by score, and the lines whose gap is the effect.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where; a new figure if left out.
        outcome : str
            Which; the first if left out.
        """
        from analysis.designs.discontinuity_plot import draw

        return draw(self, outcome or next(iter(self.windows)), ax)

    def _result(
        self,
        rows: Sequence[Mapping[str, Any]],
        what: str,
        comparison: Comparison,
        used: Sequence[Sample] = (),
    ) -> Result:
        return Result(
            frame=frame_of(rows),
            comparison=comparison,
            account=estimates.account(used, self.account.units) if used else self.account,
            provenance=Provenance.of(
                DiscontinuityResult,
                evidence=self.source.evidence,
                method=f"regression discontinuity, {what}",
                inputs=self.provenance.inputs,
            ),
            title=f"{self.title}, {what}",
            level=self.level,
        )
