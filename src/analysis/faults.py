"""What is wrong with an input, said so that a reader can mend it.

A check collects every fault it sees and raises them together, so that one run shows all.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

# What a machine, and not this program, refuses; each with what a person can do.
_REFUSALS = {
    errno.ENOSPC: ("no space is left on this disk", "free some space"),
    errno.EFBIG: ("a file may not grow this large here", "raise the limit (ulimit -f)"),
    errno.EDQUOT: ("your share of this disk is full", "free some space"),
    errno.EROFS: ("this place can only be read", "name a folder that can be written to"),
    errno.EACCES: ("this may not be done here", "ask for the right, or name another place"),
    errno.EPERM: ("this may not be done here", "ask for the right, or name another place"),
    errno.EIO: ("the disk does not answer as it should", "look at the disk"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n)"),
}
# Rust's way to say it, which Polars passes on in an error of its own, without a number.
_RUST = re.compile(r"\(os error (\d+)\)")


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input file.

    Attributes
    ----------
    file : str
        The file as the project names it, relative to the project folder.
    problem : str
        What is wrong, in plain words.
    remedy : str
        What to do about it.
    row : int or None
        1-based line in the file (the header of a CSV is line 1), or the line of a text file.
    column : str
        Column, option or cell; empty where there is none.
    value : str
        The value found; empty where there is none.
    """

    file: str
    problem: str
    remedy: str
    row: int | None = None
    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        column = f" [{self.column}]" if self.column else ""
        value = f" {self.value!r}" if self.value else ""
        return f"{place}{column}{value}: {self.problem}; {self.remedy}"


class FaultsError(Exception):
    """Every fault that one check found.

    Attributes
    ----------
    faults : tuple of Fault
        At least one.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def refuse(
    problem: str, remedy: str, *, column: str = "", value: object = "", file: str = "data"
) -> NoReturn:
    """Say in the user's words what is wrong, and stop.

    Raises
    ------
    FaultsError
        Always.
    """
    raise FaultsError([Fault(file, problem, remedy, column=column, value=str(value))])


def raise_if_any(faults: Iterable[Fault]) -> None:
    """Raise `FaultsError` with all of them, or return.

    Examples
    --------
    >>> raise_if_any([])
    """
    problems = tuple(faults)
    if problems:
        raise FaultsError(problems)


def refused_by_machine(error: Exception) -> Fault | None:
    """Return the fault behind an error of the operating system, None if it is none of these.

    Parameters
    ----------
    error : Exception
        An `OSError`, or an error of a library that passes one on.

    Examples
    --------
    >>> print(refused_by_machine(OSError(errno.ENOSPC, "No space left on device", "/a/b.csv")))
    b.csv: no space is left on this disk; free some space, then run the command again
    >>> refused_by_machine(FileNotFoundError(errno.ENOENT, "No such file")) is None
    True
    """
    rust = _RUST.search(str(error))
    number = getattr(error, "errno", None) or (int(rust[1]) if rust else None)
    if number not in _REFUSALS:
        return None
    problem, remedy = _REFUSALS[number]
    place = getattr(error, "filename", None)
    name = re.split(r"[\\/]", str(place))[-1] if place else "disk"
    return Fault(name, problem, f"{remedy}, then run the command again")
