"""What a programme would add to a household, if it worked as in the studied places.

The evidence gives a predictive distribution of the effect in the next place; what is reported or
assumed beside it (people, take-up, the base, what is kept and forgone) is known as ranges only. So
every quantile of the gain is itself a range: the quantile of the effect put through every
combination of ends, exactly and without random draws (a probability box: Ferson, Kreinovich,
Ginzburg, Myers and Sentz 2003, Sandia report SAND2002-4015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis.claims.intervals import Interval
from analysis.household import costs
from analysis.household.budget import Budget
from analysis.household.calibration import SOURCES
from analysis.household.evidence import (
    Evidence,
    Predictive,
    base_of,
    check_kind,
    check_rating,
    evidence_of,
)
from analysis.household.inputs import (
    Given,
    Input,
    fault,
    input_number,
    joined,
    printed,
    read,
    table,
)
from analysis.results.number import Number, Range
from analysis.results.plot import COLOURS, NEUTRAL, axes, note
from analysis.results.provenance import Provenance
from analysis.results.result import Account, Comparison, Result, frame_of
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
            np.asarray(central), **{one.name: np.asarray(one.central) for one in self.inputs}
        )
        return float(middle), float(ends.min()), float(ends.max())

    def _quantile(self, p: float) -> tuple[float, float, float]:
        if isinstance(self.evidence, Interval):
            one = read("effect", "reported amount", self.evidence, "yuan")
            return one.low, one.central, one.high
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

    def per_cent_at(self, quantile: float) -> Number:
        """Return the median gain in per cent of the income of a household at a quantile.

        The yuan are those of the average household; incomes are lognormal with the spread of 319
        villages.
        """
        factor = 1 / self.budget.relative_income(quantile)
        return replace(self.per_cent * factor, what=f"median gain at income quantile {quantile:g}")

    # ------------------------------------------------------------------------------ exhibits

    def rows(self) -> pl.DataFrame:
        """Return quantiles of the gain as printed, in yuan and per cent, with their ranges."""
        printed_rows = []
        for p in self._shown:
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
        return pl.DataFrame(printed_rows)

    @property
    def _shown(self) -> tuple[float, ...]:
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
            shown=printed(_said(self.inputs)),
            data=table(self.inputs),
            provenance=self.provenance,
        )

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the distribution of the gain: its quantiles, and their ranges over all inputs."""
        ax = axes(ax, height=2.9)
        p = np.array(GRID)
        boxes = np.array([self._box(x, per_cent=False) for x in GRID])
        ax.fill_betweenx(
            100 * p, boxes[:, 1], boxes[:, 2], color=COLOURS[0], alpha=0.18, linewidth=0
        )
        ax.plot(boxes[:, 0], 100 * p, color=COLOURS[0], linewidth=2)
        ax.axvline(0, color=NEUTRAL, linewidth=0.8)
        ax.plot([self.median.value], [50], "o", color=COLOURS[0])
        ax.annotate(
            f"median {self.median.text}",
            (self.median.value, 50),
            xytext=(8, -12),
            textcoords="offset points",
            fontsize=9,
        )
        ax.set_ylabel("per cent of places that would see less")
        ax.set_xlabel(self._unit)
        alt = (
            f"{self.title}: median {self.median.text}, {self.interval.text} {self._unit}; "
            "the band is the range over all inputs."
        )
        return note(ax, self.frame, alt, self.provenance)


