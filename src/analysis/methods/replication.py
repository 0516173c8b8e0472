"""``REPLICATION.md``: the README that data editors ask for, and its lists as CSV files.

Sections follow the template of the social science data editors; the text stands in
``templates/replication.md.j2``, the lists in ``reports/replication``. ``python -m
analysis.methods.replication`` writes all of them again.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis import contract, doctor, paths
from analysis.files import write_atomic
from analysis.methods import exhibits, packages
from analysis.methods.schemas import Runtimes
from analysis.panels import cards, dictionary
from analysis.templates import fill

FILE: Final = "REPLICATION.md"
FOLDER: Final = Path("reports") / "replication"
RUNTIMES: Final = Path("reports") / "runtimes.csv"
BIBLIOGRAPHY: Final = "references.bib"
TEMPLATE: Final = Path(__file__).parent / "templates" / "replication.md.j2"
_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")
"""What ends the name of a package in a dependency."""


def text(root: Path) -> str:
    """Return ``REPLICATION.md``.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = doctor.pins((root / "requirements.lock").read_text(encoding="utf-8"))
    names = [doctor.normalise(_NAME.split(line, maxsplit=1)[0]) for line in project["dependencies"]]
    return fill(
        TEMPLATE,
        version=project["version"],
        python=project["requires-python"],
        pinned=len(pinned),
        packages=[(name, ", ".join(sorted(pinned[name]))) for name in names],
        places=_places(),
        runtimes=_runtimes(root),
    )


def parts(content: str) -> dict[str, str]:
    r"""Return the sections of a written file by their title.

    Examples
    --------
    >>> parts("# R\n\n## One\n\na\n\n## Two\n\nb\n")
    {'One': 'a', 'Two': 'b'}
    """
    entries = re.split(r"^## (.+)$", content, flags=re.MULTILINE)[1:]
    return {title: body.strip() for title, body in zip(entries[::2], entries[1::2], strict=True)}


def outputs(root: Path) -> dict[Path, str]:
    """Return every generated file and what it should hold, the README first."""
    tables = {root / FOLDER / f"{name}.csv": make(root).write_csv() for name, make in LISTS.items()}
    return {root / FILE: text(root), **tables}


def _public() -> list[cards.Card]:
    return list(cards.load().values())


def _from(card: cards.Card) -> str:
    if isinstance(card.source, cards.PackageFile):
        return f"package {card.source.package} {card.source.version}"
    return "fetched"


def _places() -> list[tuple[str, list[str]]]:
    """Return the public data sets by where they come from, packages last."""
    ordered = sorted(_public(), key=lambda card: (_from(card) != "fetched", _from(card), card.id))
    return [(place, [item.id for item in cards]) for place, cards in groupby(ordered, key=_from)]


def _runtimes(root: Path) -> dict[str, Any]:
    """Return when and where a build was timed, and its seconds by step."""
    rows = contract.read(root / RUNTIMES, Runtimes)
    notebooks = rows.filter(stage="notebook").sort("seconds", descending=True)
    steps = rows.filter(pl.col("stage") != "notebook")
    return {
        "date": rows["date"][0],
        "machine": rows["machine"][0],
        "notebooks": notebooks.height,
        "longest": notebooks.row(0, named=True),
        "steps": list(steps.iter_rows(named=True)),
        "minutes": float(steps["seconds"].sum()) / 60,
        "memory": rows["memory_mib"].max(),
    }


def _line(given: str) -> str:
    return " ".join(given.split())


def exhibit_list(root: Path) -> pl.DataFrame:
    """Return every figure and table: label, notebook, cell, whether stored, caption.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    result = exhibits.find(root)
    return pl.DataFrame(
        {
            "label": [exhibit.label for exhibit in result],
            "notebook": [exhibit.notebook for exhibit in result],
            "cell": [exhibit.cell for exhibit in result],
            "stored": [exhibit.stored for exhibit in result],
            "caption": [exhibit.caption or None for exhibit in result],
        },
        schema_overrides={"caption": pl.String},
    )


def sources(root: Path) -> pl.DataFrame:
    """Return every public data set: what it is, where it comes from, under which licence."""
    return pl.DataFrame(
        {
            "id": card.id,
            "title": _line(card.title),
            "place": _line(card.place),
            "period": _line(card.period),
            "row_is": _line(card.unit),
            "rows": card.rows,
            "origin": _from(card),
            "licence": _line(card.licence),
        }
        for card in _public()
    )


def citations(root: Path) -> pl.DataFrame:
    """Return whom to cite for each public data set."""
    return pl.DataFrame({"source": card.id, "citation": _line(card.citation)} for card in _public())


def files(root: Path) -> pl.DataFrame:
    """Return every committed CSV file and what one row of it is."""
    described = {f"data/{name}": content for name, content in dictionary.packages().items()}
    return pl.DataFrame(_files(described | packages.packages(root)))


def _files(described: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    for folder, content in sorted(described.items()):
        for resource in content["resources"]:
            if resource.get("format") == "csv":
                what = _line(resource["description"]).rstrip(".")
                yield {"file": f"{folder}/{resource['path']}", "row_is": what}


LISTS: Final[Mapping[str, Callable[[Path], pl.DataFrame]]] = {
    "exhibits": exhibit_list,
    "data_sources": sources,
    "data_citations": citations,
    "files": files,
}
"""Files of `FOLDER`, and what makes each."""


if __name__ == "__main__":
    for path, content in outputs(paths.root()).items():
        write_atomic(path, content.encode())
