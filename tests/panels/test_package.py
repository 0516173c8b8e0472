"""Data packages: every file is described, every description has its file, and the types are true."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis import paths
from analysis.panels import dictionary, panel, schemas
from analysis.panels.model import simulate

FOLDERS = sorted(dictionary.packages())
NAME = re.compile(r"[a-z0-9._-]+")  # what Frictionless allows


def committed(folder: str) -> dict[str, Any]:
    text = (paths.data() / folder / "datapackage.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_described_and_every_path_is_there(folder: str) -> None:
    content = committed(folder)
    assert content["profile"] == "data-package"
    resources = content["resources"]
    described = {r["path"] for r in resources if "path" in r}
    there = {
        p.name
        for p in (paths.data() / folder).iterdir()
        if p.is_file() and p.name != "datapackage.json"
    }
    assert described == there
    names = [r["name"] for r in resources]
    assert len(names) == len(set(names))
    assert all(NAME.fullmatch(name) for name in names)
    assert all(r["description"] for r in resources)


CSV = [
    pytest.param(folder, resource, id=f"{folder}-{resource['name']}")
    for folder in FOLDERS
    for resource in committed(folder)["resources"]
    if resource.get("format") == "csv"
]


def as_type(text: str, kind: str) -> object:
    """Read a cell as a program does that knows nothing but the description."""
    made: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": float,
        "date": date.fromisoformat,
    }
    return made[kind](text)


@pytest.mark.parametrize(("folder", "resource"), CSV)
def test_the_cells_of_committed_files_are_as_described(
    folder: str, resource: dict[str, Any]
) -> None:
    fields = {field["name"]: field for field in resource["schema"]["fields"]}
    with (paths.data() / folder / resource["path"]).open(encoding="utf-8", newline="") as handle:
        reader = csv.DictReader(handle)
        assert set(reader.fieldnames or ()) == set(fields)
        rows = list(reader)
    keys = [tuple(row[k] for k in resource["schema"]["primaryKey"]) for row in rows]
    assert len(set(keys)) == len(keys) or not resource["schema"]["primaryKey"]
    for row in rows:
        for name, field in fields.items():
            legal = field["constraints"]
            if not row[name]:
                assert not legal["required"]
                continue
            value: Any = as_type(row[name], field["type"])
            assert value in legal.get("enum", [value])
            assert legal.get("minimum", value) <= value <= legal.get("maximum", value)
            assert re.search(legal.get("pattern", ""), row[name])
            assert len(row[name]) <= legal.get("maxLength", 10**6)


def test_references_between_committed_files_hold() -> None:
    for folder in FOLDERS:
        for resource in committed(folder)["resources"]:
            for key in resource.get("schema", {}).get("foreignKeys", []):
                if "path" not in resource:
                    continue
                target = key["reference"]
                used, known = (
                    set(pl.read_csv(paths.data() / folder / f"{name}.csv", infer_schema=False)[c])
                    for name, c in (
                        (resource["name"], key["fields"]),
                        (target["resource"], target["fields"]),
                    )
                )
                assert used <= known


@pytest.mark.parametrize("chunk", [None, 60])
def test_the_folder_of_a_panel_says_what_is_in_it(tmp_path: Path, chunk: int | None) -> None:
    folder = tmp_path / "p"
    simulate(folder, households=200, villages=8, chunk=chunk)
    content = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert (content["profile"], content["title"]) == ("data-package", panel.read(folder).name)
    assert NAME.fullmatch(content["name"])
    by_name = {r["name"]: r for r in content["resources"]}
    assert list(by_name)[:5] == list(schemas.TABLES)
    described = [
        r["path"] if isinstance(r["path"], list) else [r["path"]] for r in by_name.values()
    ]
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*.parquet")}
    assert {path for several in described for path in several} == there
    for name, files in zip(by_name, described, strict=True):
        found = pl.read_parquet_schema(folder / files[0])
        assert [f["name"] for f in by_name[name]["schema"]["fields"]] == list(found)
    assert by_name["income"]["schema"]["primaryKey"] == ["household", "period"]
    assert by_name["truth"]["description"]
