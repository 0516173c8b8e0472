"""Households over time as the doubly robust estimators take them: checked, every row accounted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
import polars as pl

from analysis.designs.sample import check_columns
from analysis.did.estimators.group_time import Comparison, has_base
from analysis.did.estimators.record import About
from analysis.did.estimators.table import Table, refuse

LATE = "treated in the first period: no period before treatment"
EMPTY = "a value is missing"


@dataclass(frozen=True, eq=False)
class Households:
    """Microdata over time, checked.

    Attributes
    ----------
    frame : polars.DataFrame
        One row per household and period: ``household``, ``village``, ``period``, ``cohort``
        (first treated period, 0 for never), ``outcome``, ``weight`` and the covariates.
    outcome : str
        Name of the outcome.
    covariates : tuple of str
        Names; a change is adjusted for their values in its base period.
    handling : str
        ``balanced``, ``pairs`` (some households are not always seen) or ``cross_sections``.
    weight : str
        Name of the weight; empty where there is none.
    rows_in : int
        Rows given.
    left_out : mapping of str to int
        Rows not used, by reason.
    tier, unit, programme : str
        Evidence tier, unit of the outcome, what was treated.
    """

    frame: pl.DataFrame
    outcome: str
    covariates: tuple[str, ...]
    handling: str
    weight: str
    rows_in: int
    left_out: Mapping[str, int]
    tier: str
    unit: str
    programme: str


def prepare(
    frame: pl.DataFrame,
    outcome: str,
    covariates: Sequence[str],
    *,
    household: str = "household",
    village: str = "village",
    period: str = "period",
    cohort: str = "cohort",
    weight: str = "",
    cross_sections: bool = False,
    tier: str = "yours",
    unit: str = "",
    programme: str = "",
) -> Households:
    """Take the columns of a study out of a frame and check them.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per household and period. Rows with a missing value are left out and counted.
    outcome : str
        Column.
    covariates : sequence of str
        Numeric columns; of each household the same in all periods, or measured before treatment.
    household, village, period, cohort, weight : str
        Columns; `cohort` is the first treated period, 0 or empty for never.
    cross_sections : bool
        Other households in each period: rows are not matched over time.
    tier, unit, programme : str
        Evidence tier, unit of the outcome, what was treated.

    Raises
    ------
    FaultsError
        If a column is missing, there is one period, a household occurs twice in a period, lives in
        two villages or has two cohorts, the outcome is constant, or a covariate adds nothing.
    """
    names = {"village": village, "period": period, "cohort": cohort, "outcome": outcome}
    names |= {} if cross_sections else {"household": household}
    for name in (*names.values(), *covariates, *([weight] if weight else [])):
        if name not in frame.columns:
            refuse(
                "there is no such column", f"the data have {', '.join(frame.columns)}", column=name
            )
    if not covariates:
        refuse(
            "there are no covariates to adjust for", "name them: covariates=", column="covariates"
        )
    rows = frame.with_row_index("row").select(
        (pl.col(household) if not cross_sections else pl.col("row")).alias("household"),
        pl.col(village).cast(pl.String).alias("village"),
        pl.col(period).alias("period"),
        pl.col(cohort).fill_null(0).cast(pl.Int64).alias("cohort"),
        pl.col(outcome).cast(pl.Float64).alias("outcome"),
        (pl.col(weight).cast(pl.Float64) if weight else pl.lit(1.0)).alias("weight"),
        *(pl.col(name).cast(pl.Float64) for name in covariates),
    )
    numbers = ("outcome", "weight", *covariates)
    whole = rows.filter(
        pl.all_horizontal(pl.col(n).is_finite() for n in numbers)
        & pl.all_horizontal(pl.col("household", "village", "period").is_not_null())
    )
    left_out = {EMPTY: rows.height - whole.height} if whole.height < rows.height else {}
    households = Households(
        whole,
        outcome,
        tuple(covariates),
        "cross_sections",
        weight,
        frame.height,
        left_out,
        tier,
        unit,
        programme,
    )
    _check(households, cross_sections)
    seen = whole.group_by("household").len()["len"]
    handling = "balanced" if (seen == whole["period"].n_unique()).all() else "pairs"
    return households if cross_sections else replace(households, handling=handling)


def _check(households: Households, cross_sections: bool) -> None:
    frame = households.frame
    if frame["period"].n_unique() < 2:
        refuse(
            "there is one period only",
            "effects need a period before and one after",
            column="period",
        )
    if frame["outcome"].n_unique() < 2:
        refuse(
            "the outcome has the same value for everybody",
            "choose another outcome",
            column=households.outcome,
        )
    check_columns(frame.select(households.covariates).to_numpy(), households.covariates)
    if cross_sections:
        return
    if frame.select("household", "period").is_duplicated().any():
        refuse("a household occurs twice in a period", "keep one row", column="household")
    for name in ("village", "cohort", "weight"):
        if (frame.group_by("household").agg(pl.col(name).n_unique())[name] > 1).any():
            refuse(
                f"a household has more than one {name}", "fix it at the first period", column=name
            )


def table(households: Households) -> Table:
    """Return counts by village and cohort: the shares by which `aggregate` adds effects up.

    Parameters
    ----------
    households : Households
        As `prepare` makes them.
    """
    frame = households.frame
    villages = tuple(frame["village"].unique().sort().to_list())
    periods = np.array(sorted(frame["period"].unique()), np.int64)
    ever = (
        frame.group_by("village", "cohort")
        .agg(
            n=pl.col("household").n_unique(),
            weight=pl.col("weight").filter(pl.col("household").is_first_distinct()).sum(),
        )
        .sort("village", "cohort")
    )
    cells = frame.group_by("village", "cohort", "period").agg(
        n=pl.len(),
        weight=pl.col("weight").sum(),
        total=(pl.col("weight") * pl.col("outcome")).sum(),
    )
    cells = cells.join(
        ever.select("village", "cohort").with_row_index("at"), on=["village", "cohort"]
    )
    at = cells["at"].to_numpy(), np.searchsorted(periods, cells["period"].to_numpy())
    shape = (ever.height, periods.size)
    n, weight, total = np.zeros(shape, np.int64), np.zeros(shape), np.zeros((*shape, 1))
    n[at], weight[at] = cells["n"].to_numpy(), cells["weight"].to_numpy()
    total[at] = cells["total"].to_numpy()[:, None]
    return Table(
        villages=villages,
        strata=("all",),
        outcomes=(households.outcome,),
        periods=periods,
        village=np.searchsorted(villages, ever["village"].to_numpy()),
        cohort=ever["cohort"].to_numpy().astype(np.int64),
        stratum=np.zeros(ever.height, np.int64),
        n=n,
        weight=weight,
        total=total,
        n_ever=ever["n"].to_numpy().astype(np.int64),
        weight_ever=ever["weight"].to_numpy(),
        handling=households.handling,
        weighted=bool(households.weight),
        rows_in=households.rows_in,
        left_out=households.left_out,
        programme=households.programme,
        tier=households.tier,
        units={households.outcome: households.unit},
    )


def with_base(households: Households, how: Comparison | None) -> tuple[Households, Comparison]:
    """Leave out cohorts without a period before treatment, and count their rows.

    Raises
    ------
    FaultsError
        If controls are asked for by place, or no treated household or no control is left.
    """
    how = how or Comparison(where="anywhere")
    if how.where != "anywhere":
        refuse(
            "controls are taken from anywhere here",
            'ask with where="anywhere"',
            column="where",
            value=how.where,
        )
    periods = np.array(sorted(households.frame["period"].unique()), np.int64)
    late = [
        g
        for g in households.frame["cohort"].unique().to_list()
        if g > 0 and not has_base(periods, g, how.anticipation)
    ]
    kept = households.frame.filter(~pl.col("cohort").is_in(late))
    if not (kept["cohort"] > 0).any():
        refuse(
            "no treated household is left",
            "effects need a period before treatment",
            column="cohort",
        )
    gone = households.frame.height - kept.height
    left_out = {**households.left_out, LATE: gone} if gone else households.left_out
    if how.controls == "never" and not (kept["cohort"] == 0).any():
        refuse(
            "no control is left: nobody is never treated",
            'use controls="not_yet"',
            column="controls",
        )
    return replace(households, frame=kept, left_out=left_out), how


def about(households: Households, how: Comparison, with_library: str) -> About:
    """Return what was compared, of how many rows."""
    return About(
        estimator="doubly robust group-time effects",
        tier=households.tier,
        controls=how.controls,
        base=how.base,
        where=how.where,
        anticipation=how.anticipation,
        weights=households.weight or "none",
        handling=households.handling,
        rows_in=households.rows_in,
        rows_used=households.frame.height,
        left_out=dict(households.left_out),
        units={households.outcome: households.unit},
        covariates=households.covariates,
        library=f"{with_library} {version(with_library)}",
    )
