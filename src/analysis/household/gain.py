"""What would be added to a household: quantiles of the gain, each with its range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis.claims.intervals import Interval
from analysis.household import costs
from analysis.household.budget import Budget
from analysis.household.evidence import (
    Predictive,
)
from analysis.household.inputs import (
    Given,
    Input,
    input_number,
    printed,
    read,
    table,
)
from analysis.results import formatting
from analysis.results.distribution import distribution
from analysis.results.labels import labels
from analysis.results.number import Number, Range
from analysis.results.result import Result, frame_of
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLE: Final = "If it worked as in the studied places"
QUANTILES: Final = (0.025, 0.25, 0.5, 0.75, 0.975)
"""Quantiles of the effect that are printed."""
SOURCE_OF_NO_TAKE_UP: Final = "the effect is of those counted"
"""What stands as the source of a take-up that was not given."""
NO_BASE: Final = "the amount is in yuan"
"""What stands as the source of a base that there is none of."""
GRID: Final = tuple((k + 0.5) / 400 for k in range(400))
"""Quantiles of the effect on which shares are counted: the middle of 400 equal parts."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Gain(Result):
    """What would be added to an average household, yuan a year and per cent of its income.

    Attributes
    ----------
    budget : Budget
        The household.
    evidence : Predictive or Interval
        What the effect may be; an interval of claims has no distribution.
    source : str
        Source of income that it enters.
    inputs : tuple of Input
        Everything else that the gain is made of.
    relative : bool
        Whether the effect is in per cent of the base (else in yuan a person or household).
    scaled : bool
        Whether the base grows with the household's size (else it is of one person).
    rating : object
        How sure the evidence is; None where it was not given.
    """

    budget: Budget
    evidence: Predictive | Interval
    source: str
    inputs: tuple[Input, ...]
    relative: bool
    scaled: bool
    rating: object = None

    # ------------------------------------------------------------------------------- formula

    def _yuan(self, effect: NDArray[np.float64], **at: Any) -> NDArray[np.float64]:
        """Return yuan a household and year; rising or falling all the way in each argument."""
        base = at["base"] * (at["size"] if self.scaled else 1.0)
        each = effect * base / 100 if self.relative else effect
        return np.asarray(at["people"] * at["take_up"] * (each * at["share_kept"] - at["forgone"]))

    def _per_cent(self, effect: NDArray[np.float64], **at: Any) -> NDArray[np.float64]:
        income = self.budget.facts["total"].value * at["size"]
        return np.asarray(100 * self._yuan(effect, **at) / income)

    def _box(self, p: float, *, per_cent: bool) -> tuple[float, float, float]:
        """Return a quantile of the gain: central, and least and largest over all inputs."""
        formula = self._per_cent if per_cent else self._yuan
        least, central, most = self._quantile(p)
        at = costs.corners(self.inputs)
        ends = np.concatenate([formula(np.asarray(q), **at) for q in (least, most)])
        middle = formula(
            np.asarray(central),
            **{quantity.name: np.asarray(quantity.central) for quantity in self.inputs},
        )
        return float(middle), float(ends.min()), float(ends.max())

    def _quantile(self, p: float) -> tuple[float, float, float]:
        if isinstance(self.evidence, Interval):
            quantity = read("effect", "reported amount", self.evidence, "yuan")
            return quantity.low, quantity.central, quantity.high
        q = float(self.evidence.quantile(p))
        return q, q, q

    # ------------------------------------------------------------------------------- numbers

    def quantile(self, p: float, *, per_cent: bool = False) -> Number:
        """Return a quantile of the gain; its range is that over all inputs.

        Parameters
        ----------
        p : float
            Probability, of the effect in the next place.
        per_cent : bool
            In per cent of the household's income instead of yuan a year.
        """
        middle, low, high = self._box(p, per_cent=per_cent)
        unit = "per cent of household income" if per_cent else self._unit
        apart = not math.isclose(low, high, rel_tol=1e-12)
        return Number(
            value=middle,
            low=low if apart else math.nan,
            high=high if apart else math.nan,
            error=self._error(per_cent=per_cent),
            what=f"gain, quantile {p:g}, {self.budget.name} {self.budget.year}",
            unit=unit,
            provenance=self.provenance,
        )

    @property
    def _unit(self) -> str:
        return f"yuan of {self.budget.year} a household a year"

    def _error(self, *, per_cent: bool) -> float:
        """Half the distance between the 16th and 84th per cent quantiles: decides the digits."""
        high, low = (self._box(p, per_cent=per_cent)[0] for p in (0.84, 0.16))
        spread = abs(high - low) / 2
        return spread if spread > 0 else math.nan

    @property
    def median(self) -> Number:
        """Median, yuan a year, with its range over all inputs."""
        return self.quantile(0.5)

    @property
    def interval(self) -> Range:
        """Yuan a year: 95 per cent of the effect in the next place, at the ends of all inputs."""
        return self._interval(per_cent=False, outer=True)

    @property
    def evidence_interval(self) -> Range:
        """Yuan a year: 95 per cent of the effect in the next place, at central inputs."""
        return self._interval(per_cent=False, outer=False)

    @property
    def per_cent(self) -> Number:
        """Median, per cent of the household's income."""
        return self.quantile(0.5, per_cent=True)

    @property
    def per_cent_interval(self) -> Range:
        """As `interval`, in per cent of the household's income."""
        return self._interval(per_cent=True, outer=True)

    def _interval(self, *, per_cent: bool, outer: bool) -> Range:
        tail = (1 - self.level) / 2
        lower, upper = (self._box(p, per_cent=per_cent) for p in (tail, 1 - tail))
        median = self.quantile(0.5, per_cent=per_cent)
        return Range(
            low=lower[1] if outer else lower[0],
            high=upper[2] if outer else upper[0],
            decimals=median.decimals,
            what=f"gain, {self.level:.0%} interval, {self.budget.name} {self.budget.year}",
            unit=median.unit,
            provenance=self.provenance,
        )

    @property
    def below_zero(self) -> Number:
        """Probability, per cent, that the household would lose, with its range over all inputs."""
        boxes = np.array([self._box(p, per_cent=False) for p in GRID])
        central, low, high = (100 * (boxes[:, k] < 0).mean() for k in (0, 2, 1))
        return Number(
            value=float(central),
            low=float(low),
            high=float(high),
            what="probability of a loss",
            unit="per cent",
            provenance=self.provenance,
        )

    # ------------------------------------------------------------------------------ exhibits

    def rows(self) -> pl.DataFrame:
        """Return quantiles of the gain as printed, in yuan and per cent, with their ranges."""
        printed_rows = []
        for p in self._printed_values:
            yuan, share = self.quantile(p), self.quantile(p, per_cent=True)
            printed_rows.append(
                {
                    "quantile": f"{100 * p:g} %",
                    "yuan a year": yuan.text,
                    "over all inputs": yuan.interval.text,
                    "per cent of income": share.text,
                    "over all inputs, per cent": share.interval.text,
                }
            )
        frame = pl.DataFrame(printed_rows)
        ranged = [name for name in frame.columns if name.startswith("over all inputs")]
        return frame.drop(name for name in ranged if (frame[name] == formatting.NONE).all())

    @property
    def _printed_values(self) -> tuple[float, ...]:
        return (0.5,) if isinstance(self.evidence, Interval) else QUANTILES

    def table(self) -> ResultTable:
        """Return quantiles of the gain as a table."""
        return ResultTable(shown=self.rows(), data=self.frame, provenance=self.provenance)

    def per_yuan(self, cost: Given | str, **inputs: Any) -> Number:
        """Return yuan of income for each yuan spent; see `break_even.per_yuan`."""
        from analysis.household.break_even import per_yuan

        return per_yuan(self, cost, **inputs)

    def input(self, name: str) -> Number:
        """Return one input with its range and where it is from.

        Raises
        ------
        FaultsError
            If there is no such input.
        """
        return input_number(self.inputs, name, self.provenance)

    def input_table(self) -> ResultTable:
        """Return every input with its range and where it is from."""
        return ResultTable(
            shown=printed(stated(self.inputs)),
            data=table(self.inputs),
            provenance=self.provenance,
        )

    def plot(self, ax: Axes | None = None, *, language: str = "en", **options: Any) -> Axes:
        """Draw the distribution of the gain as dots, its ranges over all inputs below.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where; a new figure if left out.
        language : str
            ``en`` or ``zh``.
        """
        words = labels(language)
        outer = self.interval
        return distribution(
            lambda p: self._box(p, per_cent=False)[0],
            words["yuan_household_year"].format(year=self.budget.year),
            what=words["gain_title"],
            decimals=self.median.decimals,
            outer=(outer.low, outer.high),
            data=self.frame,
            provenance=self.provenance,
            language=language,
            ax=ax,
        )


def stated(inputs: tuple[Input, ...]) -> tuple[Input, ...]:
    """Return the inputs that say something: not a take-up or base that the effect has none of."""
    return tuple(
        quantity for quantity in inputs if quantity.source not in (SOURCE_OF_NO_TAKE_UP, NO_BASE)
    )


def frame_of_gain(gain: Gain) -> pl.DataFrame:
    """Return the printed quantiles in full precision, in yuan and per cent."""
    rows = []
    for p in gain._printed_values:
        for per_cent, outcome in ((False, "yuan"), (True, "per cent")):
            number = gain.quantile(p, per_cent=per_cent)
            low, high = number.ends
            rows.append(
                {
                    "term": f"quantile {p:g}",
                    "outcome": outcome,
                    "estimate": number.value,
                    "ci_low": low,
                    "ci_high": high,
                    "unit": number.unit,
                    "note": "" if low is not None else "no input has a range",
                }
            )
    return frame_of(rows)
