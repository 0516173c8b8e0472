"""Numbers of pages that are not about one programme: noted with the rows of one computation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from analysis import programmes, tables
from analysis.answers.missing import Missing
from analysis.findings import Page
from analysis.tables import Table


@dataclass(frozen=True)
class Counter:
    """Notes numbers that come from one function and the same rows.

    Attributes
    ----------
    page : Page
        Where they are noted.
    function : callable
        What made them.
    rows_in, rows_used : int
        Rows that entered and were used.
    method : str
        How, in a few words.
    """

    page: Page
    function: Callable[..., object]
    rows_in: int
    rows_used: int
    method: str = "count"

    def number(self, id: str, value: float, what: str, unit: str, digits: int | None = None) -> str:
        """Note a number and return what prints it."""
        return self.page.number(
            id,
            value,
            what,
            unit=unit,
            function=self.function,
            digits=digits,
            rows_in=self.rows_in,
            rows_used=self.rows_used,
            method=self.method,
        ).markdown()

    def between(
        self,
        id: str,
        value: float,
        low: float,
        high: float,
        what: str,
        unit: str,
        digits: int | None = None,
    ) -> str:
        """Note a number with its interval and return what prints both."""
        noted = self.page.number(
            id,
            value,
            what,
            unit=unit,
            function=self.function,
            digits=digits,
            low=low,
            high=high,
            rows_in=self.rows_in,
            rows_used=self.rows_used,
            method=self.method,
        )
        return f"{noted.markdown()} ({noted.between.markdown})"


def nothing(page: Page, name: str, why: str, function: Callable[..., object]) -> Table:
    """Show a reason in a table's place."""
    rows = pl.DataFrame({"why": [Missing(why).sentence]})
    done = tables.table(name, rows, {"why": "Why there is no table"}, caption="No table")
    return page.show(done, "why there is no table", function)


def short_name(programme: str) -> str:
    """Return a programme's name without what stands in brackets.

    Examples
    --------
    >>> short_name("industry_support"), short_name("unheard_of")
    ('Industry support', 'unheard_of')
    """
    names = dict(programmes.load().programmes.select("id", "name_en").iter_rows())
    return str(names.get(programme, programme)).split(" (")[0]
