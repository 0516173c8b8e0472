"""The data package in the folder of each panel, and the one that stands for all panels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis import datapackage
from analysis.panels import schemas

REFERS: Final[dict[str, datapackage.Keys]] = {
    "households": {"village": ("villages", "village")},
    "income": {"household": ("households", "household")},
    "collective": {"village": ("villages", "village")},
}
"""Keys across tables; the unit of a participation is a household or a village by its level."""

BESIDE: Final = {
    "rejected": "Records of a survey that were left out, each with its reason.",
    "truth": "True effects in a simulated panel.",
    "truth_collective": "True books of the villages in a simulated panel.",
}
"""Tables that stand beside those of the contract."""


def of_contract() -> dict[str, Any]:
    """Return the package of a panel without rows: every column, and no file."""
    resources = (
        {
            "name": table,
            "data": [],
            "description": datapackage.first_line(schema),
            "schema": datapackage.table(schema, REFERS.get(table)),
        }
        for table, schema in schemas.TABLES.items()
    )
    return datapackage.package(
        "household-panel",
        "Household panel",
        "Tables of a household panel as this project reads and writes them, in Parquet. The "
        "folder of each panel holds such a description with the paths of its own files.",
        resources,
    ) | {"version": str(schemas.SCHEMA_VERSION)}


def of_folder(folder: Path, title: str) -> dict[str, Any]:
    """Describe the Parquet files that are in the folder of a panel.

    Parameters
    ----------
    folder : Path
        The folder; a table is one file or a folder of parts.
    title : str
        Name of the panel.
    """
    name = re.sub(r"[^a-z0-9._-]+", "-", title.lower()).strip("-") or "household-panel"
    return datapackage.package(
        name,
        title,
        "A household panel; panel.json says its tier and the account of its rows.",
        (_resource(table, files, folder) for table, files in _tables(folder)),
    ) | {"version": str(schemas.SCHEMA_VERSION)}


def write(folder: Path, title: str) -> None:
    """Write ``datapackage.json`` into a folder that already holds the tables."""
    text = datapackage.as_json(of_folder(folder, title))
    (folder / datapackage.NAME).write_text(text, encoding="utf-8", newline="\n")


def _tables(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield every table with its files, those of the contract first."""
    names = {p.stem if p.is_file() else p.name for p in folder.iterdir()}
    for name in (*schemas.TABLES, *sorted(names - set(schemas.TABLES))):
        whole = folder / f"{name}.parquet"
        files = [whole] if whole.is_file() else sorted((folder / name).glob("*.parquet"))
        if files:
            yield name, files


def _resource(table: str, files: list[Path], folder: Path) -> dict[str, Any]:
    paths = [file.relative_to(folder).as_posix() for file in files]
    known = schemas.TABLES.get(table)
    columns = known.columns() if known else {}
    described: dict[str, Any] = datapackage.table(known, REFERS.get(table)) if known else {}
    described["fields"] = [
        datapackage.field(name, columns[name])
        if name in columns
        else {"name": name, "type": datapackage.kind(dtype)}
        for name, dtype in pl.read_parquet_schema(files[0]).items()
    ]
    about = datapackage.first_line(known) if known else BESIDE.get(table)
    return {
        "name": table,
        "path": paths[0] if len(paths) == 1 else paths,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        **({"description": about} if about else {}),
        "schema": described,
    }
