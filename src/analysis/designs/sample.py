"""Microdata made ready for an estimator: one row per unit, checked, every row accounted for.

What cannot be estimated is refused here, in the user's words, before any estimator runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import polars as pl

from analysis.columns import (
    SHOWN,
    note_codes,
    read_as_yes_or_no,
    refuse_merged,
    refuse_text,
    yes_or_no,
)
from analysis.designs import frames
from analysis.faults import refuse
from analysis.frames import nearly_agree
from analysis.inference.arrays import Booleans, Floats, Integers

Missing = Literal["refuse", "leave_out"]
EMPTY = "a value is missing"
NOTHING = "weight is 0"
COLLINEAR = 1e-9
"""Share of a column's length that the others may leave unexplained before it counts as new."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Units of a study: n rows, p covariates.

    Attributes
    ----------
    outcome, treatment : str
        Names of the columns.
    y, d : array, shape (n,)
        Outcome; 1 for treated, 0 for control.
    covariates : tuple of str
        Names of the columns of `x`.
    x : array, shape (n, p)
        Covariates.
    w : array, shape (n,)
        Weights; ones where there are none.
    weight, cluster, stratum : str
        Names of the columns; empty where there is none.
    group : array, shape (n,)
        Number of each row's cluster; its own where there is none.
    block : array, shape (n,)
        Number of each row's stratum; zero where there is none.
    clusters, strata : tuple of str
        Names behind the numbers.
    rows_in : int
        Rows given.
    left_out : mapping of str to int
        Rows not used, by reason.
    tier, unit, programme : str
        Evidence tier, unit of the outcome, what was treated.
    index : array, shape (n,)
        Number of each row in the frame that was given.
    decisions : tuple of str
        What was decided for the user, each with its count.
    extra : tuple of str
        Other columns that the estimator needs.
    more : array, shape (n, q)
        Their values.
    """

    outcome: str
    treatment: str
    y: Floats
    d: Floats
    covariates: tuple[str, ...]
    x: Floats
    w: Floats
    group: Integers
    block: Integers
    weight: str = ""
    cluster: str = ""
    stratum: str = ""
    clusters: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    rows_in: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    tier: str = "yours"
    unit: str = ""
    programme: str = ""
    index: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    decisions: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    more: Floats = field(default_factory=lambda: np.empty((0, 0)))

    def __len__(self) -> int:
        return self.y.size

    @property
    def treated(self) -> Booleans:
        """Whether each row is treated, shape (n,)."""
        mask: Booleans = self.d == 1
        return mask

    def rows(self, kept: Booleans, reason: str) -> Sample:
        """Return some of the rows; the others are counted under a reason."""
        gone = int((~kept).sum())
        counts = dict(self.left_out)
        if gone:
            counts[reason] = counts.get(reason, 0) + gone
        arrays = {
            name: getattr(self, name)[kept]
            for name in ("y", "d", "x", "w", "block", "index", "more")
        }
        names, number = np.unique(self.group[kept], return_inverse=True)
        clusters = tuple(self.clusters[k] for k in names) if self.clusters else ()
        sample = replace(self, **arrays, group=number, clusters=clusters, left_out=counts)
        _check_arms(sample)
        return sample


def prepare(
    data: Any,
    outcome: str,
    treatment: str,
    covariates: Sequence[str] = (),
    *,
    cluster: str = "",
    stratum: str = "",
    weight: str = "",
    missing: Missing = "refuse",
    tier: str = "yours",
    unit: str = "",
    programme: str = "",
    extra: Sequence[str] = (),
    person: str = "",
) -> Sample:
    """Take the columns of a study out of a frame and check them.

    Parameters
    ----------
    data : frame
        Polars, pandas or Arrow; one row per unit.
    outcome, treatment : str
        Columns; `treatment` holds 1 and 0, or true and false.
    covariates : sequence of str
        Numeric columns measured before treatment. Make dummies of categories first.
    cluster, stratum, weight : str
        Columns of the village or other cluster, of the randomisation stratum, of weights.
    missing : str
        ``refuse`` rows with a missing value, or ``leave_out`` and count them.
    tier, unit, programme : str
        Evidence tier, unit of the outcome, what was treated.
    extra : sequence of str
        Other numeric columns that the estimator needs, such as taking part.
    person : str
        Column that says who a row is of; nobody may occur twice. Left out, rows are counted that
        repeat another one in every column, where a column tells all others apart.

    Raises
    ------
    FaultsError
        If a column is missing, has missing or infinite values, is no number; the treatment is
        neither 0 nor 1; an arm is empty; the outcome is constant; a covariate is a mix of the
        others, or constant.

    Examples
    --------
    >>> frame = pl.DataFrame({"income": [5.0, 7.0, 4.0, None], "trained": [1, 1, 0, 0]})
    >>> found = prepare(frame, "income", "trained", missing="leave_out")
    >>> len(found), dict(found.left_out)
    (3, {'a value is missing: income': 1})
    """
    frame = frames.read(data).frame
    named = [outcome, treatment, *covariates, *extra, cluster, stratum, weight, person]
    columns = list(dict.fromkeys(name for name in named if name))
    for name in columns:
        if name not in frame.columns:
            refuse(
                "there is no such column", f"the data have {', '.join(frame.columns)}", column=name
            )
    if len(set(covariates)) < len(covariates) or {outcome, treatment} & set(covariates):
        refuse(
            "a column is named twice",
            "name each covariate once, and neither outcome nor treatment",
            column="covariates",
            value=", ".join(covariates),
        )
    names = [name for name in (cluster, stratum, person) if name]
    frame, decisions = _answered(frame, (treatment, outcome, *extra))
    numbers = [name for name in (outcome, *covariates, *extra) if name != treatment]
    decisions += note_codes([frame[n] for n in dict.fromkeys(numbers) if _is_number(frame[n])])
    decisions += _repeated(frame, person)
    whole = frame.select(columns).with_row_index("__row")
    counts = {name: int(whole.select(_is_missing(whole, name)).sum().item()) for name in columns}
    if missing == "refuse" and any(counts.values()):
        worst = ", ".join(f"{name} {n:,}" for name, n in counts.items() if n)
        refuse(
            f"values are missing ({worst} rows)",
            'correct them, or leave such rows out and count them: missing="leave_out"',
            column=max(counts, key=lambda name: counts[name]),
        )
    decisions += _unseen_by_arm(whole, outcome, treatment)
    used, left_out = whole, {}
    for name in columns:
        less = used.filter(~_is_missing(whole, name))
        if less.height < used.height:
            what = f"{name} is blank or missing" if name in names else f"{EMPTY}: {name}"
            left_out[what] = used.height - less.height
        used = less
    if weight:
        w = _numbers(used, weight)
        if (w < 0).any():
            refuse("a weight is negative", "correct it", column=weight, value=f"{w.min():g}")
        if not (w > 0).all():
            left_out[NOTHING] = int((w == 0).sum())
            used = used.filter(pl.Series(w > 0))
    if not used.height:
        refuse("no row is left", f"look at what was left out: {left_out}")
    w = _numbers(used, weight) if weight else np.ones(used.height)
    d = _indicator(used, treatment)
    used, reused = _inside_strata(used, treatment, cluster, stratum)
    decisions += reused
    clusters, group = _names(used, cluster) if cluster else ((), np.arange(used.height))
    strata, block = _names(used, stratum) if stratum else ((), np.zeros(used.height, np.int64))
    x = np.column_stack([np.empty((used.height, 0)), *(_numbers(used, n) for n in covariates)])
    sample = Sample(
        outcome,
        treatment,
        _numbers(used, outcome),
        d,
        tuple(covariates),
        x,
        w,
        group,
        block,
        weight,
        cluster,
        stratum,
        clusters,
        strata,
        frame.height,
        left_out,
        tier,
        unit,
        programme,
        used["__row"].to_numpy().astype(np.int64),
        (*decisions, *nearly_agree(clusters, cluster), *nearly_agree(strata, stratum)),
        tuple(extra),
        np.column_stack([np.empty((used.height, 0)), *(_numbers(used, n) for n in extra)]),
    )
    _check_arms(sample)
    check_columns(x, sample.covariates)
    return sample


def _inside_strata(
    used: pl.DataFrame, treatment: str, cluster: str, stratum: str
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Take ids of clusters that are numbered inside strata together with their stratum.

    They are where whole clusters were randomised in each stratum: no cluster lies in two of them.
    Of units randomised inside clusters a stratum may be of units, and clusters stay as they are.
    """
    if not (cluster and stratum):
        return used, ()
    parts = used.group_by(cluster, stratum).agg(pl.col(treatment).n_unique().alias("arms"))
    reused = int((parts.group_by(cluster).len()["len"] > 1).sum())
    if not reused or (parts["arms"] > 1).any() or parts.height == used.height:
        return used, ()
    both = pl.concat_str(
        pl.col(stratum).cast(pl.String), pl.col(cluster).cast(pl.String), separator=" / "
    )
    line = f"{reused:,} ids of {cluster} occur in several {stratum}: each is taken together with"
    return used.with_columns(both.alias(cluster)), (f"{line} its stratum",)


