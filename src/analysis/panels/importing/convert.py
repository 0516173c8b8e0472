"""Cells of text turned into values, and what is wrong with those that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from analysis.columns import CALENDARS as DAYS
from analysis.columns import COUNTED, NO, YES, Style
from analysis.panels.calendar import CALENDARS
from analysis.panels.importing.mapping import WAVE, Cell, Limits, SurveyFile
from analysis.panels.importing.workbook_cells import ERROR

REASONS: Final[Mapping[str, str]] = {
    "broken_row": "the row has too many or too few cells",
    "no_key": "the key of the household or village is empty",
    "no_person": "the key of the person is empty",
    "no_period": "the period is empty",
    "impossible_year": "not a year, or outside the years the map allows",
    "impossible_period": "not a period of the map's calendar, or outside its years",
    "not_a_number": "text where a number should be",
    "not_whole": "a fraction where a whole number should be",
    "not_in_recode": "a value the map does not recode",
    "not_yes_or_no": "neither yes nor no",
    "not_a_value": "an error of a spreadsheet in place of a value",
    "out_of_range": "outside the range of the contract",
    "duplicate_identical": "repeats an earlier row of the same key, value for value",
    "duplicate_conflicting": "other rows have the same key and say otherwise; all are left out",
    "no_household_record": "no accepted row of the main files has this key",
    "negative_wage": "wages net of costs are below zero",
    "nothing_observed": "neither income nor members are given",
    "no_village": "the village of the household is never given",
    "no_size": "the size of the household is never given",
    "no_weight": "the weight of the household is never given",
}
"""Why a record is left out; the words go into messages and the page."""

DATE: Final = r"^(\d{4})(?:[-/]\d{1,2}(?:[-/]\d{1,2})?|\.\d{1,2}\.\d{1,2})(?:[ T].*)?$"
"""A date that begins with its year; 2013.5 is none, it may be a fraction."""

DATED: Final = r"^(\d{4})[-/.](\d{2})(?:[-/.]\d{1,2})?(?:[ T].*)?$"
"""Year and month of a date."""
CODED: Final[Mapping[str, str]] = {
    "half_year": r"^(\d{4})(?:[ _-]?[HhSs]?|年?)([12])$",
    "quarter": r"^(\d{4})(?:[ _-]?[Qq]?|年第?)([1-4])(?:季度)?$",
    "month": r"^(\d{4})(?:[ _-]?[Mm]?|年)(0[1-9]|1[0-2]|[1-9])月?$",
}
"""Year and part, as surveys and registers write half-years, quarters and months."""
EXCEL: Final = date(1899, 12, 30)
"""Day 0 of Excel."""
LAST_NUMBER: Final = 1_000_000
"""Largest number of a wave or round."""


@dataclass(frozen=True)
class Context:
    """What one file knows of its cells.

    Attributes
    ----------
    file : SurveyFile
        The file's entry in the map.
    limits : Limits
        Possible years.
    labels : mapping
        Column to code to value label.
    serial_dates : int or None
        Offset of a workbook's calendar, days; None where serials are not dates.
    wave : str
        Word that stands for ``{wave}``.
    calendar : str
        What a period is.
    """

    file: SurveyFile
    limits: Limits
    labels: Mapping[str, Mapping[str, str]]
    serial_dates: int | None = None
    wave: str = ""
    calendar: str = "year"


@dataclass(frozen=True)
class Value:
    """An expression for a value and, for each reason, one that is true where it cannot be used.

    Attributes
    ----------
    name : str
        Column the value is written to.
    value : polars.Expr
        Null where there is none.
    bad : mapping of str to polars.Expr
        Reason (a key of `REASONS`) to condition.
    shown : tuple of str
        Columns of the source to show in a message.
    """

    name: str
    value: pl.Expr
    bad: Mapping[str, pl.Expr]
    shown: tuple[str, ...] = ()


def columns_of(cell: Cell, wave: str) -> tuple[str, ...]:
    """Return the columns of a cell with the wave's word filled in."""
    return tuple(column.replace(WAVE, wave) for column in cell.columns)


