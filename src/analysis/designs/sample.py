"""Microdata made ready for an estimator: one row per unit, checked, every row accounted for.

What cannot be estimated is refused here, in the user's words, before any estimator runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NoReturn

import numpy as np
import polars as pl

from analysis.designs import frames
from analysis.faults import Fault, FaultsError
from analysis.frames import nearly_agree
from analysis.inference.arrays import Booleans, Floats, Integers

Missing = Literal["refuse", "leave_out"]
EMPTY = "a value is missing"
NOTHING = "weight is 0"
COLLINEAR = 1e-9
"""Share of a column's length that the others may leave unexplained before it counts as new."""


def refuse(problem: str, remedy: str, *, column: str = "", value: object = "") -> NoReturn:
    """Say in the user's words why an effect cannot be estimated.

    Raises
    ------
    FaultsError
        Always.
    """
    raise FaultsError([Fault("data", problem, remedy, column=column, value=str(value))])


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
        found: Booleans = self.d == 1
        return found

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
        found = replace(self, **arrays, group=number, clusters=clusters, left_out=counts)
        _check_arms(found)
        return found


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
    named = [outcome, treatment, *covariates, *extra, cluster, stratum, weight]
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
    names = [name for name in (cluster, stratum) if name]
    whole = frame.select(columns).with_row_index("__row")
    counts = {name: int(whole.select(_is_missing(whole, name)).sum().item()) for name in columns}
    if missing == "refuse" and any(counts.values()):
        worst = ", ".join(f"{name} {n:,}" for name, n in counts.items() if n)
        refuse(
            f"values are missing ({worst} rows)",
            'correct them, or leave such rows out and count them: missing="leave_out"',
            column=max(counts, key=lambda name: counts[name]),
        )
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
    clusters, group = _names(used, cluster) if cluster else ((), np.arange(used.height))
    strata, block = _names(used, stratum) if stratum else ((), np.zeros(used.height, np.int64))
    x = np.column_stack([np.empty((used.height, 0)), *(_numbers(used, n) for n in covariates)])
    found = Sample(
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
        (*nearly_agree(clusters, cluster), *nearly_agree(strata, stratum)),
        tuple(extra),
        np.column_stack([np.empty((used.height, 0)), *(_numbers(used, n) for n in extra)]),
    )
    _check_arms(found)
    check_columns(x, found.covariates)
    return found


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
    basis = np.ones((x.shape[0], 1)) / np.sqrt(max(x.shape[0], 1))
    for k, name in enumerate(names):
        length = float(np.linalg.norm(x[:, k]))
        rest = x[:, k] - basis @ (basis.T @ x[:, k])
        rest -= basis @ (basis.T @ rest)
        if float(np.linalg.norm(rest)) <= COLLINEAR * max(length, 1e-300):
            what = "is constant" if np.ptp(x[:, k]) == 0 else "is a mix of those before it"
            refuse(f"the covariate {what}", "leave it out", column=name)
        basis = np.column_stack([basis, rest / np.linalg.norm(rest)])


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
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        refuse(
            "not numbers",
            "make an indicator of each category first",
            column=name,
            value=column.dtype,
        )
    found: Floats = column.cast(pl.Float64).to_numpy().astype(np.float64)
    if np.isinf(found).any():
        refuse("a value is infinite", "correct it", column=name)
    return found


def _indicator(frame: pl.DataFrame, name: str) -> Floats:
    found = _numbers(frame, name)
    odd = found[(found != 0) & (found != 1)]
    if odd.size:
        refuse(
            "the treatment is neither 0 nor 1",
            "write 1 for treated and 0 for control",
            column=name,
            value=f"{odd[0]:g}",
        )
    return found


def _names(frame: pl.DataFrame, name: str) -> tuple[tuple[str, ...], Integers]:
    """Return the distinct values of a column in order, and each row's number among them."""
    values: Any = frame[name].cast(pl.String).to_numpy()
    names, number = np.unique(values.astype(str), return_inverse=True)
    return tuple(str(one) for one in names), number.astype(np.int64)
