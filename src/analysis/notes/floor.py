"""Notes on the floor of village collectives: what books say, what is paid, reports just above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.answers import floor
from analysis.answers.missing import Missing, attempt
from analysis.answers.money_rules import rules
from analysis.figures import effects as paths
from analysis.figures import floor as pictures
from analysis.figures.style import Figure
from analysis.findings import Finding
from analysis.notes.book import Book
from analysis.notes.programme import Notes
from analysis.panels import current
from analysis.panels.views import Sentence


@dataclass(frozen=True)
class Floor:
    """What a page says of books near the floor.

    Attributes
    ----------
    book : Book
        Of the collective enterprise.
    made : Near or Missing
        Reports near the floor.
    known : Bent or None
        What the simulation knows of its own books.
    books : Sentence
        What the books say, and how much of it reaches households.
    bunching : Sentence
        How many reports too many just above the floor, and what that means.
    """

    book: Book
    made: floor.Near | Missing
    known: floor.Bent | None
    books: Sentence
    bunching: Sentence

    def figure(self, name: str) -> Figure:
        """Draw the reports and the curve without the floor."""
        tier = self.book.panel.tier
        if isinstance(self.made, Missing):
            drawn = paths.nothing(name, tier, self.made.sentence)
            return self.book.panel.show(drawn, "nothing", floor.near_floor)
        said = (
            f"Just above the floor are {self.made.just_above:.0f} reports; the curve has "
            f"{self.made.expected:.0f}."
        )
        drawn = pictures.reports(
            name, self.made.bins, tier=tier, floor=rules().floor, unit="village-years", said=said
        )
        return self.book.panel.show(drawn, "reports near the floor", floor.near_floor)


def near(notes: Notes) -> Floor:
    """Note how village collectives of the current panel report near the floor.

    Parameters
    ----------
    notes : Notes
        Of the collective enterprise, from `analysis.notes.programme`.
    """
    book, panel = notes.book, current.current()
    made = attempt(floor.near_floor, panel)
    if isinstance(made, Missing):
        gone = Sentence(made.sentence)
        return Floor(book, made, None, gone, gone)
    true = current.true_books()
    known = None if true is None else floor.bent(panel, true)
    return Floor(book, made, known, _books(book, made), _bunching(book, made, known))


def _number(
    book: Book,
    made: floor.Near,
    id: str,
    value: float,
    what: str,
    unit: str,
    digits: int = 0,
    function: Callable[..., object] = floor.near_floor,
) -> Finding:
    rows = {"rows_in": made.rows_in, "rows_used": made.rows_used}
    return book.number(
        f"floor_{id}", value, what, unit=unit, function=function, rows=rows, digits=digits
    )


def _books(book: Book, made: floor.Near) -> Sentence:
    money = "yuan/villages/years"
    villages = _number(book, made, "villages", made.n_villages, "villages with books", "villages")
    mean = _number(book, made, "reported", made.reported, "mean net income as reported", money)
    paid = _number(book, made, "paid", made.paid, "mean paid out to households", money)
    share = _number(
        book,
        made,
        "share_paid",
        100 * made.paid / made.reported,
        "paid out over reported net income",
        "percent",
    )
    reach = _number(
        book,
        made,
        "reach",
        made.reach_last,
        f"reports that reach the floor, {made.last}",
        "percent",
    )
    level = _number(book, made, "level", rules().floor, "the floor", money, function=rules)
    return Sentence(
        f"The books of {villages.markdown()} villages report {mean.markdown()} yuan a village and "
        f"year (nominal) and pay out {paid.markdown()}, or {share.markdown()} per cent. In "
        f"{made.last}, {reach.markdown()} per cent report the floor of {level.markdown()} yuan or "
        "more. A floor on what a collective takes in is no income of a household: only what is "
        "paid out is."
    )


def _bunching(book: Book, made: floor.Near, known: floor.Bent | None) -> Sentence:
    rows = {"rows_in": made.rows_in, "rows_used": made.rows_used}
    above = _number(
        book, made, "just_above", made.just_above, "reports just above the floor", "records"
    )
    curve = _number(
        book, made, "expected", made.expected, "reports just above by the curve", "records"
    )
    excess = book.effect(
        "floor_excess",
        made.excess,
        made.ci_low,
        made.ci_high,
        "reports too many just above the floor",
        unit="records",
        function=floor.near_floor,
        rows=rows,
    )
    width = _number(
        book, made, "width", 100 * rules().above, "width of just above", "percent", function=rules
    )
    text = (
        f"From the floor to {width.markdown()} per cent above it lie {above.markdown()} reports; "
        f"a smooth curve through the reports away from the floor has {curve.markdown()}: "
        f"{excess} too many."
    )
    if known is None:
        return Sentence(
            f"{text} Counts cannot tell effort from reports bent up to a target. Receipts, sales "
            "or bank entries of the same villages could."
        )
    raised = _number(
        book,
        made,
        "raised",
        known.raised,
        "reports raised to the floor",
        "records",
        function=floor.bent,
    )
    reach = _number(
        book,
        made,
        "reach_true",
        known.reach_last,
        f"villages that truly reach the floor, {made.last}",
        "percent",
        function=floor.bent,
    )
    held = made.ci_low <= known.raised <= made.ci_high
    return Sentence(
        f"{text} The simulation knows that {raised.markdown()} were raised, and that in "
        f"{made.last} only {reach.markdown()} per cent of villages truly reached the floor; the "
        f"interval {'holds' if held else 'leaves out'} the number raised. In a survey nobody would "
        "know: counts cannot tell effort from reports bent up to a target, and a lump of income "
        "from a new enterprise also lifts a few villages over it."
    )
