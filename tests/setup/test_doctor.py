"""The doctor's judgements, each on a machine that lacks the thing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from analysis import doctor

LOCK = (
    "rich==15.0.0 \\\n    --hash=sha256:00\n"
    "colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
    "numpy==2.5.5 ; python_full_version >= '3.12' \\\n    --hash=sha256:00\n"
)


def test_every_check_says_what_it_found_and_every_lack_has_a_remedy() -> None:
    checks = doctor.examine()
    names = [check.name for check in checks]
    assert len(names) == len(set(names))
    wanted = (
        "Python",
        "requirements.lock",
        "requirements-test.lock",
        "git",
        "make",
        "quarto",
        "pandoc (bundled)",
        "chromium",
        "java",
        "disk",
        "memory",
        "Chinese font",
        "write build/",
        "write reports/",
        "locale",
    )
    assert set(wanted) == set(names)
    for check in checks:
        assert check.found
        assert check.remedy or check.state == "ok" or check.found.startswith("not known")


def test_this_environment_is_made_from_the_lock() -> None:
    by_name = {check.name: check for check in doctor.examine()}
    for name in ("Python", "requirements.lock", "pandoc (bundled)"):
        assert by_name[name].state == "ok", by_name[name]


def test_a_python_outside_an_environment_is_missing() -> None:
    check = doctor.check_python((3, 12, 0), False)
    assert check.state == "missing"
    assert "python -m analysis" in check.remedy


@pytest.mark.parametrize(
    ("installed", "found"),
    [
        ({"rich": "15.0.0", "numpy": "2.5.5"}, "3 packages as pinned"),
        ({"rich": "15.0.0", "numpy": "2.4.6", "colorama": "0.4.6"}, "3 packages as pinned"),
        ({"numpy": "2.5.5"}, "1 of 3 packages differ: rich absent"),
        (
            {"rich": "15.0.0", "numpy": "1.0"},
            "1 of 3 packages differ: numpy 1.0 instead of 2.4.6 or 2.5.5",
        ),
    ],
)
def test_a_lock_is_compared_over_its_markers(installed: dict[str, str], found: str) -> None:
    assert doctor.check_lock("x.lock", LOCK, installed, "missing", "make report").found == found


def test_a_long_list_of_differences_is_cut() -> None:
    lock = "".join(f"package-{letter}==1 \\\n" for letter in "abcde")
    said = doctor.check_lock("x.lock", lock, {}, "missing", "make report").found
    assert said.startswith("5 of 5 packages differ: package-a absent")
    assert said.endswith(", …")


def test_an_absent_program_is_what_its_use_makes_it() -> None:
    check = doctor.check_command("quarto", "", "optional", "the embedded one is used", "get it")
    assert check == doctor.Check(
        "quarto", "optional", "not found: the embedded one is used", "get it"
    )


def test_chromium_is_looked_for_by_command_then_by_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    place = tmp_path / "chrome"
    place.touch()
    none: dict[str, str] = {}
    assert doctor.find_chromium(none.get, ()) == ""
    assert doctor.find_chromium(none.get, (str(place),)) == str(place)
    assert doctor.find_chromium({"google-chrome": "g"}.get, (str(place),)) == "g"
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "absent"))
    assert doctor.find_chromium({"chromium": "c"}.get, ()) == ""
    monkeypatch.setenv("CHROMIUM_PATH", str(place))
    assert doctor.find_chromium(none.get, ()) == str(place)


def test_a_program_that_fails_is_not_found(tmp_path: Path) -> None:
    if os.name == "nt":
        return
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho half a version\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    assert doctor.first_line([str(broken)]) == ""


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "build").touch()
    check = doctor.check_writable("build/", tmp_path / "build")
    assert check.state == "missing"
    assert "write access" in check.remedy
    assert doctor.check_writable("reports/", tmp_path / "reports" / "site").state == "ok"


def test_an_old_locale_is_told() -> None:
    assert doctor.check_locale("cp1252", False).state == "optional"
    assert doctor.check_locale("cp1252", True).state == "ok"
    assert doctor.check_locale("utf8", False).state == "ok"


def test_the_system_carries_fonts_on_macos_and_windows() -> None:
    assert doctor.check_fonts("darwin", []).state == "ok"
    assert doctor.check_fonts("win32", []).state == "ok"
    assert "fonts-noto-cjk" in doctor.check_fonts("linux", []).remedy
