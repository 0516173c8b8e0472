"""With Quarto on the path: a stand-in records how it is called and writes pages as it would."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.faults import FaultsError
from analysis.site import quarto
from analysis.site.build import build
from analysis.site.render import render

if TYPE_CHECKING:
    from conftest import Project

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a Unix script")

LIMITS = "".join(
    f'[{name}]\nvalue = 1\nunit = "MB"\nreason = "small"\n'
    for name in ("page", "assets", "file", "site", "quarto")
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><title>Q</title>
<meta name="generator" content="quarto-1.10.1">
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>Q</h1><p>by Quarto, call {call}</p></main></body></html>
"""
STAND_IN = """#!{python}
import json, os, pathlib, sys
log = pathlib.Path({log!r})
calls = json.loads(log.read_text()) if log.exists() else []
calls.append(sys.argv[1:])
log.write_text(json.dumps(calls))
assert sys.argv[1] == "render", sys.argv
names = sys.argv[2:] or [str(p) for f in (".", "notebooks", "pages", "findings")
                         for p in sorted(pathlib.Path(f).glob("*.*")) if p.suffix in (".qmd", ".ipynb")]
for number, name in enumerate(names, 1):
    print(f"[{{number}}/{{len(names)}}] {{name}}", flush=True)
    {script}
    out = (pathlib.Path("reports/quarto") / name).with_suffix(".html")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text({page!r}.format(call=len(calls)))
"""
SETTINGS = """\
project:
  type: website
  output-dir: reports/quarto
  render:
    - "*.qmd"
    - "notebooks/*.ipynb"
    - "findings/*.qmd"
  resources: [downloads]
website:
  title: "Small"
"""


def stand_in(project: Project, monkeypatch: pytest.MonkeyPatch, script: str = "pass") -> Path:
    """Put a program of this name first on the path; return where it records its calls."""
    log = project.root / "calls.json"
    text = STAND_IN.format(python=sys.executable, log=str(log), script=script, page=PAGE)
    path = project.write("bin/quarto", text)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    project.write("_quarto.yml", SETTINGS)
    project.write("data/parameters/site.toml", LIMITS)
    project.write("index.qmd", "---\ntitle: Home\n---\n\n[6](/findings/01-first.qmd#total)\n")
    for name, extra in (("01-first", "T1"), ("02-second", "T2")):
        content = json.loads((project.root / f"notebooks/{name}.ipynb").read_text())
        raw = {"cell_type": "raw", "id": "t", "metadata": {}, "source": f"---\ntitle: {extra}\n---"}
        content["cells"].insert(0, raw)
        project.write(f"notebooks/{name}.ipynb", json.dumps(content))
    monkeypatch.setenv("ANALYSIS_ROOT", str(project.root))
    return log


def calls(log: Path) -> list[list[str]]:
    found: list[list[str]] = json.loads(log.read_text())
    log.unlink()
    return found


def test_changed_pages_alone_are_rendered_again(
    executed: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = stand_in(executed, monkeypatch)
    report = build(executed.root)
    assert report.renderer == "quarto"
    assert calls(log) == [["render"]]
    assert "quarto    [1/" in capsys.readouterr().out
    assert "by Quarto, call 1" in report.index.read_text()
    assert build(executed.root).pages == 0 and not log.exists()
    executed.write("index.qmd", "---\ntitle: Home\n---\n\nAnother text.\n")
    report = build(executed.root)
    assert calls(log) == [["render", "index.qmd"]]
    executed.write("index.qmd", "---\ntitle: House\n---\n\nAnother title: in every navigation.\n")
    build(executed.root)
    assert len(calls(log)) > 1


def test_technical_pages_are_made_once_and_links_lead_to_them(
    executed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(executed, monkeypatch)
    site = build(executed.root).site
    record = (site / "findings/01-first.html").read_text()
    assert "by Quarto" not in record and 'id="total"' in record
    assert (site / "site_libs/shell.css").is_file()
    staged = executed.root / quarto.STAGE
    assert not (staged / "findings").exists() and (staged / "findings.qmd").is_file()
    assert "](/findings/01-first.html#total)" in (staged / "index.qmd").read_text()
    assert "findings/*" not in (staged / "_quarto.yml").read_text()
    assert (
        "](/findings/01-first.qmd#total)" in (executed.root / "build/stage/index.qmd").read_text()
    )


def test_a_value_that_moved_renders_the_pages_that_print_it(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    texts = {
        "_quarto.yml": 'project: {type: website}\nwebsite: {title: "S"}\n',
        "_values.json": '{"en": {"a-b": "3"}, "zh": {}}',
        "_variables.yml": "finding:\n  n: one\n",
        "index.qmd": "---\ntitle: Home\n---\n\n{{< val a-b >}}\n",
        "b.qmd": "---\ntitle: B\n---\n\n{{< var finding.n >}}\n",
        "c.qmd": "---\ntitle: C\n---\n\n{{< embed n.ipynb#fig-a >}}\n",
        "n.ipynb": '{"cells": []}',
        "_part.qmd": "text\n",
    }
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)

    def moved(name: str, text: str) -> set[str]:
        before = quarto.digests(folder, sys.executable)
        (folder / name).write_text(text)
        after = quarto.digests(folder, sys.executable)
        (folder / name).write_text(texts[name])
        return {page for page in after if before[page] != after[page]}

    every = {"index.qmd", "b.qmd", "c.qmd", "n.ipynb"}
    assert moved("_values.json", '{"en": {"a-b": "4"}, "zh": {}}') == {"index.qmd"}
    assert moved("_variables.yml", "finding:\n  n: two\n  m: three\n") == {"b.qmd"}
    assert moved("n.ipynb", '{"cells": [], "x": 1}') == {"c.qmd", "n.ipynb"}
    assert moved("_part.qmd", "other\n") == every
    assert moved("_quarto.yml", texts["_quarto.yml"] + "lang: en\n") == every


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            'print("WARNING (crossref.lua:9) Unable to resolve crossref @fig-x")',
            "index.qmd: Unable to resolve crossref @fig-x",
        ),
        (
            'print("\\x1b[33m[WARNING] Citeproc: citation nobody2020 not found\\x1b[39m")',
            "index.qmd: Citeproc: citation nobody2020 not found",
        ),
        (
            'print("WARN: Unable to resolve link target: pages/no.qmd", file=sys.stderr)',
            "Unable to resolve link target: pages/no.qmd",
        ),
        ('sys.exit("ERROR: YAML is broken")', "ERROR: YAML is broken"),
        ("sys.exit(0)", "made no site"),
    ],
)
def test_what_quarto_only_warns_of_fails(
    executed: Project, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    stand_in(executed, monkeypatch, script)
    out = executed.root / "build/site.new"
    executed.write("build/stage/_quarto.yml", SETTINGS)
    executed.write("build/stage/index.qmd", "---\ntitle: Home\n---\n")
    with pytest.raises(FaultsError) as raised:
        render(executed.root, executed.root / "build/stage", out, "0")
    assert said in str(raised.value)
    assert not out.exists()
    assert not (executed.root / quarto.STATE).exists()
