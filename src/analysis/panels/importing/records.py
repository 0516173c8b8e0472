"""Rows of one file as records: one per row and period, each accepted or with its reason.

A long or fixed row is one record; a wide row is one per wave. Names of the columns made here:
``h:`` baseline fields of the household, ``v:`` of the village, ``i:`` items of income, ``k:`` other
outcomes (``m:`` shares, ``o:`` yes or no), ``p:`` participation, ``s:`` whether anything was
answered, ``members``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from analysis.panels.importing import convert
from analysis.panels.importing.convert import Context, Value
from analysis.panels.importing.mapping import Cell, Item, SurveyFile, SurveyMap, Treatment
from analysis.panels.importing.sources import ROW
from analysis.panels.outcomes import MONEY
from analysis.panels.schemas import LARGEST_FEN

KEY: Final = "_key"
PERSON: Final = "_person"
PERIOD: Final = "_period"
REASON: Final = "_reason"
DETAIL: Final = "_detail"
BROKEN: Final = "_broken"
COUNTS: Final[Mapping[str, str]] = {
    "_empty": "empty",
    "_none": "hold a code for no answer",
    "_unread": "cannot be read",
}
"""Cells of amounts and members in a record, counted apart: nothing, no answer, unreadable."""
IDS: Final = (ROW, KEY, PERSON, PERIOD, REASON, DETAIL, *COUNTS)

AMOUNTS: Final = ("i:", "k:", "m:", "o:")
UNREADABLE: Final = ("not_a_number", "not_yes_or_no", "not_in_recode")
LARGEST_SIZE: Final = 100
"""As the contract has it for members."""


def columns_read(survey: SurveyMap, file: SurveyFile) -> tuple[str, ...]:
    """Return the columns of a file that the map uses, in the order of the map."""
    names: dict[str, None] = {}
    for wave in file.waves or ("",):
        for cell in survey.cells():
            if file.id in cell.files:
                names.update(dict.fromkeys(convert.columns_of(cell, wave)))
    return tuple(names)


def records(raw: pl.DataFrame, survey: SurveyMap, context: Context) -> pl.DataFrame:
    """Turn rows of text into records.

    Parameters
    ----------
    raw : polars.DataFrame
        `ROW`, `KEY`, `BROKEN` (whether the row could not be cut into cells) and text columns.
    survey : SurveyMap
        The map.
    context : Context
        What the file knows of its cells.

    Returns
    -------
    polars.DataFrame
        `IDS` and the columns the file gives; `REASON` is null where the record is accepted.
    """
    file = context.file
    if file.layout != "wide":
        return _one_wave(raw, survey, context, _period(context))
    parts = []
    for wave, period in file.waves.items():
        constant = Value(PERIOD, pl.lit(period, dtype=pl.Int32), {})
        parts.append(_one_wave(raw, survey, replace(context, wave=wave), constant))
    return pl.concat(parts)


def _period(context: Context) -> Value:
    if context.file.period is None:
        return Value(PERIOD, pl.lit(None, dtype=pl.Int32), {})
    return convert.period(PERIOD, context.file.period, context, required=True)


def _one_wave(
    raw: pl.DataFrame, survey: SurveyMap, context: Context, period: Value
) -> pl.DataFrame:
    values = [period, *_values(survey, context)]
    person = context.file.person
    if person is not None:
        values.append(convert.key(PERSON, person, context, "no_person"))
    flags = {
        f"{index}|{reason}": bad.fill_null(value=False)
        for index, value in enumerate(values)
        for reason, bad in value.bad.items()
    }
    shape = {"|broken_row": pl.col(BROKEN), "|no_key": pl.col(KEY).is_null()}
    everything = shape | flags
    frame = raw.select(
        ROW,
        KEY,
        *(value.value.alias(value.name) for value in values),
        *_counts(survey, context, flags, values),
        *(bad.alias(name) for name, bad in everything.items()),
        *(
            pl.col(column).alias(f"#{column}")
            for column in dict.fromkeys(c for value in values for c in value.shown)
        ),
    )
    if person is None:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(PERSON))
    is_bad = frame.select(pl.any_horizontal(*everything)).to_series()
    if not is_bad.any():
        none = pl.lit(None, dtype=pl.String)
        marked = frame.with_columns(none.alias(REASON), none.alias(DETAIL))
    else:
        marked = pl.concat(
            [
                frame.filter(~is_bad).with_columns(
                    pl.lit(None, dtype=pl.String).alias(REASON),
                    pl.lit(None, dtype=pl.String).alias(DETAIL),
                ),
                frame.filter(is_bad).with_columns(*_explained(values, list(everything))),
            ]
        ).sort(ROW)
    drop = [name for name in marked.columns if name.startswith("#") or "|" in name]
    rest = [name for name in marked.columns if name not in drop and name not in IDS]
    return marked.select(*IDS, *rest)


def _counts(
    survey: SurveyMap, context: Context, flags: Mapping[str, pl.Expr], values: list[Value]
) -> Iterator[pl.Expr]:
    """Yield how many cells of amounts and members are empty, no answer, or cannot be read."""
    empty, none = [], []
    for cell in _amount_cells(survey, context):
        blank = pl.all_horizontal(
            pl.col(c).is_null() for c in convert.columns_of(cell, context.wave)
        )
        empty.append(blank)
        none.append(~blank & convert.text(cell, context).is_null())
    of_amounts = {i for i, v in enumerate(values) if v.name[:2] in AMOUNTS or v.name == "members"}
    unread = [
        flag
        for name, flag in flags.items()
        if int(name.partition("|")[0]) in of_amounts and name.partition("|")[2] in UNREADABLE
    ]
    for name, counted in zip(COUNTS, (empty, none, unread), strict=True):
        total = pl.sum_horizontal(pl.lit(0, pl.Int32), *(c.cast(pl.Int32) for c in counted))
        yield pl.when(pl.col(BROKEN)).then(0).otherwise(total).alias(name)


def _amount_cells(survey: SurveyMap, context: Context) -> list[Cell]:
    """Return the cells of amounts and members that a file with periods gives."""
    if context.file.layout == "fixed":
        return []
    items = (*survey.items, *survey.outcomes)
    cells = [*_of(survey.members, context.file.id), *(i.cell for i in items)]
    return [c for c in cells if context.file.id in c.files and c.columns]


def _explained(values: list[Value], flags: list[str]) -> Iterator[pl.Expr]:
    """Yield the first reason, and every problem with its column and what stood there."""
    reasons, details = [], []
    for flag in flags:
        index, _, reason = flag.partition("|")
        is_set, words = pl.col(flag), convert.REASONS[reason]
        reasons.append(pl.when(is_set).then(pl.lit(reason)))
        shown = values[int(index)].shown if index else ()
        cells = [
            pl.format("{} = {}; ", pl.lit(c), pl.col(f"#{c}").fill_null("(empty)")) for c in shown
        ]
        details.append(pl.when(is_set).then(pl.concat_str(*cells, pl.lit(words))))
    yield pl.coalesce(reasons).alias(REASON)
    yield pl.concat_str(details, separator=" / ", ignore_nulls=True).alias(DETAIL)


def _values(survey: SurveyMap, context: Context) -> Iterator[Value]:
    """Yield every field the file gives, keys and period apart."""
    name = context.file.id
    for field, cells in survey.household.items():
        for cell in _of(cells, name):
            yield _household_value(field, cell, context)
    for field, cells in survey.village.items():
        for cell in _of(cells, name):
            yield _village_value(field, cell, context)
    for cell in _of(survey.members, name):
        if context.file.layout != "fixed":
            yield convert.bounded("members", cell, context, 1, LARGEST_SIZE, whole=True)
    if context.file.layout != "fixed":
        yield from _amounts("i", survey.items, context)
        yield from _amounts("k", survey.outcomes, context)
        yield _observation(survey, context)
    for index, treatment in enumerate(survey.treatments):
        yield from _treatment(index, treatment, context)


def _of(cells: tuple[Cell, ...], file: str) -> list[Cell]:
    """Return the first cell that a file gives, if any."""
    return [cell for cell in cells if file in cell.files][:1]


def _household_value(field: str, cell: Cell, context: Context) -> Value:
    name = f"h:{field}"
    if field in ("size", "workers"):
        low = 1 if field == "size" else 0
        return convert.bounded(name, cell, context, low, LARGEST_SIZE, whole=True)
    if field == "weight":
        # The smallest positive number stands for: above zero.
        return convert.bounded(name, cell, context, 5e-324, 1e15)
    if field == "registered_poor":
        return convert.yes_no(name, cell, context)
    if field.startswith("x_") and not cell.text:
        return convert.amount(name, cell, context)
    return convert.word(name, cell, context)


def _village_value(field: str, cell: Cell, context: Context) -> Value:
    name = f"v:{field}"
    if field == "n_households":
        return convert.bounded(name, cell, context, 1, 2**31 - 1, whole=True)
    if field == "remoteness_km":
        return convert.bounded(name, cell, context, 0, 1e5)
    if field.startswith("x_") and not cell.text:
        return convert.amount(name, cell, context)
    return convert.word(name, cell, context)


def column_of(prefix: str, index: int, item: Item) -> str:
    """Return the column of an item; its first letter says how persons are added up."""
    return f"{ {'share': 'm', 'yes_no': 'o'}.get(item.kind, prefix) }:{index}"


def _amounts(prefix: str, items: tuple[Item, ...], context: Context) -> Iterator[Value]:
    """Yield each item; money in hundredths of the currency a year, per head where it is so."""
    for index, item in enumerate(items):
        if context.file.id not in item.cell.files:
            continue
        name = column_of(prefix, index, item)
        if item.kind == "yes_no":
            base = convert.yes_no(name, item.cell, context)
            yield Value(base.name, base.value.cast(pl.Float64), base.bad, base.shown)
            continue
        base = convert.amount(name, item.cell, context, item.factor)
        number, bad, shown = base.value, dict(base.bad), base.shown
        if item.times is not None:
            second = convert.amount("", item.times, context)
            number = number * second.value
            shown = (*shown, *second.shown)
            # A zero amount times an empty count is zero: nothing was earned.
            number = pl.when(base.value == 0).then(0.0).otherwise(number)
            bad["not_a_number"] = bad["not_a_number"] | second.bad["not_a_number"]
        if item.empty == "zero":
            unanswered = pl.all_horizontal(pl.col(c).is_null() for c in base.shown)
            number = pl.when(unanswered).then(0.0).otherwise(number)
        if item.kind == "share":
            bad["out_of_range"] = ~number.is_between(0, 1)
        if item.kind in MONEY:
            bad["out_of_range"] = ~(number.abs() <= LARGEST_FEN)
        yield Value(base.name, number, bad, shown)


def _observation(survey: SurveyMap, context: Context) -> Value:
    """Tell whether any amount or the members were answered, before an empty cell counts as zero.

    A household that was not there in a wave has nothing; its zeros would be invented.
    """
    given = [convert.text(cell, context).is_not_null() for cell in _amount_cells(survey, context)]
    return Value(f"s:{context.file.id}", pl.any_horizontal(*given, pl.lit(value=False)), {})


def _treatment(index: int, treatment: Treatment, context: Context) -> Iterator[Value]:
    for cell in _of(treatment.first, context.file.id):
        yield convert.period(f"p:{index}:first", cell, context)
    if context.file.layout != "fixed":
        for cell in _of(treatment.indicator, context.file.id):
            yield convert.yes_no(f"p:{index}:on", cell, context)
    for cell in _of(treatment.dose, context.file.id):
        yield convert.bounded(f"p:{index}:dose", cell, context, 0, 1e15)


def mark_duplicates(frame: pl.DataFrame, unit: tuple[str, ...]) -> pl.DataFrame:
    """Refuse repeated keys among the accepted records.

    Where all values agree the first row stays. Where they do not, no row can be trusted and all
    are refused.
    """
    accepted = frame.filter(pl.col(REASON).is_null())
    repeated = accepted.filter(pl.struct(unit).is_duplicated())
    if repeated.is_empty():
        return frame
    values = [c for c in frame.columns if c not in IDS]
    # Two all-null rows of values must still compare, so a constant stands with them.
    alike = pl.struct(pl.lit(0), *values).n_unique().over(unit) == 1
    judged = repeated.select(
        ROW,
        PERIOD,
        pl.when(alike & (pl.col(ROW) > pl.col(ROW).min().over(unit)))
        .then(pl.lit("duplicate_identical"))
        .when(~alike)
        .then(pl.lit("duplicate_conflicting"))
        .alias("_judged"),
        pl.col(ROW).min().over(unit).alias("_first"),
    ).filter(pl.col("_judged").is_not_null())
    return refuse(
        frame,
        judged,
        [ROW, PERIOD],
        pl.format("{} (first: row {})", _words(pl.col("_judged")), pl.col("_first")),
    )


def refuse(
    frame: pl.DataFrame, judged: pl.DataFrame, on: list[str], detail: pl.Expr | None = None
) -> pl.DataFrame:
    """Give accepted records the reason that a table of keys has for them, in ``_judged``."""
    rows = judged.with_columns(
        (detail if detail is not None else _words(pl.col("_judged"))).alias("_told")
    ).select(*on, "_judged", "_told")
    free = pl.col(REASON).is_null()
    return (
        frame.join(rows, on=on, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            pl.when(free).then("_judged").otherwise(REASON).alias(REASON),
            pl.when(free).then("_told").otherwise(DETAIL).alias(DETAIL),
        )
        .drop("_judged", "_told")
    )


def _words(reason: pl.Expr) -> pl.Expr:
    words: Mapping[str, str] = convert.REASONS
    return reason.replace(dict(words))
