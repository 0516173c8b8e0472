"""What this machine has and lacks for the report and for the tests.

`examine` asks the machine; the small functions below it only judge what was found, so that each
can be tested without a machine that lacks the thing. Nothing here changes anything.
"""

from __future__ import annotations

import locale
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Literal

from analysis import paths

State = Literal["ok", "missing", "optional"]

MINIMUM_PYTHON = (3, 11)
GIBIBYTE = 1024**3
MINIMUM_DISK = 2 * GIBIBYTE
MINIMUM_MEMORY = 2 * GIBIBYTE

CHROMIUM_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)


@dataclass(frozen=True)
class Check:
    """One thing the project uses, and whether this machine has it.

    Attributes
    ----------
    name : str
        The thing.
    state : {"ok", "missing", "optional"}
        ``missing`` stops the report or the tests; ``optional`` is absent and can stay so.
    found : str
        What was found, or what its absence means.
    remedy : str
        What to do about it; empty where nothing is to be done.
    """

    name: str
    state: State
    found: str
    remedy: str = ""


def check_python(version: tuple[int, ...], in_environment: bool) -> Check:
    """Judge the Python that runs.

    Parameters
    ----------
    version : tuple of int
        Its version.
    in_environment : bool
        Whether it belongs to a virtual or conda environment.

    Returns
    -------
    Check
        ``missing`` when it is too old or runs outside an environment.

    Examples
    --------
    >>> check_python((3, 12, 1), True).state
    'ok'
    >>> check_python((3, 9, 6), True).remedy
    'install Python 3.11 or newer, delete .venv, run make report'
    """
    text = ".".join(map(str, version[:3]))
    if version < MINIMUM_PYTHON:
        need = ".".join(map(str, MINIMUM_PYTHON))
        remedy = f"install Python {need} or newer, delete .venv, run make report"
        return Check("Python", "missing", f"{text}, too old", remedy)
    if not in_environment:
        remedy = "run it as .venv/bin/python -m analysis (make report makes .venv)"
        return Check("Python", "missing", f"{text}, outside an environment", remedy)
    return Check("Python", "ok", text)


