"""How much a programme must add to pay its cost: shown where evidence is too weak for more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from analysis import programmes
from analysis.household import costs
from analysis.household.budget import Budget
from analysis.household.evidence import base_of
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
from analysis.results.forest import Row, forest
from analysis.results.labels import described, labels, span
from analysis.results.number import Number
from analysis.results.result import Account, Comparison, Result, frame_of
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.household.gain import Gain

SHOWN_YEARS = (1, 2, 3, 5, 10)
"""Years in which the gain is counted, of the table and the figure."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BreakEven(Result):
    """The yearly gain at which a programme pays its cost.

    Attributes
    ----------
    budget : Budget
        The household.
    inputs : tuple of Input
        Cost, base, people, times: everything that the answer is made of.
    scaled : bool
        Whether the base grows with the household's size.
    """

    budget: Budget
    inputs: tuple[Input, ...]
    scaled: bool

    def _yuan(self, **at: Any) -> Any:
        """Return yuan a household and year that pay the cost."""
        return at["cost"] / costs.annuity(at["years"], at["fading"], at["discount"])

    def _of_base(self, **at: Any) -> Any:
        base = at["base"] * (at["size"] if self.scaled else 1.0)
        each = self._yuan(**at) / (at["people"] * at["take_up"]) + at["forgone"]
        return 100 * each / (base * at["share_kept"])

    def _of_income(self, **at: Any) -> Any:
        return 100 * self._yuan(**at) / (self.budget.facts["total"].value * at["size"])

    def _number(self, formula: Any, what: str, unit: str, years: float | None = None) -> Number:
        inputs = self.inputs
        if years is not None:
            inputs = tuple(
                replace(quantity, low=years, central=years, high=years)
                if quantity.name == "years"
                else quantity
                for quantity in inputs
            )
        low, central, high = costs.over_corners(formula, inputs)
        return Number(
            value=central,
            low=low if low != high else math.nan,
            high=high if low != high else math.nan,
            what=what,
            unit=unit,
            provenance=self.provenance,
        )

    @property
    def per_cent(self) -> Number:
        """By how much the base must rise, per cent, with its range over all inputs."""
        return self._number(self._of_base, "rise that pays the cost", "per cent of the base")

    @property
    def yuan(self) -> Number:
        """What the household must gain, yuan a year."""
        unit = f"yuan of {self.budget.year} a household a year"
        return self._number(self._yuan, "gain that pays the cost", unit)

    @property
    def per_cent_of_income(self) -> Number:
        """The same in per cent of the household's income."""
        return self._number(self._of_income, "gain that pays the cost", "per cent of income")

    def in_years(self, years: float) -> Number:
        """Return by how much the base must rise, per cent, if the gain is counted so long."""
        what = f"rise that pays the cost in {years:g} years"
        return self._number(self._of_base, what, "per cent of the base", years)

    def rows(self) -> pl.DataFrame:
        """Return the answer as printed, by years in which the gain is counted."""
        printed_rows = []
        for years in SHOWN_YEARS:
            rise = self.in_years(years)
            yuan = self._number(self._yuan, "gain", "yuan", years)
            share = self._number(self._of_income, "gain", "per cent", years)
            printed_rows.append(
                {
                    "counted for": f"{years} year" + ("s" if years > 1 else ""),
                    "must add, per cent of the base": rise.text,
                    "over all inputs": rise.interval.text,
                    "yuan a household a year": yuan.text,
                    "per cent of income": share.text,
                }
            )
        return pl.DataFrame(printed_rows)

    def table(self) -> ResultTable:
        """Return the answer as a table."""
        return ResultTable(shown=self.rows(), data=self.frame, provenance=self.provenance)

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
            shown=printed(self.inputs), data=table(self.inputs), provenance=self.provenance
        )

    def plot(self, ax: Axes | None = None, *, language: str = "en", **options: Any) -> Axes:
        """Draw the rise that pays the cost, by years in which it is counted.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where; a new figure if left out.
        language : str
            ``en`` or ``zh``.
        """
        words = labels(language)
        numbers = [self.in_years(years) for years in SHOWN_YEARS]
        names = [
            words["counted_year" if n == 1 else "counted_years"].format(n=n) for n in SHOWN_YEARS
        ]
        rows = [
            Row(
                name,
                n.value,
                n.low,
                n.high,
                printed=f"{n.text} ({span(n.interval.text, language)})",
            )
            for name, n in zip(names, numbers, strict=True)
        ]
        unit = words["break_even_unit"]
        return forest(
            rows,
            unit,
            data=self.frame,
            alt=described(
                f"{words['break_even_title']} ({unit})",
                (f"{row.label} {row.printed}" for row in rows),
                language,
            ),
            language=language,
            provenance=self.provenance,
            ax=ax,
        )