def check_columns(x: Floats, names: Sequence[str]) -> None:
    """Refuse columns that are constant, or a mix of a constant and the others.

    Parameters
    ----------
    x : array, shape (n, p)
        Columns.
    names : sequence of str
        Their names.

    Raises
    ------
    FaultsError
        Naming the first column that adds nothing.
    """
    # On its diagonal: how long each column is once those before it are taken out.
    columns = np.column_stack([np.ones(x.shape[0]), x])
    triangle = np.asarray(np.linalg.qr(columns, mode="r"), dtype=np.float64)
    rest = np.zeros(x.shape[1] + 1)
    rest[: triangle.shape[0]] = np.abs(np.diagonal(triangle))
    for k, name in enumerate(names):
        if rest[k + 1] <= COLLINEAR * max(float(np.linalg.norm(x[:, k])), 1e-300):
            what = "is constant" if np.ptp(x[:, k]) == 0 else "is a mix of those before it"
            refuse(f"the covariate {what}", "leave it out", column=name)


def _check_arms(sample: Sample) -> None:
    treated = sample.treated
    used = sample.w > 0
    for arm, name in ((treated, "treated unit"), (~treated, "control")):
        if not (arm & used).any():
            refuse(
                f"no {name} is left",
                "look at what was left out, and at the treatment",
                column=sample.treatment,
            )
    if np.ptp(sample.y) == 0:
        refuse(
            "the outcome has the same value for everybody",
            "choose another outcome",
            column=sample.outcome,
            value=sample.y[0],
        )


