"""Committed CSV files, read against a schema: every fault at once, each with its line.

A schema (dataframely) says columns, types, vocabularies, ranges and keys in one place. This module
turns what it refuses into `Fault` records that name file, line, column and value.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import dataframely as dy
import polars as pl

from analysis import paths
from analysis.faults import Fault, FaultsError, raise_if_any

REMEDIES = {
    "nullability": ("the cell is empty", "fill it in"),
    "primary_key": ("the key occurs more than once", "give every row its own"),
    "unique": ("the value occurs more than once", "give every row its own"),
    "min": ("the number is too small", "correct it"),
    "max": ("the number is too large", "correct it"),
    "regex": ("the text does not have the required form", "correct it"),
    "min_length": ("the text is too short", "complete it"),
}

TYPES: Mapping[type, str] = {
    dy.Date: "a date, YYYY-MM-DD",
    dy.Bool: "true or false",
    dy.Float64: "a number",
    dy.Int64: "a whole number",
}


class Row(dy.Schema):
    """A row of a committed CSV file; `line` is where it stands in the file (the header is 1)."""

    line = dy.Int64(min=2, description="line in the file")


def project_name(path: Path) -> str:
    """Return a file's name relative to the project folder, or the bare name outside it."""
    try:
        return path.resolve().relative_to(paths.root().resolve()).as_posix()
    except ValueError:
        return path.name


def read(path: Path, schema: type[Row]) -> pl.DataFrame:
    """Read a CSV file that must fit a schema; see `examine`.

    Raises
    ------
    FaultsError
        With every cell that does not fit.
    """
    frame, faults = examine(path, schema)
    raise_if_any(faults)
    return frame


def examine(path: Path, schema: type[Row]) -> tuple[pl.DataFrame, tuple[Fault, ...]]:
    """Read a CSV file against a schema, and say what is wrong with it.

    Parameters
    ----------
    path : Path
        A UTF-8 CSV with a header row. Empty cells are nulls.
    schema : type of Row
        Its columns, in any order; an unknown or missing column is a fault.

    Returns
    -------
    polars.DataFrame
        The rows that fit: the schema's columns in the schema's types, and `line`.
    tuple of Fault
        Every cell that does not fit, in file order.
    """
    file = project_name(path)
    try:
        raw = _read_text(path, file, [name for name in schema.columns() if name != "line"])
    except FaultsError as error:
        return schema.create_empty(), error.faults
    typed = raw.select("line", *(_typed(name, kind) for name, kind in _kinds(schema).items()))
    mistyped = set(_mistyped(raw, typed))
    result = schema.filter(typed)
    faults = [
        *(_wrong_type(file, raw, line, name, schema) for line, name in sorted(mistyped)),
        *_broken_rules(file, result.failure, mistyped, schema.primary_key()),
    ]
    return result.result, tuple(sorted(faults, key=lambda fault: fault.row or 0))


def _kinds(schema: type[Row]) -> dict[str, dy.Column]:
    return {name: kind for name, kind in schema.columns().items() if name != "line"}


def _typed(name: str, kind: dy.Column) -> pl.Expr:
    """Convert a column of text; what does not convert becomes null and is reported."""
    if isinstance(kind, dy.Date):
        return pl.col(name).str.to_date("%Y-%m-%d", strict=False)
    return pl.col(name).cast(kind.dtype, strict=False)


def _mistyped(raw: pl.DataFrame, typed: pl.DataFrame) -> Iterator[tuple[int, str]]:
    """Yield line and column of every cell that had text and lost it in the conversion."""
    for name in raw.columns:
        lost = raw[name].is_not_null() & typed[name].is_null()
        yield from ((line, name) for line in raw.filter(lost)["line"])


def _read_text(path: Path, file: str, columns: list[str]) -> pl.DataFrame:
    """Read every cell as text, so that nothing is guessed; faults in the shape end here."""
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.reader(handle, strict=True)
            header = next(reader, [])
            rows = [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise FaultsError([Fault(file, "the file is missing", "restore it from git")]) from None
    except UnicodeDecodeError as error:
        raise FaultsError(
            [Fault(file, f"not UTF-8 ({error.reason})", "save it as UTF-8")]
        ) from None
    except csv.Error as error:
        raise FaultsError([Fault(file, str(error), "mend the quoting", reader.line_num)]) from None
    faults = [
        *(
            Fault(file, "unknown column", "remove it or correct its name", 1, name)
            for name in header
            if name not in columns
        ),
        *(
            Fault(file, "column missing", "add it to the header", 1, name)
            for name in columns
            if name not in header
        ),
        *(
            Fault(
                file,
                f"{len(row)} cells where the header has {len(header)}",
                "quote cells that hold a comma",
                line,
            )
            for line, row in rows
            if len(row) != len(header)
        ),
    ]
    if faults:
        raise FaultsError(faults)
    cells = {
        name: pl.Series(name, [row[i].strip() or None for _, row in rows], dtype=pl.String)
        for i, name in enumerate(header)
    }
    lines = pl.Series("line", [line for line, _ in rows], dtype=pl.Int64)
    return pl.DataFrame([lines, *(cells[name] for name in columns)])


def _wrong_type(file: str, raw: pl.DataFrame, line: int, column: str, schema: type[Row]) -> Fault:
    """Say which type or which words the cell should have."""
    value = raw.filter(pl.col("line") == line)[column].item()
    kind = schema.columns()[column]
    if isinstance(kind, dy.Enum):
        words = ", ".join(kind.categories)
        return Fault(file, "not in the vocabulary", f"use one of: {words}", line, column, value)
    form = TYPES.get(type(kind), "the schema says")
    return Fault(file, "the cell has the wrong type", f"write {form}", line, column, value)


def _broken_rules(
    file: str, failure: dy.FailureInfo, mistyped: set[tuple[int, str]], key: list[str]
) -> Iterator[Fault]:
    """Yield one fault per cell or row that a rule refused."""
    for row in failure.details().sort("line").iter_rows(named=True):
        for rule, state in row.items():
            column, _, check = rule.rpartition("|")
            if state != "invalid" or (row["line"], column) in mistyped:
                continue
            problem, remedy = REMEDIES.get(check, (check.replace("_", " "), "correct it"))
            columns = [column] if column else key if check == "primary_key" else []
            value = ", ".join(str(row[name]) for name in columns if row[name] is not None)
            yield Fault(file, problem, remedy, row["line"], ", ".join(columns), value)
