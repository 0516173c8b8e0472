"""The summary as a Word file: values as on the page, no dead link, two builds the same bytes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from analysis import doctor, findings, paths
from analysis.faults import FaultsError
from analysis.site import findings_page, languages, pdf, summary
from analysis.site.embedded.pandoc import executable

ROOT = paths.root()
EPOCH = "1767225600"


@pytest.fixture(scope="module")
def documents() -> dict[str, bytes]:
    """Those of this project, with its published findings."""
    records = findings.read_csv(ROOT / "reports" / "findings.csv")
    chinese = languages.values(records, languages.words(ROOT))
    pages = {name: (ROOT / name).read_bytes() for name in summary.FILES}
    return summary.documents(pages, findings_page.values(records, chinese), EPOCH)


def words(document: bytes, folder: Path) -> str:
    (folder / "a.docx").write_bytes(document)
    command = [executable(), "--from", "docx", "--to", "plain", "--wrap", "none", folder / "a.docx"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("name", ["downloads/summary.docx", "downloads/summary-zh.docx"])
def test_it_says_what_the_page_says(documents: dict[str, bytes], tmp_path: Path, name: str) -> None:
    text = words(documents[name], tmp_path)
    (page,) = [page for page, (_, target) in summary.FILES.items() if target == name]
    source = (ROOT / page).read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+?) \{", source, re.M)
    assert headings and all(heading in text for heading in headings)
    assert not re.search(r"\{\{<|\]\(|\.qmd|\.ipynb|\{#|:::", text)
    published = {r["id"]: r["text"] for r in findings.read_csv(ROOT / "reports" / "findings.csv")}
    known = languages.words(ROOT)
    for value in re.findall(r"\{\{< val ([\w-]+) >\}\}", source):
        shown = str(published[value])
        assert (shown if page == "index.qmd" else languages.in_chinese(shown, known)) in text


def test_two_builds_give_the_same_bytes(documents: dict[str, bytes]) -> None:
    page = {"index.qmd": b"---\ntitle: T\n---\n\nText.\n"}
    once, again = (summary.documents(page, {"en": {}}, EPOCH) for _ in range(2))
    assert once == again
    assert once != summary.documents(page, {"en": {}}, "1000000000")


def test_a_value_that_no_finding_has_is_a_fault() -> None:
    with pytest.raises(FaultsError, match=r"index\.qmd 'none-such': no number is kept"):
        summary.text_of("It gave {{< val none-such >}}.", {}, "index.qmd")


@pytest.mark.browser
def test_each_is_printed_on_two_pages(documents: dict[str, bytes], tmp_path: Path) -> None:
    if not doctor.find_chromium():
        pytest.skip("no Chromium on this machine: install the Debian package chromium")
    for name, content in documents.items():
        place = tmp_path / "reports" / "site" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    for made in pdf.make_summaries(tmp_path):
        assert len(re.findall(rb"/Type\s*/Page\b", made.read_bytes())) <= 2, made.name
