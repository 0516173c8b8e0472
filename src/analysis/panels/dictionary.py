"""The contract as read by people and by other programs: a page and a data package.

Both are generated from the schemas and committed; a test says when they are out of date, and
``python -m analysis.panels.dictionary`` writes them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dataframely as dy

from analysis import money, paths
from analysis.panels import schemas
from analysis.panels.model import parameters

TYPES = {
    "String": ("text", "string"),
    "Enum": ("word", "string"),
    "Bool": ("true or false", "boolean"),
    "Int32": ("whole number, 32 bits", "integer"),
    "Int64": ("whole number, 64 bits", "integer"),
    "Float64": ("number, 64 bits", "number"),
}
FOREIGN_KEYS = {
    "households": {"village": ("villages", "village")},
    "income": {"household": ("households", "household")},
    "collective": {"village": ("villages", "village")},
}
"""Keys across tables; the unit of a participation is a household or a village by its level."""


def legal(column: dy.Column) -> str:
    """Return the legal values of a column in words.

    Examples
    --------
    >>> legal(dy.Int32(min=1, max=100)), legal(dy.Enum(["a", "b"])), legal(dy.String())
    ('1 to 100', 'a, b', '')
    """
    if isinstance(column, dy.Enum):
        return ", ".join(column.categories)
    least, most = (getattr(column, name, None) for name in ("min", "max"))
    if least is not None and most is not None:
        return f"{_number(least)} to {_number(most)}"
    if least is not None:
        return f"{_number(least)} or more"
    above = getattr(column, "min_exclusive", None)
    return "" if above is None else f"more than {_number(above)}"


def _number(value: float) -> str:
    if abs(value) == schemas.LARGEST_FEN:
        return "10¹²" if value > 0 else "−10¹²"
    return f"{value:g}" if abs(value) < 1000 or value > 3000 else str(int(value))


def datapackage() -> dict[str, Any]:
    """Return the contract as a Frictionless data package."""
    return {
        "profile": "tabular-data-package",
        "name": "household-panel",
        "title": "Household panel",
        "description": "Tables of a household panel as this project reads and writes them, Parquet",
        "version": str(schemas.SCHEMA_VERSION),
        "resources": [_resource(table) for table in schemas.TABLES],
    }


def _resource(table: str) -> dict[str, Any]:
    schema = schemas.TABLES[table]
    described: dict[str, Any] = {
        "fields": [_field(name, column) for name, column in schema.columns().items()],
        "primaryKey": schema.primary_key(),
    }
    if table in FOREIGN_KEYS:
        described["foreignKeys"] = [
            {"fields": column, "reference": {"resource": target, "fields": key}}
            for column, (target, key) in FOREIGN_KEYS[table].items()
        ]
    return {
        "name": table,
        "path": f"{table}.parquet",
        "format": "parquet",
        "description": _first_line(schema),
        "schema": described,
    }


def _field(name: str, column: dy.Column) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": not column.nullable}
    if isinstance(column, dy.Enum):
        constraints["enum"] = list(column.categories)
    for theirs, ours in (("minimum", "min"), ("maximum", "max")):
        if getattr(column, ours, None) is not None:
            constraints[theirs] = getattr(column, ours)
    described = {
        "name": name,
        "type": TYPES[type(column).__name__][1],
        "description": column.description,
        "constraints": constraints,
    }
    # In committed CSV files the unit of a value is a column of its own.
    unit = (column.metadata or {}).get("unit")
    return described | ({"unit": unit} if unit else {})


def parameters_package() -> dict[str, Any]:
    """Return the description of ``data/parameters/`` as a Frictionless data package."""
    tables = {
        "prices": money.Prices,
        "poverty_lines": money.PovertyLines,
        "income_path": parameters.IncomePath,
    }
    return {
        "name": "parameters",
        "title": "Parameters",
        "description": "Prices, poverty lines, official incomes, and the parameters of the "
        "model panel; every value with its unit, source and status",
        "resources": [
            {
                "name": name,
                "path": f"{name}.csv",
                "format": "csv",
                "description": _first_line(schema),
                "schema": {
                    "fields": [
                        _field(column, kind)
                        for column, kind in schema.columns().items()
                        if column != "line"
                    ],
                    "primaryKey": schema.primary_key(),
                },
            }
            for name, schema in tables.items()
        ]
        + [
            {"name": name, "path": f"{name}.toml", "format": "toml", "description": what}
            for name, what in (
                ("model", "Parameters of the model panel"),
                ("model_programmes", "True effects of the programmes in the model panel"),
            )
        ],
    }


def _first_line(schema: type[dy.Schema]) -> str:
    return (schema.__doc__ or "").strip().splitlines()[0]


def page() -> str:
    """Return the dictionary page, Markdown for the site."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    yield "---"
    yield 'title: "Data dictionary"'
    yield "description: Columns, units, legal values and keys; prices and poverty lines"
    yield "---\n"
    yield (
        "A panel is a folder of Parquet files and a `panel.json` with its evidence tier, the "
        "account of its rows and a digest of each table. Total income is never stored: it is the "
        "sum of the four sources, and missing if one of them is. Money is in whole fen (a "
        "hundredth of a yuan), nominal.\n"
    )
    yield "## Which household, which village\n"
    yield _rules()
    for table, schema in schemas.TABLES.items():
        yield f"\n## {table.capitalize()} {{#{table}}}\n"
        yield f"{_first_line(schema)} Key: {', '.join(f'`{k}`' for k in schema.primary_key())}."
        if table in ("households", "villages"):
            yield f"Further columns may follow if their names begin with `{_prefix()}`."
        yield "\n| column | what it is | unit | type | legal values | may be empty |"
        yield "|:--|:-----|:--|:--|:--|:--|"
        for name, column in schema.columns().items():
            cells = [
                f"`{name}`", column.description or "", (column.metadata or {})["unit"],
                TYPES[type(column).__name__][0], legal(column), "yes" if column.nullable else "no",
            ]  # fmt: skip
            yield f"| {' | '.join(cells)} |"
    yield from _money_page()


