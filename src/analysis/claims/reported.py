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
from analysis.claims import formatting, maps, narrowing, shown, spending, summary
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
from analysis.results.bars import Bar, bars
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
        """What the chosen claims mean in yuan per person or household."""
        ids = set(self.chosen["id"])
        return tuple(figure for figure in implied(self.ledger) if ids & set(figure.claims))

    @cached_property
    def systems(self) -> pl.DataFrame:
        """Systems and procedures that the articles describe, of the programme or the articles."""
        found = programmes.load().systems.drop("line")
        if self.programme:
            return found.filter(pl.col("programme") == self.programme)
        return found.filter(pl.col("source").is_in(set(self.chosen["source"])))

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
        found = {one.id: one for one in implied(self.ledger)}
        if figure not in found or found[figure].yuan is None:
            there = ", ".join(one.id for one in found.values() if one.yuan is not None)
            raise _fault("no such figure", f"use one of {there}", figure)
        one = found[figure]
        per = "a person" if one.basis == "per_head" else "a household"
        often = "once" if one.frequency == "one_off" else "a year"
        assert one.yuan is not None  # noqa: S101  # tested above
        method = f"interval arithmetic over {', '.join(one.claims)}"
        return self._number(one.yuan, one.title, f"yuan {per} {often}", None, method)

    def verdict(self, relation: str) -> Verdict:
        """Return the verdict on a relation.

        Raises
        ------
        FaultsError
            If there is no such relation.
        """
        found = [v for v in self.relations if v.id == relation]
        if not found:
            remedy = f"use one of {', '.join(v.id for v in self.relations[:8])} …"
            raise _fault("no such relation here", remedy, relation)
        return found[0]

    def count(self, of: str = "claims") -> Number:
        """Return how many there are.

        Parameters
        ----------
        of : str
            ``claims``, ``quantities`` (without numerals that only name a scheme), ``slogans``,
            ``amounts`` (in yuan), ``systems``, ``relations``, ``articles``, or a verdict such as
            ``reading rejected``; ``tests``, ``hold`` and ``fail`` count identities and bounds that
            can be computed.

        Raises
        ------
        FaultsError
            If nothing of that name is counted.
        """
        quantities = self.chosen.filter(pl.col("slogan") == "no")
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
        }
        verdicts = [v.verdict for v in self.relations]
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
        """Return the claims as printed: what is counted, as printed, what it allows, where."""
        names = dict(programmes.load().programmes.select("id", "name_en").iter_rows())
        quantities = self.chosen.filter(pl.col("slogan") == "no")
        return pl.DataFrame(
            [
                {
                    "what is counted": row["counted"],
                    "printed": row["printed"],
                    "says": self._says(row["id"]),
                    "unit": row["unit"].replace("/", " / ").replace("_", "-"),
                    "place": row["place"],
                    "programme": names[row["programme"]],
                    "claim": row["id"],
                }
                for row in quantities.iter_rows(named=True)
            ]
        )

    def _says(self, claim: str) -> str:
        """Print what a claim allows; what others of its article narrow is marked with an arrow."""
        by = {row.claim: row for row in self.narrowings}
        interval = self.interval_of(claim)
        if claim in by:
            return f"{formatting.interval(by[claim].printed)} → {formatting.interval(interval)}"
        return formatting.interval(interval)

    def table(self) -> ResultTable:
        """Return the claims that are quantities as a table."""
        return ResultTable(
            shown=self.rows(),
            data=self.frame,
            provenance=self.provenance,
            notes=("An arrow: narrowed by other claims of the same article.",)
            if self.narrowings
            else (),
        )

    @property
    def narrowed(self) -> ResultTable:
        """Claims that others of the same article narrow, before and after."""
        rows = [
            {
                "claim": row.claim,
                "what is counted": self._row(row.claim)["counted"],
                "as printed": formatting.interval(row.printed),
                "narrowed": formatting.interval(row.narrowed),
                "unit": self._row(row.claim)["unit"],
                "by": ", ".join((*row.relations, *row.others)),
            }
            for row in self.narrowings
        ]
        return self._table(pl.DataFrame(rows))

    def relation_table(self, *verdicts: str) -> ResultTable:
        """Return the relations with their verdicts.

        Parameters
        ----------
        *verdicts : str
            Verdicts to keep, such as ``reading rejected``; all if left out.
        """
        kept = [v for v in self.relations if not verdicts or v.verdict in verdicts]
        frame = shown.relations_table(kept)
        return self._table(
            frame.select(
                "question", "result", "verdict", pl.col("why").alias("because"), "role", "id"
            )
            if frame.height
            else frame,
            frame,
        )

    @property
    def verdicts(self) -> ResultTable:
        """How many relations of each role have each verdict."""
        frame = summary.verdict_counts(self.relations)
        return self._table(frame.select("role", "verdict", pl.col("n").cast(pl.String)), frame)

    def system_table(self) -> ResultTable:
        """Return the systems and procedures, with their names in both languages."""
        names = dict(programmes.load().programmes.select("id", "name_en").iter_rows())
        frame = self.systems.select(
            system="name_en",
            chinese="name_zh",
            rule="description",
            numbers="numeric_parameter",
            programme=pl.col("programme").replace_strict(names, default=""),
            article="source",
        )
        return self._table(frame, self.systems)

    def implied_table(self) -> ResultTable:
        """Return what the claims mean in yuan per person or household, beside official income."""
        frame = shown.implied_table(self.implied)
        kept = ("title", "yuan", "per", "share", "why_not_effect")
        names = {"title": "figure", "share": "of income per head", "why_not_effect": "no effect"}
        columns = [name for name in kept if name in frame.columns]
        return self._table(
            frame.select(columns).rename({k: v for k, v in names.items() if k in columns}), frame
        )

    def spending_table(self) -> ResultTable:
        """Return who paid, spending and income of each activity, and what is not reported."""
        programmes_here = set(self.chosen["programme"])
        found = [
            one for one in spending.activities(self.ledger) if one.programme in programmes_here
        ]
        frame = pl.DataFrame(
            [
                {
                    "activity": one.title,
                    "paid by": one.payer,
                    "spent, yuan": _interval(one.spending),
                    "a household, yuan": _interval(one.per_household),
                    "income, yuan": _interval(one.income),
                    "not reported": "; ".join(one.lacking),
                }
                for one in found
            ]
        )
        return self._table(frame)

    def article_table(self) -> ResultTable:
        """Return the articles with publisher, date, place and number of claims."""
        frame = shown.sources_table(self.ledger)
        frame = frame.filter(pl.col("id").is_in(set(self.chosen["source"])))
        return self._table(frame.with_columns(pl.col("n_claims").cast(pl.String)), frame)

    def _table(self, frame: pl.DataFrame, data: pl.DataFrame | None = None) -> ResultTable:
        return ResultTable(
            shown=frame, data=frame if data is None else data, provenance=self.provenance
        )

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw how many quantities each programme has, and how many of them are in yuan."""
        names = dict(programmes.load().programmes.select("id", "name_en").iter_rows())
        counted = (
            self.chosen.filter(pl.col("slogan") == "no")
            .group_by("programme")
            .agg(n=pl.len(), yuan=pl.col("unit").str.contains("yuan").sum())
            .sort("n", "programme", descending=[True, False])
        )
        rows = [
            Bar(names[p], yuan, f"{n}, {yuan} in yuan" if yuan else f"{n}", whole=n)
            for p, n, yuan in counted.iter_rows()
        ]
        parts = "; ".join(f"{names[p]} {n}, {y} in yuan" for p, n, y in counted.iter_rows())
        return bars(
            rows,
            "quantities that the articles print (dark: in yuan)",
            alt=f"Quantities by programme: {parts}.",
            data=counted,
            provenance=self.provenance,
            ax=ax,
        )


def _ends(interval: Interval) -> tuple[Any, Any]:
    return interval.low, interval.high


def _interval(value: Interval | None) -> str:
    return "" if value is None else formatting.interval(value)


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
        places = contract.read(paths.data() / "claims" / maps.FILE, maps.Places)
        known = [
            row["place"]
            for row in places.iter_rows(named=True)
            if place.casefold() in row["place"].casefold() or place in row["name_zh"]
        ]
        if not known:
            raise _fault("no claim is of this place", f"use {', '.join(places['place'])}", place)
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
    return replace(empty, frame=_frame(empty))


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

    found = [row["id"] for row in ledger.sources.iter_rows(named=True) if fits(row)]
    if not found:
        remedy = f"use one of {', '.join(ledger.sources['id'])}, or words of a headline"
        raise _fault("no such article", remedy, name)
    return found


def _frame(result: Claims) -> pl.DataFrame:
    operands = narrowing.narrowed_operands(result.ledger)
    changed = {row.claim for row in narrowing.narrow(result.ledger)}
    rows = []
    for row in result.chosen.drop("line").iter_rows(named=True):
        scale = Interval.point(100 if row["unit"] == PERCENT else 1)
        low, high = _ends(operands[row["id"]].interval * scale)
        rows.append(
            {
                "term": row["id"],
                "outcome": row["counted"],
                "estimate": float(row["value"]),
                "ci_low": None if low.value is None else float(low.value),
                "ci_high": None if high.value is None else float(high.value),
                "unit": row["unit"],
                "note": row["note"],
                "low_open": low.is_open,
                "high_open": high.is_open,
                "assumed": low.assumed or high.assumed,
                "narrowed": row["id"] in changed,
                **{
                    name: str(row[name]) if row[name] is not None else None
                    for name in row
                    if name not in ("id", "counted", "value", "unit", "note")
                },
            }
        )
    return frame_of(rows or [{"term": ""}]).filter(pl.col("term") != "")
