"""What the articles report, as one result: claims, what they allow together, verdicts, systems."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis import contract, paths, programmes
from analysis.claims import catalogue, exhibits, narrowing, places
from analysis.claims import ledger as ledgers
from analysis.claims.expressions import Operand
from analysis.claims.formatting import ClaimNumber
from analysis.claims.implied import ImpliedIncome, implied
from analysis.claims.intervals import Interval
from analysis.claims.ledger import Ledger
from analysis.claims.narrowing import Narrowing
from analysis.claims.relations import Verdict, judge
from analysis.claims.units import PERCENT
from analysis.faults import Fault, FaultsError
from analysis.results.number import Number
from analysis.results.provenance import Provenance
from analysis.results.result import Account, Comparison, Result, frame_of
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AGAINST: Final = ("inconsistent", "impossible")
HOLDS: Final = ("consistent", "certain")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Claims(Result):
    """Claims of the articles, one row each, with their exact intervals.

    Attributes
    ----------
    ledger : Ledger
        The whole ledger; everything else is of the chosen claims.
    chosen : polars.DataFrame
        The rows of ``claims.csv`` that were asked for.
    programme : str
        Id of the programme; empty for all.
    """

    ledger: Ledger
    chosen: pl.DataFrame
    programme: str = ""

    # ------------------------------------------------------------------------------- parts

    @property
    def quantities(self) -> pl.DataFrame:
        """The chosen claims without numerals that only name a scheme."""
        return self.chosen.filter(pl.col("slogan") == "no")

    @cached_property
    def _operands(self) -> dict[str, Operand]:
        return narrowing.narrowed_operands(self.ledger)

    @cached_property
    def narrowings(self) -> tuple[Narrowing, ...]:
        """Claims that others of the same article narrow."""
        ids = set(self.chosen["id"])
        return tuple(row for row in narrowing.narrow(self.ledger) if row.claim in ids)

    @cached_property
    def relations(self) -> tuple[Verdict, ...]:
        """Verdicts on the relations of the programme, or that use a chosen claim."""
        ids = set(self.chosen["id"])
        everything = self.chosen.height == self.ledger.claims.height
        return tuple(
            verdict
            for verdict in judge(self.ledger)
            if everything
            or (self.programme and verdict.programme == self.programme)
            or ids & set(verdict.claims)
        )

    @cached_property
    def implied(self) -> tuple[ImpliedIncome, ...]:
        """What they mean in yuan per person or household."""
        ids = set(self.chosen["id"])
        return tuple(figure for figure in implied(self.ledger) if ids & set(figure.claims))

    @cached_property
    def systems(self) -> pl.DataFrame:
        """Systems and procedures that the articles describe, of the programme or the articles."""
        frame = programmes.load().systems.drop("line")
        if self.programme:
            return frame.filter(pl.col("programme") == self.programme)
        return frame.filter(pl.col("source").is_in(set(self.chosen["source"])))

    # ------------------------------------------------------------------------------ numbers

    def interval_of(self, claim: str) -> Interval:
        """Return what a claim allows, as narrow as its article makes it; percentages as printed.

        Raises
        ------
        FaultsError
            If there is no such claim.
        """
        unit = self._row(claim)["unit"]
        scale = Interval.point(100 if unit == PERCENT else 1)
        return self._operands[claim].interval * scale

    def number(self, claim: str) -> Number:
        """Return a claim as a number with its interval.

        Raises
        ------
        FaultsError
            If there is no such claim.

        Examples
        --------
        >>> print(claims("dividend").number("S3_029"), claims().number("S3_029").interval)
        15,000 14,993 to 15,013
        """
        row = self._row(claim)
        what = f"{row['counted']}, {row['place']}"
        return self._number(
            self.interval_of(claim), what, row["unit"], float(row["value"]), "as printed"
        )

    def quantity(self, relation: str) -> Number:
        """Return a derived quantity as a number with its interval.

        Raises
        ------
        FaultsError
            If there is no such relation, or it cannot be computed.

        Examples
        --------
        >>> print(claims().quantity("R051"))
        3.64
        """
        verdict = self.verdict(relation)
        if verdict.interval is None:
            raise _fault(f"it cannot be computed ({verdict.reason})", "choose another", relation)
        scale = Interval.point(100 if verdict.unit == PERCENT else 1)
        method = f"interval arithmetic: {verdict.expression}"
        return self._number(verdict.interval * scale, verdict.question, verdict.unit, None, method)

    def amount(self, figure: str) -> Number:
        """Return an implied figure, yuan per person or household, as a number with its interval.

        Raises
        ------
        FaultsError
            If there is no such figure, or it cannot be computed.
        """
        by_name = {implied_income.id: implied_income for implied_income in implied(self.ledger)}
        if figure not in by_name or by_name[figure].yuan is None:
            there = ", ".join(
                implied_income.id
                for implied_income in by_name.values()
                if implied_income.yuan is not None
            )
            raise _fault("no such figure", f"use one of {there}", figure)
        item = by_name[figure]
        per = "a person" if item.basis == "per_head" else "a household"
        often = "once" if item.frequency == "one_off" else "a year"
        assert item.yuan is not None  # noqa: S101  # tested above
        method = f"interval arithmetic over {', '.join(item.claims)}"
        return self._number(item.yuan, item.title, f"yuan {per} {often}", None, method)

    def verdict(self, relation: str) -> Verdict:
        """Return the verdict on a relation.

        Raises
        ------
        FaultsError
            If there is no such relation.
        """
        verdicts = [v for v in self.relations if v.id == relation]
        if not verdicts:
            remedy = f"use one of {', '.join(v.id for v in self.relations[:8])} …"
            raise _fault("no such relation here", remedy, relation)
        return verdicts[0]

    def count(self, of: str = "claims") -> Number:
        """Return how many there are.

        Parameters
        ----------
        of : str
            ``claims``, ``quantities`` (without numerals that only name a scheme), ``slogans``,
            ``amounts`` (in yuan), ``in figures`` (that enter yuan per person or household),
            ``systems``, ``relations``, ``articles``; how precise quantities are printed: ``exact``,
            ``rounded``, ``open``, ``assumed``; a verdict such as ``reading rejected``, or a role
            such as ``hypothesis``; ``tests``, ``hold`` and ``fail`` count identities and bounds
            that can be computed.

        Raises
        ------
        FaultsError
            If nothing of that name is counted.
        """
        quantities = self.quantities
        precise = [
            exhibits.precision_of(self._operands[name].interval) for name in quantities["id"]
        ]
        in_figures = {name for figure in self.implied for name in figure.claims}
        tests = [
            v for v in self.relations if v.role in narrowing.CONSTRAINING and v.interval is not None
        ]
        known = {
            "claims": self.chosen.height,
            "quantities": quantities.height,
            "slogans": self.chosen.height - quantities.height,
            "amounts": quantities.filter(pl.col("unit").str.contains("yuan")).height,
            "systems": self.systems.height,
            "relations": len(self.relations),
            "articles": self.chosen["source"].n_unique(),
            "tests": len(tests),
            "hold": sum(v.verdict in HOLDS for v in tests),
            "fail": sum(v.verdict in AGAINST for v in tests),
            "narrowed": len(self.narrowings),
            "in figures": len(in_figures & set(quantities["id"])),
            **{name: precise.count(name) for name in exhibits.PRECISIONS},
        }
        verdicts = [word for v in self.relations for word in (v.verdict, v.role)]
        n = known.get(of, verdicts.count(of) if of in verdicts else None)
        if n is None:
            remedy = f"count one of {', '.join([*known, *dict.fromkeys(verdicts)])}"
            raise _fault("nothing of that name is counted", remedy, of)
        return Number(value=float(n), what=of, unit=of, provenance=self.provenance)

    def _row(self, claim: str) -> dict[str, Any]:
        rows = self.ledger.claims.filter(pl.col("id") == claim)
        if rows.is_empty():
            raise _fault("no such claim", "use an id of data/claims/claims.csv", claim)
        return rows.row(0, named=True)

    def _number(
        self, interval: Interval, what: str, unit: str, value: float | None, method: str
    ) -> Number:
        low, high = (None if e.value is None else float(e.value) for e in _ends(interval))
        if value is None:
            known = [x for x in (low, high) if x is not None]
            value = sum(known) / len(known)
        apart = low != high
        return ClaimNumber(
            value=value,
            low=(-math.inf if low is None else low) if apart else math.nan,
            high=(math.inf if high is None else high) if apart else math.nan,
            what=what,
            unit=unit,
            provenance=replace(self.provenance, method=method),
        )

    # ------------------------------------------------------------------------------ exhibits

    def rows(self) -> pl.DataFrame:
        """Return the quantities as printed: what is counted, as printed, what it says, where."""
        return exhibits.claim_rows(self)

    def table(self, *, filterable: bool = False, language: str = "en") -> ResultTable:
        """Return the quantities as a table; an arrow shows what other claims narrow.

        Parameters
        ----------
        filterable : bool
            With filters by programme, place and article.
        language : str
            ``en`` or ``zh``.
        """
        return catalogue.claim_table(self, filterable=filterable, language=language)

    @property
    def narrowed(self) -> ResultTable:
        """Claims that others of the same article narrow, before and after."""
        return exhibits.narrowed_table(self)

    def relation_table(self, *verdicts: str) -> ResultTable:
        """Return relations with their verdicts: all, or those with some verdicts."""
        return exhibits.relation_table(self, *verdicts)

    @property
    def verdicts(self) -> ResultTable:
        """How many relations of each role have each verdict."""
        return exhibits.verdict_table(self)

    def system_table(self, *, filterable: bool = False, language: str = "en") -> ResultTable:
        """Return the systems and procedures, with their names in both languages.

        Parameters
        ----------
        filterable : bool
            With filters by programme and article.
        language : str
            ``en`` or ``zh``.
        """
        return catalogue.system_table(self, filterable=filterable, language=language)

    def programme_table(self) -> ResultTable:
        """Return programmes with what is reported, and what would identify an effect."""
        return exhibits.programme_table(self)

    def implied_table(self) -> ResultTable:
        """Return what the claims mean in yuan per person or household, beside official income."""
        return exhibits.implied_table(self)

    def spending_table(self) -> ResultTable:
        """Return who paid, spending and income of each activity, and what is not reported."""
        return exhibits.spending_table(self)

    def article_table(self) -> ResultTable:
        """Return the articles with publisher, date, place and number of claims."""
        return exhibits.article_table(self)

    def official_table(self) -> ResultTable:
        """Return the official figures that claims are set against."""
        return exhibits.official_table(self)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw how many quantities each programme has, and how many of them are in yuan."""
        return exhibits.plot_counts(self, ax)

    def plot_implied(self, ax: Axes | None = None) -> Axes:
        """Draw what reported money means per person, beside official income a head."""
        return exhibits.plot_implied(self, ax)