def normalise(name: str) -> str:
    """Return a package name as the locks spell it.

    Examples
    --------
    >>> normalise("Types_PyYAML")
    'types-pyyaml'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> dict[str, frozenset[str]]:
    r"""Return the versions that a lock allows of each package, over all platforms.

    Parameters
    ----------
    lock : str
        Text of a lock file.

    Returns
    -------
    dict of str to frozenset of str
        More than one version where a marker splits a package.

    Examples
    --------
    >>> pins("rich==15.0.0 \\\n    --hash=sha256:00\n")
    {'rich': frozenset({'15.0.0'})}
    """
    by_name: dict[str, set[str]] = {}
    for name, version in re.findall(r"(?m)^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", lock):
        by_name.setdefault(normalise(name), set()).add(version)
    return {name: frozenset(versions) for name, versions in by_name.items()}


def required_everywhere(lock: str) -> frozenset[str]:
    r"""Return the packages that a lock pins without a marker, so on every platform.

    Examples
    --------
    >>> sorted(required_everywhere("a==1 \\\nb==2 ; sys_platform == 'win32' \\\n"))
    ['a']
    """
    plain = re.findall(r"(?m)^([A-Za-z0-9][\w.-]*)==[^\s;\\]+\s*\\?$", lock)
    return frozenset(normalise(name) for name in plain)


def check_lock(
    name: str, lock: str, installed: Mapping[str, str], absent: State, remedy: str
) -> Check:
    r"""Compare what is installed with a lock.

    Parameters
    ----------
    name : str
        File name of the lock.
    lock : str
        Its text.
    installed : mapping of str to str
        Version of each installed package, by normalised name.
    absent : {"missing", "optional"}
        The state when a package differs.
    remedy : str
        The command that installs the lock.

    Returns
    -------
    Check
        Names the first three packages that differ.

    Examples
    --------
    >>> check_lock("a.lock", "rich==15.0.0 \\\n", {"rich": "14"}, "missing", "").found
    '1 of 1 packages differ: rich 14 instead of 15.0.0'
    """
    pinned, always = pins(lock), required_everywhere(lock)
    differ = []
    for package, versions in sorted(pinned.items()):
        version = installed.get(package)
        if version is None and package in always:
            differ.append(f"{package} absent")
        elif version is not None and version not in versions:
            differ.append(f"{package} {version} instead of {' or '.join(sorted(versions))}")
    if not differ:
        return Check(name, "ok", f"{len(pinned)} packages as pinned")
    shown = ", ".join(differ[:3]) + (", …" if len(differ) > 3 else "")
    return Check(name, absent, f"{len(differ)} of {len(pinned)} packages differ: {shown}", remedy)


def check_command(name: str, text: str, absent: State, without: str, remedy: str) -> Check:
    """Judge a program that may be on this machine.

    Parameters
    ----------
    name : str
        The program.
    text : str
        Its version or path; empty when it is absent.
    absent : {"ok", "missing", "optional"}
        The state when it is absent.
    without : str
        What is not done without it.
    remedy : str
        How to get it.

    Returns
    -------
    Check
        ``ok`` when it was found.

    Examples
    --------
    >>> check_command("java", "", "optional", "no use yet", "install a JRE").state
    'optional'
    """
    if text:
        return Check(name, "ok", text)
    return Check(name, absent, f"not found: {without}", remedy)


def check_size(name: str, available: int | None, minimum: int, remedy: str) -> Check:
    """Judge an amount of disk or memory, in bytes.

    Examples
    --------
    >>> check_size("disk", 512 * 1024**2, 2 * 1024**3, "free some space").found
    '0.5 GiB, less than 2.0 GiB'
    >>> check_size("memory", None, 2 * 1024**3, "").found
    'not known on this system'
    """
    if available is None:
        return Check(name, "optional", "not known on this system")
    text = f"{available / GIBIBYTE:.1f} GiB"
    if available < minimum:
        return Check(name, "missing", f"{text}, less than {minimum / GIBIBYTE:.1f} GiB", remedy)
    return Check(name, "ok", text)


def check_writable(name: str, folder: Path) -> Check:
    """Judge whether a build can write into a folder, made or not yet made.

    Parameters
    ----------
    name : str
        The folder as the project names it.
    folder : Path
        Where it is.

    Returns
    -------
    Check
        ``missing`` when neither it nor the nearest folder above it can be written to.
    """
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return Check(f"write {name}", "ok", "yes" if folder.exists() else "yes, not made yet")
    remedy = f"give yourself write access to {name}, or clone into a folder of your own"
    return Check(f"write {name}", "missing", "no", remedy)


def check_locale(preferred: str, utf8_mode: bool) -> Check:
    """Judge the encoding that programs assume for text.

    Examples
    --------
    >>> check_locale("UTF-8", False).state
    'ok'
    >>> check_locale("ANSI_X3.4-1968", False).remedy
    'set PYTHONUTF8=1, or LANG=C.UTF-8'
    """
    if utf8_mode or preferred.lower().replace("-", "") == "utf8":
        return Check("locale", "ok", preferred)
    text = f"{preferred}: Chinese text may not print"
    return Check("locale", "optional", text, "set PYTHONUTF8=1, or LANG=C.UTF-8")


def check_fonts(platform: str, chinese: Sequence[str]) -> Check:
    """Judge whether a browser here can show Chinese; figures carry a font of their own.

    Examples
    --------
    >>> check_fonts("linux", ["Noto Sans CJK SC"]).found
    'Noto Sans CJK SC'
    >>> check_fonts("linux", []).state
    'optional'
    """
    if platform in ("darwin", "win32"):
        return Check("Chinese font", "ok", "part of the system")
    if chinese:
        return Check("Chinese font", "ok", chinese[0])
    return Check(
        "Chinese font",
        "optional",
        "none: a browser here shows boxes for Chinese names",
        "Debian and Ubuntu: apt-get install fonts-noto-cjk",
    )


def find_chromium(
    which: Callable[[str], str | None] = shutil.which, places: Sequence[str] = CHROMIUM_PLACES
) -> str:
    """Return the path of Chromium or a browser of its family, or an empty string.

    Parameters
    ----------
    which : callable
        Finds a command on PATH.
    places : sequence of str
        Files to look for when no command is there.

    Returns
    -------
    str
        ``CHROMIUM_PATH`` where it is set, else the first found.

    Examples
    --------
    >>> find_chromium({"chromium": "bin/chromium"}.get, ())
    'bin/chromium'
    """
    named = os.environ.get("CHROMIUM_PATH", "")
    if named:
        return named if Path(named).exists() else ""
    commands = (which(command) for command in CHROMIUM_COMMANDS)
    files = (place for place in places if Path(place).exists())
    return next((path for path in (*commands, *files) if path), "")


def first_line(command: Sequence[str]) -> str:
    """Return the first line a program prints, or an empty string when it cannot run.

    Examples
    --------
    >>> first_line(["no-such-program-anywhere"])
    ''
    """
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    text = (done.stdout or done.stderr).strip() if done.returncode == 0 else ""
    return text.splitlines()[0].strip() if text else ""


def bundled_pandoc() -> str:
    """Return the first line of the version of the pandoc inside the environment, or nothing."""
    try:
        import pypandoc

        return first_line([pypandoc.get_pandoc_path(), "--version"])
    except (ImportError, OSError):
        return ""


def memory() -> int | None:
    """Return the memory of this machine in bytes, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def chinese_fonts() -> list[str]:
    """Return the families with Chinese characters that fontconfig knows, sorted."""
    program = shutil.which("fc-list")
    if program is None:
        return []
    done = subprocess.run(
        [program, ":lang=zh", "family"], capture_output=True, text=True, check=False
    )
    return sorted({line.split(",")[0].strip() for line in done.stdout.splitlines() if line.strip()})


