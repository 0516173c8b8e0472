"""What each programme's reported money would mean for a household, beside official rural income.

Nothing here is an effect. A payment, a reported gain or a budget is divided by the people it is
said to reach; the official income of that place and year gives the scale. Each claim is taken as
narrow as its article makes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

import polars as pl

from analysis import contract, paths, programmes
from analysis.claims.expressions import (
    ExpressionError,
    NotComputableError,
    check_fit,
    evaluate,
    names,
    parse,
)
from analysis.claims.intervals import Interval
from analysis.claims.ledger import Ledger
from analysis.claims.narrowing import narrowed_operands
from analysis.claims.units import Unit
from analysis.faults import Fault, raise_if_any

PER = {"per_head": "persons", "per_household": "households"}


@dataclass(frozen=True)
class ImpliedIncome:
    """One programme's reported money, per person or per household.

    Attributes
    ----------
    id, programme, title, measures, channel, assumption, why_not_effect : str
        As in ``implied.csv``.
    basis : str
        ``per_head`` or ``per_household``.
    frequency : str
        ``per_year``, ``one_off`` or ``per_month_annualised``.
    yuan : Interval or None
        Nominal yuan per person or household, a year or once; None if not computable.
    reason : str
        Why it is not computable; empty otherwise.
    official : str
        The official figure it is set against, by its id.
    official_yuan : Fraction
        That figure: yuan per person a year, nominal.
    official_status : str
        ``found``, ``derived`` or ``from_memory`` (unverified).
    share : Interval or None
        Yuan over the official figure; None for a household figure or one not computable.
    claims : tuple of str
        What the figure is made of.
    """

    id: str
    programme: str
    title: str
    basis: str
    frequency: str
    measures: str
    channel: str
    yuan: Interval | None
    reason: str
    official: str
    official_yuan: Fraction
    official_status: str
    share: Interval | None
    assumption: str
    why_not_effect: str
    claims: tuple[str, ...]

    @property
    def percent(self) -> Interval:
        """The share in per cent.

        Raises
        ------
        ValueError
            If the figure has no share.
        """
        if self.share is None:
            raise ValueError(f"{self.id} has no share of official income")
        return self.share * Interval.point(100)


def implied(ledger: Ledger) -> tuple[ImpliedIncome, ...]:
    """Evaluate every row of ``implied.csv``, in file order.

    Raises
    ------
    FaultsError
        With every row whose expression is not of the grammar, names something unknown, or is not
        yuan per person or household as its basis says.
    """
    narrower = replace(ledger, operands=narrowed_operands(ledger))
    outcomes = [_imply(row, narrower) for row in ledger.implied.iter_rows(named=True)]
    raise_if_any(outcome for outcome in outcomes if isinstance(outcome, Fault))
    return tuple(outcome for outcome in outcomes if isinstance(outcome, ImpliedIncome))


def _imply(row: dict[str, str | int | None], ledger: Ledger) -> ImpliedIncome | Fault:
    file = contract.project_name(paths.data() / "claims" / "implied.csv")
    line, text = row["line"], str(row["expression"])

    def fault(problem: str, remedy: str) -> Fault:
        return Fault(
            file, problem, remedy, line if isinstance(line, int) else None, "expression", text
        )

    try:
        expression = parse(text)
    except ExpressionError as error:
        return fault(str(error), "see the grammar in claims/expressions.py")
    unknown = [name for name in names(expression) if name not in ledger.operands]
    if unknown or expression.comparison:
        return fault(
            f"unknown {', '.join(unknown)}" if unknown else "a comparison",
            "write a quantity over known ids",
        )
    official = ledger.official.row(by_predicate=pl.col("id") == row["official"], named=True)
    year = (date(official["year"], 1, 1), date(official["year"], 12, 31))
    periods = [o.period for n in names(expression) if (o := ledger.operands[n]).period]
    assumes = frozenset(str(row["assumes"] or "").split(";"))
    apart = any(year[1] < start or end < year[0] for start, end in periods)
    if apart and "period" not in assumes:
        return fault(
            f"{row['official']} is of {official['year']}, outside the claims' period",
            "set it against the official figure of that year",
        )
    yuan, reason = None, ""
    try:
        kind = check_fit(
            expression, ledger.operands, frozenset(str(row["assumes"] or "").split(";"))
        )
        wanted = Unit.parse(f"yuan/{PER[str(row['basis'])]}")
        if kind.unit not in (wanted, wanted / Unit.parse("years")):
            return fault(f"it is in {kind.unit}", f"make it {wanted}, once or a year")
        yuan = evaluate(expression, ledger.operands)
    except NotComputableError as error:
        reason = str(error)
    official_yuan = Fraction(official["value"])
    comparable = yuan is not None and row["basis"] == "per_head"
    return ImpliedIncome(
        id=str(row["id"]),
        programme=str(row["programme"]),
        title=str(row["title"]),
        basis=str(row["basis"]),
        frequency=str(row["frequency"]),
        measures=str(row["measures"]),
        channel=str(row["channel"]),
        yuan=yuan,
        reason=reason,
        official=str(row["official"]),
        official_yuan=official_yuan,
        official_status=official["status"],
        share=yuan / Interval.point(official_yuan) if comparable and yuan else None,
        assumption=str(row["assumption"] or ""),
        why_not_effect=str(row["why_not_effect"]),
        claims=tuple(names(expression)),
    )


def by_id(figures: Iterable[ImpliedIncome]) -> dict[str, ImpliedIncome]:
    """Return the figures by their id."""
    return {figure.id: figure for figure in figures}


def support(ledger: Ledger, figures: tuple[ImpliedIncome, ...]) -> pl.DataFrame:
    """Say of each claim which income figure it supports, or why it supports none.

    Returns
    -------
    polars.DataFrame
        One row per claim: id, programme, supports (ids of implied figures, or the reason).
    """
    used: dict[str, list[str]] = {}
    for figure in figures:
        for name in figure.claims:
            used.setdefault(name, []).append(figure.id)

    def said(row: dict[str, str]) -> str:
        if row["id"] in used:
            return ", ".join(used[row["id"]])
        if row["slogan"] == "yes":
            return "none: the numeral names a scheme"
        if "yuan" in row["unit"].split("/"):
            return "none: an amount that is not a programme's"
        return f"none: it counts {row['unit'].replace('_', '-')}, not money"

    return ledger.claims.select(
        "id",
        "programme",
        pl.struct("id", "slogan", "unit")
        .map_elements(said, return_dtype=pl.String)
        .alias("supports"),
    )


def by_programme(ledger: Ledger, figures: tuple[ImpliedIncome, ...]) -> pl.DataFrame:
    """Say of each programme how many claims it has and what income figure they give, if any.

    Returns
    -------
    polars.DataFrame
        One row per programme of the catalogue that is a programme: id, name, n_claims, n_yuan
        (claims in yuan), figures (ids), without (why there is none; empty if there is one).
    """
    catalogue = programmes.load().programmes.filter(pl.col("is_programme") == "yes")
    rows = []
    for row in catalogue.iter_rows(named=True):
        claims = ledger.claims.filter(pl.col("programme") == row["id"], pl.col("slogan") == "no")
        n_yuan = claims.filter(pl.col("unit").str.contains("yuan")).height
        names = [f.id for f in figures if f.programme == row["id"] and f.yuan is not None]
        without = ""
        if not names:
            without = (
                "no figure is reported"
                if claims.is_empty()
                else "no amount in yuan is reported"
                if not n_yuan
                else "amounts in yuan are reported, but not the people they reached"
            )
        rows.append(
            {
                "id": row["id"],
                "name": row["name_en"],
                "n_claims": claims.height,
                "n_yuan": n_yuan,
                "figures": ", ".join(names),
                "without": without,
            }
        )
    return pl.DataFrame(rows)
