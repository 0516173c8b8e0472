"""Where a number comes from: evidence, rows, method, function, inputs with their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import polars as pl

from analysis.results.badge import Badge

EVIDENCE: Final = ("twin", "model", "reported", "published", "public", "yours")
"""Kinds of evidence, the weakest first: a number made of several has the weakest of them."""


class FrameDigest:
    """The digest of a frame's columns, computed when somebody asks for it.

    Parameters
    ----------
    frame : polars.DataFrame
        The columns that entered.
    name : str
        What the frame is called in a record.

    Examples
    --------
    >>> str(FrameDigest(pl.DataFrame({"a": [1, 2]}), "data"))
    'data:d4fa155a0784'
    """

    def __init__(self, frame: pl.DataFrame, name: str = "frame") -> None:
        self._frame = frame
        self.name = name

    @cached_property
    def digest(self) -> str:
        """12 digits of the sha256 of the columns' names and values."""
        content = hashlib.sha256()
        for column in self._frame.iter_columns():
            content.update(f"{column.name}\n".encode())
            content.update(column.to_frame().write_csv(include_header=False).encode())
        return content.hexdigest()[:12]

    def __str__(self) -> str:
        return f"{self.name}:{self.digest}"

    __repr__ = __str__


@dataclass(frozen=True)
class Provenance:
    """Where a number comes from.

    Attributes
    ----------
    evidence : str
        One of `EVIDENCE`.
    rows_in, rows_used : int or None
        Rows that entered and rows that were used.
    n_clusters_treated, n_clusters_control : int or None
        Villages (or other clusters) by arm, of an effect.
    method : str
        How, in a few words.
    function : str
        The function that made it, with its module.
    inputs : tuple
        Each input as ``name:digest``, or an object that prints itself so.
    """

    evidence: str = "yours"
    rows_in: int | None = None
    rows_used: int | None = None
    n_clusters_treated: int | None = None
    n_clusters_control: int | None = None
    method: str = ""
    function: str = ""
    inputs: tuple[object, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.evidence not in EVIDENCE:
            raise ValueError(f"evidence {self.evidence!r} is none of {', '.join(EVIDENCE)}")

    @classmethod
    def of(cls, function: Callable[..., Any], **parts: Any) -> Provenance:
        """Return a provenance that names a function by its module and name."""
        return cls(function=f"{function.__module__}.{function.__qualname__}", **parts)

    @property
    def badge(self) -> Badge:
        """The badge of its evidence, as a page prints it in the text."""
        return Badge(self.evidence)

    def joined(self, others: Sequence[Provenance], method: str) -> Provenance:
        """Return the provenance of a number made of several.

        Rows and clusters are those of the first; inputs are those of all; the evidence is the
        weakest kind among them.
        """
        every = (self, *others)
        weakest = min((provenance.evidence for provenance in every), key=EVIDENCE.index)
        inputs = tuple(dict.fromkeys(x for provenance in every for x in provenance.inputs))
        return replace(self, evidence=weakest, inputs=inputs, method=method)


UNKNOWN: Final = Provenance()
"""Of a number that nobody said anything about."""
