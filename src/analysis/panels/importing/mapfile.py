"""Reading a map from TOML: every fault at once, each with the key it stands under."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from analysis import programmes
from analysis.contract import project_name
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels.importing import mapping
from analysis.panels.importing.mapping import (
    WAVE,
    Cell,
    Item,
    Limits,
    SurveyFile,
    SurveyMap,
    Treatment,
)
from analysis.panels.importing.parameters import parameters
from analysis.panels.importing.table import Table, as_text
from analysis.panels.schemas import COVARIATE_PREFIX, SOURCES

HOUSEHOLD_FIELDS: Final = (
    "village",
    "size",
    "weight",
    "stratum",
    "registered_poor",
    "primary_sampling_unit",
    "design_stratum",
    "workers",
)
VILLAGE_FIELDS: Final = ("county", "prefecture", "n_households", "remoteness_km")
TO_FILL: Final = "FILL"
"""What `--init` writes where a person must decide; a map that still has it is not read."""


def read_map(path: Path) -> SurveyMap:
    """Read and check a map.

    Parameters
    ----------
    path : Path
        A TOML file; ``data/maps/`` holds examples and the page *bring your own data* its keys.

    Raises
    ------
    FaultsError
        With everything wrong in it, each fault with the TOML key.
    """
    name = project_name(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FaultsError([Fault(name, "the file is missing", "write one with --init")]) from None
    except UnicodeDecodeError:
        raise FaultsError([Fault(name, "not UTF-8", "save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        raise FaultsError([Fault(name, f"not TOML: {error}", "correct that line")]) from None
    faults: list[Fault] = []
    root = Table(content, "", name, faults)
    result = _survey_map(root)
    raise_if_any([*faults, *_cross_faults(result, name, _Read(faults))])
    return result


class _Read:
    """Which parts of a map could be read: across the others nothing can be said."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        exact = {fault.column for fault in faults}
        self._broken = exact | {re.sub(r"\[\d+\]", "", key) for key in exact}

    def __call__(self, *keys: str) -> bool:
        """Say whether no fault stands under any of these keys.

        A key without the number of its list, as ``files.layout``, stands for all of the list.
        """
        return not any(
            broken == key or broken.startswith(f"{key}.") or key.startswith(f"{broken}.")
            for broken in self._broken
            for key in keys
        )


def _survey_map(root: Table) -> SurveyMap:
    about = root.table("map")
    files = tuple(_survey_file(t) for t in root.tables("files", required=True))
    ids = tuple(f.id for f in files)
    household, village = root.table("household"), root.table("village", required=False)
    income = root.table("income")
    weight_type = household.word("weight_type", mapping.WEIGHT_TYPES, "none")
    count = income.text("count_persons", required=False) or None
    result = SurveyMap(
        survey=about.text("survey"),
        status=about.word("status", mapping.STATUSES, "unverified"),
        currency_unit=about.text("currency_unit", required=False) or "fen",
        note=about.text("note", required=False),
        files=files,
        household=_fields(household, HOUSEHOLD_FIELDS, ids, required=("village",)),
        village=_fields(village, VILLAGE_FIELDS, ids),
        members=() if count else _cells(income, "members", ids, required=True),
        count_persons=count,
        items=tuple(_item(t, "source", ids, SOURCES) for t in income.tables("items")),
        kept=tuple(_item(t, "name", ids, ()) for t in income.tables("kept")),
        absent={k: str(v) for k, v in income.mapping("absent").items()},
        treatments=tuple(_treatment(t, ids) for t in root.tables("participation")),
        weight_type=weight_type,
        limits=_limits(root.table("limits", required=False)),
    )
    for table in (about, household, village, income, root):
        table.nothing_else()
    return result


