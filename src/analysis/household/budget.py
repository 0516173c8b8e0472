"""An average household of a place and year, by four official sources of income."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.household import calibration
from analysis.household.budget_frame import frame_of_budget
from analysis.household.calibration import SOURCES, Calibration, Fact
from analysis.results.bars import Bar, bars
from analysis.results.labels import labels
from analysis.results.number import Number
from analysis.results.provenance import Provenance
from analysis.results.result import COLUMNS, Account, Comparison, Result
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.household.accounts import Accounts
    from analysis.household.break_even import BreakEven
    from analysis.household.controls import Controls
    from analysis.household.evidence import Evidence
    from analysis.household.gain import Gain
    from analysis.household.inputs import Given

YEARS: Final = range(2012, 2022)
"""Years that can be asked for; the integrated household survey began in 2013, and of 2012 only
Tibet's four sources of income are known."""
SPREAD: Final = "China, 319 villages"
"""Place of `facts.csv` whose households give the spread of incomes."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Budget(Result):
    """An average household of a place and year.

    Attributes
    ----------
    place, name, name_zh : str
        Id and names of the place.
    year : int
        Calendar year; amounts are in yuan of that year.
    facts : mapping of str to Fact
        ``total`` (yuan a head), the four shares, ``size``, ``earnings``, ``people``: what the
        numbers are made of, with how each is known.
    """

    place: str
    name: str
    name_zh: str
    year: int
    facts: Mapping[str, Fact]

    # ------------------------------------------------------------------------------- numbers

    def _number(self, fact: Fact, what: str, unit: str, scale: float = 1.0) -> Number:
        apart = fact.low != fact.high
        return Number(
            value=fact.value * scale,
            low=fact.low * scale if apart else math.nan,
            high=fact.high * scale if apart else math.nan,
            what=f"{what}, {self.name} {self.year}",
            unit=unit,
            provenance=replace(self.provenance, method=f"{fact.basis}: {fact.how}"),
        )

    @property
    def per_head(self) -> Number:
        """Rural disposable income, yuan a head and year."""
        return self._number(self.facts["total"], "rural disposable income", "yuan a head a year")

    @property
    def size(self) -> Number:
        """Members of a household."""
        return self._number(self.facts["size"], "members of a household", "persons")

    def share(self, source: str) -> Number:
        """Return the share of a source in income, per cent."""
        fact = self.facts[_source(source)]
        return self._number(fact, f"{source} income, share of income", "per cent", 100.0)

    wage_share = property(lambda self: self.share("wage"), doc="Share of wages, per cent.")
    business_share = property(
        lambda self: self.share("business"), doc="Share of business income, per cent."
    )
    property_share = property(
        lambda self: self.share("property"), doc="Share of property income, per cent."
    )
    transfer_share = property(
        lambda self: self.share("transfer"), doc="Share of transfers, per cent."
    )

    def source_per_head(self, source: str) -> Number:
        """Return one source of income, yuan a head and year."""
        fact = self._product(_source(source))
        return self._number(fact, f"{source} income", "yuan a head a year")

    @property
    def income(self) -> Number:
        """Income of the household, yuan a year."""
        return self.of_household("total")

    def of_household(self, source: str) -> Number:
        """Return income of the household by source, or in ``total``, yuan a year.

        Its range is that of the household's size and of the share of the source.
        """
        fact = self.facts["total"] if source == "total" else self._product(_source(source))
        size = self.facts["size"]
        whole = replace(
            fact,
            value=fact.value * size.value,
            low=fact.low * size.low,
            high=fact.high * size.high,
        )
        what = "household income" if source == "total" else f"{source} income of a household"
        return self._number(whole, what, "yuan a household a year")

    def _product(self, source: str) -> Fact:
        total, share = self.facts["total"], self.facts[source]
        return replace(
            share,
            value=total.value * share.value,
            low=total.low * share.low,
            high=total.high * share.high,
        )

    @property
    def consumption(self) -> Number:
        """Rural consumption, yuan a head and year: income times Tibet's official share of 2021."""
        total, share = self.facts["total"], self.facts["consumed"]
        product = replace(share, value=total.value * share.value, low=0.0, high=0.0)
        product = replace(product, low=product.value, high=product.value)
        return self._number(product, "rural consumption", "yuan a head a year")

    @property
    def trainee_earnings(self) -> Number:
        """Labour income of a worker transferred to work, yuan a year; Tibet's figure."""
        what = "labour income of a transferred worker in Tibet"
        return self._number(self.facts["earnings"], what, "yuan a worker a year")

    @property
    def rural_people(self) -> Number:
        """Rural population of the place.

        Raises
        ------
        FaultsError
            If no count was seen.
        """
        if "people" not in self.facts:
            remedy = "ask for tibet, ngari or diqing, or add the count to data/household/places.csv"
            raise FaultsError(
                [Fault("household", "no rural population was seen", remedy, value=self.place)]
            )
        return self._number(self.facts["people"], "rural population", "persons")

    @property
    def spread(self) -> Number:
        """Standard deviation of log household income; of 319 villages of China in 2010."""
        return self._number(
            self.facts["spread"], "standard deviation of log household income", "log"
        )

    def income_at(self, quantile: float) -> Number:
        """Return the income of a household at a quantile, yuan a year, incomes being lognormal.

        Parameters
        ----------
        quantile : float
            Between 0 and 1, such as 0.1 for a household poorer than nine in ten.
        """
        factor = self.relative_income(quantile)
        return replace(
            self.income * factor,
            what=f"household income at quantile {quantile:g}, {self.name} {self.year}",
            provenance=replace(self.provenance, method="lognormal with the spread of 319 villages"),
        )

    def relative_income(self, quantile: float) -> float:
        """Return the income of a household at a quantile over the mean of all."""
        sd = self.facts["spread"].value
        return math.exp(sd * NormalDist().inv_cdf(quantile) - sd**2 / 2)

    # ------------------------------------------------------------------------------ scenarios

    def add(self, effect: Evidence, **inputs: Any) -> Gain:
        """Return what a programme would add, if it worked as in the studied places.

        See `analysis.household.scenario.add` for the inputs.
        """
        from analysis.household.scenario import add

        return add(self, effect, **inputs)

    def break_even(self, cost: Given | str, **inputs: Any) -> BreakEven:
        """Return how much a programme must add to pay its cost.

        See `analysis.household.break_even.break_even` for the inputs.
        """
        from analysis.household.break_even import break_even

        return break_even(self, cost, **inputs)

    def break_evens(self, *, years: float = 5) -> ResultTable:
        """Return what each programme must add to pay its cost; see `break_even.break_evens`."""
        from analysis.household.break_even import break_evens

        return break_evens(self, years=years)

    def controls(self, result: Gain | BreakEven, **options: Any) -> Controls:
        """Return controls by which a reader moves every input; see `controls.controls`."""
        from analysis.household.controls import controls

        return controls(result, **options)

    def accounts(self, since: int | None = None) -> Accounts:
        """Return growth of income by source against what reported programmes add at most.

        See `analysis.household.accounts.accounts`.
        """
        from analysis.household.accounts import accounts

        return accounts(self, since)

    # -------------------------------------------------------------------------------- exhibits

    def rows(self) -> pl.DataFrame:
        """Return the budget as printed: source, yuan a head, a household, share, how known."""
        printed = []
        for source in (*SOURCES, "total"):
            head = self.per_head if source == "total" else self.source_per_head(source)
            fact = self.facts[source]
            share = "100" if source == "total" else self.share(source).text
            printed.append(
                {
                    "source of income": source,
                    "yuan a head": head.text,
                    "yuan a household": self.of_household(source).text,
                    "per cent": share,
                    "how known": f"{fact.basis}: {fact.how}",
                }
            )
        return pl.DataFrame(printed)

    def table(self) -> ResultTable:
        """Return the budget as a table."""
        return ResultTable(shown=self.rows(), data=self.frame, provenance=self.provenance)

    def plot(self, ax: Axes | None = None, *, language: str = "en", **options: Any) -> Axes:
        """Draw the four sources of income of the household, in yuan a year.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where; a new figure if left out.
        language : str
            ``en`` or ``zh``.
        """
        words = labels(language)
        place = self.name_zh if language == "zh" else self.name
        title = words["budget_title"].format(place=place, year=self.year)
        unit = words["yuan_household_year"].format(year=self.year)
        rows = [
            Bar(
                words[f"source_{source}"],
                self.of_household(source).value,
                f"{self.of_household(source).text} ({self.share(source).text} %)",
            )
            for source in SOURCES
        ]
        return bars(
            rows,
            unit,
            what=f"{title} ({unit})",
            data=self.frame,
            provenance=self.provenance,
            language=language,
            ax=ax,
        )

    @cached_property
    def computed(self) -> tuple[str, ...]:
        """Parts that no source prints, each with how it was computed."""
        return tuple(
            f"{name}: {fact.how}" for name, fact in self.facts.items() if fact.basis != "published"
        )


