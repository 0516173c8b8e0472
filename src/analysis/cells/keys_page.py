"""The page of the keys of an estimands file, made from `analysis.cells.keys`."""

from __future__ import annotations

from pathlib import Path

from analysis import paths
from analysis.cells.declaration import Declared
from analysis.cells.keys import KEYS, OF_THE_PARAMETER, KeyOf
from analysis.cells.parameters import parameters
from analysis.files import write_atomic
from analysis.templates import fill


def page() -> str:
    """Return the page, Markdown for the site."""
    every = Declared(
        "", "", method="two_way", covariates=("x",), strata="s", psu="p", drop=(1,)
    ).beyond_a_pack
    tables = [
        {
            "title": f"`{_written(table)}`" if table else "At the top",
            "rows": [
                {
                    "key": key,
                    "says": about.says,
                    "takes": _takes(about),
                    "default": _default(key, about),
                }
                for key, about in keys.items()
            ],
        }
        for table, keys in KEYS.items()
    ]
    return fill(
        Path(__file__).parent / "templates" / "estimands.md.j2",
        tables=tables,
        beyond=", ".join(f"`{key}`" for key in every),
    )


def _written(table: str) -> str:
    return f"[{table}]" if table in ("design", "disclosure") else f"[[{table}]]"


def _default(key: str, about: KeyOf) -> str:
    if about.default == OF_THE_PARAMETER:
        return str(getattr(parameters(), key))
    return about.default or "must be there"


def _takes(about: KeyOf) -> str:
    if about.words is None:
        return about.takes
    return "; ".join(f"`{word}`: {meaning}" for word, meaning in about.words.items())


def outputs() -> dict[Path, str]:
    """Return the generated file and what it should hold."""
    return {paths.root() / "pages" / "estimands.qmd": page()}


if __name__ == "__main__":
    for path, text in outputs().items():
        write_atomic(path, text.encode())
