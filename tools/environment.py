"""Make the virtual environment from a lock file; the only code that runs before it exists.

Standard library only, in syntax that Python 3.6 reads, so that an old Python gets far enough to
say that it is too old. Every missing prerequisite ends in one line with its remedy.
Two steps, because pip refuses an editable install while it checks hashes: first the locked
packages with hashes, then the project itself without dependencies and without build isolation.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINIMUM = (3, 11)
REPORT_LOCK = "requirements.lock"
TEST_LOCK = "requirements-test.lock"
BENCH_LOCK = "requirements-bench.lock"
STAMP = "analysis-installed.json"

# What pip says, in lower case, and the one line that tells a reader what to do about it.
# The first that fits is said: a full disk, for example, can look like a broken download later on.
SYMPTOMS = (
    (
        ("no space left on device",),
        "The disk is full: free about 2 GB, then run the command again",
    ),
    (
        ("do not match the hashes",),
        "A package differs from its locked hash: clear pip's cache "
        "(python3 -m pip cache purge), then run the command again",
    ),
    (
        ("certificate verify failed", "certificate_verify_failed"),
        "The certificate of the package registry is not trusted here: name the certificates of "
        "your network (PIP_CERT=file.pem), then run the command again",
    ),
    (
        (
            "name resolution",
            "failed to resolve",
            "getaddrinfo failed",
            "failed to establish a new connection",
            "connection refused",
            "network is unreachable",
            "could not connect",
            "connection broken by",
            "max retries exceeded",
            "read timed out",
            "cannot connect to proxy",
        ),
        "The package registry cannot be reached: connect this machine, or set PIP_FIND_LINKS "
        "to a folder with the wheels, then run the command again",
    ),
    (
        ("no matching distribution found",),
        "A locked package has no ready-made wheel for this Python and system, or the registry "
        "in use lacks it or cannot be reached: connect this machine, or use Python 3.11 to 3.13 "
        "(make report PYTHON=python3.12)",
    ),
    (
        ("permission denied", "read-only file system"),
        "The environment cannot be written to: give yourself write access, or name another "
        "folder (make report VENV=folder)",
    ),
)


class PrerequisiteError(Exception):
    """Something the machine lacks; the message is one line and ends with the remedy."""


def digest(path: Path) -> str:
    """Return the sha256 of a file, line ends normalised so that a checkout on Windows agrees."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def project_digest(pyproject: Path) -> str:
    """Return the sha256 of what an install reads of pyproject.toml; tool settings do not count."""
    import tomllib  # Python 3.11: not at the top, where an older Python would stop at it

    tables = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    read = {
        "build-system": tables.get("build-system"),
        "project": tables.get("project"),
        "flit": tables.get("tool", {}).get("flit"),
    }
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode("utf-8")).hexdigest()


def interpreter(venv: Path) -> Path:
    """Return the Python of a virtual environment, or of a conda one, on this platform."""
    if os.name != "nt":
        return venv / "bin" / "python"
    conda = venv / "python.exe"
    return conda if conda.exists() else venv / "Scripts" / "python.exe"


def probe(python: Path) -> "tuple[int, ...]":
    """Return the version of a Python that has pip, or nothing where it does not run or has none."""
    code = "import sys, pip; print(*sys.version_info[:3])"
    try:
        done = subprocess.run(
            [str(python), "-c", code], capture_output=True, text=True, check=False
        )
    except OSError:
        return ()
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()


def wanted(lock: str, version: "tuple[int, ...]") -> "dict[str, str]":
    """Return what the stamp of an environment made from `lock` says.

    The other locks are resolved against the report lock, so they satisfy it too. The folder counts
    because an editable install points at it: a checkout that was moved must be set up again.
    """
    names = [REPORT_LOCK] if lock == REPORT_LOCK else [REPORT_LOCK, lock]
    return {
        **{name: digest(ROOT / name) for name in names},
        "project": project_digest(ROOT / "pyproject.toml"),
        "folder": str(ROOT),
        "python": ".".join(map(str, version[:2])),
    }


def is_current(venv: Path, lock: str) -> bool:
    """Say whether the environment already holds what `lock` names."""
    try:
        installed = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    expected = wanted(lock, probe(interpreter(venv)))
    return all(installed.get(name) == value for name, value in expected.items())


