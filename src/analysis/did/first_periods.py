"""First treated periods of a frame: codes of the never treated, indicators, what ends."""

from __future__ import annotations

import polars as pl

from analysis.columns import SHOWN
from analysis.did.columns import Columns
from analysis.faults import refuse


def cohorts(
    frame: pl.DataFrame, columns: Columns, never: tuple[object, ...], decisions: list[str]
) -> tuple[pl.DataFrame, int]:
    """Return first treated periods as whole numbers, 0 for never, all periods above 0."""
    first = frame["first"]
    low, high = int(frame["period"].min()), int(frame["period"].max())  # type: ignore[arg-type]
    if first.dtype in (pl.Date, pl.Datetime, pl.Time):
        refuse(
            "first treated periods are dates",
            f'number them as the periods are, such as pl.col("{columns.first}").dt.year() where'
            " those are years",
            column=columns.first,
            value=first.drop_nulls()[0],
        )
    codes = {str(code) for code in never}
    if first.dtype == pl.String:
        stays = (
            first.is_in(list(codes)) if codes else pl.Series([False]).new_from_index(0, len(first))
        )
        number = first.cast(pl.Int64, strict=False)
        odd = first.filter(first.is_not_null() & ~stays & number.is_null())
        if odd.len():
            refuse(
                "not a period",
                "number first treated periods as the periods are, or name the"
                f" code of the never treated: never={odd[0]!r}",
                column=columns.first,
                value=odd[0],
            )
        frame = frame.with_columns(first=number.cast(pl.Float64))
    elif not (first.dtype.is_numeric() or first.dtype == pl.Boolean):
        refuse(
            "not a period",
            "number first treated periods as the periods are",
            column=columns.first,
            value=first.dtype,
        )
    first = frame["first"].cast(pl.Float64)
    indicator = _indicator(frame.with_columns(first=first), columns, decisions)
    if indicator is not None:
        first = indicator
    else:
        first = _coded_never(first, columns, never, low, high, decisions)
    odd = first.filter(first.is_not_null() & (first != first.round()))
    if odd.len():
        refuse(
            "a first treated period is not a whole number",
            "number it as the periods are",
            column=columns.first,
            value=odd[0],
        )
    shift = 1 - low if low <= 0 else 0
    shift += max(0, 1 - int(first.min() or 1) - shift) if first.drop_nulls().len() else 0  # type: ignore[arg-type]
    cohort = (first.cast(pl.Int64) + shift).fill_null(0)
    if not (cohort > 0).any():
        refuse("nobody is ever treated", "look at the first treated periods", column=columns.first)
    return frame.with_columns(period=pl.col("period") + shift, cohort=cohort).drop("first"), shift


def _indicator(frame: pl.DataFrame, columns: Columns, decisions: list[str]) -> pl.Series | None:
    """Return first treated periods where the column says who is treated in each row; else None."""
    values = frame["first"]
    if not columns.unit:
        return None
    span = frame.group_by("unit").agg(
        pl.col("first").min().alias("a"), pl.col("first").max().alias("b")
    )
    varies = span.filter(pl.col("a") != pl.col("b"))
    if varies.is_empty():
        zero_one = values.drop_nulls().is_in([0.0, 1.0]).all() and (values == 1).any()
        lowest = frame["period"].min()
        if zero_one and not (isinstance(lowest, int) and lowest <= 1):
            refuse(
                "the column says whether, not when, a unit is treated",
                "give the first treated period, empty for the never treated, or say in each row"
                " whether the unit is treated by then",
                column=columns.first,
                value="0 and 1",
            )
        return None
    if not values.drop_nulls().is_in([0.0, 1.0]).all():
        some = varies["unit"][0]
        given = sorted(set(frame.filter(pl.col("unit") == some)["first"].to_list()))
        if set(given) <= {*map(float, range(1000))} and 0.0 in given:
            refuse(
                "treatment comes in doses that change over time",
                "first= the first period with any dose asks what any dose does; for what a larger"
                " dose does, keep units of one dose and the untreated, and estimate each dose",
                column=columns.first,
                value=f"{some}: {given}",
            )
        refuse(
            "a unit has more than one first treated period",
            "keep one; of spells, give each spell its own unit and first period",
            column=columns.first,
            value=f"{some}: {given}",
        )
    ordered = frame.select("unit", "period", "first").sort("unit", "period")
    ended = ordered.filter((pl.col("first") == 0) & (pl.col("first").shift(1).over("unit") == 1))[
        "unit"
    ].unique(maintain_order=True)
    if ended.len():
        refuse(
            f"treatment ends in {ended.len():,} units, so it is not absorbing",
            "give first= as the first period of the spell you ask about and leave later rows out,"
            ' or use method="switching"',
            column=columns.first,
            value=", ".join(map(str, ended[:SHOWN].to_list())),
        )
    start = frame.group_by("unit").agg(
        pl.col("period").filter(pl.col("first") == 1).min().alias("start")
    )
    decisions += _unsure_starts(frame, start, columns)
    series = frame.select("unit").join(start, on="unit", how="left", maintain_order="left")["start"]
    decisions.append(
        f"{columns.first} says who is treated in each row: the first treated period is"
        f" taken from it for {start['start'].drop_nulls().len():,} units"
    )
    return series.cast(pl.Float64)


def _unsure_starts(frame: pl.DataFrame, start: pl.DataFrame, columns: Columns) -> list[str]:
    """Say how many starts may lie earlier: no row tells of the period before them."""
    calendar = frame["period"].unique().sort()
    before = pl.DataFrame({"start": calendar, "before": calendar.shift(1)})
    rows = frame.filter(pl.col("first") == 0).select("unit", before="period").with_columns(told=1)
    treated = start.drop_nulls().join(before, on="start").drop_nulls()
    unsure = treated.join(rows, on=["unit", "before"], how="anti").height
    if not unsure:
        return []
    return [
        f"{unsure:,} units have no row, or none that says {columns.first}, in the period before"
        " their first treated row: the start is taken to be that row, and may lie earlier"
    ]


def _coded_never(
    first: pl.Series,
    columns: Columns,
    never: tuple[object, ...],
    low: int,
    high: int,
    decisions: list[str],
) -> pl.Series:
    """Return first treated periods, null for the never treated; each code is counted."""
    codes = [float(str(code)) for code in never if str(code).lstrip("-").isdigit()]
    kinds = {
        "empty": first.is_null(),
        "not a number": first.is_nan().fill_null(False),
        "infinite": first.is_infinite().fill_null(False),
        **{f"{code:g}": (first == code).fill_null(False) for code in codes},
    }
    if low > 0 and 0.0 not in codes:
        kinds["0"] = (first == 0).fill_null(False)
    gone = pl.Series([False]).new_from_index(0, len(first))
    for name, there in kinds.items():
        if there.any():
            decisions.append(
                f"never treated: {int(there.sum()):,} rows where {columns.first} is {name}"
            )
            gone = gone | there
    kept = first.set(gone, None)
    known = kept.drop_nulls()
    reach = high - low + 1
    strange = known.filter(
        (known > high + reach) | (known < low - reach) | ((known < 0) & (low > 0))
    )
    if strange.len():
        code = f"{strange[0]:g}"
        refuse(
            f"lies far outside the periods {low} to {high}",
            f"if it stands for the never treated, say never={code}",
            column=columns.first,
            value=code,
        )
    if low <= 0 and (known == 0).any() and not gone.any():
        refuse(
            "0 may be a period here, or stand for the never treated",
            "say never=0 if it stands for the never treated, never=[] with empty values for them"
            " if it is a period",
            column=columns.first,
            value=0,
        )
    return kept