def _source(name: str) -> str:
    if name not in SOURCES:
        remedy = f"use one of {', '.join(SOURCES)}"
        raise FaultsError([Fault("household", "no such source of income", remedy, value=name)])
    return name


def household(place: str, year: int) -> Budget:
    """Return the budget of an average household of a place and year.

    Parameters
    ----------
    place : str
        ``tibet``, ``ngari``, ``lhasa``, ``diqing`` or ``poor_areas``; English and Chinese names do.
    year : int
        2013 to 2021 (Tibet: from 2012).

    Returns
    -------
    Budget
        Income by four official sources, a head and a household, with how each figure is known.

    Raises
    ------
    FaultsError
        If the place or year has no figure.

    Examples
    --------
    >>> budget = household("Ngari", 2019)
    >>> str(budget.wage_share), str(budget.per_head)
    ('33.9', '12,293')
    >>> print(household("西藏", 2021).source_per_head("wage"))
    6,086
    """
    known = calibration.load()
    row = _place(known, place)
    if year not in YEARS:
        remedy = f"ask for a year from {YEARS[0]} to {YEARS[-1]}"
        raise FaultsError([Fault("household", "no income of that year", remedy, value=str(year))])
    try:
        facts = _facts(known, row, year)
    except KeyError:
        remedy = f"ask for a year from {YEARS[1]} on"
        raise FaultsError(
            [Fault("household", "no income of that year", remedy, value=f"{place} {year}")]
        ) from None
    provenance = Provenance.of(
        household,
        evidence="reported",
        rows_in=known.facts.height,
        rows_used=len(facts),
        method="official figures",
        inputs=(known.digest,),
    )
    budget = Budget(
        frame=pl.DataFrame(schema=COLUMNS),
        comparison=Comparison(
            estimand="income of an average rural household, by source",
            compared="none: a description, not an effect",
        ),
        account=Account(
            rows_in=known.facts.height,
            rows_used=len(facts),
            units="facts",
            decisions=tuple(
                f"{name} {fact.basis}: {fact.how}"
                for name, fact in facts.items()
                if fact.basis != "published"
            ),
        ),
        provenance=provenance,
        title=f"An average rural household, {row['name_en']} {year}",
        place=row["id"],
        name=row["name_en"],
        name_zh=row["name_zh"],
        year=year,
        facts=facts,
    )
    return replace(budget, frame=frame_of_budget(budget))


