"""The committed results of proof: written whole, read by pages, partly made again by tests.

``reports/validation/montecarlo.csv`` holds what each design told, ``first_draws.csv`` the first
draws themselves, ``montecarlo.json`` the seed, the date and the digest of the code of each design;
``published.csv`` the published cases that could be computed, for some need packages or files that
the report's environment does not have.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis import paths
from analysis.faults import Fault, FaultsError
from analysis.files import write_atomic
from analysis.validation import coverage, designs, montecarlo, published
from analysis.validation.designs import Design
from analysis.validation.draws import SEED

SUMMARY, FIRST, MANIFEST = "montecarlo.csv", "first_draws.csv", "montecarlo.json"
PUBLISHED: Final = "published.csv"
"""Also what asks `validate` for the published cases."""
MODULES: Final = (
    "cells/handling",
    "did/estimators/aggregate",
    "did/estimators/contrast",
    "did/estimators/estimates",
    "did/estimators/group_time",
    "did/estimators/imputation",
    "did/estimators/projection",
    "did/estimators/record",
    "did/estimators/effect_set",
    "did/estimators/table",
    "did/estimators/two_way",
    "inference/arrays",
    "inference/bands",
    "inference/clusters",
    "inference/degrees",
    "money",
    "panels/estimands",
    "panels/model/assignment",
    "panels/model/draws",
    "panels/model/effects",
    "panels/model/households",
    "panels/model/observation",
    "panels/model/parameters",
    "panels/model/places",
    "panels/model/settings",
    "panels/model/untreated",
    "panels/model/world",
    "validation/designs",
    "validation/draws",
    "validation/estimators",
    "validation/montecarlo",
)
"""Modules that the draws depend on; a test holds the list to what is imported."""
CODE: Final = (
    *(f"src/analysis/{name}.py" for name in MODULES),
    *(
        f"data/parameters/{name}"
        for name in (
            "inference.toml",
            "model.toml",
            "model_programmes.toml",
            "income_path.csv",
            "prices.csv",
            "poverty_lines.csv",
        )
    ),
    "data/validation/designs.csv",
)
"""Files that the draws depend on; the versions of libraries are in the lock."""
KEPT: Final = {"lot": 60, "offered": 3}
"""Draws of a design that are committed one by one, by kind: a draw of a large panel takes long."""
DIGITS: Final = 12
"""Significant digits of the first draws: a test compares them to nine."""


@dataclass(frozen=True)
class Run:
    """How the stored results of one design were made.

    Attributes
    ----------
    draws, seed : int
        Of the run.
    date : str
        When, YYYY-MM-DD.
    code : str
        sha256 of the files of `CODE`.
    """

    draws: int
    seed: int
    date: str
    code: str


@dataclass(frozen=True)
class Results:
    """Stored results.

    Attributes
    ----------
    summary : polars.DataFrame
        As `analysis.validation.coverage.summary`, all designs.
    first : polars.DataFrame
        The first draws, as `first_draws`.
    runs : mapping of str to Run
        By design.
    published : polars.DataFrame
        As `analysis.validation.published.reproduce`.
    """

    summary: pl.DataFrame
    first: pl.DataFrame
    runs: Mapping[str, Run]
    published: pl.DataFrame

    @property
    def oldest(self) -> str:
        """Date of the oldest run."""
        return min(run.date for run in self.runs.values())

    @property
    def same_code(self) -> bool:
        """Whether every design was run with the code and data that are here now."""
        now = code_digest()
        return all(run.code == now for run in self.runs.values())


def folder() -> Path:
    """Return where results are committed."""
    return paths.root() / "reports" / "validation"


def code_digest() -> str:
    """Return the sha256 of everything the draws depend on."""
    total = hashlib.sha256()
    for name in CODE:
        text = (paths.root() / name).read_bytes().replace(b"\r\n", b"\n")
        total.update(name.encode() + b"\0" + text + b"\0")
    return total.hexdigest()


def first_draws(design: Design, drawn: pl.DataFrame) -> pl.DataFrame:
    """Return what is committed of single draws: the overall effect and the first event times."""
    few = pl.col("aggregation") == "simple"
    few |= (pl.col("estimator") == "group_time") & pl.col("at").is_between(-1, 1)
    return (
        drawn.filter(pl.col("draw") < KEPT[design.kind], few, pl.col("outcome") == "income")
        .select(pl.lit(design.id).alias("design"), pl.exclude("outcome", "cohort", "period"))
        .with_columns(pl.selectors.float().round_sig_figs(DIGITS).fill_nan(None))
    )


def validate(
    only: tuple[str, ...] = (),
    *,
    number: int | None = None,
    processes: int = -1,
    to: Path | None = None,
    work: Path | None = None,
) -> Results:
    """Run designs and store what they tell; others stay as stored.

    Parameters
    ----------
    only : tuple of str
        Names of designs, or beginnings of names, or ``published``; all if none is given.
    number : int, optional
        Draws of each; as many as the design says by default.
    processes : int
        As joblib counts them.
    to : Path, optional
        Folder of the results, `folder` by default.
    work : Path, optional
        Folder of the blocks of draws, one folder for each state of the code in it;
        ``build/validation`` by default.

    Raises
    ------
    FaultsError
        If no design has such a name.
    """
    known = designs.load()
    names = [*(d.id for d in known), "published"]
    unknown = [name for name in only if not any(text.startswith(name) for text in names)]
    if unknown:
        raise FaultsError(
            [
                Fault(
                    "data/validation/designs.csv",
                    "no such design",
                    f"choose from {', '.join(names)}",
                    column="id",
                    value=", ".join(unknown),
                )
            ]
        )
    code, target = code_digest(), to or folder()
    target.mkdir(parents=True, exist_ok=True)
    if not (target / MANIFEST).is_file():
        write_atomic(target / MANIFEST, b"{}\n")
    if not only or "published".startswith(only):
        _store_published(target)
    blocks = (work or paths.root() / "build" / "validation") / code[:16]
    for design in known:
        if only and not design.id.startswith(only):
            continue
        drawn = montecarlo.run(design, blocks, number=number, processes=processes)
        run = Run(drawn["draw"].n_unique(), SEED, date.today().isoformat(), code)
        _store(target, [d.id for d in known], design, drawn, run)
    return read(target)


def _store_published(target: Path) -> None:
    """Store the published cases; one whose data are not here stays as it was stored."""
    frame = published.reproduce().with_columns(
        pl.selectors.float().round_sig_figs(coverage.DIGITS), pl.col("why_not").fill_null("")
    )
    if (target / PUBLISHED).is_file():
        before = pl.read_csv(target / PUBLISHED, schema=frame.schema)
        kept = before.filter(pl.col("ours").is_not_null())
        lost = frame.filter(pl.col("ours").is_null())["case"].to_list()
        again = kept.filter(pl.col("case").is_in(lost))
        order = frame["case"].to_list()
        rest = frame.filter(~pl.col("case").is_in(again["case"].to_list()))
        rank = pl.col("case").replace_strict({name: i for i, name in enumerate(order)})
        frame = pl.concat([again, rest]).sort(rank)
    write_atomic(target / PUBLISHED, frame.write_csv().encode())


def _store(target: Path, order: list[str], design: Design, drawn: pl.DataFrame, run: Run) -> None:
    """Put the results of one design among those of the others."""
    target.mkdir(parents=True, exist_ok=True)
    new = {SUMMARY: coverage.summary(design.id, drawn), FIRST: first_draws(design, drawn)}
    runs: dict[str, Any] = {}
    if (target / MANIFEST).is_file():
        runs = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    for name, frame in new.items():
        others = (
            [pl.read_csv(target / name, schema=frame.schema)] if (target / name).is_file() else []
        )
        kept = [other.filter(pl.col("design") != design.id) for other in others]
        rank = pl.col("design").replace_strict({d: i for i, d in enumerate(order)}, default=None)
        whole = pl.concat([*kept, frame]).filter(pl.col("design").is_in(order))
        write_atomic(target / name, whole.sort(rank, maintain_order=True).write_csv().encode())
    runs[design.id] = asdict(run)
    sorted_runs = {name: runs[name] for name in order if name in runs}
    write_atomic(target / MANIFEST, (json.dumps(sorted_runs, indent=2) + "\n").encode())


def read(source: Path | None = None) -> Results:
    """Read stored results, those of the project by default; what was not run yet is empty.

    Raises
    ------
    FaultsError
        If nothing was ever run.
    """
    source = source or folder()
    try:
        runs = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FaultsError(
            [Fault(f"reports/validation/{MANIFEST}", "the file is missing", "run: make validate")]
        ) from None
    texts = {PUBLISHED: {"printed": pl.String, "printed_se": pl.String}}
    summary, first, cases = (
        pl.read_csv(source / name, infer_schema_length=None, schema_overrides=texts.get(name))
        if (source / name).is_file()
        else pl.DataFrame()
        for name in (SUMMARY, FIRST, PUBLISHED)
    )
    return Results(summary, first, {name: Run(**run) for name, run in runs.items()}, cases)
