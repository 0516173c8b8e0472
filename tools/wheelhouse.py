"""Gather every locked package in a folder, to be carried into a room without a registry.

Standard library only, as it runs before anything is installed. In the room nothing changes but two
variables of pip: ``make report`` then installs from the folder, hashes checked as ever.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-test.lock")


def download(
    python: str,
    lock: str,
    folder: Path,
    platforms: "tuple[str, ...]" = (),
    version: str = "",
) -> "list[str]":
    """Return the command that gathers the packages of a lock.

    Parameters
    ----------
    python : str
        An interpreter with pip.
    lock : str
        A lock file of the project.
    folder : Path
        Where the packages go.
    platforms : tuple of str
        Tags of the room's machine if it is another kind than this one, e.g. ``win_amd64``.
    version : str
        Its Python if another than this one, e.g. ``3.12``.
    """
    command = [
        python,
        "-m",
        "pip",
        "download",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "-r",
        lock,
        "-d",
        str(folder),
    ]
    for platform in platforms:
        command += ["--platform", platform]
    if version:
        command += ["--python-version", version]
    return command


def in_the_room(folder: Path) -> "dict[str, str]":
    """Return the variables that make pip take packages from the folder and from nowhere else."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


def main() -> int:
    """Gather the packages and say what to do in the room."""
    parser = argparse.ArgumentParser(
        description="Gather locked packages for a room without network."
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("wheelhouse"))
    parser.add_argument("--lock", choices=LOCKS, default=LOCKS[0])
    parser.add_argument("--platform", action="append", default=[], help="tag of the room's machine")
    parser.add_argument("--python-version", default="", help="Python of the room's machine")
    arguments = parser.parse_args()
    command = download(
        sys.executable,
        arguments.lock,
        arguments.folder.resolve(),
        tuple(arguments.platform),
        arguments.python_version,
    )
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        print("wheelhouse: the lines above say what could not be had", file=sys.stderr)
        return done.returncode
    words = " ".join(
        f'{name}="{value}"' for name, value in in_the_room(Path("FOLDER IN THE ROOM")).items()
    )
    print(
        f"Carry the project and {arguments.folder} into the room, then there:\n"
        f"  {words} make report"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
