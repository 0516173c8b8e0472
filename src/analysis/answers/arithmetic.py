"""What reported money can add to income at most: no comparison needed, only a division.

A payment adds itself and, in its first year, hardly more; money taken in or spent adds at most as
much, if all of it reached households; a loan is paid back and adds nothing by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from analysis.answers.money_rules import rules
from analysis.answers.reported import reported
from analysis.claims.implied import ImpliedIncome
from analysis.claims.intervals import Interval

REACHES: Final = {
    "income": "it is said to be income",
    "payment": "the payment is income",
    "turnover": "if all that is taken in were paid out",
    "spending": "if all that is spent reached households as money",
    "loan": "a loan is paid back: nothing by itself",
}
"""What each kind of money adds, in words."""


@dataclass(frozen=True)
class Most:
    """The most that one reported figure can add to income in a year.

    Attributes
    ----------
    figure : ImpliedIncome
        What was reported, per head or household.
    most : Interval or None
        Per cent of official income per head; None where the figure is per household, has no
        official income beside it, or adds nothing.
    why : str
        On what it rests.
    """

    figure: ImpliedIncome
    most: Interval | None
    why: str


def ceilings(*programmes: str) -> tuple[Most, ...]:
    """Return the most that each reported figure of some programmes can add to income.

    Parameters
    ----------
    programmes : str
        Ids of the catalogue.

    Notes
    -----
    `multiple` of ``data/parameters/money_rules.toml`` times the money over official rural income
    per head of the place and year. Figures per household have no official income beside them.

    Examples
    --------
    >>> [most.most for most in ceilings("microcredit")]
    [None]
    """
    multiple = Interval.point(Fraction(str(rules().multiple)))
    found = []
    for programme in programmes:
        for figure in reported(programme).computed:
            none = figure.measures == "loan" or figure.share is None
            most = None if none else figure.percent * multiple
            why = REACHES[figure.measures]
            if most is not None and figure.official_status == "from_memory":
                why += "; official income unverified"
            found.append(Most(figure, most, why))
    return tuple(found)