def examine() -> tuple[Check, ...]:
    """Ask this machine for everything the project uses.

    Returns
    -------
    tuple of Check
        In the order in which a set-up needs them.
    """
    root = paths.root()
    installed = {
        normalise(distribution.name): distribution.version for distribution in distributions()
    }
    inside = sys.prefix != sys.base_prefix or (Path(sys.prefix) / "conda-meta").is_dir()
    report_lock = (root / "requirements.lock").read_text(encoding="utf-8")
    test_lock = (root / "requirements-test.lock").read_text(encoding="utf-8")
    chromium = find_chromium()
    return (
        check_python(sys.version_info[:3], inside),
        check_lock("requirements.lock", report_lock, installed, "missing", "make report"),
        check_lock("requirements-test.lock", test_lock, installed, "optional", "make test"),
        check_command(
            "git",
            first_line(["git", "--version"]),
            "missing",
            "the date of the build is not known",
            "install git",
        ),
        check_command(
            "make",
            first_line(["make", "--version"]),
            "optional",
            "use .venv/bin/python -m analysis instead",
            "install GNU make",
        ),
        check_command(
            "pandoc (bundled)",
            bundled_pandoc(),
            "missing",
            "no page can be rendered",
            "delete .venv, run make report",
        ),
        check_command(
            "quarto",
            first_line(["quarto", "--version"]),
            "optional",
            "the embedded renderer is used",
            "install Quarto 1.6 or newer, if wanted",
        ),
        check_command(
            "chromium",
            chromium,
            "optional",
            "tests in a browser are skipped",
            "Debian and Ubuntu: apt-get install chromium",
        ),
        check_command(
            "java",
            first_line(["java", "-version"]),
            "optional",
            "nothing needs it yet",
            "install a Java runtime, if wanted",
        ),
        check_size("disk", shutil.disk_usage(root).free, MINIMUM_DISK, "free some space"),
        check_size("memory", memory(), MINIMUM_MEMORY, "close other programs"),
        check_fonts(sys.platform, chinese_fonts()),
        check_writable("build/", root / "build"),
        check_writable("reports/", root / "reports"),
        check_locale(locale.getpreferredencoding(False), bool(sys.flags.utf8_mode)),
    )
