"""``REPLICATION.md``: the README that data editors ask for, made of what the project itself says.

Sections follow the template of the social science data editors. ``python -m
analysis.methods.replication`` writes the file again; a test compares all but the list of exhibits,
which moves with every edit of a notebook.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from analysis import doctor, paths, printing
from analysis.files import write_atomic
from analysis.methods import exhibits, packages
from analysis.panels import cards, dictionary

FILE: Final = "REPLICATION.md"
RUNTIMES: Final = Path("reports") / "runtimes.csv"
BIBLIOGRAPHY: Final = "references.bib"
EXHIBITS: Final = "List of exhibits"
_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")
"""What ends the name of a package in a dependency."""
OVERVIEW: Final = """\
The code in this folder makes every number, figure and table of the report from the data in this
folder. `make report` sets up an environment of pinned packages, runs the notebooks of `notebooks/`
and renders the site into `reports/site`; `make verify` computes every published number again and
compares it with `reports/findings.csv`; `make test` runs every check. A replicator should expect
the times stated below.

No result rests on confidential data. The reported claims are figures read from published articles;
published estimates are those of other studies; public microdata come with installed packages or are
fetched on request; the model panel is simulated from a stated seed. Who brings a survey of their
own keeps it: nothing of it enters a committed file.
"""
RIGHTS: Final = """\
Rights, as this folder states them:

- What is in `data/` and `reports/` was compiled for this report and is published under CC BY 4.0;
  `LICENSE-DATA` says what that covers and what it does not.
- Microdata of others are not redistributed. They come with the packages named below, or are
  fetched by `make data`, under the licences stated with each; where a licence could not be
  confirmed, the entry says so.

All data that the report needs are public. A file that a licence or its size keeps out is never
needed: where it is absent, the page says so, and its stored results stand.
"""
INSTRUCTIONS: Final = """\
1. Install git, make and Python (the versions stated above).
2. Run `make report`. It sets up `.venv` from `requirements.lock`, each package checked by its hash.
3. Open the page that it names; run `make verify` to compare every number with the published one.
4. Run `make test` for every check, and `analysis standards` for this list of standards.
5. Optional: `make validate` draws the Monte Carlo again; `make bench` times the estimators;
   `make data` downloads the public files that are free to fetch.

`make clean` deletes what was built; the next `make report` starts afresh. No step needs a login, a
licensed program or a setting by hand. Every random number has a stated seed.
"""


def sections(root: Path) -> dict[str, str]:
    """Return the sections by their title, in the order of the template.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    return {
        "Overview": OVERVIEW,
        "Data availability and provenance": RIGHTS + "\n" + "\n".join(_provenance()),
        "Dataset list": "\n".join(_datasets(root)),
        "Computational requirements": "\n".join(_requirements(root)),
        "Instructions to replicators": INSTRUCTIONS,
        EXHIBITS: "\n".join(_exhibits(root)),
        "References": "\n".join(_references(root)),
    }


