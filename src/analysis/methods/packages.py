"""Data packages of what later rooms commit, and the check of every committed CSV file.

``analysis.panels.dictionary`` describes what its rooms read; methods, validation and reports
are described here. ``python -m analysis.methods.packages`` writes the files again.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import dataframely as dy

from analysis import datapackage, paths
from analysis.benchmarks import front_door, timings
from analysis.faults import Fault
from analysis.files import write_atomic
from analysis.methods import schemas
from analysis.validation import designs, mutants, pooling_coverage, published

FOLDERS: Final = ("data", "reports")
NOT_COMMITTED: Final = ("data/external", "reports/site", "reports/yours")
NAME: Final = re.compile(r"[a-z0-9._-]+")
TABLES: Final[Mapping[str, Mapping[str, type[dy.Schema]]]] = {
    "data/methods": {"decisions": schemas.Decisions, "helpers": schemas.Helpers},
    "data/validation": {
        "designs": designs.Designs,
        "published": published.Published,
        "parity/effects": schemas.ParityEffects,
        "parity/doubly_robust": schemas.ParityDoublyRobust,
    },
    "data/prose": {"numerals": schemas.Numerals, "record_fields": schemas.RecordFields},
    "reports": {
        "findings": schemas.Findings,
        "published": schemas.Signed,
        "benchmarks": timings.Benchmarks,
        "speed": front_door.Processes,
        "runtimes": schemas.Runtimes,
        "public/rice_farms": schemas.RiceFarms,
        "public/rice_seasons": schemas.RiceSeasons,
        "validation/programmes": schemas.Programmes,
        "validation/montecarlo": schemas.MonteCarlo,
        "validation/first_draws": schemas.FirstDraws,
        "validation/published": schemas.PublishedFound,
        "validation/lesson": schemas.Lesson,
        "validation/intervals": schemas.Intervals,
        "validation/mutants": mutants.Mutants,
        "validation/pooling": pooling_coverage.Coverage,
        "replication/exhibits": schemas.Exhibits,
        "replication/data_sources": schemas.DataSources,
        "replication/data_citations": schemas.DataCitations,
        "replication/files": schemas.Files,
    },
}
"""Schema of each file, by folder and name without its ending; a file not made yet is left out."""
TITLES: Final = {
    "data/methods": ("methods", "Methods", "Log of decisions, and functions that are no estimator"),
    "data/validation": (
        "validation",
        "Validation",
        "Designs of the Monte Carlo, printed tables and stored estimates of independent packages",
    ),
    "data/prose": (
        "prose",
        "Prose",
        "What may be typed in the text of a page, and what a record of households asks for",
    ),
    "reports": ("reports", "Reports", "Findings, measurements, and results of the validation"),
}


def packages(root: Path) -> dict[str, dict[str, Any]]:
    """Return the data package of each folder, by the folder's name."""
    return {
        folder: datapackage.package(
            *TITLES[folder],
            (
                _resource(name, schema)
                for name, schema in tables.items()
                if (root / folder / f"{name}.csv").is_file()
            ),
        )
        for folder, tables in TABLES.items()
    }


def _resource(name: str, schema: type[dy.Schema]) -> dict[str, Any]:
    return datapackage.csv_file(name, schema) | {"name": name.replace("/", "-")}


def outputs(root: Path) -> dict[Path, str]:
    """Return every generated file and what it should hold."""
    return {
        root / folder / datapackage.NAME: datapackage.as_json(content)
        for folder, content in packages(root).items()
    }


def write(root: Path) -> None:
    """Write the generated files."""
    for path, text in outputs(root).items():
        write_atomic(path, text.encode())


# ------------------------------------------------------------------------------------- the check


def csv_files(root: Path) -> list[str]:
    """Return every committed CSV file of data and reports, relative, in order."""
    names = [
        path.relative_to(root).as_posix()
        for folder in FOLDERS
        for path in (root / folder).rglob("*.csv")
    ]
    return sorted(
        name for name in names if not name.startswith(tuple(f"{no}/" for no in NOT_COMMITTED))
    )


def check(root: Path) -> Iterator[Fault]:
    """Yield what a program that knows only the data packages would find wrong.

    A CSV file that no package describes, a described file that is not there, a package that is
    none, and in every file: other columns, a cell that is not of its type, empty where it is
    required, outside its limits, form or list, a key that stands twice, a reference that leads
    nowhere.
    """
    described: set[str] = set()
    for path in sorted(p for folder in FOLDERS for p in (root / folder).rglob(datapackage.NAME)):
        file = path.relative_to(root).as_posix()
        if file.startswith(NOT_COMMITTED):
            continue
        content = json.loads(path.read_text(encoding="utf-8"))
        yield from _package_faults(content, file)
        tables = {r["name"]: r for r in content.get("resources", ()) if r.get("format") == "csv"}
        rows: dict[str, list[dict[str, str]]] = {}
        for name, resource in tables.items():
            table = path.parent / resource["path"]
            described.add(table.relative_to(root).as_posix())
            if not table.is_file():
                yield Fault(
                    file,
                    "a described file is missing",
                    "restore it, or make the package again",
                    column=name,
                    value=str(resource["path"]),
                )
                continue
            header, rows[name] = _read(table)
            place = table.relative_to(root).as_posix()
            yield from _table_faults(place, header, rows[name], resource["schema"])
        yield from _references(tables, rows, file)
    for name in sorted(set(csv_files(root)) - described):
        yield Fault(
            name,
            "no data package describes this file",
            "give it a schema in analysis.methods.packages",
        )