def _ends(interval: Interval) -> tuple[Any, Any]:
    return interval.low, interval.high


def _fault(problem: str, remedy: str, value: object) -> FaultsError:
    return FaultsError([Fault("claims", problem, remedy, value=str(value))])


@cache
def _ledger() -> tuple[Ledger, str]:
    folder = paths.data() / "claims"
    digest = hashlib.sha256((folder / "claims.csv").read_bytes()).hexdigest()[:12]
    return ledgers.load(), f"{contract.project_name(folder / 'claims.csv')}:{digest}"


def claims(
    programme: str | None = None, *, place: str | None = None, article: str | None = None
) -> Claims:
    """Return what the articles report, with exact intervals, relations and verdicts.

    Parameters
    ----------
    programme : str, optional
        Id or name, in English or Chinese, such as ``training`` or ``技能培训``; all if left out.
    place : str, optional
        Name, or part of it, in English or Chinese, such as ``Ngari`` or ``阿里``.
    article : str, optional
        Id (``S0`` to ``S4``) or headline, in English or Chinese.

    Returns
    -------
    Claims

    Raises
    ------
    FaultsError
        If nothing of that name is reported.

    Examples
    --------
    >>> reported = claims("training")
    >>> print(reported.count("quantities"), claims("技能培训").count("quantities"))
    6 6
    >>> print(claims(article="S0", place="阿里").count("articles"))
    1
    """
    ledger, digest = _ledger()
    chosen, id_ = ledger.claims, ""
    if programme is not None:
        id_ = _programme(programme)
        chosen = chosen.filter(pl.col("programme") == id_)
    if place is not None:
        named = contract.read(paths.data() / "claims" / places.FILE, places.Places)
        known = [
            row["place"]
            for row in named.iter_rows(named=True)
            if place.casefold() in row["place"].casefold() or place in row["name_zh"]
        ]
        if not known:
            raise _fault("no claim is of this place", f"use {', '.join(named['place'])}", place)
        chosen = chosen.filter(pl.col("place").is_in(known))
    if article is not None:
        chosen = chosen.filter(pl.col("source").is_in(_articles(ledger, article)))
    provenance = Provenance.of(
        claims,
        evidence="reported",
        rows_in=ledger.claims.height,
        rows_used=chosen.height,
        method="read from the articles",
        inputs=(digest,),
    )
    title = "What the articles report" + (f": {programme}" if programme else "")
    empty = Claims(
        frame=frame_of([{"term": ""}]).clear(),
        comparison=Comparison(
            compared="none: the articles have no comparison group",
            errors="exact intervals by the wording of each number",
        ),
        account=Account(
            rows_in=ledger.claims.height,
            rows_used=chosen.height,
            left_out={"not asked for": ledger.claims.height - chosen.height},
            units="claims",
        ),
        provenance=provenance,
        title=title,
        ledger=ledger,
        chosen=chosen,
        programme=id_,
    )
    return replace(empty, frame=exhibits.claim_frame(empty))


def _programme(name: str) -> str:
    catalogue = programmes.load().programmes
    asked = name.strip().casefold()
    for row in catalogue.iter_rows(named=True):
        if asked in (row["id"], row["name_en"].casefold(), row["name_zh"]):
            return str(row["id"])
    raise _fault("no such programme", f"use one of {', '.join(catalogue['id'])}", name)


def _articles(ledger: Ledger, name: str) -> list[str]:
    asked = name.strip().casefold()

    def fits(row: Mapping[str, Any]) -> bool:
        titles = (row["title_en"].casefold(), row["title_zh"])
        return asked == row["id"].casefold() or any(asked in title for title in titles)

    items = [row["id"] for row in ledger.sources.iter_rows(named=True) if fits(row)]
    if not items:
        remedy = f"use one of {', '.join(ledger.sources['id'])}, or words of a headline"
        raise _fault("no such article", remedy, name)
    return items