def _limits(table: Table) -> Limits:
    default = parameters().limits
    result = Limits(
        max_rejected_rows=table.number("max_rejected_rows", default.max_rejected_rows, 0, 1),
        max_rejected_records=table.number(
            "max_rejected_records", default.max_rejected_records, 0, 1
        ),
        first_year=int(table.number("first_year", default.first_year, 1950, 2100)),
        last_year=int(table.number("last_year", default.last_year, 1950, 2100)),
    )
    table.nothing_else()
    if result.first_year > result.last_year:
        table.fault("first_year", "later than last_year", "put the earlier year first")
    return result


def _survey_file(table: Table) -> SurveyFile:
    name = table.text("id")
    unit = table.word("unit", mapping.FILE_UNITS, "household")
    layout = table.word("layout", mapping.LAYOUTS, "fixed" if unit == "village" else "long")
    file = table.text("file")
    for problem in _path_problems(file):
        table.fault("file", problem, "name a file in the survey's folder or below it", file)
    key = "village" if unit == "village" else "household"
    keys = _cells(table, key, (name,), required=True)
    person = _cells(table, "person", (name,))
    period = _cells(table, "period", (name,), required=layout == "long")
    waves = table.mapping("waves")
    for word, year in waves.items():
        if not isinstance(year, int) or isinstance(year, bool):
            table.fault(f"waves.{word}", "not a whole year", "write 2012", str(year))
    if layout == "wide" and not waves:
        table.fault("waves", "missing", 'list them: waves = { "12" = 2012, "14" = 2014 }')
    if len(set(map(str, waves.values()))) < len(waves):
        table.fault("waves", "two words for one year", "give each wave its own year")
    if layout != "long" and period:
        table.fault("period", f"a {layout} file has none", "remove it, or set layout = 'long'")
    if unit == "village" and layout == "wide":
        table.fault("layout", "a village file is fixed or long", "reshape it, or use long")
    result = SurveyFile(
        id=name,
        file=file,
        unit=unit,
        layout=layout,
        keys=keys[0] if keys else Cell(key),
        person=person[0] if person else None,
        period=period[0] if period else None,
        waves={k: v for k, v in waves.items() if isinstance(v, int)},
        missing=table.codes("missing"),
        encoding=table.word("encoding", ("utf-8", "gb18030"), "") or None,
        delimiter=table.text("delimiter", required=False) or None,
        decimal=table.word("decimal", (".", ","), "."),
        thousands=table.text("thousands", required=False) or None,
        sheet=table.text("sheet", required=False) or None,
        main=table.flag("main"),
    )
    if result.main and (unit == "village" or layout == "fixed"):
        table.fault("main", "a main file has households and periods", "remove it")
    if result.delimiter is not None and len(result.delimiter) != 1:
        table.fault(
            "delimiter", "not one character", "write ',' ';' '\\t' or '|'", result.delimiter
        )
    if result.thousands is not None and len(result.thousands) != 1:
        table.fault("thousands", "not one character", "write ',' or ' '", result.thousands)
    if result.thousands == result.decimal:
        table.fault("thousands", "the same as decimal", "they must differ")
    table.nothing_else()
    return result


def _path_problems(file: str) -> Iterator[str]:
    """Yield what makes a path of a map unsafe: it may not leave the survey's folder."""
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).anchor:
        yield "an absolute path"
    if ".." in PurePosixPath(file).parts or ".." in PureWindowsPath(file).parts:
        yield "the path leaves the folder"


def _fields(
    table: Table, names: tuple[str, ...], ids: tuple[str, ...], required: tuple[str, ...] = ()
) -> dict[str, tuple[Cell, ...]]:
    covariates = [k for k in table.keys() if k.startswith(COVARIATE_PREFIX)]  # noqa: SIM118
    found = {n: _cells(table, n, ids, required=n in required) for n in (*names, *covariates)}
    return {name: cells for name, cells in found.items() if cells}