def text(root: Path) -> str:
    """Return the whole file."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    head = (
        f"# Replication: village programmes and household income, version {project['version']}\n\n"
        "Made by `python -m analysis.methods.replication`; do not edit it by hand.\n"
    )
    return head + "".join(
        f"\n## {title}\n\n{body.strip()}\n" for title, body in sections(root).items()
    )


def parts(content: str) -> dict[str, str]:
    r"""Return the sections of a written file by their title.

    Examples
    --------
    >>> parts("# R\n\n## One\n\na\n\n## Two\n\nb\n")
    {'One': 'a', 'Two': 'b'}
    """
    found = re.split(r"^## (.+)$", content, flags=re.MULTILINE)[1:]
    return {title: body.strip() for title, body in zip(found[::2], found[1::2], strict=True)}


def _provenance() -> Iterator[str]:
    yield "Compiled for this report, in this folder, CC BY 4.0:\n"
    yield "- **Claims** (`data/claims`): read from the articles of `data/claims/sources.csv`,"
    yield "  which belong to their publishers; the ledger holds figures, places and dates with a"
    yield "  reference."
    yield "- **Studies** (`data/studies`): estimates as printed in the works of `works.csv`, each"
    yield "  with how well its number is known."
    yield "- **Parameters** (`data/parameters`): prices, poverty lines, costs and settings; each"
    yield "  row has its source and status."
    yield "- **Model panel**: simulated from `data/parameters/model.toml` and a seed; no real"
    yield "  household.\n"
    yield "Public microdata, not in this folder:\n"
    for card in cards.load().values():
        where = _file(card)
        yield f"- **{card.title}** (`{card.id}`): {where}. Licence: {_line(card.licence)}. " + (
            f"Citation: {_line(card.citation)}"
        )


def _file(card: cards.Card) -> str:
    source = card.source
    if isinstance(source, cards.PackageFile):
        return f"in the package {source.package} {source.version}"
    return f'fetched by `make data ARGS="{source.external}"`'


def _line(given: str) -> str:
    return " ".join(given.split())


def _datasets(root: Path) -> Iterator[str]:
    yield "| file | what one row is | provided |\n|:--|:--|:--|"
    described = {f"data/{name}": content for name, content in dictionary.packages().items()}
    for folder, content in sorted((described | packages.packages(root)).items()):
        for resource in content["resources"]:
            if resource.get("format") == "csv":
                what = _line(resource["description"]).rstrip(".")
                yield f"| `{folder}/{resource['path']}` | {what} | yes |"
    for card in cards.load().values():
        yield f"| `{card.id}` | {_line(card.unit)} | no: {_file(card)} |"
    yield "\nColumns, types, units and legal values of each file stand in the `datapackage.json` of"
    yield "its folder (Frictionless), and on the page of the data dictionary."


def _requirements(root: Path) -> Iterator[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    pinned = doctor.pins(lock)
    yield f"Software: git, make and Python ({project['requires-python']}; the locked packages: 3.11"
    yield "to 3.13). Quarto where it is installed, else an embedded renderer. The packages that the"
    yield f"code imports; `requirements.lock` pins all {len(pinned)} with their hashes:\n"
    yield "| package | version |\n|:--|:--|"
    for line in project["dependencies"]:
        name = doctor.normalise(_NAME.split(line, maxsplit=1)[0])
        yield f"| {name} | {', '.join(sorted(pinned[name]))} |"
    yield "\nRandomness: every generator gets its seed from a named constant or argument;"
    yield "`analysis standards` lists them.\n"
    yield from _runtimes(root)


def _runtimes(root: Path) -> Iterator[str]:
    if not (root / RUNTIMES).is_file():
        yield "Runtimes have not been measured: `python -m analysis.site.runtimes`."
        return
    rows = pl.read_csv(root / RUNTIMES, try_parse_dates=True)
    first = rows.row(0, named=True)
    yield f"Runtimes, measured on {first['date']:%Y-%m-%d} on one machine ({first['machine']}),"
    yield "notebooks one after the other; a second build takes those that changed only:\n"
    yield "| stage | what | seconds |\n|:--|:--|--:|"
    for row in rows.iter_rows(named=True):
        yield f"| {row['stage']} | {row['what']} | {printing.number(row['seconds'], 1)} |"
    memory = rows["memory_mib"].max()
    if isinstance(memory, int):
        yield f"\nMemory: one process used {printing.number(memory)} MiB at most."
        yield "Storage: `analysis doctor` says whether a disk has room for the environment and what"
        yield "is built."


def _exhibits(root: Path) -> Iterator[str]:
    found = exhibits.find(root)
    yield f"{len(found)} figures and tables. A cell is numbered as in the file, the first is 1."
    yield "Each number in the text is a row of `reports/findings.csv` with its page and function.\n"
    yield "| exhibit | notebook | cell | what it shows |\n|:--|:--|--:|:--|"
    for one in found:
        said = one.caption.replace("|", "\\|")
        yield f"| `{one.label}` | `{one.notebook}` | {one.cell} | {said} |"


_ENTRY: Final = re.compile(r"^@\w+\{(\w+),\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD: Final = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?\s*$", re.MULTILINE)
_PLACES: Final = ("journal", "booktitle", "publisher", "institution", "howpublished")


def _references(root: Path) -> Iterator[str]:
    yield f"Of `{BIBLIOGRAPHY}`; works of the studies are in `data/studies/works.csv`.\n"
    entries = []
    for _, body in _ENTRY.findall((root / BIBLIOGRAPHY).read_text(encoding="utf-8")):
        fields = {
            name.lower(): re.sub(r"[{}\\]", "", value) for name, value in _FIELD.findall(body)
        }
        place = next((fields[name] for name in _PLACES if name in fields), "")
        who = fields.get("author", "").replace(" and ", "; ")
        entries.append(
            f"- {who} ({fields.get('year', '')}). {fields.get('title', '')}."
            + (f" {place}." if place else "")
        )
    yield from sorted(entries)


if __name__ == "__main__":
    write_atomic(paths.root() / FILE, text(paths.root()).encode())
