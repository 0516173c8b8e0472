"""What is wrong with an input, said so that a reader can mend it.

A check collects every fault it sees and raises them together, so that one run shows all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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


def raise_if_any(faults: Iterable[Fault]) -> None:
    """Raise `FaultsError` with all of them, or return.

    Examples
    --------
    >>> raise_if_any([])
    """
    found = tuple(faults)
    if found:
        raise FaultsError(found)
