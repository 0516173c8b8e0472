"""Before a render by Quarto: generate what pages include; the hook `project.pre-render`.

Standard library only: it runs in whatever Python Quarto has, and hands over to the environment of
the project. `quarto_finish.py` is the hook after a render.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODULE = "analysis.site.quarto_project"


def environment(root: Path) -> str | None:
    """Return the Python of the project: that of VENV, or of .venv; None where there is none."""
    folder = root / os.environ.get("VENV", ".venv")
    places = [folder / "bin" / "python", folder / "Scripts" / "python.exe", folder / "python.exe"]
    return next((str(place) for place in places if place.is_file()), None)


def hand_over(module: str) -> int:
    """Run a module of the package in the environment of the project; return its exit code."""
    root = Path(__file__).resolve().parent.parent
    python = environment(root)
    if python is None:
        print(
            "error: this project is not set up: run make report once (or make "
            "report-environment), or name its environment in VENV, then render again",
            file=sys.stderr,
        )
        return 1
    path = os.pathsep.join([str(root / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
    around = dict(os.environ, PYTHONPATH=path, ANALYSIS_ROOT=str(root))
    return subprocess.call([python, "-m", module], cwd=str(root), env=around)


if __name__ == "__main__":
    sys.exit(hand_over(MODULE))
