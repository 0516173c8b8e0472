"""The way into a room without a registry: the commands, without running them."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

from analysis import paths

wheelhouse = SimpleNamespace(**runpy.run_path(str(paths.root() / "tools" / "wheelhouse.py")))


def test_the_download_takes_locked_wheels_only() -> None:
    command = wheelhouse.download("python3", "requirements.lock", Path("w"))
    assert command[:4] == ["python3", "-m", "pip", "download"]
    # Wheels only: building a package from source would need the network again in the room.
    assert command[command.index("--only-binary") + 1] == ":all:"
    assert "--require-hashes" in command
    assert command[command.index("-r") + 1] == "requirements.lock"
    assert command[command.index("-d") + 1] == "w"
    assert "--platform" not in command


def test_the_download_can_be_for_another_machine() -> None:
    command = wheelhouse.download("p", "requirements.lock", Path("w"), ("win_amd64",), "3.12")
    assert command[-4:] == ["--platform", "win_amd64", "--python-version", "3.12"]


def test_in_the_room_pip_asks_no_registry() -> None:
    assert wheelhouse.in_the_room(Path("w")) == {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "w"}


def test_the_build_backend_is_in_the_lock() -> None:
    # The project itself is built in the room, so what builds it must have come along.
    for lock in wheelhouse.LOCKS[:1]:
        assert "flit-core==" in (paths.root() / lock).read_text(encoding="utf-8")
