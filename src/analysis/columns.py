"""What a column of a frame holds: numbers in text, yes and no, codes for no answer, dates.

Every door asks here, so that one column meets the same words everywhere, and each remedy works.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NoReturn

import numpy as np
import polars as pl

from analysis.faults import Fault, FaultsError

CODES: Final = ("-1", "-2", "-8", "-9", "-10", "-88", "-99", "-999", "99999", "999999", "9999999")
"""Numbers that surveys write for no answer."""
NINES: Final = r"^9{2,}$"
"""The largest number of a column, written in nines, may be another."""
YES: Final = ("1", "true", "yes", "y")
NO: Final = ("0", "false", "no", "n")
SHOWN: Final = 3
"""Examples that a message names."""


@dataclass(frozen=True)
class Style:
    """How numbers are written.

    Attributes
    ----------
    decimal, thousands : str
        Marks; no thousands mark where empty.
    """

    decimal: str = "."
    thousands: str = ""

    @property
    def marks(self) -> tuple[str, ...]:
        """Marks that a plain number does not have."""
        point = () if self.decimal == "." else (self.decimal,)
        return (*point, self.thousands) if self.thousands else point

    @property
    def pattern(self) -> str:
        """Regular expression of a number."""
        point, mark = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"(?:\d{{1,3}}(?:{mark}\d{{3}})+|\d+)" if self.thousands else r"\d+"
        return rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"

    def words(self) -> str:
        """Return the marks in words."""
        lines = [f"decimal mark {self.decimal!r}"]
        return ", ".join(
            [*lines, f"thousands mark {self.thousands!r}"] if self.thousands else lines
        )

    def options(self) -> str:
        """Return the options that say so to a command."""
        mark = f' --thousands "{self.thousands}"' if self.thousands else ""
        return f'--decimal "{self.decimal}"{mark}'

    def numbers(self, text: pl.Expr) -> pl.Expr:
        """Return texts as numbers; null where a text is none in this style."""
        bare = text.str.strip_chars()
        if self == Style():
            return bare.cast(pl.Float64, strict=False)
        kept: pl.Expr = pl.when(bare.str.contains(self.pattern)).then(bare)
        if self.thousands:
            kept = kept.str.replace_all(self.thousands, "", literal=True)
        if self.decimal != ".":
            kept = kept.str.replace(self.decimal, ".", literal=True)
        return kept.cast(pl.Float64, strict=False)

    def code(self, name: str) -> str:
        """Return the expression of Polars that turns such a column into numbers."""
        bare = f'.str.replace_all("{self.thousands}", "", literal=True)' if self.thousands else ""
        point = f'.str.replace("{self.decimal}", ".", literal=True)' if self.decimal != "." else ""
        return f'pl.col("{name}"){bare}{point}.cast(pl.Float64)'


STYLES: Final = (
    Style(),
    Style(","),
    Style(".", ","),
    Style(",", "."),
    Style(".", " "),
    Style(",", " "),
    Style(".", "'"),
)


def styles(column: pl.Series) -> list[Style]:
    """Return the ways of writing numbers in which every text of a column is one.

    Where a plain number is enough, nothing else is asked; ``1,234`` fits two styles.

    Examples
    --------
    >>> styles(pl.Series(["1,5", "12,75"])), styles(pl.Series(["3,200"]))[0].decimal
    ([Style(decimal=',', thousands='')], ',')
    >>> len(styles(pl.Series(["3,200"]))), styles(pl.Series(["a"]))
    (2, [])
    """
    texts = _texts(column)
    if texts.is_empty():
        return []
    fits = [style for style in STYLES if texts.str.contains(style.pattern).all()]
    if Style() in fits:
        return [Style()]
    # A mark that no text has says nothing.
    return [style for style in fits if all(_has(texts, mark) for mark in style.marks)]


def _has(texts: pl.Series, mark: str) -> bool:
    return bool(texts.str.contains(mark, literal=True).any())


def _texts(column: pl.Series) -> pl.Series:
    texts = column.cast(pl.String).str.strip_chars().drop_nulls()
    return texts.filter(texts != "")


def yes_or_no(column: pl.Series) -> pl.Series | None:
    """Return a text column of yes and no as 1 and 0; None if it is another.

    Examples
    --------
    >>> yes_or_no(pl.Series(["Yes", "no ", None])).to_list()
    [1.0, 0.0, None]
    >>> yes_or_no(pl.Series(["2004", "2006"])) is None
    True
    """
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return None
    words = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    known = words.filter(words.is_not_null() & (words != ""))
    if known.is_empty() or not known.is_in([*YES, *NO]).all():
        return None
    frame = pl.DataFrame({"w": words})
    chained_then = pl.when(pl.col("w").is_in(YES)).then(1.0).when(pl.col("w").is_in(NO)).then(0.0)
    return frame.select(chained_then.alias(column.name)).to_series()


def read_as_yes_or_no(name: str) -> str:
    """Return the note on such a column."""
    return f"{name} says yes and no: read as 1 and 0"


def refuse_text(column: pl.Series, file: str = "data", kinds: str = "") -> NoReturn:
    """Refuse a column that is no number: its first such row, its value, and a rule that works.

    Raises
    ------
    FaultsError
        Always.

    Examples
    --------
    >>> refuse_text(pl.Series("wage", ["12", "n. a."]))
    Traceback (most recent call last):
    analysis.faults.FaultsError: data [wage] 'n. a.': not a number, in row 2; ...
    """
    name = column.name
    fits = styles(column) if column.dtype == pl.String else []
    if column.dtype != pl.String:
        value, row = column.drop_nulls()[0] if column.drop_nulls().len() else "", None
        remedy = f"turn it into numbers first (it holds {column.dtype}{kinds})"
    else:
        texts = column.str.strip_chars()
        odd = texts.is_not_null() & (texts != "")
        if not fits:
            plain = texts.str.replace_all(r"[,' ]", "").cast(pl.Float64, strict=False)
            worse = odd & plain.is_null()
            odd = worse if worse.any() else odd
        else:
            worse = odd & texts.cast(pl.Float64, strict=False).is_null()
            odd = worse if worse.any() else odd
        row = int(odd.arg_max() or 0) + 1
        value = str(column[row - 1])
        count = int(odd.sum())
        if len(fits) == 1:
            remedy = f"numbers stand as text: data.with_columns({fits[0].code(name)})"
        elif fits:
            remedy = "say which it is: " + " or ".join(
                f"data.with_columns({style.code(name)}) if {style.decimal!r} is the decimal mark"
                for style in fits
            )
        else:
            remedy = (
                f"{count:,} cells are text; correct them, or make them missing and have them"
                f' counted: data.with_columns(pl.col("{name}").cast(pl.Float64, strict=False)),'
                f' or make an indicator: (pl.col("{name}") == "{value}").cast(pl.Int8)'
            )
    where = f"not a number, in row {row}" if row else "not a number"
    if row and count > 1:
        where = f"not a number, in {count:,} rows ({rows_where(odd)})"
    raise FaultsError([Fault(file, where, remedy, column=str(name), value=str(value))])


def rows_where(odd: pl.Series, numbers: pl.Series | None = None) -> str:
    """Return the numbers of the first rows of which something holds.

    Examples
    --------
    >>> rows_where(pl.Series([False, True, True, True, True]))
    'rows 2, 3, 4, …'
    """
    if numbers is None:
        numbers = pl.int_range(1, odd.len() + 1, eager=True)
    there = numbers.filter(odd.fill_null(value=False))
    shown = ", ".join(map(str, there.head(SHOWN).to_list()))
    return f"row{'s' * (there.len() > 1)} {shown}" + ", …" * (there.len() > SHOWN)


def refuse_number(
    column: pl.Series, file: str, item: Style | None, fits: Sequence[Style] = ()
) -> NoReturn:
    """Refuse a column of a file that has to be numbers: line, value, and the option that helps.

    Raises
    ------
    FaultsError
        Always.
    """
    texts = column.str.strip_chars()
    pattern = r"^$" if fits else (item or Style()).pattern
    odd = texts.is_not_null() & (texts != "") & ~texts.str.contains(pattern)
    row = int(odd.arg_max() or 0)
    value = str(column[row])
    if fits:
        problem = "a number that can be read in several ways"
        remedy = "say which: " + " or ".join(style.options() for style in fits)
    else:
        lines = pl.int_range(2, odd.len() + 2, eager=True)
        problem = f"not a number, and so in {int(odd.sum()):,} rows ({rows_where(odd, lines)})"
        remedy = (
            f'correct it in the file; if it means no answer, --missing "{value}"; if numbers are'
            ' written otherwise, such as --decimal ","'
        )
    raise FaultsError([Fault(file, problem, remedy, row + 2, str(column.name), value)])


def refuse_merged(column: pl.Series, file: str = "data") -> None:
    """Refuse names kept as numbers of too few digits: neighbouring codes have become one.

    Raises
    ------
    FaultsError
        If a column of floats has codes of more digits than its type holds.

    Examples
    --------
    >>> refuse_merged(pl.Series("village", [51010001.0, 51010002.0]))
    >>> refuse_merged(pl.Series("village", [51010001, 51010003], dtype=pl.Float32))
    Traceback (most recent call last):
    analysis.faults.FaultsError: data [village] '51010000': a code of more digits than ...
    """
    if not column.dtype.is_float():
        return
    limit = 2**24 if column.dtype == pl.Float32 else 2**53
    far = column.drop_nulls().filter(column.drop_nulls().abs() > limit)
    far = far.filter(far.is_finite())
    if far.len():
        raise FaultsError(
            [
                Fault(
                    file,
                    f"a code of more digits than its type ({column.dtype}) holds: neighbouring"
                    " codes have become one",
                    "read it from the source as whole numbers or text",
                    column=str(column.name),
                    value=f"{far[0]:.0f}",
                )
            ]
        )


def codes_for_no_answer(numbers: pl.Series) -> dict[str, int]:
    """Return the numbers of a column that may stand for no answer, with their counts.

    No negative number does where others are negative too, but for −1, which is then no code either;
    a number of nines does where it is the largest and more than twice the next.

    Examples
    --------
    >>> codes_for_no_answer(pl.Series([1200.0, 3000.0, -9.0, -9.0]))
    {'-9': 2}
    >>> codes_for_no_answer(pl.Series([4, 12, 99, 99]))
    {'99': 2}
    >>> codes_for_no_answer(pl.Series([97, 98, 99]))
    {}
    """
    known = numbers.cast(pl.Float64).drop_nulls()
    known = known.filter(known.is_finite())
    if known.is_empty():
        return {}
    values = {float(code): code for code in CODES}
    others = known.filter((known < 0) & ~known.is_in(list(values)))
    by_name = {
        code: int((known == value).sum())
        for value, code in values.items()
        if not (others.len() and value < 0)
    }
    top = float(known.max())  # type: ignore[arg-type]
    rest = known.filter(known < top)
    nines = f"{top:.0f}"
    if re.match(NINES, nines) and top == round(top) and rest.len():
        if top > 2 * float(rest.max()):  # type: ignore[arg-type]
            by_name[nines] = int((known == top).sum())
        else:
            by_name.pop(nines, None)
    return {code: n for code, n in by_name.items() if n}


def note_codes(columns: Sequence[pl.Series]) -> list[str]:
    """Return a line for each column that may hold codes for no answer."""
    lines = []
    for column in columns:
        by_name = codes_for_no_answer(column)
        if by_name:
            text = ", ".join(f"{code} in {n:,} rows" for code, n in by_name.items())
            codes = ", ".join(f"{float(code)}" for code in by_name)
            lines.append(
                f"{column.name} is {text}, taken as numbers; if they stand for no answer, empty"
                f' them: data.with_columns(pl.when(~pl.col("{column.name}").cast(pl.Float64)'
                f'.is_in([{codes}])).then("{column.name}"))'
            )
    return lines


CALENDARS: Final = (
    ("days of Stata or SAS", date(1960, 1, 1), 1),
    ("days of Excel", date(1899, 12, 30), 1),
    ("days of Excel from 1904", date(1904, 1, 1), 1),
    ("seconds of SPSS", date(1582, 10, 14), 86_400),
)
"""Name, first day and length of a day in the counts by which programs store dates."""
COUNTED: Final[Mapping[str, str]] = {
    "excel": "days of Excel",
    "stata": "days of Stata or SAS",
    "sas": "days of Stata or SAS",
    "spss": "seconds of SPSS",
}
"""Words of a map for the counts of `CALENDARS`."""
YEARS: Final = (1800, 2200)
"""Years that a survey may be of; numbers between them are years, not days."""
MONTH: Final = 28
"""Days of the shortest month."""


def day_counts(column: pl.Series) -> dict[str, str]:
    """Return the calendars in which whole numbers are dates of one day of the month.

    With the first date of each, and the expression that numbers them. None where the numbers may be
    years, or lie closer than a month.

    Examples
    --------
    >>> list(day_counts(pl.Series("t", [18628, 18993])))[:2]
    ['days of Stata or SAS (2011-01-01)', 'days of Excel (1950-12-31)']
    >>> day_counts(pl.Series("t", [2011, 2013])), day_counts(pl.Series("t", [1, 2, 3]))
    ({}, {})
    """
    distinct = column.drop_nulls().cast(pl.Int64, strict=False).unique().sort()
    if distinct.len() < 2 or distinct.is_between(*YEARS).all():  # two dates differ
        return {}
    by_name = {}
    nearest = int(np.diff(distinct.to_numpy()).min())
    for name, start, length in CALENDARS:
        if (distinct % length != 0).any() or nearest < MONTH * length:
            continue
        days = distinct // length
        offset = (start - date(1970, 1, 1)).days
        if not days.is_between(-1_000_000, 1_000_000).all():
            continue
        dates = (days + offset).cast(pl.Int32).cast(pl.Date)
        plausible = dates.dt.year().is_between(*YEARS).all()
        if plausible and dates.dt.day().n_unique() == 1:
            count = f'pl.col("{column.name}")' + (f" // {length}" if length > 1 else "")
            first = f"pl.date({start.year}, {start.month}, {start.day})"
            code = period_code([str(column.name)], dates)
            rest = code.partition(")")[2]
            text = f"{name} ({dates[0]})"
            by_name[text] = f'({first} + pl.duration(days={count})){rest}.alias("{column.name}")'
    return by_name


def period_code(names: Sequence[str], days: pl.Series, text: str = "") -> str:
    """Return the expression that numbers dates: by year, quarter, month or day, as they differ.

    Examples
    --------
    >>> from datetime import date
    >>> period_code(["t"], pl.Series([date(2004, 5, 1), date(2006, 5, 1)]))
    'pl.col("t").dt.year()'
    >>> period_code(["t"], pl.Series([date(2004, 1, 1), date(2004, 4, 1)]))
    'pl.col("t").dt.year().cast(pl.Int64) * 4 + pl.col("t").dt.quarter()'
    """
    listed = ", ".join(f'"{name}"' for name in names)
    column = f"pl.col({listed}){text}"
    distinct = days.drop_nulls().unique()
    year = distinct.dt.year()
    if year.n_unique() == distinct.len():
        return f"{column}.dt.year()"
    for times, part in ((4, "quarter"), (12, "month")):
        number = times * year.cast(pl.Int64) + getattr(distinct.dt, part)()
        if number.n_unique() == distinct.len():
            return f"{column}.dt.year().cast(pl.Int64) * {times} + {column}.dt.{part}()"
    return f"{column}.dt.epoch('d')"
