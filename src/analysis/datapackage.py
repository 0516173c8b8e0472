"""Tables described for other programs, as Frictionless data packages, from the same schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import dataframely as dy
import polars as pl

NAME: Final = "datapackage.json"
LINE: Final = "line"
"""Where a row stands in its file: known when the file is read, no column of it."""

# Exact numbers are read as text, lest they become binary fractions; for others they are numbers.
DECIMALS: Final[Mapping[str, dict[str, int]]] = {
    r"^\d+(\.\d+)?$": {"minimum": 0},
    r"^-?\d+(\.\d+)?$": {},
}
LIMITS: Final = (
    ("minimum", "min"),
    ("maximum", "max"),
    ("minLength", "min_length"),
    ("maxLength", "max_length"),
    ("pattern", "regex"),
)

Keys = Mapping[str, tuple[str, str]]
"""Column to the table and column that it refers to."""


def kind(dtype: pl.DataType) -> str:
    """Return what Frictionless calls a type.

    Examples
    --------
    >>> kind(pl.Int32()), kind(pl.Enum(["a"])), kind(pl.Float64()), kind(pl.Date())
    ('integer', 'string', 'number', 'date')
    """
    if dtype.is_integer():
        return "integer"
    if dtype.is_float():
        return "number"
    if isinstance(dtype, pl.String | pl.Enum | pl.Categorical):
        return "string"
    return {pl.Boolean: "boolean", pl.Date: "date"}.get(type(dtype), "any")


def field(name: str, column: dy.Column) -> dict[str, Any]:
    """Describe a column: its type, unit, description and legal values.

    Examples
    --------
    >>> field("share", dy.Float64(min=0, max=1, description="a share"))
    {'name': 'share', 'type': 'number', 'description': 'a share', \
'constraints': {'required': True, 'minimum': 0, 'maximum': 1}}
    """
    constraints: dict[str, Any] = {"required": not column.nullable}
    if isinstance(column, dy.Enum):
        constraints["enum"] = list(column.categories)
    pattern = getattr(column, "regex", None)
    decimal = DECIMALS.get(pattern) if pattern else None
    for theirs, ours in LIMITS:
        limit = getattr(column, ours, None)
        if limit is not None and not (decimal is not None and ours == "regex"):
            constraints[theirs] = whole(limit) if theirs == "pattern" else limit
    described: dict[str, Any] = {
        "name": name,
        "type": "number" if decimal is not None else kind(column.dtype),
    }
    if column.description:
        described["description"] = column.description
    described["constraints"] = constraints | (decimal or {})
    # In committed CSV files the unit of a value is a column of its own.
    unit = (column.metadata or {}).get("unit")
    return described | ({"unit": unit} if unit else {})


def whole(pattern: str) -> str:
    """Return a pattern that a whole cell fits: ours may fit its beginning, theirs may not.

    Examples
    --------
    >>> whole("^O_"), whole("^[a-z]+$")
    ('^O_.*$', '^[a-z]+$')
    """
    start = "" if pattern.startswith("^") else "^.*"
    return start + pattern + ("" if pattern.endswith("$") else ".*$")


def table(schema: type[dy.Schema], refers: Keys | None = None) -> dict[str, Any]:
    """Describe the columns and keys of a table."""
    described: dict[str, Any] = {
        "fields": [field(name, c) for name, c in schema.columns().items() if name != LINE],
        "primaryKey": schema.primary_key(),
    }
    if refers:
        described["foreignKeys"] = [
            {"fields": column, "reference": {"resource": target, "fields": key}}
            for column, (target, key) in refers.items()
        ]
    return described


def csv_file(name: str, schema: type[dy.Schema], refers: Keys | None = None) -> dict[str, Any]:
    """Describe a committed CSV file."""
    return {
        "name": name,
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "description": first_line(schema),
        "schema": table(schema, refers),
    }


def package(
    name: str, title: str, description: str, resources: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a data package; not all its files need be tables."""
    return {
        "profile": "data-package",
        "name": name,
        "title": title,
        "description": description,
        "resources": list(resources),
    }


def first_line(schema: type[dy.Schema]) -> str:
    """Return what one row of a table is."""
    return (schema.__doc__ or "").strip().splitlines()[0]


def as_json(content: Mapping[str, Any]) -> str:
    """Return the text of ``datapackage.json``."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
