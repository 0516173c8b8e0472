"""Reading a map from TOML: every fault at once, each with the key it stands under."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from analysis.contract import project_name
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels.calendar import CALENDARS, period_of
from analysis.panels.importing import mapcells, mapping
from analysis.panels.importing.convert import CODED
from analysis.panels.importing.mapping import (
    WAVE,
    Cell,
    Limits,
    SurveyFile,
    SurveyMap,
    Treatment,
)
from analysis.panels.importing.parameters import parameters
from analysis.panels.importing.table import Table
from analysis.panels.importing.text import ENCODINGS, MOST_ABOVE
from analysis.panels.schemas import PROGRAMME, SOURCES

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
    calendar = about.word("calendar", tuple(CALENDARS), "year")
    files = tuple(_survey_file(t, calendar) for t in root.tables("files", required=True))
    ids = tuple(f.id for f in files)
    household, village = root.table("household"), root.table("village", required=False)
    listed = root.tables("outcomes")
    income = root.table("income", required=not listed)
    fields = mapcells.fields(household, HOUSEHOLD_FIELDS, ids, required=("village",))
    items = tuple(mapcells.item(t, "source", ids, SOURCES) for t in income.tables("items"))
    outcomes = tuple(mapcells.outcome(t, ids) for t in listed)
    weight_type = household.word("weight_type", mapping.WEIGHT_TYPES, "none")
    count = income.texts("count_persons")
    result = SurveyMap(
        survey=about.text("survey"),
        status=about.word("status", mapping.STATUSES, "unverified"),
        currency=mapcells.currency(about, items, outcomes),
        calendar=calendar,
        prices=mapcells.prices(about),
        note=about.text("note", required=False),
        files=files,
        household=fields,
        village=mapcells.fields(village, VILLAGE_FIELDS, ids),
        members=()
        if count
        else mapcells.cells(income, "members", ids, required="size" not in fields),
        count_persons=count,
        items=items,
        outcomes=outcomes,
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
        first_year=int(table.number("first_year", default.first_year, 1, 9999)),
        last_year=int(table.number("last_year", default.last_year, 1, 9999)),
    )
    table.nothing_else()
    if result.first_year > result.last_year:
        table.fault("first_year", "later than last_year", "put the earlier year first")
    return result


def _survey_file(table: Table, calendar: str) -> SurveyFile:
    name = table.text("id")
    unit = table.word("unit", mapping.FILE_UNITS, "household")
    layout = table.word("layout", mapping.LAYOUTS, "fixed" if unit == "village" else "long")
    file = table.text("file")
    for problem in _path_problems(file):
        table.fault("file", problem, "name a file in the survey's folder or below it", file)
    key = "village" if unit == "village" else "household"
    keys = mapcells.cells(table, key, (name,), required=True)
    person = mapcells.cells(table, "person", (name,))
    period = mapcells.cells(table, "period", (name,), required=layout == "long")
    waves = {
        word: _wave_period(value, calendar) or value
        for word, value in table.mapping("waves").items()
    }
    for word, value in waves.items():
        if value == mapcells.TO_FILL:
            table.fault(f"waves.{word}", "still to be filled in", "write its period", value)
        elif not isinstance(value, int) or isinstance(value, bool):
            wanted = {"year": "2012", "number": "1", "half_year": '"2012H1"'}
            example = wanted.get(calendar, {"quarter": '"2012Q1"'}.get(calendar, '"2012-01"'))
            table.fault(f"waves.{word}", f"not a {calendar}", f"write {example}", str(value))
    if layout == "wide" and not waves:
        table.fault("waves", "missing", 'list them: waves = { "12" = 2012, "14" = 2014 }')
    if len(set(map(str, waves.values()))) < len(waves):
        table.fault("waves", "two words for one period", "give each wave its own period")
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
        encoding=table.word("encoding", ENCODINGS, "") or None,
        delimiter=table.text("delimiter", required=False) or None,
        decimal=table.word("decimal", (".", ","), "."),
        thousands=table.text("thousands", required=False) or None,
        sheet=table.text("sheet", required=False) or None,
        header=int(table.number("header", 0, 1, MOST_ABOVE)) or None,
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


def _wave_period(value: object, calendar: str) -> int | None:
    """Return the number of a period as it is written in a map; None if it is none."""
    if isinstance(value, bool) or (isinstance(value, int) and CALENDARS[calendar] < 2):
        return None
    match = re.match(CODED.get(calendar, "$^"), str(value))
    return period_of(calendar, int(match[1]), int(match[2])) if match else None


def _path_problems(file: str) -> Iterator[str]:
    """Yield what makes a path of a map unsafe: it may not leave the survey's folder."""
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).anchor:
        yield "an absolute path"
    if ".." in PurePosixPath(file).parts or ".." in PureWindowsPath(file).parts:
        yield "the path leaves the folder"


def _treatment(table: Table, ids: tuple[str, ...]) -> Treatment:
    result = Treatment(
        programme=table.text("programme"),
        level=table.word("level", ("household", "village"), "household"),
        first=mapcells.cells(table, "first_year", ids),
        indicator=mapcells.cells(table, "indicator", ids),
        dose=mapcells.cells(table, "dose", ids),
        dose_unit=table.text("dose_unit", required=False) or None,
    )
    table.nothing_else()
    if result.programme and not re.fullmatch(PROGRAMME, result.programme):
        table.fault("programme", "not an id", "use lower case and underscores", result.programme)
    if bool(result.first) == bool(result.indicator):
        table.fault(
            "",
            "needs first_year or indicator, one of the two",
            "name the column that says when it began",
        )
    if bool(result.dose) != (result.dose_unit is not None):
        table.fault("dose_unit", "dose and dose_unit come together", "give both or neither")
    return result


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
    for name in survey.count_persons if files_read else ():
        if name in persons:
            continue
        yield Fault(
            file,
            "not a person file with periods",
            "use the id of one",
            column="income.count_persons",
            value=name,
        )
    items_read = was_read("income.items.source", "income.absent")
    asked = bool(survey.items) or not survey.outcomes
    for source in SOURCES:
        has_items, is_absent = source in survey.sources_read(), source in survey.absent
        if has_items == is_absent and (has_items or (items_read and asked)):
            yield Fault(
                file,
                "needs items or a reason why it is absent, one of the two",
                f'add [[income.items]] or absent.{source} = "why"',
                column=f"income.{source}",
            )
        if survey.absent.get(source) == mapcells.TO_FILL:
            yield Fault(
                file,
                "still to be filled in",
                "say why the survey has none, or add items",
                column=f"income.absent.{source}",
                value=mapcells.TO_FILL,
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
    timed = {c.key for i in (*survey.items, *survey.outcomes) for c in (i.cell, i.times) if c}
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
