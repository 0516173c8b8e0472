"""What every estimator returns: estimates, what was compared, and every row accounted for."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.results import formatting
from analysis.results.number import Effect
from analysis.results.provenance import Provenance

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from analysis.results.table import ResultTable

COLUMNS: Final[Mapping[str, type[pl.DataType]]] = {
    "term": pl.String,
    "outcome": pl.String,
    "estimate": pl.Float64,
    "std_error": pl.Float64,
    "statistic": pl.Float64,
    "p_value": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "df": pl.Float64,
    "n": pl.Int64,
    "n_treated": pl.Int64,
    "n_control": pl.Int64,
    "n_clusters_treated": pl.Int64,
    "n_clusters_control": pl.Int64,
    "unit": pl.String,
    "note": pl.String,
}
"""Columns that the frame of every result begins with; others may follow."""


@dataclass(frozen=True)
class Comparison:
    """What was compared, line by line, as a result prints it.

    Attributes
    ----------
    estimator, estimand : str
        In the field's words.
    compared : str
        Who was compared with whom.
    base : str
        Period (or groups) that others are compared with.
    anticipation : str
        Periods before the first one in which treatment may already act.
    adjusted : str
        Covariates, strata, fixed effects.
    weights : str
        Weights; empty where there are none.
    errors : str
        How standard errors and intervals were computed.
    library : str
        The library behind it with its version; empty where it is this project.
    """

    estimator: str = ""
    estimand: str = ""
    compared: str = ""
    base: str = ""
    anticipation: str = ""
    adjusted: str = ""
    weights: str = ""
    errors: str = ""
    library: str = ""


@dataclass(frozen=True)
class Account:
    """Every row and unit accounted for; counts are of distinct units.

    Attributes
    ----------
    rows_in, rows_used : int
        Rows given, and rows that entered an estimate.
    left_out : mapping of str to int
        Rows that did not, by reason.
    decisions : tuple of str
        What was decided for the user, each with its count.
    units : str
        What a row is of: ``households``, ``persons``, …
    n_treated, n_control : int or None
        Distinct units by arm.
    clusters : str
        What a cluster is: ``villages``, …; empty where there are none.
    n_clusters_treated, n_clusters_control : int or None
        Clusters by arm.
    effective_clusters : tuple of float, or None
        Effective number of clusters by arm, treated first.
    leverage : float or None
        Largest leverage of one cluster.
    """

    rows_in: int
    rows_used: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    decisions: tuple[str, ...] = ()
    units: str = "units"
    n_treated: int | None = None
    n_control: int | None = None
    clusters: str = ""
    n_clusters_treated: int | None = None
    n_clusters_control: int | None = None
    effective_clusters: tuple[float, float] | None = None
    leverage: float | None = None

    def lines(self) -> list[tuple[str, str]]:
        """Return what is printed of it, as label and text."""
        lines = [("rows", f"{self.rows_in:,} in, {self.rows_used:,} used")] if self.rows_in else []
        lines += [("left out", f"{n:,}: {why}") for why, n in self.left_out.items() if n]
        lines += [("note", text) for text in self.decisions]
        own = (self.units, self.n_treated, self.n_control)
        clusters = (self.clusters, self.n_clusters_treated, self.n_clusters_control)
        if self.n_treated is not None and self.n_control is not None and own != clusters:
            lines.append(
                (self.units, f"{self.n_treated:,} treated, {self.n_control:,} not treated")
            )
        if self.n_clusters_treated is not None and self.n_clusters_control is not None:
            text = f"{self.n_clusters_treated:,} treated, {self.n_clusters_control:,} not treated"
            if self.effective_clusters is not None:
                treated, control = self.effective_clusters
                text += f" (effective number {treated:.1f} and {control:.1f})"
            lines.append((self.clusters or "clusters", text))
        if self.leverage is not None:
            lines.append(("leverage", f"largest of one cluster {self.leverage:.2f}"))
        return lines


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """Estimates with what was compared and every row accounted for.

    Attributes
    ----------
    frame : polars.DataFrame
        One row per estimate, full precision: the columns `COLUMNS`, then others.
    comparison : Comparison
        What was compared.
    account : Account
        Rows and units.
    provenance : Provenance
        Evidence, method, function, inputs.
    title : str
        Its first printed line.
    level : float
        Probability of the intervals.

    Raises
    ------
    ValueError
        If the frame lacks one of its columns.
    """

    frame: pl.DataFrame
    comparison: Comparison
    account: Account
    provenance: Provenance
    title: str = ""
    level: float = 0.95

    def __init_subclass__(cls, **options: Any) -> None:
        """Keep the printing of results: a dataclass would write one of its own."""
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Result.__repr__  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        missing = [name for name in COLUMNS if name not in self.frame.columns]
        if missing:
            raise ValueError(f"the frame of a result lacks {', '.join(missing)}")

    # ------------------------------------------------------------------------------ estimates

    def tidy(self) -> pl.DataFrame:
        """Return one row per estimate, full precision."""
        return self.frame

    def to_pandas(self) -> pd.DataFrame:
        """Return `tidy` as a pandas frame."""
        import pandas as pd

        return pd.DataFrame(self.frame.to_dict(as_series=False))

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """Every estimate as a number of its own."""
        return tuple(self._effect(row) for row in self.frame.iter_rows(named=True))

    def effect_of(self, term: str = "", outcome: str = "") -> Effect:
        """Return one estimate.

        Parameters
        ----------
        term, outcome : str
            As in `tidy`; may be left out where there is one only.

        Raises
        ------
        FaultsError
            If there is none, or more than one.
        """
        chosen = [
            effect
            for effect in self.effects
            if term in ("", effect.term) and outcome in ("", effect.outcome)
        ]
        if len(chosen) == 1:
            return chosen[0]
        there = ", ".join(
            dict.fromkeys(f"{e.term} on {e.outcome}" if e.outcome else e.term for e in self.effects)
        )
        problem = "no estimate of that name" if not chosen else "several estimates fit"
        asked = " on ".join(x for x in (term, outcome) if x)
        raise FaultsError(
            [Fault("result", problem, f"name one by term and outcome: {there}", value=asked)]
        )

    @property
    def effect(self) -> Effect:
        """The estimate, where there is one."""
        return self.effect_of()

    @property
    def interval(self) -> Any:
        """The interval of the estimate, where there is one."""
        return self.effect.interval

    def _effect(self, row: Mapping[str, Any]) -> Effect:
        def real(name: str) -> float:
            return math.nan if row[name] is None else float(row[name])

        what = " on ".join(x for x in (row["term"], row["outcome"]) if x)
        return Effect(
            value=real("estimate"),
            low=real("ci_low"),
            high=real("ci_high"),
            error=real("std_error"),
            term=row["term"] or "",
            outcome=row["outcome"] or "",
            statistic=real("statistic"),
            p_value=real("p_value"),
            df=real("df"),
            n=row["n"],
            unit=row["unit"] or "",
            note=row["note"] or "",
            what=f"{self.comparison.estimand or self.title}: {what}",
            provenance=replace(
                self.provenance,
                rows_in=self.account.rows_in,
                rows_used=self.account.rows_used,
                n_clusters_treated=row["n_clusters_treated"],
                n_clusters_control=row["n_clusters_control"],
            ),
        )

    # ------------------------------------------------------------------------------- printing

    def lines(self) -> list[tuple[str, str]]:
        """Return what is printed above the estimates, as label and text."""
        c = self.comparison
        compared = [
            ("estimator", c.estimator),
            ("estimand", c.estimand),
            ("compared", c.compared),
            ("base", c.base),
            ("anticipation", c.anticipation),
            ("adjusted for", c.adjusted),
            ("weights", c.weights),
        ]
        entries = [("errors", c.errors), ("library", c.library)]
        return [(k, v) for k, v in (*compared, *self.account.lines(), *entries) if v]

    def rows(self) -> pl.DataFrame:
        """Return the estimates as printed: term, outcome, estimate, std. error, interval, p."""
        several = self.frame["outcome"].n_unique() > 1
        units = self.frame["unit"].n_unique() > 1
        printed = []
        for effect in self.effects:
            printed.append(
                {
                    "term": effect.term,
                    **({"outcome": effect.outcome} if several else {}),
                    "estimate": effect.text,
                    "std. error": formatting.number(effect.error, effect.decimals),
                    f"{self.level:.0%} interval": effect.note or effect.interval.text,
                    "p": formatting.p_value(effect.p_value),
                    **({"unit": effect.unit} if units else {}),
                }
            )
        return pl.DataFrame(printed)

    @property
    def caption(self) -> str:
        """Title, with the unit where there is one."""
        unit = self.frame["unit"][0] if self.frame.height else ""
        return self.title + (f" ({unit})" if unit and self.frame["unit"].n_unique() == 1 else "")

    def __repr__(self) -> str:
        width = max((len(label) for label, _ in self.lines()), default=0)
        lines = [self.caption, *(f"  {label:<{width}}  {text}" for label, text in self.lines()), ""]
        return "\n".join([*lines, *_columns(self.rows())])

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<dt>{html.escape(label)}</dt><dd>{html.escape(text)}</dd>"
            for label, text in self.lines()
        )
        return (
            f'<div class="result"><p class="result-title">{html.escape(self.caption)}</p>'
            f"<dl>{lines}</dl>{self.table()._repr_html_()}</div>"
        )

    # ------------------------------------------------------------------------------- exhibits

    def table(self) -> ResultTable:
        """Return the estimates as a table (great_tables)."""
        from analysis.results.table import of_result

        return of_result(self)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the estimates with their intervals.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where; a new figure if left out.

        Returns
        -------
        matplotlib Axes
        """
        from analysis.results.plot import coefficients

        return coefficients(self, ax=ax, **options)

    def to_markdown(self) -> str:
        """Return the printed estimates as a Markdown table."""
        return markdown(self.rows())

    def to_latex(self) -> str:
        """Return the printed estimates as a LaTeX table."""
        return latex(self.rows())

    def save(self, folder: str | Path) -> Path:
        """Write estimates.csv, result.json, table.md, table.tex and figure.svg.

        Parameters
        ----------
        folder : path
            Made if it is not there; the five files are replaced, each whole or not at all.

        Returns
        -------
        pathlib.Path
            The folder.
        """
        from analysis.results.saving import save

        return save(self, Path(folder))


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows as the frame of a result: missing columns are empty, others follow.

    Examples
    --------
    >>> frame_of([{"term": "effect", "estimate": 1.5, "pairs": 3}]).columns[-2:]
    ['note', 'pairs']
    """
    more = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    schema = {**COLUMNS, **dict.fromkeys(more)}
    if not rows:
        return pl.DataFrame(schema=dict(COLUMNS))
    complete = [{name: row.get(name) for name in schema} for row in rows]
    frame = pl.DataFrame(complete, infer_schema_length=None, schema_overrides=dict(COLUMNS))
    return frame.with_columns(pl.col("term", "outcome", "unit", "note").fill_null(""))


def _columns(rows: pl.DataFrame) -> list[str]:
    """Return a frame of texts as aligned lines: text left, numbers right."""
    head = list(rows.columns)
    body = [[str(x or "") for x in row] for row in rows.rows()]
    widths = [max(len(line[k]) for line in [head, *body]) for k in range(len(head))]
    left = [name in ("term", "outcome", "unit") for name in head]
    return [
        "  "
        + "  ".join(
            f"{cell:<{width}}" if is_left else f"{cell:>{width}}"
            for cell, width, is_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in [head, *body]
    ]


def markdown(rows: pl.DataFrame) -> str:
    r"""Return a frame of texts as a Markdown table.

    Examples
    --------
    >>> print(markdown(pl.DataFrame({"term": ["a|b"], "estimate": ["1.5"]})))
    | term | estimate |
    |:--|--:|
    | a\|b | 1.5 |
    """
    head = list(rows.columns)
    rule = [":--" if name in ("term", "outcome", "unit") else "--:" for name in head]
    body = [[str(x or "").replace("|", r"\|") for x in row] for row in rows.rows()]
    lines = [" | ".join(line) for line in [head, *body]]
    return "\n".join([f"| {lines[0]} |", f"|{'|'.join(rule)}|", *(f"| {x} |" for x in lines[1:])])


def latex(rows: pl.DataFrame) -> str:
    r"""Return a frame of texts as a LaTeX tabular, rules by booktabs.

    Examples
    --------
    >>> print(latex(pl.DataFrame({"term": ["a_b"], "estimate": ["−1.5"]})))
    \begin{tabular}{lr}
    \toprule
    term & estimate \\
    \midrule
    a\_b & $-$1.5 \\
    \bottomrule
    \end{tabular}
    """
    head = list(rows.columns)
    align = "".join("l" if name in ("term", "outcome", "unit") else "r" for name in head)
    lines = [
        " & ".join(formatting.escaped(str(x or "")) for x in row) + r" \\"
        for row in [tuple(head), *rows.rows()]
    ]
    lines[1:1] = [r"\midrule"]
    begin = rf"\begin{{tabular}}{{{align}}}"
    return "\n".join([begin, r"\toprule", *lines, r"\bottomrule", r"\end{tabular}"])
