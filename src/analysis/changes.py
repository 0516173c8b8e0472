"""Published numbers that moved: which finding, from what to what, and why; `data/changes`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import dataframely as dy
import polars as pl

from analysis import contract, paths
from analysis.faults import Fault, raise_if_any

FILE = Path("changes") / "changes.csv"


class Changes(contract.Row):
    """A published number that moved since an earlier version, and why."""

    finding = dy.String(nullable=False, regex=r"^[\w-]+$", description="name of the finding")
    version = dy.String(
        nullable=False, regex=r"^\d+\.\d+\.\d+$", description="first version that prints it so"
    )
    date = dy.Date(nullable=False, description="day of the change")
    before = dy.String(nullable=False, min_length=1, description="as it was printed")
    after = dy.String(
        nullable=True, description="as it is printed now; empty if it is published no more"
    )
    why = dy.String(nullable=False, min_length=10, description="what moved it, in words")


def load(file: Path | None = None) -> pl.DataFrame:
    """Read the changes, oldest first.

    Parameters
    ----------
    file : Path, optional
        ``data/changes/changes.csv`` if left out.

    Returns
    -------
    polars.DataFrame
        The columns of `Changes`.

    Raises
    ------
    FaultsError
        If a cell does not fit, a row changes nothing, or a row does not begin where the one
        before it, of the same finding, ended.
    """
    file = file or paths.data() / FILE
    name = contract.project_name(file)
    rows = contract.read(file, Changes)
    faults: list[Fault] = []
    last: dict[str, str | None] = {}
    for row in rows.iter_rows(named=True):
        finding, before, after = row["finding"], row["before"], row["after"]
        if before == after:
            problem, remedy = "the number did not move", "take the row out"
            faults.append(Fault(name, problem, remedy, row["line"], "after", str(after)))
        if finding in last and last[finding] != before:
            problem = f"the change before ended at {last[finding] or 'nothing'}"
            remedy = "add the step between, or correct this one"
            faults.append(Fault(name, problem, remedy, row["line"], "before", before))
        last[finding] = after
    raise_if_any(faults)
    return rows


def unfit(rows: pl.DataFrame, published: Mapping[str, str]) -> tuple[Fault, ...]:
    """Return the findings whose newest change does not end at what is published.

    Parameters
    ----------
    rows : polars.DataFrame
        As `load` gives them.
    published : mapping of str to str
        What each published number is printed as, by finding.
    """
    newest = {row["finding"]: row for row in rows.iter_rows(named=True)}
    remedy = 'note the newer change too: analysis publish --note "why"'
    return tuple(
        Fault(
            FILE.as_posix(),
            f"published is {published.get(finding, 'no such finding')}",
            remedy,
            row["line"],
            "after",
            row["after"] or "",
        )
        for finding, row in newest.items()
        if published.get(finding) != row["after"]
    )


def appended(
    content: str, moved: Iterable[tuple[str, str, str]], version: str, day: date, why: str
) -> str:
    r"""Return the file with changes added at its end.

    Parameters
    ----------
    content : str
        The file as it is.
    moved : iterable of (str, str, str)
        Finding, what was printed, what is printed now.
    version : str
        Of the package.
    day : date
        Of the change.
    why : str
        What moved them.

    Examples
    --------
    >>> print(appended("finding,version,date,before,after,why\n",
    ...                [("a", "1", "2")], "0.1.0", date(2026, 1, 2), "a row was added"), end="")
    finding,version,date,before,after,why
    a,0.1.0,2026-01-02,1,2,a row was added
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for finding, before, after in moved:
        writer.writerow([finding, version, day.isoformat(), before, after, " ".join(why.split())])
    return content + buffer.getvalue()
