"""The account of a panel: rows read, rows used, and rows left out by reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Account:
    """Where every row of the source went.

    Attributes
    ----------
    rows_read : int
        Household × period records of the source.
    rows_used : int
        Records in the panel's income table.
    left_out : mapping of str to int
        Records left out, by reason.

    Raises
    ------
    ValueError
        If the rows used and left out are not the rows read.

    Examples
    --------
    >>> Account(10, 7, {"no income given": 3}).share_used
    0.7
    >>> Account(10, 7, {"no income given": 2})
    Traceback (most recent call last):
    ...
    ValueError: 10 rows read, but 7 used and 2 left out
    """

    rows_read: int
    rows_used: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        gone = sum(self.left_out.values())
        if min(self.rows_read, self.rows_used, *self.left_out.values()) < 0:
            raise ValueError(f"a count of rows is negative: {self}")
        if self.rows_read != self.rows_used + gone:
            raise ValueError(
                f"{self.rows_read} rows read, but {self.rows_used} used and {gone} left out"
            )

    @property
    def share_used(self) -> float:
        """Rows used over rows read; 1 where nothing was read."""
        return self.rows_used / self.rows_read if self.rows_read else 1.0

    def __add__(self, other: Account) -> Account:
        """Add the account of another part of the same source."""
        reasons = dict.fromkeys([*self.left_out, *other.left_out])
        return Account(
            self.rows_read + other.rows_read,
            self.rows_used + other.rows_used,
            {r: self.left_out.get(r, 0) + other.left_out.get(r, 0) for r in reasons},
        )

    def as_dict(self) -> dict[str, object]:
        """Return the account as plain values, for JSON."""
        return {
            "rows_read": self.rows_read,
            "rows_used": self.rows_used,
            "left_out": dict(self.left_out),
        }