def _prefix() -> str:
    return schemas.COVARIATE_PREFIX


def _rules() -> str:
    """Return the rule for moves, splits and merges, as the schemas state it."""
    text = (schemas.__doc__ or "").split("\n\n", 1)[1]
    return text.strip().replace(" So:", "")


def _money_page() -> Iterator[str]:
    found = money.load()
    yield "\n## Prices and poverty lines {#prices}\n"
    yield (
        "A line published for a year is used as published; in other years the nearest published "
        f"one is carried over by the price index `{money.PRICE_INDEX}`, consumer prices of Tibet "
        "(urban and rural together), and rounded once to a whole fen. A line carried over is no "
        "better verified than the published line and the price changes it is made of. Status: "
        "*found* in a document that `data/parameters/` names; *derived* from such figures; *from "
        "memory* not verified yet.\n"
    )
    yield "| line | year | yuan a person a year | status |\n|:--|:--|:--|:--|"
    for (line, year), value in found.lines.items():
        status = found.status[line, year].replace("_", " ")
        yield f"| {line} | {year} | {float(value):g} | {status} |"
    yield "\n| price index | year | prices over the year before | status |\n|:--|:--|:--|:--|"
    for (series, year), change in found.changes.items():
        status = found.change_status[series, year].replace("_", " ")
        yield f"| `{series}` | {year} | {float(change):.3f} | {status} |"
    yield ""


def outputs() -> dict[Path, str]:
    """Return every generated file and what it should hold."""
    return {
        paths.data() / "panels" / "datapackage.json": _json(datapackage()),
        paths.data() / "parameters" / "datapackage.json": _json(parameters_package()),
        paths.root() / "pages" / "dictionary.qmd": page(),
    }


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def write() -> None:
    """Write the generated files."""
    for path, text in outputs().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
