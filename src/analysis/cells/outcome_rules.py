"""Rules of disclosure control on the choice of outcomes, whatever the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.cells.outcomes import VALUES, Outcome
from analysis.faults import Fault


def fault(rule: str, problem: str, remedy: str, where: str = "") -> Fault:
    """Return the refusal by a rule."""
    return Fault("pack", f"rule {rule}: {problem}", remedy, column=rule, value=where)


def counted(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes that count households: below a line, or of those who say yes."""
    return [o for o in outcomes if o.is_count]


def scale(outcome: Outcome) -> tuple[str, str]:
    """Return income and scale of a line: only lines of one are nested in each other."""
    made = outcome.transform
    person = outcome.per == "head" or (made is not None and made.kind == "headcount")
    return outcome.source, "person" if person else outcome.per.replace("_", " ")


def broken(outcomes: Sequence[Outcome], together: Sequence[Outcome] = ()) -> Iterator[Fault]:
    """Yield the rules that the choice of outcomes breaks, whatever the data.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of this release.
    together : sequence of Outcome
        Of all releases; `outcomes` if left out.
    """
    together = together or outcomes
    lines = counted(together)
    scales: dict[str, set[str]] = {}
    for one in lines:
        scales.setdefault(scale(one)[0], set()).add(scale(one)[1])
    forms: dict[str, set[str]] = {}
    for one in together:
        form = _form(one)
        if form is not None:
            scales.setdefault("an amount", set()).add(one.per)
            for column in one.columns:
                forms.setdefault(column, set()).add(form)
    for source, found in sorted(scales.items()):
        if len(found) > 1:
            problem = f"{source} is released per {' and per '.join(sorted(found))}"
            yield fault("one_scale", problem, "keep the one that was released first", source)
    for column, found in sorted(forms.items()):
        if len(found) > 1:
            problem = f"{column} is released as {' and as '.join(sorted(found))}"
            yield fault("one_form", problem, "keep the one that was released first", column)
    for outcome in outcomes:
        made = outcome.transform
        if outcome.is_approximate:
            yield fault(
                "recentred_influence",
                f"the sum of {outcome.name} and the reference tell"
                " how many are below a quantile, or what they have",
                "leave it out: declare thresholds",
                outcome.name,
            )
        if made is None or made.kind not in ("gap", "squared_gap"):
            continue
        twin = [
            o
            for o in lines
            if o.transform
            and o.source == outcome.source
            and o.transform.kind == "headcount"
            and (o.transform.line, o.transform.fen) == (made.line, made.fen)
        ]
        if not twin:
            problem = f"{outcome.name} has no headcount at its line"
            remedy = "declare that headcount too; it is audited again"
            yield fault("gap_needs_headcount", problem, remedy, outcome.name)


def _form(outcome: Outcome) -> str | None:
    """Return how an outcome shows its columns; None of counts and of gaps, which have their rules.

    Prices change a sum by a factor that all know, but not the sum of a transform.
    """
    made = outcome.transform
    if outcome.is_count or (made is not None and made.kind not in VALUES):
        return None
    if made is None:
        return "it is"
    return " ".join(map(str, (made.kind, *made.shares, *([outcome.real] if outcome.real else []))))