def _is_missing(frame: pl.DataFrame, name: str) -> pl.Expr:
    column, kind = pl.col(name), frame[name].dtype
    if kind.is_float():
        return column.is_null() | column.is_nan()
    if kind == pl.String:
        return column.is_null() | (column.str.strip_chars() == "")
    return column.is_null()


def _numbers(frame: pl.DataFrame, name: str) -> Floats:
    column = frame[name]
    if not _is_number(column):
        refuse_text(column)
    values: Floats = column.cast(pl.Float64).to_numpy().astype(np.float64)
    if np.isinf(values).any():
        row = int(frame["__row"][int(np.isinf(values).argmax())]) + 1
        remedy = "correct it, or make it missing and have it counted"
        refuse(f"a value is infinite, in row {row}", remedy, column=name)
    return values


def _is_number(column: pl.Series) -> bool:
    return column.dtype.is_numeric() or column.dtype == pl.Boolean


def _answered(frame: pl.DataFrame, names: Sequence[str]) -> tuple[pl.DataFrame, list[str]]:
    """Read yes and no as 1 and 0, and say so."""
    words = {name: yes_or_no(frame[name]) for name in dict.fromkeys(names)}
    read = {name: column for name, column in words.items() if column is not None}
    rows = frame.with_columns(column.alias(name) for name, column in read.items())
    return rows, [read_as_yes_or_no(name) for name in read]


def _repeated(frame: pl.DataFrame, person: str) -> list[str]:
    """Refuse who occurs twice; without names, count rows that repeat another one."""
    numbered = frame.with_row_index("__row", 1)
    if person:
        twice = numbered.filter(pl.col(person).is_not_null() & pl.col(person).is_duplicated())
        if twice.height:
            some = twice.group_by(person, maintain_order=True).agg("__row").head(SHOWN)
            text = "; ".join(
                f"{who} (rows {', '.join(map(str, rows[:SHOWN]))})" for who, rows in some.rows()
            )
            refuse(
                f"{twice.height:,} rows are of somebody who occurs twice",
                "keep one row of each; of several rows each, name who they are of as cluster=",
                column=person,
                value=text,
            )
        return []
    again = frame.height - frame.n_unique()
    distinct = frame.unique() if again else frame
    if not again or not any(
        distinct[name].n_unique() == distinct.height and not distinct[name].dtype.is_float()
        for name in distinct.columns
    ):
        return []
    return [
        f"{again:,} rows repeat another one in every column, and are used; unit= names who a row is"
        " of, and refuses them"
    ]


def _unseen_by_arm(frame: pl.DataFrame, outcome: str, treatment: str) -> list[str]:
    """Say how many of each arm have no outcome."""
    column = frame[treatment]
    if not _is_number(column) or not column.drop_nulls().cast(pl.Float64).is_in([0.0, 1.0]).all():
        return []
    gone = frame.select(
        _is_missing(frame, outcome).alias("gone"), column.cast(pl.Float64).alias("d")
    )
    if not gone["gone"].any():
        return []
    arms = [gone.filter(pl.col("d") == arm)["gone"] for arm in (1, 0)]
    lines = [f"{int(arm.sum()):,} of {arm.len():,}" for arm in arms]
    shares = [f"{100 * float(arm.mean() or 0):.1f} %" for arm in arms]  # type: ignore[arg-type]
    return [f"no {outcome}: {lines[0]} treated ({shares[0]}) and {lines[1]} controls ({shares[1]})"]


def _indicator(frame: pl.DataFrame, name: str) -> Floats:
    values = _numbers(frame, name)
    odd = values[(values != 0) & (values != 1)]
    if odd.size:
        refuse(
            "the treatment is neither 0 nor 1",
            "write 1 for treated and 0 for control",
            column=name,
            value=f"{odd[0]:g}",
        )
    return values


def _names(frame: pl.DataFrame, name: str) -> tuple[tuple[str, ...], Integers]:
    """Return the distinct values of a column in order, and each row's number among them."""
    refuse_merged(frame[name])
    values: Any = frame[name].cast(pl.String).to_numpy()
    names, number = np.unique(values.astype(str), return_inverse=True)
    return tuple(str(item) for item in names), number.astype(np.int64)
