"""What an import uses where a map says nothing, from ``data/parameters/import.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from analysis import paths
from analysis.panels.importing.mapping import Limits


@dataclass(frozen=True)
class Parameters:
    """Values of ``data/parameters/import.toml``.

    Attributes
    ----------
    limits : Limits
        Where an import stops by default.
    rows_at_once : int
        Source rows held in memory.
    largest_workbook : int
        Bytes of unpacked XML.
    texts_shown : int
        A column with more different texts, or value labels, shows none of them in a map.
    units : mapping of str to int
        Hundredths of the currency in a unit.
    yuan : tuple of str
        Those that are of the yuan.
    periods : mapping of str to int
        Times in a year.
    """

    limits: Limits
    rows_at_once: int
    largest_workbook: int
    texts_shown: int
    units: Mapping[str, int]
    yuan: tuple[str, ...]
    periods: Mapping[str, int]


@cache
def parameters() -> Parameters:
    """Read the file once.

    Examples
    --------
    >>> parameters().units["thousand_yuan"], parameters().periods["month"]
    (100000, 12)
    """
    with (paths.data() / "parameters" / "import.toml").open("rb") as file:
        content = tomllib.load(file)
    names = ("max_rejected_rows", "max_rejected_records", "first_year", "last_year")
    return Parameters(
        limits=Limits(**{name: content[name]["value"] for name in names}),
        rows_at_once=content["rows_at_once"]["value"],
        largest_workbook=content["largest_workbook"]["value"] * 10**6,
        texts_shown=content["texts_shown"]["value"],
        units={**content["units"], **content["units_of_the_yuan"]},
        yuan=tuple(content["units_of_the_yuan"]),
        periods=content["periods"],
    )
