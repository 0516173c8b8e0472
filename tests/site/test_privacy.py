"""Planted households and hostile text, from the survey to the site: nothing of them comes out.

The survey is imported, made into cells and a pack, and the report is built on it by the command
that a user gives, on a reduced set of notebooks. Then everything that was written or said is
searched.
"""

from __future__ import annotations

import csv
import html
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.slow

NOTEBOOKS = ("19-data", "13-village-panel")
"""Those that show most of a panel: its tables, its distribution."""
CONFIG = """project:
  type: website
  output-dir: reports/site
lang: en
execute:
  enabled: false
bibliography: references.bib
website:
  title: "Planted"
  search: true
format:
  html:
    css: assets/site.css
    include-after-body: assets/scripts.html
    html-math-method: mathml
"""
ESTIMANDS = """name = "planted"
[design]
programmes = ["training"]
stratum = ""
[[outcome]]
name = "total"
[[outcome]]
name = "wage"
[[estimand]]
name = "overall"
aggregation = "event_time_overall"
[disclosure]
min_households = 10
"""
FAILING = """import os

import analysis as va
rows = va.read_panel(os.environ["PANEL"]).income.collect()
first = rows["household"].max()
wages = rows["wage"].to_list()

def shares(values, household):
    return [value / 0 for value in values]

shares(wages, first)
"""


