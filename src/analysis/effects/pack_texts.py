"""What the page on packs says in sentences that depend on the pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analysis.effects.brought import Shown
from analysis.printing import escaped


@dataclass(frozen=True)
class Sentence:
    """A sentence printed inline as Markdown."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text


@dataclass(frozen=True)
class Texts:
    """The sentences of the page.

    Attributes
    ----------
    what : Sentence
        What the page shows, whether it is simulated, and which estimates do not follow from the
        totals.
    design : Sentence
        What was compared, and what could not be estimated.
    """

    what: Sentence
    design: Sentence


def texts(shown: Shown) -> Texts:
    """Return the sentences for a pack, or for the worked example."""
    design = escaped(_upper(shown.effects.describe().replace("_", " ")))
    return Texts(
        Sentence(f"{_what(shown)} {_carried(shown)}".strip()),
        Sentence(f"{design}. {_missing(shown)}".strip()),
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _what(shown: Shown) -> Sentence:
    name = escaped(shown.pack.name)
    if shown.cells is not None:
        return Sentence(
            "No pack was given to this report, so this page works an example: a panel is"
            " **simulated**, cells and a pack are made of it, and the same quantities are computed"
            " from the cells and from the pack alone. They say whether a pack is enough to check a"
            " report, and nothing about any programme."
        )
    if shown.tier == "model":
        return Sentence(
            f"This page shows the pack *{name}*, and rests on nothing else. It was made from a"
            " **simulated** panel, so no number in it is an effect of a programme."
        )
    return Sentence(f"This page shows the pack *{name}*, and rests on nothing else.")


def _carried(shown: Shown) -> Sentence:
    said = [f"{escaped(name)}: {why}" for name, why in shown.derived.carried_only.items()]
    return Sentence(f"Carried, and not derived: {'; '.join(said)}." if said else "")


def _missing(shown: Shown) -> Sentence:
    why: dict[str, list[str]] = {}
    for key, reason in shown.effects.missing:
        why.setdefault(reason, []).append(f"{key.estimand.replace('_', ' ')} of {key.outcome}")
    said = [f"{reason}: {', '.join(names)}" for reason, names in why.items()]
    return Sentence(f"Not estimated: {escaped('; '.join(said))}." if said else "")


def derived_again(shown: Shown) -> int:
    """Count the carried estimates that were derived again from the totals, and are equal."""
    return sum(name not in shown.derived.carried_only for name in shown.effects.names)


def sums_sentence(count: object, of: int) -> Sentence:
    """Say whether the sources add up to the total, from the printed count."""
    if not of:
        return Sentence(
            "The pack does not carry the total and its four sources in one unit, so "
            "their sum cannot be compared."
        )
    said = count._repr_markdown_()  # type: ignore[attr-defined]
    return Sentence(
        f"Where the total and its four sources were declared, the sources add up to "
        f"it in {said} of {of:,} cases."
    )


def headline_sentence(
    rows: pl.DataFrame, printed: Sequence[Sequence[object]], tier: str
) -> Sentence:
    """Say the overall estimates, from printed findings: of each outcome what `ends` names."""
    if rows.is_empty():
        return Sentence("No overall aggregate was declared; @tbl-pack-effects lists what was.")
    parts, one_unit = [], rows["unit"].n_unique() == 1
    for row, numbers in zip(rows.iter_rows(named=True), printed, strict=True):
        said = [one._repr_markdown_() for one in numbers]  # type: ignore[attr-defined]
        interval = f"{said[1]} to {said[2]}" if len(said) > 1 else row["note"]
        unit = "" if one_unit else f" {row['unit']}"
        parts.append(f"{escaped(row['outcome'])} {said[0]}{unit} ({interval})")
    start = "Overall, simulated" if tier == "model" else "Overall"
    where = f", in {rows['unit'][0]}" if one_unit else ""
    return Sentence(f"{start}{where}: {'; '.join(parts)}.")


def agreement_sentence(count: object, compared: pl.DataFrame) -> Sentence:
    """Say how many numbers are the same from cells, from the printed count."""
    if compared.is_empty():
        return Sentence(
            "There are no cells beside this pack: its points are checked against its "
            "own totals, and its covariance is taken as carried."
        )
    said = count._repr_markdown_()  # type: ignore[attr-defined]
    return Sentence(
        f"Estimates and villages are those of the cells, and errors, intervals and bands to the "
        f"three digits that the pack tells, in {said} of {compared['compared'].sum():,} numbers "
        f"compared."
    )
