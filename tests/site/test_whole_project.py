"""This project: nothing to do once it is built, and its numbers found again or missed.

That two builds from nothing give the same bytes is `analysis twice`, which make verify runs.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.faults import FaultsError
from analysis.site import numerals
from analysis.site.published import LOCK, sign
from analysis.site.twice import twice

if TYPE_CHECKING:
    from analysis.site.build import BuildReport

pytestmark = pytest.mark.slow


def test_a_built_site_is_left_alone(
    built: BuildReport, build_when_free: Callable[[], BuildReport]
) -> None:
    again = build_when_free()
    assert (again.executed, again.pages, again.cached) == (0, 0, built.executed + built.cached)
    assert [step for step, _ in again.seconds] == ["inputs"]


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command of the project's copy in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "analysis", *words],
        cwd=root,
        env={**os.environ, "ANALYSIS_ROOT": str(root), "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


FORMULAS = {
    "rounding of a printed figure": (
        "claims/printed.py",
        "value - step / 2",
        "value - step / 4",
        "11-arithmetic",
        "11-arithmetic.15",
    ),
    "degrees of freedom of a pool": (
        "studies/random_effects.py",
        "self.std_error * float(special.stdtrit(self.df, (1 + level) / 2))",
        "self.std_error * float(special.stdtrit(self.df + 1, (1 + level) / 2))",
        "09-studies",
        "first-training-interval",
    ),
    "the mean of the controls": (
        "designs/randomised.py",
        "joint.mean(sample.y, sample.w * (1 - sample.d))",
        "joint.mean(0.99 * sample.y, sample.w * (1 - sample.d))",
        "01-training",
        "01-training.25",
    ),
}
"""Where a formula stands, what it says, what is put in its place, a page, a finding that moves."""


Reduced = Callable[[Path, set[str]], Path]


@pytest.fixture(scope="session")
def reduced(copy_of_project: Callable[[Path], Path]) -> Reduced:
    """Return a function that copies some notebooks, what they need, and what is published of them."""

    def copy(root: Path, kept: set[str]) -> Path:
        copy_of_project(root)
        for path in (root / "notebooks").glob("*.ipynb"):
            if path.stem not in kept:
                path.unlink()
        shutil.rmtree(root / "notebooks" / "data")  # each is a page of its own
        published = Path(__file__).resolve().parents[2] / "reports" / "findings.csv"
        with published.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with (root / "reports" / "findings.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for row in rows if row["page"] in kept)
        listed = root / numerals.FILE
        lines = listed.read_text(encoding="utf-8").splitlines(keepends=True)
        there = [line for line in lines[1:] if (root / line.split(",")[0]).is_file()]
        listed.write_text("".join([lines[0], *there]), encoding="utf-8")
        sign(root, (root / LOCK).read_bytes(), stored=True)
        return root

    return copy


def test_verify_finds_the_published_numbers_again(tmp_path: Path, reduced: Reduced) -> None:
    pages = {page for *_, page, _ in FORMULAS.values()}
    done = run(reduced(tmp_path / "project", pages), "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every finding is as published" in done.stdout


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_changed_formula_turns_verify_red(formula: str, tmp_path: Path, reduced: Reduced) -> None:
    name, right, wrong, page, moved = FORMULAS[formula]
    root = reduced(tmp_path / "project", {page})
    source = root / "src" / "analysis" / name
    text = source.read_text(encoding="utf-8")
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong), encoding="utf-8")
    done = run(root, "verify")
    assert done.returncode == 1
    assert moved in done.stdout
    assert "differences from reports/findings.csv" in done.stderr


def commit(root: Path) -> None:
    """Commit everything in a folder."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.invalid")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "all")):
        subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def test_a_notebook_that_gives_another_output_each_time_is_found(
    tmp_path: Path, copy_of_project: Callable[[Path], Path]
) -> None:
    root = copy_of_project(tmp_path / "project")
    commit(root)
    same = twice(root, ["11-arithmetic"])
    assert (same.differences, same.files, same.notes) == ((), 1, ())

    chance = root / "notebooks" / "99-chance.ipynb"
    shutil.copy(root / "notebooks" / "11-arithmetic.ipynb", chance)
    content = json.loads(chance.read_text(encoding="utf-8"))
    content["cells"] = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": source,
        }
        for n, source in enumerate(
            ("print('same')", "import os\nprint('chance', os.urandom(8).hex())")
        )
    ]
    chance.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FaultsError, match="no such notebook"):
        twice(root, ["99-chance"])  # not committed yet
    commit(root)
    (root / "index.qmd").write_text("changed", encoding="utf-8")
    found = twice(root, ["99-chance"])
    assert len(found.differences) == 1 and found.notes
    assert found.differences[0].startswith("99-chance.") and "chance " in found.differences[0]