def _cells(
    table: Table, key: str, ids: tuple[str, ...], *, required: bool = False
) -> tuple[Cell, ...]:
    """Read a field: a column name, a list of columns for a key, a table, or a list of tables."""
    value = table.take(key)
    if value is None:
        if required:
            table.fault(key, "missing", f'add {key} = "column" or {key} = {{ constant = … }}')
        return ()
    place = table.at(key)
    if value == TO_FILL or (isinstance(value, Mapping) and TO_FILL in value.values()):
        table.fault(key, "still to be filled in", "name the column", TO_FILL)
        return ()
    if isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        return tuple(
            _cell(Table(v, f"{place}[{i}]", table.file, table.faults), ids)
            for i, v in enumerate(value)
        )
    if isinstance(value, str | list):
        value = {"column": value}
    if not isinstance(value, Mapping):
        table.fault(key, "not a column", 'write a column name, or { constant = "…" }', str(value))
        return ()
    return (_cell(Table(value, place, table.file, table.faults), ids),)


def _cell(table: Table, ids: tuple[str, ...]) -> Cell:
    files = _files_of(table, ids)
    columns = table.texts("column")
    constant = table.take("constant")
    if (constant is None) == (not columns):
        table.fault("", "needs a column or a constant, one of the two", 'write { column = "…" }')
    recode = table.mapping("recode")
    result = Cell(
        key=table.key,
        files=files,
        columns=columns,
        constant=None if constant is None else as_text(constant),
        recode={as_text(k): as_text(v) for k, v in recode.items()} if recode else None,
        strict=table.flag("strict"),
        missing=table.codes("missing"),
        labels=table.flag("labels"),
        date=table.flag("date"),
        text=table.flag("text"),
    )
    table.nothing_else()
    return result


def _files_of(table: Table, ids: tuple[str, ...]) -> tuple[str, ...]:
    named = table.texts("from")
    for name in named:
        if name not in ids:
            table.fault("from", "no file has this id", f"use one of: {', '.join(ids)}", name)
    if not named and len(ids) > 1:
        table.fault("from", "missing", f"say which file: {', '.join(ids)}")
    return named or ids


def _item(table: Table, name: str, ids: tuple[str, ...], words: tuple[str, ...]) -> Item:
    target = table.word(name, words, "") if words else table.text(name)
    known = parameters()
    unit = table.word("unit", tuple(known.units), "", required=True)
    per = table.word("per", tuple(known.periods), "", required=True)
    sign = table.word("sign", ("+", "-"), "+")
    empty = table.word("empty", ("zero", "missing"), "missing")
    times = table.take("times")
    per_head = table.flag("per_head")
    rest = Table(table.rest(), table.key, table.file, table.faults)
    cell = _cell(rest, ids)
    second = None
    if times is not None:
        # The second column stands in the same file as the first.
        second = Cell(f"{table.key}.times", cell.files, (str(times),), missing=cell.missing)
    factor = known.units.get(unit, 1) * known.periods.get(per, 1) * (-1 if sign == "-" else 1)
    return Item(target, cell, float(factor), empty, second, per_head)


def _treatment(table: Table, ids: tuple[str, ...]) -> Treatment:
    result = Treatment(
        programme=table.word("programme", _catalogue(), "", required=True),
        level=table.word("level", ("household", "village"), "household"),
        first=_cells(table, "first_year", ids),
        indicator=_cells(table, "indicator", ids),
        dose=_cells(table, "dose", ids),
        dose_unit=table.text("dose_unit", required=False) or None,
    )
    table.nothing_else()
    if bool(result.first) == bool(result.indicator):
        table.fault(
            "",
            "needs first_year or indicator, one of the two",
            "name the column that says when it began",
        )
    if bool(result.dose) != (result.dose_unit is not None):
        table.fault("dose_unit", "dose and dose_unit come together", "give both or neither")
    return result


def _catalogue() -> tuple[str, ...]:
    return tuple(programmes.load().programmes["id"])


