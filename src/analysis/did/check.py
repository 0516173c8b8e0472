"""A frame of units over time, checked: every decision counted, every row accounted for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NoReturn

import numpy as np
import polars as pl

from analysis.columns import (
    SHOWN,
    day_counts,
    note_codes,
    period_code,
    read_as_yes_or_no,
    refuse_merged,
    refuse_text,
    rows_where,
    yes_or_no,
)
from analysis.did.columns import Columns
from analysis.did.first_periods import cohorts
from analysis.faults import refuse
from analysis.frames import nearly_agree
from analysis.inference.arrays import Integers

NO_NUMBER: Final = "{} is missing or not finite"
NO_WEIGHT: Final = "weight 0"
NO_CLUSTER: Final = "no name of the {}"
MOST_WORDS: Final = 12
"""Words that a message lists."""


@dataclass(frozen=True, eq=False)
class Observations:
    """Units over time, checked.

    Attributes
    ----------
    frame : polars.DataFrame
        One row per unit and period: unit, cluster, within (UInt32 codes), period (Int64), cohort
        (Int64: first treated period, 0 never; both shifted by `shift`), weight (Float64), the
        outcomes and covariates (Float64).
    columns : Columns
        Their names in the user's frame.
    clusters, groups : tuple of str
        Names behind the codes.
    shift : int
        What was added to the periods so that 0 can stand for never treated.
    rows_in : int
        Rows given.
    left_out : mapping of str to int
        Rows not used, by reason.
    decisions : tuple of str
        What was decided for the user, each with its count.
    cross_sections : bool
        Whether other units are seen in each period.
    """

    frame: pl.DataFrame
    columns: Columns
    clusters: tuple[str, ...]
    groups: tuple[str, ...]
    shift: int
    rows_in: int
    left_out: dict[str, int]
    decisions: tuple[str, ...]
    cross_sections: bool
    design: pl.DataFrame | None = None

    @property
    def periods(self) -> Integers:
        """Periods seen, ascending, shifted."""
        values: Integers = np.sort(self.frame["period"].unique().to_numpy()).astype(np.int64)
        return values


def observe(data: pl.DataFrame, columns: Columns, never: Iterable[object] = ()) -> Observations:
    """Take the columns of a study out of a frame and check them.

    Parameters
    ----------
    data : polars.DataFrame
        One row per unit and period, or per unit of a cross-section.
    columns : Columns
        Which is what.
    never : iterable
        Codes of the never treated besides null, NaN, infinity, and 0 where every period is later.

    Raises
    ------
    FaultsError
        If a column is missing or no number, periods are no whole numbers, a unit occurs twice in a
        period, a weight is negative, first treated periods lie outside every calendar, or treatment
        is not absorbing.
    """
    for name, role in columns.named().items():
        if name not in data.columns:
            refuse(
                "there is no such column",
                f"the data have {', '.join(data.columns)}",
                column=role,
                value=name,
            )
    numbers = (
        *columns.outcomes,
        *columns.covariates,
        *([columns.weight] if columns.weight else []),
    )
    for name in numbers:
        if not (data[name].dtype.is_numeric() or data[name].dtype == pl.Boolean):
            refuse_text(data[name])
    time = _periods(data, columns)
    left_out: dict[str, int] = {}
    decisions = note_codes([data[name] for name in dict.fromkeys(numbers)])
    words = yes_or_no(data[columns.first])
    if words is not None:
        data = data.with_columns(words.alias(columns.first))
        decisions.append(read_as_yes_or_no(columns.first))
    frame = data.select(
        pl.int_range(1, pl.len() + 1).alias("row"),
        (pl.col(columns.unit) if columns.unit else pl.int_range(pl.len())).alias("unit"),
        time.alias("period"),
        pl.col(columns.first).alias("first"),
        pl.col(columns.cluster or columns.unit).alias("cluster"),
        *(
            pl.col(getattr(columns, role)).alias(role)
            for role in ("strata", "psu", "within")
            if getattr(columns, role)
        ),
        (pl.col(columns.weight).cast(pl.Float64) if columns.weight else pl.lit(1.0)).alias(
            "weight"
        ),
        *(pl.col(name).cast(pl.Float64).alias(f"y:{name}") for name in columns.outcomes),
        *(pl.col(name).cast(pl.Float64).alias(f"x:{name}") for name in columns.covariates),
    )  # the first column may be of any type: `cohorts` reads it
    frame = _named_clusters(frame, columns, left_out, decisions)
    # Starts are read from every row: one without an outcome still says who was treated when.
    frame, shift = cohorts(frame, columns, tuple(never), decisions)
    frame = _complete(frame, columns, left_out)
    frame = _one_per_unit(frame, columns, decisions, shift)
    return _coded(frame, columns, shift, data.height, left_out, decisions)


def _periods(data: pl.DataFrame, columns: Columns) -> pl.Series:
    """Return periods as whole numbers, or say how to make them."""
    name = columns.time
    column = data[name]
    whole = f'pl.col("{name}")'
    if not column.dtype.is_numeric():
        _not_numbered(column, data[columns.first])
    if column.dtype.is_float():
        odd = column.filter(column.is_not_null() & (column.is_nan() | (column != column.round())))
        if odd.len():
            refuse(
                "periods are not whole numbers",
                f"number them first, as in (2 * {whole}).cast(pl.Int64) for half-years",
                column=name,
                value=odd[0],
            )
    counted = day_counts(column)
    if counted:
        refuse(
            "periods are counts of days or seconds",
            "number them, and first treated periods alike: "
            + " or ".join(
                f"data.with_columns({how}) if they are {what}" for what, how in counted.items()
            ),
            column=name,
            value=column.drop_nulls()[0],
        )
    _plain_calendar(column, whole)
    if column.null_count():
        refuse(
            f"the period is missing in {column.null_count():,} rows"
            f" ({rows_where(column.is_null())})",
            "fill it or leave them out",
            column=name,
        )
    return column.cast(pl.Int64)


def _not_numbered(column: pl.Series, first: pl.Series) -> NoReturn:
    """Refuse periods that are dates or words; the rule numbers first treated periods alike."""
    known = column.drop_nulls()
    value = known[0] if known.len() else ""
    same = [str(column.name)]
    if first.dtype == column.dtype and yes_or_no(first) is None and first.name != column.name:
        same.append(str(first.name))
    problem, code = "periods are no numbers", ""
    if column.dtype in (pl.Date, pl.Datetime):
        problem, code = "periods are dates", period_code(same, known.dt.date())
    elif column.dtype == pl.String:
        days = known.str.strip_chars().str.to_date(strict=False)
        if known.str.strip_chars().cast(pl.Int64, strict=False).null_count() == 0:
            code = f'pl.col("{column.name}").str.strip_chars().cast(pl.Int64)'
        elif days.null_count() == 0:
            text = ".str.strip_chars().str.to_date(strict=False)"
            problem, code = "periods are dates in text", period_code(same, days, text)
        else:
            listed = known.unique(maintain_order=True).head(MOST_WORDS).to_list()
            order = ", ".join(f'"{word}": {k}' for k, word in enumerate(listed, 1))
            names = ", ".join(f'"{name}"' for name in same)
            code = f"pl.col({names}).replace_strict({{{order}}}, default=None)"
            problem = "periods are words, and their order is not told"
    alike = " and the first treated periods with them" if len(same) > 1 else ""
    remedy = f"number them{alike}: data.with_columns({code})" if code else "number them"
    refuse(problem, remedy, column=str(column.name), value=value)


def _plain_calendar(column: pl.Series, whole: str) -> None:
    """Refuse years with a quarter or month behind them: their differences are no periods."""
    periods = column.drop_nulls().unique().cast(pl.Int64)
    for parts, digits, name in ((4, 10, "quarter"), (12, 100, "month")):
        year, part = periods // digits, periods % digits
        if ((year >= 1800) & (year <= 2200) & (part >= 1) & (part <= parts)).all() and len(periods):
            refuse(
                f"periods are years with a {name} behind them, so one year's last and the next"
                " one's first do not follow each other",
                f"number them first, and the first treated periods too, as in"
                f" {parts} * ({whole} // {digits}) + {whole} % {digits}",
                column=str(column.name),
                value=periods[0],
            )


def _complete(frame: pl.DataFrame, columns: Columns, left_out: dict[str, int]) -> pl.DataFrame:
    """Leave out rows without a number or of weight 0, counted by the first reason that fits."""
    for name in frame.columns:
        if name.startswith(("y:", "x:")):
            known = frame[name].is_not_null() & frame[name].is_finite()
            if not known.all():
                left_out[NO_NUMBER.format(name[2:])] = int((~known.fill_null(False)).sum())
                frame = frame.filter(known.fill_null(False))
    if columns.weight:
        weight = frame["weight"]
        odd = (
            weight.is_null() | ~weight.is_finite().fill_null(False) | (weight < 0).fill_null(False)
        )
        if odd.any():
            refuse(
                f"a weight is missing, negative or infinite in {int(odd.sum()):,} rows"
                f" ({rows_where(odd, frame['row'])})",
                "correct it, or leave such rows out",
                column=columns.weight,
                value=weight.filter(odd)[0],
            )
        zero = weight == 0
        if zero.any():
            left_out[NO_WEIGHT] = int(zero.sum())
            frame = frame.filter(~zero)
    if frame.is_empty():
        refuse(
            "no row is complete",
            "look at what was left out: "
            + "; ".join(f"{n:,} {why}" for why, n in left_out.items()),
        )
    if frame["period"].n_unique() < 2:
        refuse(
            "there is one period only",
            "effects need a period before and one after",
            column=columns.time,
            value=frame["period"][0],
        )
    for name in columns.outcomes:
        if frame[f"y:{name}"].n_unique() < 2:
            refuse(
                "the outcome has the same value for everybody",
                "choose another outcome",
                column=name,
                value=frame[f"y:{name}"][0],
            )
    return frame


def _named_clusters(
    frame: pl.DataFrame, columns: Columns, left_out: dict[str, int], decisions: list[str]
) -> pl.DataFrame:
    """Leave out rows without a cluster; say which names nearly agree; join nested numbers."""
    for role in ("unit", "cluster", "strata", "psu", "within"):
        if role not in frame.columns:
            continue
        column = frame[role]
        refuse_merged(column.alias(getattr(columns, role) or columns.unit))
        blank = column.is_null()
        if column.dtype == pl.String:
            blank = blank | (column.str.strip_chars() == "").fill_null(True)
        if column.dtype.is_float():
            blank = blank | column.is_nan().fill_null(True)
        if blank.any():
            reason = NO_CLUSTER.format(getattr(columns, role) or columns.unit)
            left_out[reason] = left_out.get(reason, 0) + int(blank.sum())
            frame = frame.filter(~blank)
        if frame[role].dtype == pl.String and role != "unit":
            decisions += nearly_agree(frame[role].unique().to_list(), getattr(columns, role))
    outer = "strata" if "strata" in frame.columns else ""
    if outer:
        for role in ("cluster", "psu"):
            if role in frame.columns and getattr(columns, role or "cluster"):
                reused = (
                    frame.group_by(role).agg(pl.col(outer).n_unique().alias("k"))["k"] > 1
                ).sum()
                if reused:
                    frame = frame.with_columns(
                        pl.concat_str(
                            pl.col(outer).cast(pl.String),
                            pl.col(role).cast(pl.String),
                            separator=" / ",
                        ).alias(role)
                    )
                    decisions.append(
                        f"{reused:,} ids of {getattr(columns, role)} occur in several"
                        f" {columns.strata}: each is taken together with its stratum"
                    )
    return frame


def _one_per_unit(
    frame: pl.DataFrame, columns: Columns, decisions: list[str], shift: int
) -> pl.DataFrame:
    """Hold what belongs to a unit fixed at its first period; refuse rows that occur twice."""
    if not columns.unit:
        return frame
    if not _in_order(frame) and frame.select("unit", "period").is_duplicated().any():
        twice = frame.filter(pl.struct("unit", "period").is_duplicated())
        keys = twice.group_by("unit", "period", maintain_order=True).agg("row").head(SHOWN)
        some = "; ".join(
            f"{unit} in {period - shift} (rows {', '.join(map(str, rows[:SHOWN]))})"
            for unit, period, rows in keys.rows()
        )
        refuse(
            f"{twice.height:,} rows are of a unit that occurs twice in a period",
            "keep one row a unit and period; of other units in each period, leave unit= out",
            column=columns.unit,
            value=some,
        )
    fixed = [
        name
        for name in ("cluster", "cohort", "weight", "strata", "psu", "within")
        if name in frame.columns
    ]
    # Least and most of each: counting distinct values takes ten times as long.
    changes = frame.group_by("unit").agg(
        (pl.col(name).min() != pl.col(name).max()).alias(name) for name in fixed
    )
    changing = {name: int(changes[name].sum()) for name in fixed}
    if changing["cohort"]:
        some = changes.filter("cohort")["unit"][0]
        refuse(
            "a unit has more than one first treated period",
            "keep one",
            column=columns.first,
            value=some,
        )
    moved = [name for name in fixed if changing[name]]
    if moved:
        first = (
            frame.sort("unit", "period")
            .group_by("unit")
            .agg(pl.col(name).first() for name in moved)
        )
        frame = frame.drop(moved).join(first, on="unit", how="left", maintain_order="left")
        for name in moved:
            decisions.append(
                f"{getattr(columns, name)} changes over time in {changing[name]:,} units:"
                " it is held at their first period"
            )
    return frame


def _in_order(frame: pl.DataFrame) -> bool:
    """Return whether rows of a unit stand together, each in a later period than the one before."""
    unit, period = pl.col("unit"), pl.col("period")
    starts = (unit != unit.shift()).fill_null(value=True)
    runs, later = frame.select(
        starts.sum().alias("runs"), (starts | (period > period.shift())).all().alias("later")
    ).row(0)
    return bool(later) and runs == frame["unit"].n_unique()


def _coded(
    rows: pl.DataFrame,
    columns: Columns,
    shift: int,
    rows_in: int,
    left_out: dict[str, int],
    decisions: list[str],
) -> Observations:
    names: dict[str, tuple[str, ...]] = {}
    coded = []
    for role in ("unit", "cluster", "within"):
        if role not in rows.columns:
            continue
        distinct = rows[role].unique().sort()
        coded.append(pl.Series(role, _codes(rows[role], distinct)))
        names[role] = tuple(map(str, distinct.to_list())) if role != "unit" else ()
    if columns.unit and not columns.cluster:
        decisions.append(f"no cluster is named: errors are clustered by {columns.unit}")
    design = None
    if "strata" in rows.columns or "psu" in rows.columns:
        parts = [name for name in ("strata", "psu") if name in rows.columns]
        design = (
            rows.select(
                pl.col("cluster").cast(pl.String), *(pl.col(p).cast(pl.String) for p in parts)
            )
            .unique()
            .sort("cluster")
        )
        if design["cluster"].n_unique() < design.height:
            double = design.filter(design["cluster"].is_duplicated())["cluster"][0]
            refuse(
                "a cluster lies in two strata or sampling units",
                "name the cluster inside them",
                column=columns.cluster or columns.unit,
                value=double,
            )
    frame = rows.drop(
        [n for n in ("row", "unit", "cluster", "within", "strata", "psu") if n in rows.columns]
    )
    frame = frame.rename({n: n for n in frame.columns}).with_columns(coded)
    return replace(
        Observations(
            frame,
            columns,
            names["cluster"],
            names.get("within", ("all",)),
            shift,
            rows_in,
            left_out,
            tuple(decisions),
            cross_sections=not columns.unit,
        ),
        design=design,
    )


def _codes(column: pl.Series, distinct: pl.Series) -> Integers:
    """Return the place of each value among the sorted distinct ones."""
    if column.dtype.is_integer() or column.dtype.is_float():
        return np.searchsorted(distinct.to_numpy(), column.to_numpy()).astype(np.int64)
    key = pl.DataFrame({"value": distinct}).with_row_index("code")
    series = column.to_frame("value").join(key, on="value", how="left", maintain_order="left")[
        "code"
    ]
    return series.to_numpy().astype(np.int64)
