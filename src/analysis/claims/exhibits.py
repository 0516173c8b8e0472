"""Tables and figures of what the articles report, each with the data behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis import printing, programmes
from analysis.claims import formatting, implied, narrowing, reader_tables, spending
from analysis.claims.intervals import Interval
from analysis.claims.relations import VERDICTS
from analysis.claims.units import PERCENT
from analysis.results import formatting as numbers
from analysis.results.bars import Bar, bars
from analysis.results.result import frame_of
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.claims.reported import Claims

PRECISIONS: Final[Mapping[str, str]] = {
    "exact": "printed in full",
    "rounded": "rounded or cut at the last digit",
    "open": "open on one side (more than, at least)",
    "assumed": "needs an assumption (nearly)",
}
"""How precise a printed number is, in words."""


def names(language: str = "en") -> dict[str, str]:
    """Return the names of programmes by id, in ``en`` or ``zh``."""
    return dict(programmes.load().programmes.select("id", f"name_{language}").iter_rows())


def precision_of(interval: Interval) -> str:
    """Return how precise a printed number is: a key of `PRECISIONS`.

    Examples
    --------
    >>> precision_of(Interval.more_than(30)), precision_of(Interval.point(8))
    ('open', 'exact')
    """
    if interval.low.assumed or interval.high.assumed:
        return "assumed"
    if not interval.is_bounded:
        return "open"
    return "exact" if interval.is_point else "rounded"


def claim_frame(result: Claims) -> pl.DataFrame:
    """Return every chosen claim in full precision, with its narrowed interval."""
    operands = narrowing.narrowed_operands(result.ledger)
    changed = {row.claim for row in narrowing.narrow(result.ledger)}
    rows = []
    for row in result.chosen.drop("line").iter_rows(named=True):
        scale = Interval.point(100 if row["unit"] == PERCENT else 1)
        interval = operands[row["id"]].interval * scale
        low, high = interval.low, interval.high
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


def claim_rows(claims: Claims) -> pl.DataFrame:
    """Return the quantities as printed: what is counted, as printed, what it says, where."""
    named = names()
    arrows = {row.claim: formatting.interval(row.printed) for row in claims.narrowings}

    def says(claim: str) -> str:
        text = formatting.interval(claims.interval_of(claim))
        return f"{arrows[claim]} → {text}" if claim in arrows else text

    return pl.DataFrame(
        [
            {
                "what is counted": row["counted"],
                "printed": row["printed"],
                "says": says(row["id"]),
                "unit": printing.unit(row["unit"]),
                "place": row["place"],
                "programme": named[row["programme"]],
                "article": row["source"],
                "claim": row["id"],
            }
            for row in claims.quantities.iter_rows(named=True)
        ]
    )


def narrowed_table(claims: Claims) -> ResultTable:
    """Return claims that others of the same article narrow, before and after."""
    counted = dict(claims.chosen.select("id", "counted").iter_rows())
    units = dict(claims.chosen.select("id", "unit").iter_rows())
    rows = [
        {
            "what is counted": counted[row.claim],
            "as printed": formatting.interval(row.printed),
            "narrowed": formatting.interval(row.narrowed),
            "unit": printing.unit(units[row.claim]),
            "by": ", ".join((*row.relations, *row.others)),
            "claim": row.claim,
        }
        for row in claims.narrowings
    ]
    return _table(claims, pl.DataFrame(rows))


def relation_table(claims: Claims, *verdicts: str) -> ResultTable:
    """Return relations with their verdicts; all, or those with some verdicts."""
    kept = [v for v in claims.relations if not verdicts or v.verdict in verdicts]
    if not kept:
        return _table(claims, pl.DataFrame())
    frame = reader_tables.relations_table(kept)
    return _table(
        claims,
        frame.select("question", "result", "verdict", because="why", role="role", relation="id"),
        frame,
    )


def verdict_table(claims: Claims) -> ResultTable:
    """Return how many relations of each role have each verdict."""
    counts = Counter((v.role, v.verdict) for v in claims.relations)
    order = {verdict: place for place, verdict in enumerate(VERDICTS)}
    rows = [
        {"role": role, "verdict": verdict, "relations": n}
        for (role, verdict), n in sorted(counts.items(), key=lambda x: (x[0][0], order[x[0][1]]))
    ]
    frame = pl.DataFrame(rows)
    return _table(claims, frame.with_columns(pl.all().cast(pl.String)), frame)


def programme_table(claims: Claims) -> ResultTable:
    """Return programmes with what is reported of them, and what would identify an effect."""
    catalogue = programmes.load().programmes
    if claims.programme:
        catalogue = catalogue.filter(pl.col("id") == claims.programme)
    money = {
        row["id"]: row for row in implied.by_programme(claims.ledger, claims.implied).to_dicts()
    }
    titles = {implied_income.id: implied_income.title for implied_income in claims.implied}
    n = Counter(claims.quantities["programme"])
    rows = [
        {
            "programme": row["name_en"],
            "chinese": row["name_zh"],
            "quantities": str(n[row["id"]]),
            "figures in yuan": _figures(money.get(row["id"]), titles),
            "what would identify an effect": row["identification"],
        }
        for row in catalogue.iter_rows(named=True)
    ]
    return _table(claims, pl.DataFrame(rows))


def _figures(row: Mapping[str, Any] | None, titles: Mapping[str, str]) -> str:
    if row is None:
        return "no programme: context"
    names = [titles[name] for name in str(row["figures"]).split(", ") if name in titles]
    return "; ".join(names) or f"none: {row['without']}"


def implied_table(claims: Claims) -> ResultTable:
    """Return what the claims mean in yuan per person or household, and why it is no effect."""
    rows = [
        {
            "figure": implied_income.title,
            "yuan": formatting.interval(implied_income.yuan)
            if implied_income.yuan
            else implied_income.reason,
            "a": implied_income.basis.removeprefix("per_"),
            "of income a head": f"{formatting.interval(implied_income.percent)} %"
            if implied_income.share
            else "",
            "why it is no effect": implied_income.why_not_effect,
        }
        for implied_income in claims.implied
    ]
    data = reader_tables.implied_table(claims.implied) if rows else None
    return _table(claims, pl.DataFrame(rows), data)


def spending_table(claims: Claims) -> ResultTable:
    """Return who paid, spending and income of each activity, and what is not reported."""
    here = set(claims.chosen["programme"])
    rows = [
        {
            "activity": activity.title,
            "paid by": activity.payer,
            "spent, yuan": _interval(activity.spending),
            "a household, yuan": _interval(activity.per_household),
            "income, yuan": _interval(activity.income),
            "not reported": "; ".join(activity.lacking),
        }
        for activity in spending.activities(claims.ledger)
        if activity.programme in here
    ]
    return _table(claims, pl.DataFrame(rows))


def article_table(claims: Claims) -> ResultTable:
    """Return the articles with publisher, date, place and number of claims."""
    frame = reader_tables.sources_table(claims.ledger)
    frame = frame.filter(pl.col("id").is_in(set(claims.chosen["source"])))
    printed = frame.select(
        article="id",
        title="title_en",
        chinese="title_zh",
        publisher="publisher",
        date="date",
        claims=pl.col("n_claims").cast(pl.String),
    )
    return _table(claims, printed, frame)


def official_table(claims: Claims) -> ResultTable:
    """Return the official figures that claims are set against, with where they are from."""
    frame = reader_tables.official_table(claims.ledger)
    return _table(claims, frame.drop("address"), frame)


def _interval(value: Interval | None) -> str:
    return "" if value is None else formatting.interval(value)


def _table(claims: Claims, frame: pl.DataFrame, data: pl.DataFrame | None = None) -> ResultTable:
    return ResultTable(
        shown=frame, data=frame if data is None else data, provenance=claims.provenance
    )


# ---------------------------------------------------------------------------------- figures


def plot_counts(claims: Claims, ax: Axes | None) -> Axes:
    """Draw how many quantities each programme has, and how many of them are in yuan."""
    named = names()
    counted = (
        claims.quantities.group_by("programme")
        .agg(n=pl.len(), yuan=pl.col("unit").str.contains("yuan").sum())
        .sort("n", "programme", descending=[True, False])
    )
    rows = [
        Bar(named[p], yuan, f"{n}, {yuan} in yuan" if yuan else f"{n}", whole=n)
        for p, n, yuan in counted.iter_rows()
    ]
    return bars(
        rows,
        "quantities that the articles print (dark: amounts of money)",
        what="quantities by programme",
        data=counted,
        provenance=claims.provenance,
        ax=ax,
    )


def plot_implied(claims: Claims, ax: Axes | None) -> Axes:
    """Draw what reported money means per person, beside official income a head."""
    figures = [f for f in claims.implied if f.yuan is not None and f.basis == "per_head"]
    rows, data = [], []
    for implied_income in figures:
        assert implied_income.yuan is not None  # noqa: S101  # kept above
        low, high = (
            None if e.value is None else float(e.value) for e in _ends(implied_income.yuan)
        )
        official = float(implied_income.official_yuan)
        against = f"against {numbers.number(official)}"
        text = formatting.interval(implied_income.yuan)
        rows.append(Bar(implied_income.title, low or 0.0, text, whole=official, whole_text=against))
        data.append(
            {"figure": implied_income.title, "low": low, "high": high, "official": official}
        )
    return bars(
        rows,
        "yuan a person, prices of each year (pale: official rural income a head)",
        what="yuan a person",
        data=pl.DataFrame(data),
        provenance=claims.provenance,
        ax=ax,
    )


def _ends(interval: Interval) -> tuple[Any, Any]:
    return interval.low, interval.high