def planted() -> ModuleType:
    """The planted survey, which no package holds."""
    path = Path(__file__).with_name("planted.py")
    spec = importlib.util.spec_from_file_location("planted", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLANTED = planted()
HOSTILE = f"""import polars as pl
from analysis.results import Provenance
from analysis.results.bars import Bar, bars
from analysis.results.number import Word
from analysis.results.table import ResultTable

texts = {PLANTED.HOSTILE!r}
source = Provenance.of(ResultTable, evidence="yours", rows_in=4, rows_used=4)
one, two, three, four = (Word(word=" ".join(t.split()[:6]), what=t, provenance=source) for t in texts)
data = pl.DataFrame({{"label": texts, "value": [1, 2, 3, 4]}})
shown = data.select(pl.col("label").alias(texts[0]), pl.col("value").cast(pl.String).alias(texts[2]))
"""
SHOWN = (
    "ResultTable(shown=shown, data=data, provenance=source, notes=tuple(texts))",
    """bars([Bar(t.replace("$", ""), 1.0, "1") for t in texts], texts[0],
    what=" ".join(texts[:3]), data=data, provenance=source)""",
)


@dataclass(frozen=True)
class Report:
    """A project built on the planted survey, and all that its commands said."""

    root: Path
    holder: Path
    said: str


def run(root: Path, panel: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the project without Quarto."""
    places = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(place for place in places if not shutil.which("quarto", path=place))
    environment = {
        **os.environ,
        "PATH": path,
        "ANALYSIS_ROOT": str(root),
        "PANEL": str(panel),
        "PYTHONPATH": str(root / "src"),
    }
    return subprocess.run(
        [sys.executable, "-m", "analysis", *words],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def reduce(root: Path) -> None:
    """Leave the notebooks that are built here; links to other pages lead outside."""
    for path in (root / "notebooks").glob("*.ipynb"):
        if path.stem not in NOTEBOOKS:
            path.unlink()
            continue
        text = path.read_text(encoding="utf-8")
        path.write_text(
            re.sub(r"\]\((?:/|(?=[\w-]+\.ipynb))", "](https://example.org/", text), encoding="utf-8"
        )
    shutil.rmtree(root / "notebooks" / "data")  # of public data, not of the panel
    write_hostile(root / "notebooks" / "19-hostile.ipynb")
    shutil.rmtree(root / "pages")
    (root / "pages").mkdir()  # every record of a finding leads to the data
    (root / "pages" / "data.qmd").write_text("---\ntitle: Data\n---\n\nAll.\n", encoding="utf-8")
    shutil.rmtree(root / "zh")
    shutil.rmtree(root / "data" / "methods")  # their pages lead to every notebook
    for path in root.glob("*.qmd"):
        path.unlink()
    (root / "index.qmd").write_text("---\ntitle: Planted\n---\n\nHello.\n", encoding="utf-8")
    (root / "_quarto.yml").write_text(CONFIG, encoding="utf-8")


def write_hostile(path: Path) -> None:
    """Write a notebook that prints hostile text in every way that a page prints text."""
    words = "Words: `{python} one` `{python} two` `{python} three` `{python} four`."
    table = f'#| label: tbl-hostile\n#| tbl-cap: "Labels"\n{SHOWN[0]}'
    figure = f'#| label: fig-hostile\n#| fig-cap: "Labels"\n{SHOWN[1]}'
    cells: list[dict[str, object]] = [
        {"cell_type": "raw", "source": "---\ntitle: Hostile\n---"},
        {"cell_type": "code", "source": HOSTILE, "outputs": [], "execution_count": None},
        {"cell_type": "markdown", "source": words},
        {"cell_type": "code", "source": table, "outputs": [], "execution_count": None},
        {"cell_type": "code", "source": figure, "outputs": [], "execution_count": None},
        {
            "cell_type": "code",
            "source": "#| echo: false\nprint(texts)",
            "outputs": [],
            "execution_count": None,
        },
    ]
    for number, cell in enumerate(cells):
        cell |= {"id": f"c{number}", "metadata": {}}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture(scope="module")
def report(
    tmp_path_factory: pytest.TempPathFactory, copy_of_project: Callable[[Path], Path]
) -> Report:
    """The report on the planted survey, with its pack."""
    holder = tmp_path_factory.mktemp("holder")
    root = copy_of_project(tmp_path_factory.mktemp("project") / "copy")
    reduce(root)
    survey, map_file = PLANTED.write_survey(holder)
    estimands = holder / "estimands.toml"
    estimands.write_text(ESTIMANDS, encoding="utf-8")
    panel, cells, log = holder / "panel", holder / "cells", holder / "log.jsonl"
    said = ""
    for words in (
        ("import", survey, "--map", map_file, "--out", panel),
        ("cells", panel, "--estimands", estimands, "--out", cells),
        ("effects", cells, "--estimands", estimands),
        ("pack", cells, "--estimands", estimands, "--out", root / "pack", "--log", log),
        ("effects", root / "pack"),
        ("attack", root / "pack", "--log", log, "--cells", cells),
        ("site", "build"),
    ):
        done = run(root, panel, *map(str, words))
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout + done.stderr
    return Report(root, holder, said)


def test_the_search_finds_what_is_there(report: Report) -> None:
    assert PLANTED.leaks(report.holder / "survey.csv")
    assert PLANTED.leaks(report.holder / "panel").keys() & {"households.parquet", "income.parquet"}


def test_nothing_planted_is_in_site_findings_pack_cache_or_words(report: Report) -> None:
    assert (report.root / "reports" / "yours" / "findings.csv").is_file()
    for part in ("reports", "build", "pack", "data"):
        assert PLANTED.leaks(report.root / part) == {}, part
    assert PLANTED.leaks(report.holder / "log.jsonl") == {}
    assert [s for s in PLANTED.sentinels() if s in report.said.encode()] == []


def test_no_file_of_a_pack_has_statistics_of_columns(report: Report) -> None:
    """Parquet keeps the least and greatest value of each column; a pack is text."""
    suffixes = {path.suffix for path in (report.root / "pack").iterdir()}
    assert suffixes <= {".csv", ".json", ".toml"}
    published = (report.root / "reports").rglob("*")
    assert [path for path in published if path.suffix in {".parquet", ".arrow", ".db"}] == []


def test_text_of_a_survey_stays_text(report: Report) -> None:
    pages = {
        path: path.read_text(encoding="utf-8")
        for path in (report.root / "reports" / "site").rglob("*.html")
    }
    shown = next(text for path, text in pages.items() if path.stem == "19-hostile")
    main = html.unescape(shown[shown.index("<main") : shown.index("</main>")])
    for text in PLANTED.HOSTILE:  # in prose, in the table, in the output
        assert main.count(text) >= 3, (text, main.count(text))
    for path, text in pages.items():
        bare = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
        assert "<script>window" not in bare, path
        assert "<img src=x" not in bare and 'href="javascript' not in bare, path
    index = (report.root / "reports/site/site_libs/search-index.js").read_text(encoding="utf-8")
    assert "</script" not in index


def test_no_download_holds_a_formula(report: Report) -> None:
    files = [*(report.root / "reports").rglob("*.csv"), *(report.root / "pack").rglob("*.csv")]
    assert len(files) > 5
    number = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?|[+-]inf", re.IGNORECASE)
    for path in files:
        with path.open(encoding="utf-8", newline="") as lines:
            cells = [cell for row in csv.reader(lines) for cell in row]
        formulas = {
            cell for cell in cells if cell[:1] in set("=+-@\t\r") and not number.fullmatch(cell)
        }
        assert formulas == set(), path


def test_a_failing_run_tells_no_value(report: Report, tmp_path: Path) -> None:
    root = tmp_path / "failing"
    shutil.copytree(report.root, root, ignore=shutil.ignore_patterns("build", "reports"))
    path = root / "notebooks" / "19-data.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    cell = next(cell for cell in content["cells"] if cell["cell_type"] == "code")
    content["cells"] = [{**cell, "source": FAILING}]
    path.write_text(json.dumps(content), encoding="utf-8")
    done = run(root, report.holder / "panel", "site", "build")
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "ZeroDivisionError" in said
    assert [s for s in PLANTED.sentinels() if s in said.encode()] == []
    assert PLANTED.leaks(root / "build") == {}
