"""The numbers of an answer, noted as findings: each once, under the programme's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from analysis import printing
from analysis.answers.missing import Missing
from analysis.answers.page import Answer
from analysis.findings import Finding, Page
from analysis.studies.comparison import between


@dataclass(frozen=True)
class Book:
    """Notes numbers of one programme and gives back what prints them.

    Attributes
    ----------
    answer : Answer
        The programme.
    panel, reported, published : Page
        Where numbers of each tier are noted.
    """

    answer: Answer
    panel: Page
    reported: Page
    published: Page

    @property
    def unit(self) -> str:
        """Unit of an effect per household, as findings write units."""
        design = self.answer.design
        money = "yuan" if isinstance(design, Missing) else design.money.replace(" ", "_")
        return f"{money}/households/years"

    def number(
        self,
        id: str,
        value: float,
        what: str,
        *,
        unit: str,
        function: Callable[..., object],
        rows: dict[str, int],
        digits: int | None = None,
        method: str = "as computed",
        page: Page | None = None,
    ) -> Finding:
        """Note a number under the programme's name."""
        return (page or self.panel).number(
            f"{self.answer.programme}_{id}",
            value,
            f"{self.answer.name}: {what}",
            unit=unit,
            function=function,
            digits=digits,
            method=method,
            rows_in=rows["rows_in"],
            rows_used=rows["rows_used"],
        )

    def interval(
        self,
        id: str,
        low: float,
        high: float,
        what: str,
        *,
        unit: str,
        function: Callable[..., object],
        rows: dict[str, int],
        digits: int | None = None,
        method: str = "as computed",
        page: Page | None = None,
    ) -> Finding:
        """Note an interval under the programme's name; its ends are rounded outward."""
        return (page or self.panel).number(
            f"{self.answer.programme}_{id}",
            between(low, high),
            f"{self.answer.name}: {what}",
            unit=unit,
            function=function,
            digits=digits,
            method=method,
            rows_in=rows["rows_in"],
            rows_used=rows["rows_used"],
        )

    def effect(
        self,
        id: str,
        estimate: float,
        low: float,
        high: float,
        what: str,
        *,
        unit: str,
        function: Callable[..., object],
        rows: dict[str, int],
        factor: float = 1.0,
        digits: int | None = 0,
    ) -> str:
        """Note an estimate and its interval, and return both as printed."""
        method = "group-time effects added up"
        point = self.number(
            id,
            factor * estimate,
            what,
            unit=unit,
            function=function,
            rows=rows,
            digits=digits,
            method=method,
        )
        if not (isfinite(low) and isfinite(high)):
            return f"{point.markdown()} (no interval)"
        ends = self.interval(
            f"{id}_interval",
            factor * low,
            factor * high,
            f"interval of {what}",
            unit=unit,
            function=function,
            rows=rows,
            digits=digits,
            method="CV3 jackknife over villages",
        )
        return f"{point.markdown()} ({ends.markdown()})"


def listed(words: list[str]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def printed(value: float | None, digits: int = 0) -> str:
    """Print a number of a table; nothing for none, and no minus before a zero.

    Examples
    --------
    >>> printed(-0.01), printed(-12.6), printed(None)
    ('0', '−13', '')
    """
    if value is None or not isfinite(value):
        return ""
    return printing.number(round(value, digits) + 0.0, digits)


def span(low: float | None, high: float | None, digits: int = 0) -> str:
    """Print an interval of a table; nothing for none.

    Examples
    --------
    >>> span(1.2, 3.0), span(None, 3.0)
    ('1 to 3', '')
    """
    if low is None or high is None or not (isfinite(low) and isfinite(high)):
        return ""
    return printing.interval(between(low, high), digits)