def _package_faults(content: Mapping[str, Any], file: str) -> Iterator[Fault]:
    resources = content.get("resources", ())
    names = [str(r.get("name", "")) for r in resources]
    remedy = "make it again: python -m analysis.methods.packages"
    if not resources or not NAME.fullmatch(str(content.get("name", ""))):
        yield Fault(file, "the package has no name or no resource", remedy)
    for name in names:
        if not NAME.fullmatch(name) or names.count(name) > 1:
            yield Fault(file, "a resource lacks a name of its own", remedy, value=name)
    for resource in resources:
        given = resource.get("path", resource.get("data"))
        for text in [given] if isinstance(given, str) else list(given or ()):
            if isinstance(text, str) and (text.startswith("/") or ".." in Path(text).parts):
                yield Fault(file, "a path leaves the folder", remedy, value=text)


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        rows = list(reader)
    return list(reader.fieldnames or ()), rows


def _table_faults(
    file: str, header: list[str], rows: list[dict[str, str]], schema: Mapping[str, Any]
) -> Iterator[Fault]:
    fields = {field["name"]: field for field in schema["fields"]}
    if header != list(fields):
        yield Fault(
            file,
            "the columns are not those of the package",
            "make the package again",
            row=1,
            value=",".join(header),
        )
        return
    seen: set[tuple[str, ...]] = set()
    key = schema.get("primaryKey") or []
    for number, row in enumerate(rows, start=2):
        for name, field in fields.items():
            wrong = _cell(row[name], field)
            if wrong:
                yield Fault(file, wrong, "correct it", row=number, column=name, value=row[name])
        own = tuple(row[name] for name in key)
        if key and own in seen:
            yield Fault(
                file,
                "the key stands twice",
                "give every row its own",
                row=number,
                value=", ".join(own),
            )
        seen.add(own)


def _cell(text: str, field: Mapping[str, Any]) -> str:
    """Return what is wrong with a cell; empty if nothing is.

    Examples
    --------
    >>> _cell("", {"type": "integer", "constraints": {"required": True}})
    'the cell is empty'
    >>> _cell("2.5", {"type": "integer"})
    'not of type integer'
    >>> _cell("7", {"type": "number", "constraints": {"maximum": 5}})
    'above 5'
    """
    limits = field.get("constraints", {})
    if text == "":
        return "the cell is empty" if limits.get("required") else ""
    try:
        value = READ[field["type"]](text)
    except ValueError:
        return f"not of type {field['type']}"
    if "enum" in limits and text not in limits["enum"]:
        return "not in the list"
    if "pattern" in limits and not re.fullmatch(limits["pattern"], text):
        return "not of the required form"
    for word, side, wrong in (("minimum", -1, "below"), ("maximum", 1, "above")):
        # What is not a number is inside no limit.
        if word in limits and not side * value <= side * limits[word]:
            return f"{wrong} {limits[word]}"
    if len(text) < limits.get("minLength", 0):
        return "too short"
    return ""


def _whole(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", text):
        raise ValueError
    return int(text)


def _boolean(text: str) -> bool:
    if text not in ("true", "True", "false", "False"):
        raise ValueError
    return text.lower() == "true"


READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "string": str,
    "integer": _whole,
    "number": float,
    "boolean": _boolean,
    "date": date.fromisoformat,
    "any": str,
}


def _references(
    tables: Mapping[str, Mapping[str, Any]], rows: Mapping[str, list[dict[str, str]]], file: str
) -> Iterator[Fault]:
    for name, resource in tables.items():
        for key in resource["schema"].get("foreignKeys", ()):
            column, target = key["fields"], key["reference"]
            there = {row[target["fields"]] for row in rows.get(target["resource"], ())}
            for number, row in enumerate(rows.get(name, ()), start=2):
                if row[column] and row[column] not in there:
                    yield Fault(
                        f"{Path(file).parent.as_posix()}/{resource['path']}",
                        f"{target['resource']} has no such {target['fields']}",
                        "correct it",
                        row=number,
                        column=column,
                        value=row[column],
                    )


if __name__ == "__main__":
    write(paths.root())
