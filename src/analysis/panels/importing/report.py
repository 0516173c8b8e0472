"""What an import did: rows, records, reasons; and the laws that hold of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from analysis.panels.account import Account
from analysis.panels.importing.convert import REASONS

NOT_A_LOSS = "nothing_observed"
"""A household that was not there in a wave is no fault of the map, so limits leave it out."""


@dataclass(frozen=True)
class FileCount:
    """Where the rows and records of one file, or of several, went.

    Attributes
    ----------
    rows, rows_accepted : int
        Rows of the file, and those of which at least one record was accepted.
    records, records_accepted : int
        Row × wave in a wide file; otherwise one a row.
    reasons : mapping of str to int
        Rejected records by reason.
    """

    rows: int = 0
    rows_accepted: int = 0
    records: int = 0
    records_accepted: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.records != self.records_accepted + sum(self.reasons.values()):
            raise ValueError(f"records are lost: {self}")
        if not self.rows_accepted <= min(self.rows, self.records_accepted):
            raise ValueError(f"more rows accepted than there are: {self}")

    @property
    def rows_rejected(self) -> int:
        """Rows of which no record was accepted."""
        return self.rows - self.rows_accepted

    @property
    def records_rejected(self) -> int:
        """Records left out."""
        return self.records - self.records_accepted

    def __add__(self, other: FileCount) -> FileCount:
        """Add the count of other rows."""
        names = sorted({*self.reasons, *other.reasons})
        return FileCount(
            self.rows + other.rows,
            self.rows_accepted + other.rows_accepted,
            self.records + other.records,
            self.records_accepted + other.records_accepted,
            {n: self.reasons.get(n, 0) + other.reasons.get(n, 0) for n in names},
        )

    def most_frequent(self) -> list[tuple[str, int]]:
        """Return reasons and counts, the most frequent first; equal counts by name."""
        return sorted(self.reasons.items(), key=lambda pair: (-pair[1], pair[0]))

    def share_of_rows_lost(self) -> float:
        """Return rejected rows over rows."""
        return self.rows_rejected / self.rows if self.rows else 0.0

    def share_of_records_lost(self) -> float:
        """Return rejected over all records, those with nothing observed apart."""
        empty = self.reasons.get(NOT_A_LOSS, 0)
        seen = self.records - empty
        return (self.records_rejected - empty) / seen if seen else 0.0


@dataclass(frozen=True)
class ImportReport:
    """What an import read, wrote and left out.

    Attributes
    ----------
    survey, status : str
        Name of the survey and whether its map was tried on the files.
    out : Path
        Folder of the panel.
    files : mapping of str to FileCount
        By name of the source file.
    account : Account
        Of household × period records, as it travels with the panel.
    n_households, n_villages, n_periods, n_incomplete : int
        Households, villages, household-periods, and those that lack an outcome asked for.
    participation : mapping of str to int
        Units treated, by programme.
    cells : mapping of str to int
        Cells of amounts and members that hold no value, by why: nothing, no answer, unreadable.
    notes : tuple of str
        What a reader should know that is not a rejection.
    """

    survey: str
    status: str
    out: Path
    files: Mapping[str, FileCount]
    account: Account
    n_households: int
    n_villages: int
    n_periods: int
    n_incomplete: int
    participation: Mapping[str, int]
    cells: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> FileCount:
        """All files together."""
        return sum(self.files.values(), start=FileCount())

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values, for JSON."""
        plain = asdict(self)
        del plain["out"]
        return {**plain, "account": self.account.as_dict(), "notes": list(self.notes)}

    def summary(self) -> str:
        """Return the report as lines for a terminal."""
        lines = [f"{self.survey} ({self.status} map)"]
        for name, count in self.files.items():
            lines.append(
                f"  {name}: {count.rows:,} rows read, {count.rows_accepted:,} accepted, "
                f"{count.rows_rejected:,} rejected"
            )
        total = self.total
        lines.append(
            f"  {total.records:,} records, {total.records_accepted:,} accepted, "
            f"{total.records_rejected:,} rejected"
        )
        for reason, n in total.most_frequent():
            lines.append(f"    {n:>9,}  {REASONS[reason]} ({reason})")
        lines.append(
            f"  {self.n_households:,} households in {self.n_villages:,} villages, "
            f"{self.n_periods:,} household-periods, {self.n_incomplete:,} of them incomplete"
        )
        if any(self.cells.values()):
            told = ", ".join(f"{n:,} {why}" for why, n in self.cells.items())
            lines.append(f"  of the cells of amounts and members {told}")
        lines += [f"  {n:,} units in {name}" for name, n in self.participation.items()]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)