def add(
    budget: Budget,
    effect: Evidence,
    *,
    source: str = "wage",
    base: str | Given | None = None,
    people: Given = 1,
    people_are: str = "",
    take_up: Given | None = None,
    share_kept: Given = 1.0,
    forgone: Given = 0.0,
    rating: object = None,
) -> Gain:
    """Return what a programme would add to an average household.

    Parameters
    ----------
    budget : Budget
        The household.
    effect : PoolResult, Predictive, Number or Interval
        ``va.pool(...)`` (its prediction is taken, and what it is an effect of is checked), its
        ``.predictive()``, one estimate with its error (in per cent), or an interval of claims in
        yuan a person or household and year.
    source : str
        Source of income that the gain enters.
    base : str or number
        What the per cent are of: ``trainee_earnings`` (of one person), ``household_income``,
        ``consumption``, ``source_income``; or yuan a year of one person.
    people : number, range or Number
        Members of the household who are offered it or take part.
    people_are : str
        ``offered`` or ``participants``; must agree with what the effect is an effect of.
    take_up : number or range, optional
        Share of those offered who take part. Only for an effect on participants that is to be
        applied to people who are offered it: an effect of an offer has it within already.
    share_kept : number or range
        Part of the gain that stays in the household.
    forgone : number or range
        Yuan a year of other income that each participant gives up, if the effect is gross of it.
    rating : optional
        How sure the evidence is, from ``va.rate``; below moderate a gain is refused.

    Returns
    -------
    Gain

    Raises
    ------
    FaultsError
        If the effect does not fit the base or the people, or is rated too low.

    Examples
    --------
    >>> from analysis.household.budget import household
    >>> from analysis.household.evidence import NormalPredictive
    >>> evidence = NormalPredictive(10.0, 5.0, outcome="earnings", effect="offer")
    >>> gain = add(household("ngari", 2019), evidence, base="trainee_earnings", people=1)
    >>> str(gain.median), str(gain.evidence_interval), str(gain.per_cent)
    ('610', '10 to 1,210', '1.36')
    """
    if source not in SOURCES:
        raise fault("source", "no such source of income", f"use {', '.join(SOURCES)}", source)
    evidence, kind, outcome, relative = evidence_of(effect)
    rating = rating if rating is not None else getattr(effect, "rating", None)
    check_rating(rating)
    check_kind(kind, people_are, take_up)
    if relative:
        base_input, scaled = base_of(budget, base, source, outcome)
    elif base is None:
        base_input = Input("base", NO_BASE, 1, 1, 1, "", NO_BASE, "reported")
        scaled = False
    else:
        raise fault("base", "the effect is in yuan", "leave base out", base)
    if scaled and not (isinstance(people, int | float) and float(people) == 1.0):
        raise fault("people", "the effect is on a household", "leave people out", people)
    who = "participants" if kind == "participants" and take_up is None else "persons offered it"
    people_unit = "persons a household"
    inputs = (
        base_input,
        read("people", f"{who} in the household", people, people_unit, least=0, most=20),
        read(
            "take_up",
            "share of those offered who take part",
            1.0 if take_up is None else take_up,
            "share",
            least=0,
            most=1,
            source=SOURCE_OF_NO_TAKE_UP if take_up is None else "set here",
        ),
        read(
            "share_kept",
            "share of the gain that stays in the household",
            share_kept,
            "share",
            least=0,
            most=1,
        ),
        read("forgone", "other income given up by each", forgone, "yuan a year", least=0),
        read("size", "members of the household", budget.size, "persons"),
    )
    record = getattr(effect, "provenance", None)
    start = record if isinstance(record, Provenance) else Provenance(evidence="reported")
    start = replace(
        joined(
            start.joined([budget.provenance], ""), inputs, "quantiles at the ends of all inputs"
        ),
        function=f"{add.__module__}.{add.__qualname__}",
    )
    gain = Gain(
        frame=budget.frame.clear(),
        comparison=Comparison(
            estimator="quantiles of the effect in the next place, at the ends of all inputs",
            estimand=f"change of {source} income of an average household, {budget.name} "
            f"{budget.year}",
            compared="studied places: none is here",
        ),
        account=Account(
            rows_in=budget.account.rows_in,
            rows_used=budget.account.rows_used,
            units="facts",
            decisions=(
                f"rating: {rating or 'not given'}",
                *(
                    f"{row['input']}: {row['value']} {row['unit']} ({row['where from']})"
                    for row in printed(_said(inputs)).iter_rows(named=True)
                ),
            ),
        ),
        provenance=start,
        title=TITLE if relative else "If it is as reported",
        budget=budget,
        evidence=evidence,
        source=source,
        inputs=inputs,
        relative=relative,
        scaled=scaled,
        rating=rating,
    )
    return replace(gain, frame=_frame(gain))


def _said(inputs: tuple[Input, ...]) -> tuple[Input, ...]:
    """Return the inputs that say something: not a take-up or base that the effect has none of."""
    return tuple(one for one in inputs if one.source not in (SOURCE_OF_NO_TAKE_UP, NO_BASE))


def _frame(gain: Gain) -> pl.DataFrame:
    rows = []
    for p in gain._shown:
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
