"""TOML tables read into frozen dataclasses: every fault at once, each with its key."""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from analysis.contract import project_name
from analysis.faults import Fault, FaultsError

Record = TypeVar("Record")

FORMS = {
    int: "a whole number",
    float: "a number with a decimal point",
    bool: "true or false",
    str: "a text in quotes",
}
"""Types that a value may have, and how TOML writes them."""


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    FaultsError
        If the file is missing, is not UTF-8, or is not TOML; the reader says line and column.
    """
    file = project_name(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "check its name and folder; what came with the project can be restored from git"
        raise FaultsError([Fault(file, "the file is missing", remedy)]) from None
    except UnicodeDecodeError:
        raise FaultsError([Fault(file, "not UTF-8", "save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        raise FaultsError([Fault(file, f"not TOML: {error}", "correct the line")]) from None


def build(
    kind: type[Record], table: Mapping[str, Any], file: str, where: str, **given: Any
) -> Record:
    """Make a frozen dataclass of a TOML table whose keys are its fields.

    Parameters
    ----------
    kind : type
        A dataclass whose fields that are not given are of the types in `FORMS`; a field with a
        default may be left out of the table.
    table : mapping
        Keys and values as TOML holds them.
    file, where : str
        The file as the project names it, and the table inside it; both for the faults.
    **given
        Fields that do not come from the table.

    Raises
    ------
    FaultsError
        With every unknown key, missing key, empty text and value of the wrong type.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Box:
    ...     size: int
    ...     label: str = "none"
    >>> build(Box, {"size": 3}, "boxes.toml", "box")
    Box(size=3, label='none')
    >>> build(Box, {"size": "3", "colour": "red"}, "boxes.toml", "box")
    Traceback (most recent call last):
    ...
    analysis.faults.FaultsError: boxes.toml [box.colour] 'red': unknown key; remove it or correct...
    boxes.toml [box.size] '3': the value has the wrong type; write a whole number
    """
    assert dataclasses.is_dataclass(kind)  # noqa: S101 — tells the type checker
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.name not in given}
    faults = [
        Fault(file, "unknown key", "remove it or correct its name", None, f"{where}.{key}", str(v))
        for key, v in table.items()
        if key not in fields
    ]
    for name, field in fields.items():
        place = f"{where}.{name}"
        if name not in table:
            if field.default is dataclasses.MISSING:
                faults.append(Fault(file, "the key is missing", "write it", None, place))
            continue
        value = table[name]
        if type(value) is not hints[name]:
            form = FORMS[hints[name]]
            problem = "the value has the wrong type"
            faults.append(Fault(file, problem, f"write {form}", None, place, str(value)))
        elif value == "":
            faults.append(Fault(file, "the text is empty", "fill it in", None, place))
    if faults:
        raise FaultsError(faults)
    return kind(**{name: table[name] for name in fields if name in table}, **given)