def break_even(
    budget: Budget,
    cost: Given | str,
    *,
    source: str = "wage",
    base: str | Given = "household_income",
    people: Given = 1,
    take_up: Given = 1.0,
    share_kept: Given = 1.0,
    forgone: Given = 0.0,
    years: Given | None = None,
    fading: Given | None = None,
    discount: Given | None = None,
) -> BreakEven:
    """Return by how much a programme must raise its base to pay its cost.

    Parameters
    ----------
    budget : Budget
        The household.
    cost : number, range or str
        Yuan for each household it is offered to, once; or a programme of the catalogue, whose
        assumed cost is taken.
    source, base, people, take_up, share_kept, forgone
        As `analysis.household.scenario.add` has them.
    years, fading, discount : number or range, optional
        Years in which the gain is counted, part of it lost from year to year, discount rate; the
        assumed ranges of ``data/parameters`` if left out.

    Returns
    -------
    BreakEven

    Raises
    ------
    FaultsError
        If the cost or the base is not known, or nothing could be gained (nobody takes part).

    Examples
    --------
    >>> from analysis.household.budget import household
    >>> answer = break_even(household("ngari", 2019), cost=2000, base="trainee_earnings",
    ...     years=2, fading=0, discount=0)
    >>> print(answer.yuan, answer.per_cent)
    1,000 16.4
    """
    base_input, scaled = base_of(budget, base, source)
    spent = replace(costs.cost_of(cost), name="cost")
    village = spent.unit == "yuan a village"
    if village:
        homes = costs.load().input("village_households")
        spent = replace(
            spent,
            low=spent.low / homes.high,
            central=spent.central / homes.central,
            high=spent.high / homes.low,
            what=f"{spent.what}, shared by the households of a village",
            unit="yuan a household",
        )
    inputs = (
        spent,
        base_input,
        read("people", "persons who take part or are offered it", people, "persons", most=20),
        read("take_up", "share of those offered who take part", take_up, "share", most=1),
        read("share_kept", "share of the gain that stays", share_kept, "share", least=0, most=1),
        read("forgone", "other income given up by each", forgone, "yuan a year", least=0),
        read("size", "members of the household", budget.size, "persons"),
        *costs.times(years, fading, discount),
    )
    for quantity in inputs:
        if (
            quantity.name in ("people", "take_up", "share_kept", "base", "years")
            and quantity.low <= 0
        ):
            raise fault(
                quantity.name, "no gain can pay the cost", "give a value above zero", quantity.low
            )
    empty = BreakEven(
        frame=budget.frame.clear(),
        comparison=Comparison(
            estimand=f"rise that pays the cost, {budget.name} {budget.year}",
            compared="none: an answer to what must be true, not an estimate",
            errors="ranges over every combination of the ends of the inputs",
        ),
        account=Account(
            rows_in=budget.account.rows_in, rows_used=budget.account.rows_used, units="facts"
        ),
        provenance=replace(
            joined(budget.provenance, inputs, "cost over the present value of a yuan a year"),
            function=f"{break_even.__module__}.{break_even.__qualname__}",
        ),
        title="What it must add to pay its cost",
        budget=budget,
        inputs=inputs,
        scaled=scaled,
    )
    return replace(empty, frame=_frame(empty))


