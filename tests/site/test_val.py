"""A number kept in one notebook is printed, with its link, on any page in either language."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.site import findings_page, languages
from analysis.site.embedded.pandoc import executable
from analysis.site.embedded.render import render_project

EXTENSION = paths.root() / "_extensions" / "village" / "val" / "val.lua"
LINK = "[{}](/findings/a.qmd#training-offer){{.finding}}"
VALUES = {
    "en": {"training-offer": LINK.format("440 to 1,820")},
    "zh": {"training-offer": LINK.format("440至1,820")},
}
QUARTO = """\
project: {type: website, render: ["*.qmd", "findings/*.qmd"]}
website: {title: "Small"}
"""


def stage(folder: Path, text: str, lang: str = "en") -> Path:
    (folder / "findings").mkdir(parents=True)
    pages = {
        "index.qmd": f"---\ntitle: Home\nlang: {lang}\n---\n\n{text}\n",
        "findings/a.qmd": "---\ntitle: A\n---\n\n[x]{#training-offer}\n",
        "_quarto.yml": QUARTO,
        "_values.json": json.dumps(VALUES),
    }
    for name, content in pages.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("lang", "shown"), [("en", "440 to 1,820"), ("zh-Hans", "440至1,820")])
def test_the_embedded_renderer_prints_it(tmp_path: Path, lang: str, shown: str) -> None:
    folder = stage(tmp_path / "stage", "It gave {{< val training-offer >}}.", lang)
    render_project(folder, tmp_path / "site")
    html = (tmp_path / "site/index.html").read_text(encoding="utf-8")
    assert f'<a href="findings/a.html#training-offer" class="finding">{shown}</a>.' in html


def test_an_unknown_name_is_a_fault_with_its_line(tmp_path: Path) -> None:
    folder = stage(tmp_path / "stage", "One.\n\nIt gave {{< val none-such >}}.")
    with pytest.raises(FaultsError, match=r"index\.qmd:8 'none-such': no number is kept"):
        render_project(folder, tmp_path / "site")


SCRIPT = """
quarto = { project = { directory = arg[1] } }
local handler = dofile(arg[2])["val"]
local name = pandoc.Inlines({ pandoc.Str(arg[3]) })
local shown = handler({ name }, {}, { lang = pandoc.Inlines({ pandoc.Str(arg[4]) }) })
print(pandoc.write(pandoc.Pandoc({ pandoc.Plain(shown) }), "markdown"))
"""


def extension(folder: Path, name: str, lang: str) -> subprocess.CompletedProcess[str]:
    """Call the shortcode as Quarto does: with the arguments as inlines, in pandoc's own Lua."""
    script = folder / "call.lua"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [executable(), "lua", script, folder, EXTENSION, name, lang]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def test_the_extension_of_quarto_prints_the_same(tmp_path: Path) -> None:
    folder = stage(tmp_path / "stage", "")
    english, chinese = (extension(folder, "training-offer", lang) for lang in ("en", "zh-Hans"))
    assert english.stdout.strip() == VALUES["en"]["training-offer"], english.stderr
    assert chinese.stdout.strip() == VALUES["zh"]["training-offer"]
    unknown = extension(folder, "none-such", "en")
    assert unknown.returncode and 'under the name "none-such"' in unknown.stderr
    (folder / "_values.json").unlink()
    assert "set the project up" in extension(folder, "training-offer", "en").stderr


def test_permanent_names_alone_are_values() -> None:
    shared = {"kind": "number", "page": "a", "text": "3", "tier": "model"}
    records = [{**shared, "id": name} for name in ("training-offer", "a.3")]
    assert findings_page.values(records, {"training-offer": "三"}) == {
        "en": {"training-offer": "[3](/findings/a.qmd#training-offer){.finding}"},
        "zh": {"training-offer": "三"},
        "tiers": {"training-offer": "model", "a.3": "model"},
    }


WHEN = """
quarto = { project = { directory = arg[1] } }
local filter = dofile(arg[2])[1]
local text = io.open(arg[3]):read("a")
print(pandoc.write(pandoc.read(text, "markdown"):walk(filter), "plain"))
"""


def test_parts_for_some_data_only(tmp_path: Path) -> None:
    """The filter of the extension keeps what the stage keeps."""
    blocks = {
        'finding="a"': True,
        'finding="a" tier="model"': True,
        'finding="a" tier="yours"': False,
        'finding="b"': False,
        'missing="a"': False,
        'missing="b"': True,
    }
    page = "\n\n".join(f":::: {{.when {c}}}\ntext{n}\n::::" for n, c in enumerate(blocks))
    files = {"_values.json": '{"tiers": {"a": "model"}}', "page.md": page, "call.lua": WHEN}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    when = EXTENSION.parent.parent / "when" / "when.lua"
    command = [executable(), "lua", tmp_path / "call.lua", tmp_path, when, tmp_path / "page.md"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kept = [f"text{n}" for n, keep in enumerate(blocks.values()) if keep]
    assert done.stdout.split() == kept
    staged = languages.fitted(page, {"a": "model"}, brought=False)
    assert [word for word in staged.split() if word.startswith("text")] == kept