def text(cell: Cell, context: Context) -> pl.Expr:
    """Return a cell as text: value labels, recodes, then codes for no answer become nothing.

    A code for no answer is none whatever its label, so it is looked for before labels too.
    """
    if cell.constant is not None:
        return pl.lit(cell.constant, dtype=pl.String)
    parts = []
    for name in columns_of(cell, context.wave):
        part, codes = pl.col(name), (*context.file.missing, *cell.missing)
        if cell.labels:
            labels = dict(context.labels.get(name, {}))
            part = _without_codes(part, codes).replace(labels)
        parts.append(_without_codes(_recoded(part, cell), codes))
    return parts[0] if len(parts) == 1 else pl.concat_str(parts, separator="-")


def _recoded(part: pl.Expr, cell: Cell) -> pl.Expr:
    return part if cell.recode is None else _plain(part).replace(dict(cell.recode))


def _plain(part: pl.Expr) -> pl.Expr:
    """Write 3.0 as 3, as files of numbers and of text differ in that."""
    return part.str.replace(r"^(-?\d+)\.0+$", "$1")


def _without_codes(part: pl.Expr, codes: tuple[str, ...]) -> pl.Expr:
    if not codes:
        return part
    numbers = [float(code) for code in codes if _is_number(code)]
    is_code = part.is_in(list(codes))
    if numbers:
        is_code |= part.cast(pl.Float64, strict=False).is_in(numbers).fill_null(value=False)
    return pl.when(~is_code).then(part)


def _is_number(code: str) -> bool:
    try:
        float(code)
    except ValueError:
        return False
    return True


def _recode_faults(cell: Cell, words: pl.Expr) -> dict[str, pl.Expr]:
    if not cell.strict or cell.recode is None:
        return {}
    return {"not_in_recode": words.is_not_null() & ~words.is_in(list(cell.recode.values()))}


def key(name: str, cell: Cell, context: Context, reason: str) -> Value:
    """Read a key; 101.0 and 101 are the same."""
    value = (
        _plain(text(cell, context))
        if len(cell.columns) < 2
        else pl.concat_str(
            [_plain(text(_converted(cell, column), context)) for column in cell.columns],
            separator="-",
        )
    )
    return Value(
        name, value, {reason: value.is_null()} if reason else {}, columns_of(cell, context.wave)
    )


def _converted(cell: Cell, column: str) -> Cell:
    return Cell(
        cell.key, cell.files, (column,), None, cell.recode, cell.strict, cell.missing, cell.labels
    )


def word(name: str, cell: Cell, context: Context) -> Value:
    """Read a word: village, stratum, county. A name may begin with a sign of equality."""
    base = key(name, cell, context, "")
    odd = base.value.str.contains(ERROR)
    value = pl.when(~odd.fill_null(value=False)).then(base.value)
    bad = {"not_a_value": odd, **_recode_faults(cell, base.value)}
    return Value(name, value, bad, base.shown)


def amount(name: str, cell: Cell, context: Context, factor: float = 1.0) -> Value:
    """Read a number of any size and sign; ``NaN`` and ``inf`` are not numbers."""
    words = text(cell, context)
    number = Style(context.file.decimal, context.file.thousands or "").numbers(words)
    bad = {"not_a_number": words.is_not_null() & ~number.is_finite().fill_null(value=False)}
    return Value(
        name,
        number * factor,
        {**_recode_faults(cell, words), **bad},
        columns_of(cell, context.wave),
    )


def bounded(
    name: str, cell: Cell, context: Context, low: float, high: float, *, whole: bool = False
) -> Value:
    """Read a number inside a range, whole if so asked (then Int32)."""
    base = amount(name, cell, context)
    number = base.value
    bad = {**base.bad, "out_of_range": ~number.is_between(low, high)}
    if not whole:
        return Value(name, number, bad, base.shown)
    bad["not_whole"] = number != number.round(0)
    return Value(name, number.cast(pl.Int32, strict=False), bad, base.shown)


def yes_no(name: str, cell: Cell, context: Context) -> Value:
    """Read 1/0, yes/no, true/false."""
    words = _plain(text(cell, context)).str.to_lowercase()
    value = pl.when(words.is_in(YES)).then(True).when(words.is_in(NO)).then(False)
    bad = {"not_yes_or_no": words.is_not_null() & value.is_null()}
    return Value(name, value, bad, columns_of(cell, context.wave))


