"""Published numbers that moved: the file fits, and ends at what is published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from analysis import changes, findings, paths
from analysis.faults import FaultsError
from analysis.site import changes_page

HEAD = "finding,version,date,before,after,why\n"


def written(folder: Path, *rows: str) -> Path:
    file = folder / "changes.csv"
    file.write_text(HEAD + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return file


def test_the_changes_of_the_project_end_at_what_is_published() -> None:
    published = {
        str(record["id"]): str(record["text"])
        for record in findings.read_csv(paths.root() / "reports" / "findings.csv")
    }
    assert changes.unfit(changes.load(), published) == ()


def test_a_change_begins_where_the_one_before_ended(tmp_path: Path) -> None:
    good = "a,0.1.0,2026-01-01,1,2,a row was added"
    assert changes.load(written(tmp_path, good)).height == 1
    with pytest.raises(FaultsError, match=r"changes\.csv:3.*the change before ended at 2"):
        changes.load(written(tmp_path, good, "a,0.2.0,2026-02-01,3,4,another row was added"))
    with pytest.raises(FaultsError, match="did not move"):
        changes.load(written(tmp_path, "a,0.1.0,2026-01-01,1,1,a row was added"))
    with pytest.raises(FaultsError, match="why"):
        changes.load(written(tmp_path, "a,0.1.0,2026-01-01,1,2,"))


def test_a_number_that_moved_again_unsaid_is_named(tmp_path: Path) -> None:
    rows = changes.load(written(tmp_path, "a,0.1.0,2026-01-01,1,2,a row was added"))
    assert changes.unfit(rows, {"a": "2"}) == ()
    (fault,) = changes.unfit(rows, {"a": "3"})
    assert "published is 3" in str(fault) and "--note" in str(fault)


def test_what_is_appended_can_be_read(tmp_path: Path) -> None:
    text = changes.appended(HEAD, [("a", "1", "2 to 3")], "0.1.0", date(2026, 1, 2), "said, so:\nx")
    file = tmp_path / "changes.csv"
    file.write_text(text, encoding="utf-8")
    assert changes.load(file)["why"].to_list() == ["said, so: x"]


def test_the_page_has_the_newest_first_and_links_what_is_still_published(tmp_path: Path) -> None:
    rows = changes.load(
        written(
            tmp_path,
            "a,0.1.0,2026-01-01,1,2,a row was added",
            "b,0.1.0,2026-01-02,1,,no longer <shown>",
        )
    )
    page = changes_page.listing("# C\n\n## [0.1.0] - unreleased\n\n- A.\n", rows, {"a": "01-x"})
    assert page.index("<code>b</code>") < page.index("<code>a</code>")
    assert 'href="../findings/01-x.html#a"' in page and "published no more" in page
    assert "&lt;shown&gt;" in page and "## Version 0.1.0, unreleased" in page
