"""After Quarto: its content-network loads are gone, and any other load fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.site.policy import with_policy
from analysis.site.postprocess import main, output_files, without_loaders

QUARTO = """<head>
<meta charset="utf-8">
<script src="https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.6/require.min.js" \
integrity="sha512-c3Nl8" crossorigin="anonymous"></script>
<script src="https://cdnjs.cloudflare.com/ajax/libs/jquery/3.5.1/jquery.min.js" \
integrity="sha512-bLT0" crossorigin="anonymous" data-relocate-top="true"></script>
<script type="application/javascript">define('jquery', [],function() {return window.jQuery;})\
</script>
<script src="site_libs/quarto-nav/quarto-nav.js"></script>
<script>const local = 1;</script>
</head>
"""
KEPT = """<head>
<meta charset="utf-8">
<script src="site_libs/quarto-nav/quarto-nav.js"></script>
<script>const local = 1;</script>
</head>
"""


def test_loaders_and_their_shim_go_and_nothing_else() -> None:
    assert without_loaders(QUARTO) == KEPT
    assert without_loaders(KEPT) == KEPT


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "reports" / "site"
    folder.mkdir(parents=True)
    (folder / "a.html").write_text(QUARTO)
    return folder


def test_it_finds_pages_as_quarto_names_them(output: Path) -> None:
    project = output.parent.parent
    relative = {"QUARTO_PROJECT_OUTPUT_FILES": "reports/site/a.html\nreports/site/a.xml\n"}
    absolute = {"QUARTO_PROJECT_OUTPUT_FILES": str(output / "a.html")}
    folder = {"QUARTO_PROJECT_OUTPUT_DIR": "reports/site"}
    gone = {"QUARTO_PROJECT_OUTPUT_FILES": "reports/site/b.html", **folder}
    for environment in (relative, absolute, folder, gone):
        assert output_files(environment, project) == [output / "a.html"]


def test_an_external_load_that_is_left_fails(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(output)], {}) == 0
    assert (output / "a.html").read_text() == with_policy(KEPT, quarto=True)
    (output / "b.html").write_text('<p>\n<img src="https://example.org/a.png" alt="x">')
    assert main([str(output)], {}) == 1
    assert "b.html:3" in capsys.readouterr().err
    assert main([], {}) == 2


def test_as_the_hook_of_quarto(output: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analysis.site.postprocess"],
        cwd=output.parent.parent,
        env={**os.environ, "QUARTO_PROJECT_OUTPUT_DIR": "reports/site"},
        check=False,
    )
    assert done.returncode == 0
    assert (output / "a.html").read_text() == with_policy(KEPT, quarto=True)
