"""A page notes its findings; what this process has noted is asked for when the page has run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import TypeVar

import polars as pl

from analysis import printing
from analysis.claims import formatting
from analysis.claims.intervals import Interval
from analysis.findings.digests import file_digest, frame_digest
from analysis.findings.record import Finding
from analysis.findings.results import Estimated, Exhibit

TOLERANCE = 1e-9
"""Relative difference up to which two runs agree: the rounding of double precision, added up."""
_noted: dict[str, Finding] = {}
"""What this process has noted; a notebook's kernel is one process."""
cells: dict[str, str] = {}
"""Ids of the code cells that made what was noted, by finding."""


E = TypeVar("E", bound=Exhibit)


@dataclass(frozen=True)
class Page:
    """A page that notes its findings.

    Attributes
    ----------
    name : str
        The notebook, without its ending.
    tier : str
        Evidence tier of its numbers unless one says otherwise.
    inputs : tuple of str
        Files or folders below the project folder that its numbers come from.
    also : tuple of str
        Other inputs, each with its digest, as ``name:digest``: a panel that lies elsewhere.
    """

    name: str
    tier: str
    inputs: tuple[str, ...]
    also: tuple[str, ...] = ()

    def number(
        self,
        id: str,
        value: float | Fraction | Interval,
        what: str,
        *,
        unit: str,
        function: Callable[..., object],
        rows_in: int,
        rows_used: int,
        method: str = "count",
        digits: int | None = None,
        low: float | None = None,
        high: float | None = None,
        villages: tuple[int, int] | None = None,
    ) -> Finding:
        """Note a number and return the finding that prints it.

        Parameters
        ----------
        id : str
            Permanent name.
        value : float, Fraction or Interval
            The number, or the interval where that is all that is known.
        what : str
            The estimand, or what the number is.
        unit : str
            Unit as in the ledger; printed with the number only where the text does so.
        function : callable
            The function that made it.
        method : str
            How, in a few words.
        rows_in, rows_used : int
            Rows that entered and were used; of a figure made of claims, the names it could and
            does use.
        digits : int, optional
            Decimals to print.
        low, high : float, optional
            Ends of the interval of an estimate; print it by `Finding.between`.
        villages : tuple of int, optional
            Villages treated and villages of controls, of an effect.

        Raises
        ------
        ValueError
            If the name is taken by another value.
        """
        point: float | None
        if isinstance(value, Interval):
            low = None if value.low.value is None else float(value.low.value)
            high = None if value.high.value is None else float(value.high.value)
            point = low if value.is_point else None
            text = formatting.interval(value)
        else:
            point, text = float(value), printing.number(value, digits)
        return self._note(
            id=id,
            kind="number",
            what=what,
            value=point,
            low=low,
            high=high,
            unit=unit,
            text=text,
            rows_in=rows_in,
            rows_used=rows_used,
            method=method,
            function=function,
            digest="",
            villages=villages,
        )

    def estimate(
        self,
        id: str,
        effect: Estimated,
        what: str,
        *,
        unit: str,
        function: Callable[..., object],
        digits: int | None = None,
    ) -> Finding:
        """Note an effect with its interval, rows and villages by arm.

        Parameters
        ----------
        id : str
            Permanent name.
        effect : Effect
            One estimate, in the unit that is named.
        what : str
            The estimand, with the year of prices if it is money.
        unit : str
            Unit as in the ledger.
        function : callable
            The function that made it.
        digits : int, optional
            Decimals to print.
        """
        ends = [None if math.isnan(end) else end for end in (effect.ci_low, effect.ci_high)]
        return self.number(
            id,
            effect.estimate,
            what,
            unit=unit,
            function=function,
            digits=digits,
            low=ends[0],
            high=ends[1],
            rows_in=effect.about.rows_in,
            rows_used=effect.about.rows_used,
            villages=(effect.n_villages_treated, effect.n_villages_control),
            method=f"{effect.about.estimator}, intervals {effect.convention}",
        )

    def word(
        self,
        id: str,
        text: str,
        what: str,
        *,
        function: Callable[..., object],
        rows_in: int,
        rows_used: int,
        method: str = "as computed",
    ) -> Finding:
        """Note a computed word, such as a verdict or the name of the largest figure."""
        return self._note(
            id=id,
            kind="word",
            what=what,
            value=None,
            low=None,
            high=None,
            unit="",
            text=text,
            rows_in=rows_in,
            rows_used=rows_used,
            method=method,
            function=function,
            digest="",
        )

    def exhibit(
        self,
        id: str,
        kind: str,
        what: str,
        data: pl.DataFrame,
        function: Callable[..., object],
        rows_in: int | None = None,
    ) -> Finding:
        """Note a figure or table by the digest of its data."""
        return self._note(
            id=id,
            kind=kind,
            what=what,
            value=None,
            low=None,
            high=None,
            unit="",
            text=what,
            rows_in=data.height if rows_in is None else rows_in,
            rows_used=data.height,
            method="shown as computed",
            function=function,
            digest=frame_digest(data),
        )

    def show(self, exhibit: E, what: str, function: Callable[..., object]) -> E:
        """Note a figure or table and return it, to be shown as the last line of its cell.

        Parameters
        ----------
        exhibit : Figure or Table
            Anything with a name that begins with ``fig-`` or ``tbl-``, and data.
        what : str
            What it shows.
        function : callable
            The function that made it.
        """
        kind = "figure" if exhibit.name.startswith("fig-") else "table"
        self.exhibit(exhibit.name, kind, what, exhibit.data, function)
        if hasattr(exhibit, "tier"):  # a figure draws its badge, a table carries it
            return replace(exhibit, tier=self.tier)  # type: ignore[type-var]
        return exhibit

    def _note(
        self,
        *,
        function: Callable[..., object],
        villages: tuple[int, int] | None = None,
        **parts: object,
    ) -> Finding:
        treated, control = villages or (None, None)
        finding = Finding(
            page=self.name,
            n_villages_treated=treated,
            n_villages_control=control,
            tier=self.tier,
            function=f"{function.__module__}.{function.__qualname__}",
            inputs=";".join([*(f"{n}:{file_digest(n)}" for n in self.inputs), *self.also]),
            tolerance=TOLERANCE,
            **parts,  # type: ignore[arg-type]
        )
        return note(finding)


def note(finding: Finding) -> Finding:
    """Note a finding under its name.

    Raises
    ------
    ValueError
        If the name is taken by another one.
    """
    known = _noted.setdefault(finding.id, finding)
    if known != finding:
        raise ValueError(f"finding {finding.id} is noted twice with different content")
    return finding


def export_json() -> str:
    """Return everything noted in this process, in order of noting, as JSON.

    Each record is a finding with the id of the cell that made it, as far as that is known.
    """
    found = [{**asdict(each), "cell": cells.get(each.id, "")} for each in _noted.values()]
    return json.dumps(found, ensure_ascii=False)


def forget() -> None:
    """Forget everything noted in this process."""
    _noted.clear()
    cells.clear()
