"""The parts of a map that name columns: fields, items of income, other outcomes, prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from analysis import money
from analysis.columns import COUNTED
from analysis.panels.importing.mapping import Cell, Item
from analysis.panels.importing.parameters import parameters
from analysis.panels.importing.table import Table, as_text
from analysis.panels.outcomes import KINDS, MONEY, NAME
from analysis.panels.schemas import COVARIATE_PREFIX, SOURCES

TO_FILL: Final = "FILL"
"""What `--init` writes where a person must decide; a map that still has it is not read."""


def fields(
    table: Table, names: tuple[str, ...], ids: tuple[str, ...], required: tuple[str, ...] = ()
) -> dict[str, tuple[Cell, ...]]:
    """Read the fields of a unit that are named, and its further columns."""
    covariates = [k for k in table.keys() if k.startswith(COVARIATE_PREFIX)]  # noqa: SIM118
    by_name = {n: cells(table, n, ids, required=n in required) for n in (*names, *covariates)}
    return {name: cells for name, cells in by_name.items() if cells}


def cells(
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
        date=_counted(table),
        text=table.flag("text"),
    )
    table.nothing_else()
    return result


def _counted(table: Table) -> str:
    """Read how dates are counted."""
    value = table.take("date")
    if value is None or value in COUNTED:
        return str(value or "")
    table.fault("date", "no such count of days", f"use one of: {', '.join(COUNTED)}", str(value))
    return ""


def _files_of(table: Table, ids: tuple[str, ...]) -> tuple[str, ...]:
    named = table.texts("from")
    for name in named:
        if name not in ids:
            table.fault("from", "no file has this id", f"use one of: {', '.join(ids)}", name)
    if not named and len(ids) > 1:
        table.fault("from", "missing", f"say which file: {', '.join(ids)}")
    return named or ids


def currency(about: Table, items: tuple[Item, ...], outcomes: tuple[Item, ...]) -> str:
    """Return the main unit of money: given, or yuan where the amounts are in units of the yuan."""
    named = about.text("currency", required=False)
    units = {i.unit for i in (*items, *outcomes) if i.kind in MONEY}
    other = units - set(parameters().yuan)
    if not named and other - {""}:
        about.fault("currency", "missing", 'say what amounts are in, as in currency = "dollars"')
    return named or ("yuan" if units else "")


def prices(about: Table) -> str | dict[int, str]:
    """Return the price index of the panel's place: a series of ``prices.csv``, or its own."""
    value = about.take("prices")
    if value is None:
        return ""
    if isinstance(value, str):
        series = {name for name, _ in money.load().changes}
        if value not in series:
            remedy = f"use one of {', '.join(sorted(series))}, or {{ 2019 = 100, 2020 = 102.5 }}"
            about.fault("prices", "no such series in prices.csv", remedy, value)
        return value
    good = isinstance(value, dict) and all(
        str(year).isdigit() and isinstance(x, int | float) and not isinstance(x, bool) and x > 0
        for year, x in value.items()
    )
    if not good:
        remedy = "write { 2019 = 100, 2020 = 102.5 }: year and index"
        about.fault("prices", "not an index by year", remedy, str(value))
        return ""
    assert isinstance(value, dict)  # noqa: S101  # checked above
    return {int(year): str(x) for year, x in value.items()}


def outcome(table: Table, ids: tuple[str, ...]) -> Item:
    """Read an outcome that is no source of income: money, a number, a share, or yes or no."""
    kind = table.word("kind", tuple(KINDS), "money", required=True)
    if kind in MONEY:
        entry = replace(item(table, "name", ids, (), per=kind == "money"), kind=kind)
    else:
        target = table.text("name")
        unit = table.text("unit", required=kind == "number")
        factor = 0.01 if kind == "share" and unit == "per_cent" else 1.0
        if kind != "number" and unit not in ("", "per_cent" if kind == "share" else ""):
            table.fault("unit", f"a {kind} has none", 'leave it out; "per_cent" for 0 to 100', unit)
        empty = table.word("empty", ("zero", "missing"), "missing") if kind == "number" else ""
        cell = _cell(Table(table.rest(), table.key, table.file, table.faults), ids)
        of_number = unit if kind == "number" else ""
        entry = Item(target, cell, factor, empty or "missing", kind=kind, unit=of_number)
    names = {*SOURCES, "total", "household", "period", "members_present", "complete"}
    if entry.target and (not NAME.fullmatch(entry.target) or entry.target in names):
        remedy = "use lower case, digits and underscores, and no name of the contract"
        table.fault("name", "cannot be the name of an outcome", remedy, entry.target)
    return entry


def item(
    table: Table, name: str, ids: tuple[str, ...], words: tuple[str, ...], *, per: bool = True
) -> Item:
    """Read an amount of money: `name` is the key of its target, `words` what that may be."""
    target = table.word(name, words, "") if words else table.text(name)
    known = parameters()
    unit = table.word("unit", tuple(known.units), "", required=True)
    times_a_year = table.word("per", tuple(known.periods), "", required=True) if per else "year"
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
    factor = known.units.get(unit, 1) * known.periods.get(times_a_year, 1)
    factor *= -1 if sign == "-" else 1
    return Item(target, cell, float(factor), empty, second, per_head, unit=unit)
