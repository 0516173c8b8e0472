"""What was signed off: the published findings and the stored tables of proof, each with its digest.

``reports/findings.csv`` is written by `sign` alone, never by a build, and ships with the source;
``reports/published.csv`` holds its digest and those of the stored tables, with the digests of the
code and of the inputs that made these.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from analysis import contract
from analysis.faults import Fault, FaultsError
from analysis.files import digest_files, digest_of, files_below, write_atomic
from analysis.methods.schemas import Signed
from analysis.site.digest import ImportGraph, package_files

LOCK: Final = Path("reports") / "findings.csv"
SEAL: Final = Path("reports") / "published.csv"
COMMAND: Final = "make publish"


@dataclass(frozen=True)
class Origin:
    """What a stored table was made by.

    Attributes
    ----------
    module : str
        The module that draws or computes it; with all it imports. Empty for a script.
    inputs : tuple of str
        Files and folders it reads, and the script that makes it.
    """

    module: str = ""
    inputs: tuple[str, ...] = ()


_MONTE_CARLO: Final = Origin(
    "analysis.validation.montecarlo", ("data/validation/designs.csv", "data/parameters/model.toml")
)
STORED: Final[Mapping[str, Origin]] = {
    "reports/validation/montecarlo.csv": _MONTE_CARLO,
    "reports/validation/first_draws.csv": _MONTE_CARLO,
    "reports/validation/montecarlo.json": _MONTE_CARLO,
    "reports/validation/intervals.csv": Origin(
        "analysis.validation.intervals", ("data/validation/intervals.toml",)
    ),
    "reports/validation/pooling.csv": Origin("analysis.validation.pooling_coverage"),
    "reports/validation/published.csv": Origin(
        "analysis.validation.published", ("data/validation/published.csv",)
    ),
    "data/validation/parity/effects.csv": Origin(
        inputs=("benchmarks/parity/effects.py", "data/validation/parity/panel.parquet")
    ),
    "data/validation/parity/doubly_robust.csv": Origin(
        inputs=("benchmarks/parity/doubly_robust.py",)
    ),
    "reports/public/rice_farms.csv": Origin(),
    "reports/public/rice_seasons.csv": Origin(),
}
"""Stored tables that a build shows and does not make, by file."""


def text_digest(path: Path) -> str:
    """Return the sha256 of a text file, its line ends as on any system."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def code_digest(files: Iterable[Path], root: Path) -> str:
    """Return one digest over what code does: comments, docstrings and layout do not count.

    Parameters
    ----------
    files : iterable of Path
        Python files.
    root : Path
        The project folder, from which they are named.
    """
    parts = {}
    for path in files:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and _is_text(body[0]):
                node.body = body[1:]  # type: ignore[attr-defined]
        parts[path.relative_to(root).as_posix()] = ast.dump(tree)
    return digest_of(parts)


def _is_text(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def found(root: Path) -> dict[str, tuple[str, str, str]]:
    """Return digests of result, code and inputs of everything that is signed and is there.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    graph = ImportGraph.read(root / "src") if (root / "src").is_dir() else None
    rows = {}
    for name, origin in {LOCK.as_posix(): Origin(), **STORED}.items():
        path = root / name
        if not path.is_file():
            continue
        code = ""
        if origin.module and graph is not None:
            files = package_files(graph, graph.closure({origin.module}))
            code = code_digest([file for file in files if file.suffix == ".py"], root)
        read = [root / text for text in origin.inputs]
        files = [
            file
            for target in read
            for file in (files_below(target) if target.is_dir() else [target])
        ]
        inputs = digest_files(root, [file for file in files if file.is_file()]) if files else ""
        rows[name] = (text_digest(path), code, inputs)
    return rows


def sign(root: Path, table: bytes, *, stored: bool = False) -> None:
    """Make a table of findings the published one, and note the digests of all that is published.

    Parameters
    ----------
    root : Path
        The project folder.
    table : bytes
        The findings of a build.
    stored : bool
        Whether stored tables are signed too whose code or inputs have changed since they were.

    Raises
    ------
    FaultsError
        If a stored table was changed, or its code or inputs were, and `stored` is not given.
    """
    first = not (root / SEAL).is_file()
    known = [] if stored or first else seal_faults(root)
    faults = [fault for fault in known if fault.value != LOCK.as_posix()]
    if faults:
        raise FaultsError(faults)
    write_atomic(root / LOCK, table)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["file", "result", "code", "inputs"])
    writer.writerows([name, *digests] for name, digests in sorted(found(root).items()))
    write_atomic(root / SEAL, buffer.getvalue().encode())


def seal_faults(root: Path) -> list[Fault]:
    """Return what is not as it was when it was signed.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    file = SEAL.as_posix()
    if not (root / SEAL).is_file():
        return [Fault(file, "nothing was signed off", f"look at the numbers, then: {COMMAND}")]
    try:
        signed = contract.read(root / SEAL, Signed)
    except FaultsError as error:
        return list(error.faults)
    now = found(root)
    there = {row["file"]: row for row in signed.fill_null("").iter_rows(named=True)}
    faults = [
        Fault(file, "the file was never signed off", _remedy(name), value=name)
        for name in now
        if name not in there
    ]
    for name, row in there.items():
        if name not in now:
            faults.append(Fault(file, "the file is missing", "restore it", row["line"], value=name))
            continue
        was = (row["result"], row["code"], row["inputs"])
        problems = (
            "the file was changed since it was signed off",
            "the code that makes it has changed since it was signed off",
            "the inputs that it was made from have changed since it was signed off",
        )
        faults += [
            Fault(file, problem, _remedy(name), row["line"], value=name)
            for problem, before, after in zip(problems, was, now[name], strict=True)
            if before != after
        ]
    return faults


def _remedy(name: str) -> str:
    if name == LOCK.as_posix():
        return f"restore it, or look at the numbers and sign: {COMMAND}"
    return f'make it again, or run tests/validation and sign: {COMMAND} ARGS="--stored"'


def is_signed(root: Path) -> bool:
    """Say whether the published findings are those that were signed off."""
    try:
        signed = contract.read(root / SEAL, Signed).filter(pl.col("file") == LOCK.as_posix())
        return signed["result"].to_list() == [text_digest(root / LOCK)]
    except (FaultsError, OSError):
        return False