def _place(known: Calibration, place: str) -> dict[str, Any]:
    asked = place.strip().casefold()
    for row in known.places.iter_rows(named=True):
        if asked in (row["id"], row["name_en"].casefold(), row["name_zh"], row["facts"].casefold()):
            return row
    remedy = f"ask for one of {', '.join(known.places['id'])}"
    raise FaultsError([Fault("household", "no such place", remedy, value=place)])


def _facts(known: Calibration, row: Mapping[str, Any], year: int) -> dict[str, Fact]:
    facts = {"total": known.total(row["facts"], year, row["moves_with"] or "")}
    for source, share in known.shares(row["split"], year).items():
        if row["split"] != row["facts"]:
            share = replace(share, basis="computed", how=f"share of {row['split']}, {share.how}")
        facts[source] = share
    facts["size"] = Fact(
        row["size"],
        row["size_low"],
        row["size_high"],
        "persons/households",
        "computed",
        row["size_source"],
    )
    facts["earnings"] = known.earnings(year)
    if row["rural_people"] is not None:
        n = row["rural_people"]
        how = f"{row['people_source']} ({row['people_year']})"
        facts["people"] = Fact(n, n, n, "persons", "published", how)
    spent = known.fact("Tibet AR", "consumption per head, rural", 2021).value
    consumed = spent / known.total("Tibet AR", 2021).value
    how = "consumption over income of rural Tibet in 2021"
    facts["consumed"] = Fact(consumed, consumed, consumed, "share", "computed", how)
    spread = "log household net income"
    facts["spread"] = known.fact(SPREAD, spread, 2010, "standard deviation")
    facts["between"] = known.fact(SPREAD, spread, 2010, "share of variance between villages")
    return facts
