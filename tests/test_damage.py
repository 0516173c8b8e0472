"""Files that were changed, cut short or lost: one clear line, never a traceback or another number."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from analysis import files, folders, printing
from analysis.cells import result
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.faults import FaultsError
from analysis.panels import panel
from analysis.panels.model.simulate import simulate
from analysis.site.embedded.memory import Memory

CHANGED = "the file was changed or cut short since it was written"


def half(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def one_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def other_rows(path: Path) -> None:
    pl.read_parquet(path).slice(1).write_parquet(path)


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "half a file": (half, CHANGED),
    "one byte": (one_byte, CHANGED),
    "other rows": (other_rows, CHANGED),
    "a file gone": (Path.unlink, "the file is missing"),
    "a file more": (
        lambda path: path.with_name("more.parquet").write_bytes(path.read_bytes()) and None,
        "a file that was not written with it",
    ),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damage") / "panel"
    simulate(folder, households=200, villages=20, periods=(2012, 2015))
    return folder


def copied(source: Path, target: Path) -> Path:
    target.mkdir()
    for path in source.rglob("*"):
        if path.is_file():
            there = target / path.relative_to(source)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(path.read_bytes())
    return target


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_panel_is_refused(source: Path, tmp_path: Path, case: str) -> None:
    folder = copied(source, tmp_path / "panel")
    assert panel.read(folder).tier == "model"
    damage, message = DAMAGE[case]
    damage(folder / "villages.parquet")
    with pytest.raises(FaultsError, match=message):
        panel.read(folder)


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_cells_are_refused(source: Path, tmp_path: Path, case: str) -> None:
    cells = build(source, CellsDesign(("training",), handling="cross_sections"))
    result.write(cells, tmp_path / "cells")
    assert result.read(tmp_path / "cells").totals.equals(cells.totals)
    damage, message = DAMAGE[case]
    damage(tmp_path / "cells" / "totals.parquet")
    with pytest.raises(FaultsError, match=message):
        result.read(tmp_path / "cells")


def without(path: Path, key: str) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    del content[key]
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("key", panel.KEYS)
def test_a_manifest_of_a_panel_without_an_entry_is_refused(
    source: Path, tmp_path: Path, key: str
) -> None:
    folder = copied(source, tmp_path / "panel")
    without(folder / panel.MANIFEST, key)
    with pytest.raises(FaultsError, match=rf"panel\.json '{key}': an entry is missing"):
        panel.read(folder)


@pytest.mark.parametrize("key", ["design", "tier", "periods", "weighted", "account", "meta"])
def test_a_manifest_of_cells_without_an_entry_is_refused(
    source: Path, tmp_path: Path, key: str
) -> None:
    folder = tmp_path / "cells"
    result.write(build(source, CellsDesign(("training",), handling="cross_sections")), folder)
    without(folder / result.MANIFEST, key)
    with pytest.raises(FaultsError, match=rf"an entry is missing or of another kind: '{key}'"):
        result.read(folder)


def test_two_periods_in_which_no_programme_begins_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match=r"simulate \[periods\] '2012:2013': no programme begins"):
        simulate(tmp_path / "panel", households=200, villages=10, periods=(2012, 2013))
    assert not (tmp_path / "panel").exists()


def test_a_kept_page_that_was_changed_or_cut_short_is_made_again(tmp_path: Path) -> None:
    assert Memory(tmp_path).text({"a": "1"}, lambda: "<p>440 yuan</p>") == "<p>440 yuan</p>"
    (kept,) = tmp_path.iterdir()
    for content in (
        kept.read_bytes().replace(b"440", b"990"),
        kept.read_bytes()[:-5],
        b"",
        b"\xff",
    ):
        kept.write_bytes(content)
        assert Memory(tmp_path).text({"a": "1"}, lambda: "<p>440 yuan</p>") == "<p>440 yuan</p>"


# ----------------------------------------------------------------------------------------- writing


@pytest.mark.skipif(os.name != "posix", reason="no umask here")
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_files_and_folders_have_the_rights_that_the_user_asks_for(
    tmp_path: Path, mask: int
) -> None:
    before = os.umask(mask)
    try:
        files.write_atomic(tmp_path / "a.csv", b"x")
        with folders.replaced(tmp_path / "b", "mark", "a test") as new:
            (new / "mark").write_text("x", encoding="utf-8")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o777 & ~mask


def test_data_are_on_the_disk_before_a_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    replace, rename, fsync = Path.replace, Path.rename, os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("sync"), fsync(file))[1])
    monkeypatch.setattr(Path, "replace", lambda a, b: (done.append("rename"), replace(a, b))[1])
    monkeypatch.setattr(Path, "rename", lambda a, b: (done.append("rename"), rename(a, b))[1])
    files.write_atomic(tmp_path / "a.csv", b"x")
    assert done == ["sync", "rename"]
    done.clear()
    with folders.replaced(tmp_path / "b", "mark", "a test") as new:
        (new / "mark").write_text("x", encoding="utf-8")
        (new / "data").write_text("y", encoding="utf-8")
    assert done.index("rename") == 2 and done[:2] == ["sync", "sync"]


# ------------------------------------------------------------------------------------------ formulas

FORMULAS = {
    "=1+1": "'=1+1",
    "+1+1": "'+1+1",
    "-2+3+cmd|' /C calc'!A0": "'-2+3+cmd|' /C calc'!A0",
    "@SUM(A1)": "'@SUM(A1)",
    "＝1+1": "'＝1+1",
    "＋1+1": "'＋1+1",
    "－1+1": "'－1+1",
    "＠SUM(A1)": "'＠SUM(A1)",
    "\t=1": "\t'=1",
    "\n=1": "\n'=1",
    "\r\n=1": "\r\n'=1",
    " =1": " '=1",
    "\u200b=1": "\u200b'=1",
    "\ufeff+1+1": "\ufeff'+1+1",
    "ok\n=1+1": "ok\n'=1+1",
    "ok;=1+1": "ok;'=1+1",
    "ok\t@SUM(A1)": "ok\t'@SUM(A1)",
}
PLAIN = [
    "",
    "ok",
    "-5",
    "+3.2",
    "-1,250.50",
    "-4e-3",
    "−26.9 to 44.2",
    "a=b",
    "a - b",
    "5 %",
    "-5 %",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_and_no_heading_of_a_download_is_a_formula(text: str) -> None:
    """The forms of OWASP's "CSV Injection", full-width signs, line feeds, other separators."""
    assert printing.guarded(text) == FORMULAS[text]
    assert printing.unguarded(FORMULAS[text]) == text
    frame = pl.DataFrame({"n": [1, 2], text: [text, None]})
    assert pl.select(pl.lit(text).alias("a")).select(printing.formulas("a")).item()
    again = pl.read_csv(printing.download(frame).encode(), infer_schema=False)
    assert again[:, 1].to_list() == [FORMULAS[text], None]
    assert again.columns == ["n", FORMULAS[text]]


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_plain_texts_stay_as_they_are(text: str) -> None:
    assert printing.guarded(text) == text == printing.unguarded(text)
    assert not pl.select(pl.lit(text).alias("a")).select(printing.formulas("a")).item()
