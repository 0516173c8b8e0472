"""Folders replaced whole or not at all, whatever dies in between."""

import os
import subprocess
import sys

import pytest

from analysis import folders
from analysis.faults import FaultsError

MARKER = "mark.json"


def made(folder, text):
    with folders.replaced(folder, MARKER, "a test") as new:
        (new / MARKER).write_text(text)


def left(folder):
    return sorted(path.name for path in folder.parent.iterdir() if path != folder)


def dead():
    """The number of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_a_folder_is_made_and_replaced(tmp_path):
    target = tmp_path / "t"
    made(target, "one")
    made(target, "two")
    assert (target / MARKER).read_text() == "two"
    assert left(target) == []


def test_a_failing_block_leaves_what_was_there(tmp_path):
    target = tmp_path / "t"
    made(target, "one")
    with pytest.raises(RuntimeError), folders.replaced(target, MARKER, "a test") as new:
        (new / MARKER).write_text("two")
        raise RuntimeError
    assert (target / MARKER).read_text() == "one"
    assert left(target) == []


@pytest.mark.parametrize("content", ["file", "folder"])
def test_something_else_is_never_replaced(tmp_path, content):
    target = tmp_path / "t"
    if content == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine.txt").write_text("mine")
    with pytest.raises(FaultsError, match="exists and is not a test"):
        made(target, "one")


def test_a_target_that_had_only_moved_aside_comes_back(tmp_path):
    """Killed between the two renames: the target is gone, both folders lie beside it."""
    target, owner = tmp_path / "t", dead()
    for ending, text in ((".before", "one"), ("", "two")):
        folder = tmp_path / f".t.{owner}.x{ending}"
        folder.mkdir()
        (folder / MARKER).write_text(text)
    folders.recover(target)
    assert (target / MARKER).read_text() == "one"
    assert left(target) == []


def test_what_a_killed_process_left_is_removed_and_what_a_running_one_needs_is_kept(tmp_path):
    target = tmp_path / "t"
    made(target, "one")
    (tmp_path / f".t.{dead()}.x").mkdir()
    (tmp_path / f".t.{os.getpid()}.x").mkdir()
    (tmp_path / ".t.notes").mkdir()
    folders.recover(target)
    assert left(target) == [f".t.{os.getpid()}.x", ".t.notes"]


def test_a_place_taken_by_another_meanwhile_stays_taken(tmp_path):
    """Between moving aside and moving back: the other's folder stands, nothing lies beside it."""
    target, before = tmp_path / "t", tmp_path / ".t.1.x.before"
    for folder, text in ((target, "theirs"), (before, "one")):
        folder.mkdir()
        (folder / MARKER).write_text(text)
    folders._restore(before, target)
    assert (target / MARKER).read_text() == "theirs"
    assert left(target) == []


RACER = """
import sys
from pathlib import Path
from analysis import folders
target, text = Path(sys.argv[1]), sys.argv[2]
for _ in range(60):
    with folders.replaced(target, "mark.json", "a test") as new:
        (new / "mark.json").write_text(text)
        (new / "other.txt").write_text(text)
"""


def test_processes_that_write_one_folder_at_once_leave_a_whole_one(tmp_path):
    target = tmp_path / "t"
    running = [subprocess.Popen([sys.executable, "-c", RACER, target, text]) for text in "abc"]
    assert [one.wait() for one in running] == [0, 0, 0]
    assert (target / MARKER).read_text() == (target / "other.txt").read_text()
    assert left(target) == []