def newer_python() -> str:
    """Return the command of a Python on this machine that would do, or the oldest by name."""
    for minor in range(20, MINIMUM[1] - 1, -1):
        command = shutil.which(f"python3.{minor}")
        # A command may be there and not run: a version manager's stand-in, for example.
        if command and subprocess.call([command, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return f"python3.{minor}"
    return "python{}.{}".format(*MINIMUM)


def check_python(version: "tuple[int, ...]") -> None:
    """Refuse a Python that is too old."""
    if tuple(version) >= MINIMUM:
        return
    have, need = ".".join(map(str, version[:3])), ".".join(map(str, MINIMUM))
    command = newer_python()
    first = "use the newer one here" if shutil.which(command) else f"install Python {need} or newer"
    raise PrerequisiteError(
        f"Python {have} is too old, {need} or newer is needed: {first}, "
        f"as in make report PYTHON={command}"
    )


def check_venv_module() -> None:
    """Refuse a Python that cannot make virtual environments: Debian ships that part apart."""
    from importlib.util import find_spec

    if find_spec("venv") and find_spec("ensurepip"):
        return
    raise PrerequisiteError(
        "Python has no venv module: install it (Debian and Ubuntu: apt-get install "
        f"python{sys.version_info[0]}.{sys.version_info[1]}-venv, as root), "
        "then run the command again"
    )


def run(command: "list[str]", otherwise: str) -> None:
    """Run a command quietly; on failure raise the line that fits what it said.

    What it said is printed only where no known symptom is in it.
    """
    done = subprocess.run(command, cwd=str(ROOT), capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip()
    for signs, line in SYMPTOMS:
        if any(sign in said.lower() for sign in signs):
            raise PrerequisiteError(line)
    print(said[-3000:], file=sys.stderr)
    raise PrerequisiteError(otherwise)


def make_environment(venv: Path) -> None:
    """Make a usable environment at `venv` where there is none, replacing a broken one.

    A folder that is not a virtual environment is never cleared.
    """
    version = probe(interpreter(venv))
    if version >= MINIMUM:
        return
    empty = not venv.exists() or (venv.is_dir() and not any(venv.iterdir()))
    if not empty and not (venv / "pyvenv.cfg").exists():
        raise PrerequisiteError(
            f"{venv} is not a virtual environment and has no Python 3.11 with pip: for conda, "
            "conda install 'python>=3.11' pip; else name another folder (make report VENV=folder)"
        )
    check_venv_module()
    print(f"Making {venv.name} with Python {sys.version.split()[0]}", flush=True)
    run(
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        f"The virtual environment could not be made: delete {venv.name}, then try again",
    )


def install(venv: Path, lock: str) -> None:
    """Make `venv` hold what `lock` names, and the project itself; stamp it as the last step."""
    stamp = venv / STAMP
    # Gone first: an install that stops half-way must not pass for a finished one.
    if stamp.exists():
        stamp.unlink()
    make_environment(venv)
    python = interpreter(venv)
    print(f"Installing {lock}, hashes checked (about a minute the first time)", flush=True)
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    # Ready-made wheels only: building one would run unhashed code and need a compiler.
    run(
        [*pip, "--only-binary", ":all:", "--require-hashes", "-r", lock],
        f"{lock} could not be installed: the lines above say why",
    )
    run(
        [*pip, "--no-deps", "--no-build-isolation", "-e", "."],
        "The project itself could not be installed: the lines above say why",
    )
    part = stamp.with_name(STAMP + ".part")
    part.write_text(json.dumps(wanted(lock, probe(python)), indent=1), encoding="utf-8")
    part.replace(stamp)


def main() -> int:
    """Bring the environment up to date with a lock file; do nothing when it is."""
    parser = argparse.ArgumentParser(description="Make the virtual environment from a lock file.")
    parser.add_argument("--venv", type=Path, default=Path(".venv"))
    parser.add_argument("--lock", choices=[REPORT_LOCK, TEST_LOCK, BENCH_LOCK], default=REPORT_LOCK)
    arguments = parser.parse_args()
    venv = ROOT / arguments.venv  # an absolute path stays as it is
    try:
        check_python(sys.version_info[:3])
        if not is_current(venv, arguments.lock):
            install(venv, arguments.lock)
    except PrerequisiteError as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: set-up was stopped: run the command again to finish it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
