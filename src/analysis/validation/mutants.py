"""What the tests notice: sampled changes of the code, each judged by the tests that reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import dataframely as dy
import polars as pl

from analysis import contract, paths
from analysis.results.number import Number
from analysis.results.stored import of_files
from analysis.results.table import ResultTable

FILE: Final = "reports/validation/mutants.csv"
STATES: Final = {"killed": "yes", "survived": "no"}


class Mutants(contract.Row):
    """One changed operator or number of the code, and whether a test noticed."""

    seed = dy.Int64(primary_key=True, description="seed of the sample")
    number = dy.Int64(primary_key=True, min=1, description="place in the sample")
    drawn_from = dy.Int64(
        primary_key=True, min=1, description="changes that could be drawn: fewer once code went"
    )
    module = dy.String(description="module that was changed")
    function = dy.String(nullable=True, description="function of it; empty outside functions")
    before = dy.String(description="line of the code, laid out by Python")
    after = dy.String(description="the line changed")
    verdict = dy.Enum(
        ["killed", "survived"], description="whether a test failed or needed far too long"
    )
    tests = dy.Int64(min=0, description="tests and examples that reach the line")
    killed_by = dy.String(nullable=True, description="the test that failed; empty if none did")
    explanation = dy.String(nullable=True, description="of one that was not killed: why")

    @dy.rule()
    def survivors_are_explained(cls) -> pl.Expr:
        """Refuse a survivor that is not explained."""
        return (pl.col("verdict") == "killed") | pl.col("explanation").is_not_null()


@dataclass(frozen=True, eq=False)
class TestedMutants:
    """Copies of the code with one operator or number changed, and whether a test failed.

    Attributes
    ----------
    rows : polars.DataFrame
        As `Mutants`.
    """

    rows: pl.DataFrame

    @property
    def n(self) -> Number:
        """How many changes were tried."""
        return self._count(self.rows.height, "changes of the code, drawn at random and tried")

    @property
    def n_noticed(self) -> Number:
        """How many of them made a test fail."""
        count = self.rows.filter(verdict="killed").height
        return self._count(count, "changes of the code that made a test fail")

    @property
    def n_unnoticed(self) -> Number:
        """How many no test noticed; the table says why."""
        count = self.rows.filter(verdict="survived").height
        return self._count(count, "changes of the code that no test noticed")

    @property
    def n_possible(self) -> Number:
        """From how many they were drawn."""
        return self._count(self.rows["drawn_from"][-1], "changes of the code drawn from, last")

    @property
    def seed(self) -> Number:
        """The seed of the sample."""
        number = self._count(self.rows["seed"][0], "seed of the sample of changes")
        return Number(value=number.value, unit="", what=number.what, provenance=number.provenance)

    def _count(self, count: int, what: str) -> Number:
        n = self.rows.height
        provenance = of_files(
            tested_mutants, FILE, evidence="model", rows_in=n, rows_used=n, method="count"
        )
        return Number(value=float(count), unit="changes", what=what, provenance=provenance)

    def table(self) -> ResultTable:
        """Return every change, those that no test noticed first.

        Examples
        --------
        >>> tested_mutants().table().shown.columns
        ['function', 'line', 'changed to', 'noticed', 'by, or why not']
        """
        data = self.rows.sort(pl.col("verdict") == "killed", maintain_order=True)
        shown = data.select(
            pl.concat_str("module", "function", separator=".", ignore_nulls=True).alias("function"),
            pl.col("before").alias("line"),
            pl.col("after").alias("changed to"),
            pl.col("verdict").replace_strict(STATES).alias("noticed"),
            pl.when(verdict="killed")
            .then(pl.col("killed_by").str.split("::").list.last())
            .otherwise("explanation")
            .alias("by, or why not"),
        )
        n = self.rows.height
        provenance = of_files(
            TestedMutants.table, FILE, evidence="model", rows_in=n, rows_used=n, method="count"
        )
        return ResultTable(shown=shown, data=data, provenance=provenance).filterable("noticed")


def tested_mutants() -> TestedMutants:
    """Return the changes of the code that were tried, as they were stored.

    Raises
    ------
    FaultsError
        If the stored table is not as `Mutants` asks.

    Examples
    --------
    >>> tested_mutants().n.unit
    'changes'
    """
    return TestedMutants(contract.read(paths.root() / FILE, Mutants))
