"""Load: a million-row import with bad rows, and a site of many notebooks and findings.

Prints figures, compares nothing: ``python benchmarks/load.py`` (about five minutes), or one part:
``python benchmarks/load.py import`` or ``site``. Needs nothing but the report's environment.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parent.parent
BAD = 10
"""Every so many rows one is bad."""
PERIODS = 10
MAP = """[map]
survey = "load"
[limits]
max_rejected_rows = 0.2
max_rejected_records = 0.2
[[files]]
id = "main"
file = "survey.csv"
household = "hh"
period = "year"
[household]
village = "village"
[income]
members = "size"
"""
ITEM = '[[income.items]]\nsource = "{0}"\ncolumn = "{0}"\nunit = "yuan"\nper = "year"\n'
SOURCES = ("wage", "business", "property", "transfer")
CONFIG = """project:
  type: website
  output-dir: reports/site
lang: en
execute:
  enabled: false
bibliography: references.bib
website:
  title: "Load"
  search: true
  sidebar:
    contents: [{pages}]
format:
  html:
    css: assets/site.css
    include-after-body: assets/scripts.html
    html-math-method: mathml
"""
CODE = """from analysis import printing
from analysis.results import Number, Provenance
from analysis.results.number import keep
source = Provenance.of(printing.number, evidence="model", rows_in=100, rows_used=90)
noted = [keep(Number(value={serial} + n / 7, what=f"number {{n}} of this page", unit="yuan",
                     provenance=source), f"{stem}-{{n}}")
         for n in range({findings})]
first, last = noted[0], noted[-1]"""


def survey(folder: Path, rows: int) -> None:
    """Write a survey and its map; every tenth row has text where a number should be."""
    n = pl.int_range(rows, eager=True).alias("n")
    frame = pl.DataFrame(n).select(
        hh=pl.format("h{}", pl.col("n") // PERIODS),
        year=2010 + pl.col("n") % PERIODS,
        village=pl.format("v{}", pl.col("n") // PERIODS % 2_000),
        size=pl.lit(4),
        wage=pl.when(pl.col("n") % BAD == 3)
        .then(pl.lit("a lot"))
        .otherwise((20_000 + pl.col("n") % 9_973).cast(pl.String)),
        business=10_000 + pl.col("n") % 7_919,
        property=pl.col("n") % 1_000,
        transfer=pl.col("n") % 3_000,
    )
    frame.write_csv(folder / "survey.csv")
    items = "".join(ITEM.format(source) for source in SOURCES)
    (folder / "map.toml").write_text(MAP + items, encoding="utf-8")


def importing(rows: int) -> None:
    """Time one import in a process of its own and print what became of the rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        survey(folder, rows)
        size = (folder / "survey.csv").stat().st_size
        words = [
            "import",
            str(folder / "survey.csv"),
            "--map",
            str(folder / "map.toml"),
            "--out",
            str(folder / "panel"),
        ]
        begun = time.monotonic()
        said = run(words, ROOT)
        seconds = time.monotonic() - begun
        rejected = pl.scan_parquet(folder / "panel" / "rejected.parquet")
        n_rejected = rejected.select(pl.len()).collect().item()
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"import of {rows:,} rows ({size / 1e6:.0f} MB), every {BAD}th bad: {seconds:.1f} s, "
        f"{rows / seconds:,.0f} rows a second, peak memory {peak:,.0f} MiB, "
        f"{n_rejected:,} rows kept as rejected"
    )
    print("\n".join(f"  {line.strip()}" for line in said.splitlines()[:5]))


def run(words: list[str], root: Path) -> str:
    """Run the command of this checkout on a project, without Quarto; return what it said."""
    places = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(place for place in places if not shutil.which("quarto", path=place))
    environment = {
        **os.environ,
        "PATH": path,
        "PYTHONPATH": str(ROOT / "src"),
        "ANALYSIS_ROOT": str(root),
    }
    command = [sys.executable, "-m", "analysis", *words]
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def project(root: Path, notebooks: int, findings: int) -> None:
    """Write a project of so many notebooks that note so many findings in all."""
    for name in ("assets", "data", "src"):
        ignored = shutil.ignore_patterns("__pycache__", "external")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    shutil.rmtree(root / "data" / "methods")  # their pages lead to the real notebooks
    for name in ("requirements.lock", "references.bib"):
        shutil.copy(ROOT / name, root / name)
    (root / "notebooks").mkdir()
    (root / "index.qmd").write_text("---\ntitle: Load\n---\n\nHello.\n", encoding="utf-8")
    names = [f"{n:03}-load" for n in range(notebooks)]
    pages = ", ".join(["index.qmd", *(f"notebooks/{name}.ipynb" for name in names)])
    (root / "_quarto.yml").write_text(CONFIG.format(pages=pages), encoding="utf-8")
    each = findings // notebooks
    for n, name in enumerate(names):
        code = CODE.format(name=name, stem=f"load-{n:03}", serial=n, findings=each)
        cells: list[dict[str, object]] = [
            {"cell_type": "raw", "source": f"---\ntitle: Page {n}\n---"},
            {"cell_type": "code", "source": code, "outputs": [], "execution_count": None},
            {"cell_type": "markdown", "source": "From `{python} first` to `{python} last`."},
        ]
        for at, cell in enumerate(cells):
            cell |= {"id": f"c{at}", "metadata": {}}
        content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        path = root / "notebooks" / f"{name}.ipynb"
        path.write_text(json.dumps(content), encoding="utf-8")


def site(notebooks: int, findings: int) -> None:
    """Build such a site: cold, again, and with one page changed; print times and weights."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        project(root, notebooks, findings)
        for what in ("from nothing", "again", "one page changed"):
            if what == "one page changed":
                text = "---\ntitle: Load\n---\n\nChanged.\n"
                (root / "index.qmd").write_text(text, encoding="utf-8")
            begun = time.monotonic()
            said = run(["site", "build"], root)
            line = next(line for line in said.splitlines() if line.startswith("notebooks:"))
            print(
                f"site of {notebooks} notebooks, {findings:,} findings, {what}: "
                f"{time.monotonic() - begun:.1f} s; {line}"
            )
        built = root / "reports" / "site"
        weights = {
            path.relative_to(built).as_posix(): path.stat().st_size
            for path in built.rglob("*")
            if path.is_file()
        }
        heaviest = sorted(weights, key=lambda file: -weights[file])[:5]
        print(
            f"  {len(weights)} files, {sum(weights.values()) / 1e6:.1f} MB; heaviest: "
            + ", ".join(f"{file} {weights[file] / 1e6:.2f} MB" for file in heaviest)
        )


def main() -> None:
    """Read the arguments and run the parts."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("part", nargs="?", choices=("import", "site"))
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--notebooks", type=int, default=100)
    asked.add_argument("--findings", type=int, default=20_000)
    chosen = asked.parse_args()
    if chosen.part in (None, "import"):
        importing(chosen.rows)
    if chosen.part in (None, "site"):
        site(chosen.notebooks, chosen.findings)


if __name__ == "__main__":
    main()