def period(name: str, cell: Cell, context: Context, *, required: bool = False) -> Value:
    """Read a period of the map's calendar, as its number.

    A date that begins with its year counts wherever a period is asked for. A serial number of a
    workbook's calendar counts in a workbook, and elsewhere where the map says how days are counted.
    """
    words = _plain(text(cell, context))
    number = words.cast(pl.Float64, strict=False)
    parts = CALENDARS[context.calendar]
    if parts == 1:
        expression, reason = _year(words, number, cell, context), "impossible_year"
    elif parts:
        expression, reason = _part(words, number, cell, context), "impossible_period"
    else:
        plain = number.is_between(1, LAST_NUMBER) & (number == number.round(0))
        expression = pl.when(plain).then(number.cast(pl.Int32, strict=False))
        reason = "impossible_period"
    limits, year = context.limits, expression // parts if parts else None
    possible = (
        expression.is_not_null()
        if year is None
        else year.is_between(limits.first_year, limits.last_year).fill_null(value=False)
    )
    bad = {reason: words.is_not_null() & ~possible, **_recode_faults(cell, words)}
    if required:
        bad["no_period"] = words.is_null()
    return Value(name, pl.when(possible).then(expression), bad, columns_of(cell, context.wave))


def _part(words: pl.Expr, number: pl.Expr, cell: Cell, context: Context) -> pl.Expr:
    """Read a half-year, quarter or month: 2019Q3, 2019-Q3, 20193, or a date.

    Examples
    --------
    >>> limits = Limits(1.0, 1.0, 1950, 2035)
    >>> context = Context(SurveyFile("a", "a", "household", "long", Cell("h")), limits, {},
    ...                   calendar="quarter")
    >>> frame = pl.DataFrame({"q": ["2019Q3", "2019-07-14", "20193", "2019", "2019Q5"]})
    >>> value = period("q", Cell("q", columns=("q",)), context)
    >>> frame.select(value.value)["q"].to_list()
    [8078, 8078, 8078, None, None]
    """
    parts = CALENDARS[context.calendar]
    pattern = CODED[context.calendar]
    coded = (words.str.extract(pattern, 1), words.str.extract(pattern, 2))
    dated = (words.str.extract(DATED, 1), words.str.extract(DATED, 2))
    year, part = (coded[i].cast(pl.Int32, strict=False) for i in (0, 1))
    of_code = year * parts + part - 1
    day_year, month = (dated[i].cast(pl.Int32, strict=False) for i in (0, 1))
    of_date = day_year * parts + (month - 1) // (12 // parts)
    expression = pl.coalesce(of_code, pl.when(month.is_between(1, 12)).then(of_date))
    if context.serial_dates is not None or cell.date:
        day = _day(pl.when(expression.is_null()).then(number), cell, context)
        expression = pl.coalesce(
            expression, day.dt.year() * parts + (day.dt.month().cast(pl.Int32) - 1) // (12 // parts)
        )
    return expression


def _year(words: pl.Expr, number: pl.Expr, cell: Cell, context: Context) -> pl.Expr:
    """Read a calendar year, from a year or from a date."""
    limits = context.limits
    plain = pl.when(number == number.round(0)).then(number.cast(pl.Int32, strict=False))
    dated = words.str.extract(DATE).cast(pl.Int32, strict=False)
    expression = pl.coalesce(dated, plain)
    if cell.date not in ("", "excel"):
        # Days since 1960 may look like years.
        return pl.coalesce(dated, _day(number, cell, context).dt.year())
    if context.serial_dates is not None or cell.date:
        expression = (
            pl.when(number > limits.last_year)
            .then(_day(number, cell, context).dt.year())
            .otherwise(expression)
        )
    return expression


def _day(number: pl.Expr, cell: Cell, context: Context) -> pl.Expr:
    """Return the day that a number counts to, as the cell says; otherwise as the workbook does."""
    if cell.date in ("", "excel"):
        return _day_of_serial(number, EXCEL, context.serial_dates or 0)
    _, start, length = next(c for c in DAYS if c[0] == COUNTED[cell.date])
    return _day_of_serial(number / length, start)


def _day_of_serial(number: pl.Expr, start: date, offset: int = 0) -> pl.Expr:
    """Return a day counted from another one.

    Examples
    --------
    >>> pl.select(_day_of_serial(pl.lit(41275.5), EXCEL)).item()  # noon
    datetime.date(2013, 1, 1)
    """
    since = (start - date(1970, 1, 1)).days + offset
    # Beyond a million days (the year 4637) no date fits, and the cast would overflow.
    safe = pl.when(number.abs() < 1e6).then(number)
    return (safe.floor().cast(pl.Int32, strict=False) + since).cast(pl.Date)