def _frame(result: BreakEven) -> pl.DataFrame:
    rows = []
    for term, number in (
        ("rise of the base", result.per_cent),
        ("yuan a household a year", result.yuan),
        ("share of income", result.per_cent_of_income),
        *((f"rise of the base, {n} years", result.in_years(n)) for n in SHOWN_YEARS),
    ):
        low, high = number.ends
        rows.append(
            {
                "term": term,
                "estimate": number.value,
                "ci_low": low,
                "ci_high": high,
                "unit": number.unit,
            }
        )
    return frame_of(rows)


def break_evens(budget: Budget, *, years: float = 5) -> ResultTable:
    """Return what each programme with an assumed cost must add to the household to pay it.

    Parameters
    ----------
    budget : Budget
        The household.
    years : float
        Years in which the gain is counted.

    Returns
    -------
    ResultTable
        One row a programme: assumed cost, what the household must gain a year, and the same in per
        cent of its income; ranges over every combination of ends.
    """
    named = dict(programmes.load().programmes.select("id", "name_en").iter_rows())
    rows, frames = [], []
    for programme in costs.load().unit_costs["programme"]:
        result = break_even(budget, programme, years=years)
        cost = printed(result.inputs[:1]).row(0, named=True)
        yuan, share = result.yuan, result.per_cent_of_income
        rows.append(
            {
                "programme": named[programme],
                "assumed cost, once": f"{cost['value']} {cost['unit']}",
                "must add, yuan a year": f"{yuan.text} ({yuan.interval.text})",
                "per cent of income": f"{share.text} ({share.interval.text})",
            }
        )
        frames.append(result.frame.with_columns(programme=pl.lit(programme)))
    return ResultTable(
        shown=pl.DataFrame(rows),
        data=pl.concat(frames),
        provenance=replace(
            budget.provenance,
            function=f"{break_evens.__module__}.{break_evens.__qualname__}",
            method=f"assumed cost over the present value of a yuan a year, {years:g} years",
        ),
        notes=(labels()["break_even_note"],),
    )


def per_yuan(
    gain: Gain,
    cost: Given | str,
    *,
    years: Given | None = None,
    fading: Given | None = None,
    discount: Given | None = None,
) -> Number:
    """Return yuan of household income, present value, for each yuan spent.

    Parameters
    ----------
    gain : Gain
        Of an effect that is rated.
    cost : number, range or str
        As in `break_even`.
    years, fading, discount : number or range, optional
        As in `break_even`.

    Returns
    -------
    Number
        At the median effect and central inputs; its range is that of the 95 per cent interval of
        the effect over all inputs.

    Raises
    ------
    FaultsError
        If the effect is not rated moderate or high, or is no pooled effect.
    """
    word = str(gain.rating or "").split()
    if not word or word[0] not in costs.RATED:
        raise fault(
            "rating",
            "a return needs an effect that is rated moderate or high",
            "give rating=va.rate(...) to add, or show budget.break_even(cost=...)",
            gain.rating or "none",
        )
    spent = replace(costs.cost_of(cost), name="cost")
    inputs: Sequence[Input] = (spent, *costs.times(years, fading, discount))
    low, central, high = costs.over_corners(
        lambda cost, years, fading, discount: costs.annuity(years, fading, discount) / cost, inputs
    )
    span = gain.interval
    ends = [x * y for x in (span.low, span.high) for y in (low, high)]
    return Number(
        value=gain.median.value * central,
        low=float(np.min(ends)),
        high=float(np.max(ends)),
        what="income for each yuan spent",
        unit="yuan for a yuan",
        provenance=joined(gain.provenance, inputs, "present value of the gain over the cost"),
    )
