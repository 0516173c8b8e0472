"""What kernels and renderers find around them: the same on every machine and in every run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from analysis.faults import Fault, FaultsError

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Same results on every machine and every run: threads, hashing, time and width are all fixed.
FIXED_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "TZ": "UTC",
    "COLUMNS": "100",
}
# A time before which no archive can be dated; used where there is no commit to take it from.
EARLIEST = "315532800"


def plain(text: str) -> str:
    r"""Return text without terminal colours.

    Examples
    --------
    >>> plain("\x1b[31mNameError\x1b[39m: x")
    'NameError: x'
    """
    return _ANSI.sub("", text)


def named_time() -> str | None:
    """Return the time that the environment names in ``SOURCE_DATE_EPOCH``, if it does.

    Raises
    ------
    FaultsError
        If it is no number of seconds; libraries would fail on it too, less plainly.
    """
    named = os.environ.get("SOURCE_DATE_EPOCH")
    if named and not (named.isascii() and named.isdigit()):
        remedy = "give whole seconds since 1970, or leave it out"
        raise FaultsError([Fault("SOURCE_DATE_EPOCH", "not a time", remedy, value=named)])
    return named or None


def commit_time(root: Path) -> str:
    """Return the time of the last commit in seconds, as ``SOURCE_DATE_EPOCH`` wants it.

    A value already in the environment wins; outside a repository it is a fixed early time.

    Raises
    ------
    FaultsError
        If the value in the environment is no number of seconds.
    """
    named = named_time()
    if named:
        return named
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%ct"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return EARLIEST
    return done.stdout.strip() or EARLIEST


def kernel_environment(root: Path, settings: Path, epoch: str) -> dict[str, str]:
    """Return the environment a kernel runs in.

    Parameters
    ----------
    root : Path
        The project folder; its ``src`` comes first on the import path.
    settings : Path
        A folder for what IPython and Matplotlib keep, so that neither reads a person's own
        settings nor needs a home folder it can write to.
    epoch : str
        Seconds, for ``SOURCE_DATE_EPOCH``.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("IPYTHON", "JUPYTER", "MPL"))
        and name not in {"PYTHONSTARTUP", "PYTHONPATH", "PYTHONWARNINGS", "FORCE_COLOR"}
    }
    path = [str(root / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        # Sums of floats in one order. A panel too large for memory: name "streaming" instead.
        "POLARS_ENGINE_AFFINITY": "in-memory",
        **inherited,
        **FIXED_ENVIRONMENT,
        "PYTHONPATH": os.pathsep.join(path),
        "SOURCE_DATE_EPOCH": epoch,
        "ANALYSIS_ROOT": str(root),
        "IPYTHONDIR": str(settings / "ipython"),
        "JUPYTER_CONFIG_DIR": str(settings / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(settings / "jupyter"),
        "MPLCONFIGDIR": str(settings / "matplotlib"),
    }
