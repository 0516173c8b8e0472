"""From a number to its record, and from there to the source of all that made it: two clicks."""

from __future__ import annotations

import re

from analysis import paths
from analysis.methods import proof
from analysis.site import findings_page, sources_page

FUNCTION = "analysis.designs.randomised.rct"
RECORD = {
    "id": "01-training.1",
    "kind": "number",
    "page": "01-training",
    "tier": "public",
    "what": "effect of the offer",
    "value": 1129.7,
    "low": 437.9,
    "high": 1821.5,
    "unit": "dollars",
    "text": "1,130",
    "rows_in": 9900,
    "rows_used": 9872,
    "n_villages_treated": None,
    "n_villages_control": None,
    "method": "difference in means",
    "function": FUNCTION,
    "inputs": "jtpa:abc",
    "digest": "",
    "tolerance": 1e-9,
    "cell": "c4",
}
CELLS = (
    {"cell_type": "code", "id": "c3", "source": "import analysis as va"},
    {"cell_type": "code", "id": "c4", "source": ["fit = va.rct(frame)\n", "fit"]},
    {"cell_type": "code", "id": "c5", "source": 'page.number("old_one", 3)'},
)


def test_a_record_leads_to_cell_source_tests_and_data() -> None:
    root = paths.root()
    known = proof.read(root)
    old = {**RECORD, "id": "old_one", "cell": ""}
    notebook = findings_page.Notebook("notebooks/data/01-training.ipynb", CELLS)
    made = findings_page.pages(
        {"01-training": [RECORD, old]}, known, notebooks={"01-training": notebook}
    )
    page = made["findings/01-training.qmd"]
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page.split('id="01-training.1"')[1])
    assert ("#cell-c4", "the cell that called it") in links
    assert ("../source/designs.html#" + FUNCTION, "its source and tests") in links
    assert ("../pages/data.html", "the data, or how to get them") in links
    assert "### Code cell 2 {#cell-c4}\n\n````python\nfit = va.rct(frame)\nfit\n````" in page
    assert '"#cell-c5"' in page and "{#cell-c3}" not in page
    assert "(/notebooks/data/01-training.ipynb)" in page

    sources = sources_page.pages(root, [FUNCTION, "no.such", "analysis.designs"], known)
    assert list(sources) == ["source/designs.qmd"]
    text = sources["source/designs.qmd"]
    assert f"## rct {{#{FUNCTION}}}" in text and "\ndef rct(" in text
    shown = re.findall(r"Tested by `tests/designs/[\w.]+::test_\w+`", text)
    assert len(shown) == sources_page.TESTS
    assert text.count("\ndef test_") == sources_page.TESTS


def test_the_front_door_leads_to_the_tests_of_the_function_behind_it() -> None:
    known = proof.read(paths.root())
    assert any("va.rct" not in test and "designs" in test for test in known.named[FUNCTION])


def test_decorators_belong_to_what_they_decorate() -> None:
    root = paths.root()
    known = proof.read(root)
    place = known.places["analysis.results.number.Number"]
    text = sources_page.definition(root / place.file, place.line)
    assert text.startswith("@dataclass(frozen=True, eq=False, kw_only=True)\nclass Number(")
