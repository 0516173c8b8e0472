"""The whole ledger checked and counted: what `analysis claims check` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis.claims import formatting
from analysis.claims.implied import implied
from analysis.claims.intervals import Interval
from analysis.claims.ledger import Ledger, load
from analysis.claims.narrowing import narrow
from analysis.claims.relations import VERDICTS, Verdict, judge

AGAINST_THE_SOURCE = ("inconsistent", "impossible")


@dataclass(frozen=True)
class LedgerReport:
    """What the ledger holds and what the arithmetic says of it.

    Attributes
    ----------
    n_claims, n_slogans, n_relations, n_implied, n_not_computable_implied : int
        Rows.
    by_source, by_kind, by_programme, by_unit : dict of str to int
        Claims in each.
    by_role, by_verdict : dict of str to int
        Relations in each.
    inconsistencies : tuple of dict
        Identities and bounds that cannot hold: id, question, expression, left, right, assumption.
    rejected : tuple of dict
        Hypotheses about a reading that cannot hold, in the same form.
    narrowed : tuple of dict
        Claims that others of their article narrow: claim, printed, narrowed, unit, by.
    """

    n_claims: int
    n_slogans: int
    n_relations: int
    n_implied: int
    n_not_computable_implied: int
    by_source: dict[str, int]
    by_kind: dict[str, int]
    by_programme: dict[str, int]
    by_unit: dict[str, int]
    by_role: dict[str, int]
    by_verdict: dict[str, int]
    inconsistencies: tuple[dict[str, str], ...]
    rejected: tuple[dict[str, str], ...]
    narrowed: tuple[dict[str, str], ...]

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values, for JSON."""
        return asdict(self)


def check(folder: Path | None = None) -> LedgerReport:
    """Read the ledger, judge every relation, and count.

    Raises
    ------
    FaultsError
        If any file breaks its schema or a row its grammar.
    """
    ledger = load(folder)
    verdicts = judge(ledger)
    figures = implied(ledger)
    return LedgerReport(
        n_claims=ledger.claims.height,
        n_slogans=ledger.claims.filter(slogan="yes").height,
        n_relations=len(verdicts),
        n_implied=len(figures),
        n_not_computable_implied=sum(figure.yuan is None for figure in figures),
        by_source=_counts(ledger.claims["source"]),
        by_kind=_counts(ledger.claims["kind"]),
        by_programme=_counts(ledger.claims["programme"]),
        by_unit=_counts(ledger.claims["unit"]),
        by_role=_counts(v.role for v in verdicts),
        by_verdict={
            verdict: n for verdict in VERDICTS if (n := sum(v.verdict == verdict for v in verdicts))
        },
        inconsistencies=tuple(_columns_of(v) for v in verdicts if v.verdict in AGAINST_THE_SOURCE),
        rejected=tuple(_columns_of(v) for v in verdicts if v.verdict == "reading rejected"),
        narrowed=tuple(_narrowed(ledger)),
    )


def _counts(values: Iterable[str]) -> dict[str, int]:
    """Count, most frequent first, equal counts in alphabetical order."""
    return dict(sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0])))


def _narrowed(ledger: Ledger) -> Iterator[dict[str, str]]:
    units = dict(ledger.claims.select("id", "unit").iter_rows())
    for row in narrow(ledger):
        yield {
            "claim": row.claim,
            "printed": formatting.interval(row.printed),
            "narrowed": formatting.interval(row.narrowed),
            "unit": units[row.claim],
            "by": ", ".join(row.relations),
        }


def _columns_of(verdict: Verdict) -> dict[str, str]:
    def text(interval: Interval | None) -> str:
        return "" if interval is None else formatting.interval(interval)

    return {
        "id": verdict.id,
        "question": verdict.question,
        "expression": verdict.expression,
        "left": text(verdict.left),
        "right": text(verdict.right),
        "unit": verdict.unit,
        "assumption": verdict.assumption,
    }
