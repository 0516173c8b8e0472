"""Make the virtual environment from a lock file; the only code that runs before it exists.

Standard library only. Every missing prerequisite ends in one line with its remedy.
Two steps, because pip refuses an editable install while it checks hashes: first the locked
packages with hashes, then the project itself without dependencies and without build isolation.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINIMUM = (3, 11)
REPORT_LOCK = "requirements.lock"
TEST_LOCK = "requirements-test.lock"


class Prerequisite(Exception):
    """Something the machine lacks; the message is one line and ends with the remedy."""


def digest(path: Path) -> str:
    """Return the sha256 of a file, line ends normalised so that a checkout on Windows agrees."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def interpreter(venv: Path) -> Path:
    """Return the Python of a virtual environment on this platform."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def wanted(lock: str) -> dict[str, str]:
    """Return the digests that an environment made from `lock` satisfies.

    The test lock is resolved against the report lock, so it satisfies both.
    """
    names = [REPORT_LOCK] if lock == REPORT_LOCK else [REPORT_LOCK, TEST_LOCK]
    return {name: digest(ROOT / name) for name in [*names, "pyproject.toml"]}


def is_current(stamp: Path, lock: str) -> bool:
    """Say whether the environment already holds what `lock` names."""
    try:
        installed = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return all(installed.get(name) == value for name, value in wanted(lock).items())


def check_python() -> None:
    """Refuse a Python that is too old, or one without the venv module."""
    if sys.version_info < MINIMUM:
        have = ".".join(map(str, sys.version_info[:3]))
        need = ".".join(map(str, MINIMUM))
        raise Prerequisite(
            f"Python {have} is too old: install Python {need} or newer, "
            f"then name it: make report PYTHON=python{need}"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise Prerequisite(
            f"Python has no venv module: install it (Debian and Ubuntu: apt-get install "
            f"python{minor}-venv), then run the command again"
        ) from None


def run(command: list[str], hint: str) -> None:
    """Run a command quietly; on failure print what it said and raise the hint."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip()
    network = ("Temporary failure in name resolution", "Failed to establish a new connection",
               "Max retries exceeded", "Network is unreachable", "Could not connect",
               "No matching distribution found", "NameResolutionError")  # fmt: skip
    print(said[-2000:], file=sys.stderr)
    if "do not match the hashes" in said.lower() or "DO NOT MATCH THE HASHES" in said:
        raise Prerequisite("A package differs from its locked hash: clear pip's cache "
                           "(python -m pip cache purge) and run the command again")  # fmt: skip
    if any(sign in said for sign in network):
        raise Prerequisite("The package registry cannot be reached: connect this machine, or set "
                           "PIP_FIND_LINKS to a folder of wheels, then run the command again")  # fmt: skip
    raise Prerequisite(hint)


def install(venv: Path, lock: str) -> None:
    """Make `venv` hold exactly what `lock` names, and the project itself."""
    python = interpreter(venv)
    if not python.exists():
        check_python()
        print(f"Making {venv.name} with Python {sys.version.split()[0]}")
        run([sys.executable, "-m", "venv", str(venv)],
            f"The virtual environment could not be made: delete {venv.name} and try again")  # fmt: skip
    print(f"Installing {lock} (hashes checked)")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", lock],
        f"{lock} could not be installed: the lines above say why")  # fmt: skip
    run([*pip, "--no-deps", "--no-build-isolation", "-e", "."],
        "The project itself could not be installed: the lines above say why")  # fmt: skip
    stamp = venv / "installed.json"
    part = stamp.with_suffix(".part")
    part.write_text(json.dumps(wanted(lock), indent=1), encoding="utf-8")
    part.replace(stamp)


def main() -> int:
    """Bring the environment up to date with a lock file; do nothing when it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", type=Path, default=Path(".venv"))
    parser.add_argument("--lock", choices=[REPORT_LOCK, TEST_LOCK], default=REPORT_LOCK)
    arguments = parser.parse_args()
    venv = arguments.venv if arguments.venv.is_absolute() else ROOT / arguments.venv
    try:
        if not (is_current(venv / "installed.json", arguments.lock) and interpreter(venv).exists()):
            install(venv, arguments.lock)
    except Prerequisite as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
