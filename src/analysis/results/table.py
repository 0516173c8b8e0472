"""Results as tables, with the data behind them; great_tables for those who style further."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.results import formatting
from analysis.results.provenance import UNKNOWN, Provenance
from analysis.results.table_html import Filter, is_numeric, table_html

if TYPE_CHECKING:
    from great_tables import GT

    from analysis.results.result import Result

T = TypeVar("T")


@dataclass(frozen=True, eq=False, kw_only=True)
class ResultTable:
    """A table with the data behind it.

    Attributes
    ----------
    shown : polars.DataFrame
        Texts, as printed.
    data : polars.DataFrame
        Numbers behind them, full precision; what is offered for download.
    provenance : Provenance
        Where they come from.
    title : str
        Caption; empty where the page gives one.
    notes : tuple of str
        Lines under the table.
    filters : tuple of Filter
        Columns that readers can filter by; such a table can be searched and sorted too.
    """

    shown: pl.DataFrame
    data: pl.DataFrame
    provenance: Provenance = UNKNOWN
    title: str = ""
    notes: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()

    def gt(self) -> GT:
        """Return it as a great_tables object, to be styled further."""
        from great_tables import GT

        text = [
            name
            for name in self.shown.columns
            if name in ("term", "outcome", "unit", "study", "what")
            or not is_numeric(self.shown[name])
        ]
        table = GT(self.shown.fill_null("")).cols_align("right")
        if text:
            table = table.cols_align("left", columns=text)
        if self.title:
            table = table.tab_header(self.title)
        for note in self.notes:
            table = table.tab_source_note(note)
        return table

    def _repr_html_(self) -> str:
        return table_html(self)

    def filterable(self, *columns: str) -> ResultTable:
        """Return the table with columns that readers can filter by.

        Parameters
        ----------
        *columns : str
            Of the table as shown.

        Raises
        ------
        FaultsError
            If the table has no such column.

        Examples
        --------
        >>> frame = pl.DataFrame({"effect": ["1.5", "2.0"], "place": ["here", "there"]})
        >>> found = ResultTable(shown=frame, data=frame).filterable("place")
        >>> found.filters[0].key
        'place'
        """
        for name in columns:
            if name not in self.shown.columns:
                remedy = f"use one of: {', '.join(self.shown.columns)}"
                raise FaultsError([Fault("table", "no such column", remedy, value=name)])
        return replace(self, filters=tuple(Filter(name, name) for name in columns))

    def __repr__(self) -> str:
        from analysis.results.result import markdown

        return "\n".join([*([self.title] if self.title else []), markdown(self.shown), *self.notes])

    def to_markdown(self) -> str:
        """Return it as a Markdown table."""
        from analysis.results.result import markdown

        return markdown(self.shown)

    def to_latex(self) -> str:
        """Return it as a LaTeX tabular."""
        from analysis.results.result import latex

        return latex(self.shown)


def of_result(result: Result) -> ResultTable:
    """Return the estimates of one result as a table."""
    return ResultTable(shown=result.rows(), data=result.frame, provenance=result.provenance)


def or_reason(function: Callable[..., T], *data: Any, **options: Any) -> T | ResultTable:
    """Return what a function makes of data that a user brought, or a table of why it cannot.

    A page that is made of any panel or pack shows the reason and goes on.

    Parameters
    ----------
    function : callable
        Of the front door, such as ``va.poverty`` or ``fit.honest``.
    *data, **options
        Its arguments.

    Returns
    -------
    result or ResultTable
        One row per fault: ``not computed`` and ``what to do``.

    Examples
    --------
    >>> import analysis as va
    >>> nobody = pl.DataFrame({"income": [], "year": []}, schema={"income": float, "year": int})
    >>> or_reason(va.poverty, nobody, "income", 1.0).shown["not computed"].item()
    'there are no rows'
    """
    try:
        return function(*data, **options)
    except FaultsError as error:
        rows = [(fault.problem, fault.remedy) for fault in error.faults]
        frame = pl.DataFrame(rows, ["not computed", "what to do"], orient="row")
        return ResultTable(shown=frame, data=frame, provenance=Provenance.of(or_reason))


def table(*results: Result, names: Sequence[str] = ()) -> ResultTable:
    """Set several results side by side: one column a result, one row an estimate.

    Parameters
    ----------
    *results : Result
        At least one.
    names : sequence of str
        Heads of the columns; the title of each result if left out.

    Returns
    -------
    ResultTable
        Estimate with its standard error in brackets, interval below, then rows and clusters.

    Raises
    ------
    FaultsError
        If no result is given, or not as many names as results.
    """
    heads = list(names) or _heads(results)
    if not results or len(heads) != len(results):
        remedy = "give one name a result, as in va.table(a, b, names=['first', 'second'])"
        problem = f"{len(results)} results, {len(heads)} names"
        raise FaultsError([Fault("table", problem, remedy)])
    if len(set(heads)) < len(heads) or "term" in heads:
        remedy = "give each result a name of its own, other than term"
        fault = Fault("table", "names of columns are not apart", remedy, value=", ".join(heads))
        raise FaultsError([fault])
    several = len({o for output in results for o in output.frame["outcome"]}) > 1
    cells: dict[tuple[str, str], dict[str, str]] = {}
    data = []
    for head, result in zip(heads, results, strict=True):
        for effect in result.effects:
            key = (effect.term, effect.outcome if several else "")
            error = formatting.number(effect.error, effect.decimals)
            text = f"{effect.text} ({error})"
            cells.setdefault(key, {})[head] = text
            cells.setdefault((f"{effect.term} interval", key[1]), {})[head] = (
                effect.note or effect.interval.text
            )
        data.append(result.frame.with_columns(pl.lit(head).alias("result")))
    rows: list[dict[str, Any]] = []
    for (term, outcome), by_head in cells.items():
        line = term.replace("_", " ")
        name = f"{line}, {outcome}" if outcome else line
        label = "" if term.endswith(" interval") else name
        rows.append({"term": label, **{head: by_head.get(head, "") for head in heads}})
    for label, count in (
        ("rows used", lambda r: r.account.rows_used),
        ("clusters", _clusters),
        ("estimator", lambda r: r.comparison.estimator),
    ):
        values = [count(result) for result in results]
        if any(values):
            shown = [f"{v:,}" if isinstance(v, int) and v else str(v or "") for v in values]
            rows.append({"term": label, **dict(zip(heads, shown, strict=True))})
    first = results[0].provenance
    return ResultTable(
        shown=pl.DataFrame(rows),
        data=pl.concat(data, how="diagonal_relaxed"),
        provenance=first.joined([output.provenance for output in results[1:]], first.method),
        notes=("Standard errors in brackets, intervals below.",),
    )


def _clusters(result: Result) -> int:
    arms = (result.account.n_clusters_treated, result.account.n_clusters_control)
    return sum(arm or 0 for arm in arms)


def _heads(results: Sequence[Result]) -> list[str]:
    names = [result.title or result.comparison.estimator for result in results]
    return [name if names.count(name) == 1 else f"{name} ({k})" for k, name in enumerate(names, 1)]