def _cross_faults(survey: SurveyMap, file: str, was_read: _Read) -> Iterator[Fault]:
    """Yield what is wrong between parts of a map that are each in order."""
    ids = [f.id for f in survey.files if f.id]
    for name in sorted({i for i in ids if ids.count(i) > 1}):
        yield Fault(
            file, "two files have this id", "give each its own", column="files.id", value=name
        )
    files_read = was_read("files.unit", "files.layout", "files.id")
    if files_read and not survey.anchors():
        yield Fault(
            file,
            "no file has periods",
            "set layout = 'long' or 'wide' for one of them",
            column="files.layout",
        )
    persons = [f.id for f in survey.files if f.unit == "person" and f.layout != "fixed"]
    if files_read and survey.count_persons is not None and survey.count_persons not in persons:
        yield Fault(
            file,
            "not a person file with periods",
            "use the id of one",
            column="income.count_persons",
            value=survey.count_persons,
        )
    items_read = was_read("income.items.source", "income.absent")
    for source in SOURCES:
        has_items, is_absent = source in survey.sources_read(), source in survey.absent
        if has_items == is_absent and (has_items or items_read):
            yield Fault(
                file,
                "needs items or a reason why it is absent, one of the two",
                f'add [[income.items]] or absent.{source} = "why"',
                column=f"income.{source}",
            )
        if survey.absent.get(source) == TO_FILL:
            yield Fault(
                file,
                "still to be filled in",
                "say why the survey has none, or add items",
                column=f"income.absent.{source}",
                value=TO_FILL,
            )
    for source in sorted(set(survey.absent) - set(SOURCES)):
        yield Fault(
            file,
            "not a source of income",
            f"use one of: {', '.join(SOURCES)}",
            column="income.absent",
            value=source,
        )
    if was_read("household.weight", "household.weight_type") and (
        ("weight" in survey.household) != (survey.weight_type != "none")
    ):
        yield Fault(
            file,
            "weight and weight_type come together",
            "give both or neither",
            column="household.weight_type",
        )
    if files_read:
        yield from _layout_faults(survey, file, was_read)


def _layout_faults(survey: SurveyMap, file: str, was_read: _Read) -> Iterator[Fault]:
    by_id = {f.id: f for f in survey.files}
    timed = {c.key for i in (*survey.items, *survey.kept) for c in (i.cell, i.times) if c}
    timed |= {c.key for t in survey.treatments for c in t.indicator}
    timed |= {c.key for c in survey.members}
    keys = {c.key for f in survey.files for c in (f.keys, f.person) if c}
    villages = {
        c.key
        for t in survey.treatments
        if t.level == "village"
        for c in (*t.first, *t.indicator, *t.dose)
    }
    villages |= {c.key for cells in survey.village.values() for c in cells}
    for cell in survey.cells():
        if not was_read(f"{cell.key}.from", f"{cell.key}.column"):
            continue
        for name in cell.files:
            source = by_id[name]
            waved = any(WAVE in column for column in cell.columns)
            if waved and (source.layout != "wide" or cell.key in keys):
                yield Fault(
                    file,
                    f"{WAVE} in a file that is not wide, or in a key",
                    "name the column as it is",
                    column=cell.key,
                )
            if cell.key in timed and source.layout == "wide" and cell.columns and not waved:
                yield Fault(
                    file,
                    f"{WAVE} is missing: the file is wide",
                    f'write e.g. "income_{WAVE}"',
                    column=cell.key,
                    value=", ".join(cell.columns),
                )
            if cell.key in timed and source.layout == "fixed":
                yield Fault(
                    file,
                    "varies by period, but its file has none",
                    "name a long or wide file",
                    column=cell.key,
                    value=name,
                )
            if (
                source.unit == "village"
                and cell.key not in villages
                and cell.columns
                and (cell not in (source.keys, source.period))
            ):
                yield Fault(
                    file,
                    "a village file holds only what is of the village",
                    "name a household file",
                    column=cell.key,
                    value=name,
                )
