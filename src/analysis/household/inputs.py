"""Inputs of a scenario, each in sight: low, central and high value, unit, source, evidence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import polars as pl

from analysis.claims.intervals import Interval
from analysis.faults import Fault, FaultsError
from analysis.results import formatting
from analysis.results.number import Number
from analysis.results.provenance import Provenance

Given = float | int | tuple[float, float] | tuple[float, float, float] | Number | Interval
"""How an input may be given: one number, low and high, low, central and high, a number of a
result, or an interval of claims."""
SET_HERE = "set here"
ASSUMED = "assumed"


@dataclass(frozen=True)
class Input:
    """One input of a scenario.

    Attributes
    ----------
    name, what : str
        As the call names it, and in words.
    low, central, high : float
        In order; equal for a number without a range.
    unit : str
        Unit.
    source : str
        Where it is from; ``set here`` for a number typed in the call.
    evidence : str
        ``assumed``, or a kind of evidence, such as ``reported`` for official figures and claims.
    """

    name: str
    what: str
    low: float
    central: float
    high: float
    unit: str
    source: str = SET_HERE
    evidence: str = ASSUMED

    @property
    def ends(self) -> tuple[float, ...]:
        """Low and high, or the one number."""
        return (self.low,) if self.low == self.high else (self.low, self.high)


def fault(column: str, problem: str, remedy: str, value: object = "") -> FaultsError:
    """Return an error about one argument of a scenario."""
    return FaultsError([Fault("household", problem, remedy, column=column, value=str(value))])


def read(
    name: str,
    what: str,
    given: Given,
    unit: str,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    source: str = SET_HERE,
    evidence: str = ASSUMED,
) -> Input:
    """Read an input, however it is given.

    Parameters
    ----------
    name, what, unit : str
        As `Input` has them.
    given : float, tuple, Number or Interval
        See `Given`. A number of a result brings its own source and evidence.
    least, most : float
        Legal values.
    source, evidence : str
        Used where the value brings none of its own.

    Raises
    ------
    FaultsError
        If it is not a number, not in order, outside its legal values, or has no end.

    Examples
    --------
    >>> read("take_up", "share that takes part", (0.3, 0.9), "share").central
    0.6
    """
    low, central, high = _three(name, given)
    if isinstance(given, Number):
        record = given.provenance
        source = ", ".join(x for x in (given.what, record.method) if x) or source
        evidence = record.evidence
    elif isinstance(given, Interval):
        source, evidence = "claims", "reported"
    if not all(map(math.isfinite, (low, central, high))):
        raise fault(name, "it has no end on one side", "give low, central and high", given)
    if not low <= central <= high:
        raise fault(name, "not in order", "give low, central and high in this order", given)
    if low < least or high > most:
        raise fault(name, f"outside {least:g} to {most:g}", "give a value within", given)
    return Input(name, what, low, central, high, unit, source, evidence)


def _three(name: str, given: Given) -> tuple[float, float, float]:
    if isinstance(given, Number):
        ends = [x if math.isfinite(x) else given.value for x in (given.low, given.high)]
        return ends[0], given.value, ends[1]
    if isinstance(given, Interval):
        ends = [math.nan if e.value is None else float(e.value) for e in (given.low, given.high)]
        return ends[0], (ends[0] + ends[1]) / 2, ends[1]
    if isinstance(given, tuple):
        if len(given) == 2:
            return float(given[0]), (given[0] + given[1]) / 2, float(given[1])
        if len(given) == 3:
            return float(given[0]), float(given[1]), float(given[2])
    elif isinstance(given, float | int) and not isinstance(given, bool):
        return float(given), float(given), float(given)
    raise fault(name, "not a number", "give a number, (low, high) or (low, central, high)", given)


def table(inputs: Iterable[Input]) -> pl.DataFrame:
    """Return inputs as a frame: name, what, low, central, high, unit, evidence, source."""
    columns = ("name", "what", "low", "central", "high", "unit", "evidence", "source")
    return pl.DataFrame(
        [{name: getattr(quantity, name) for name in columns} for quantity in inputs],
        schema_overrides=dict.fromkeys(("low", "central", "high"), pl.Float64),
    )


def printed(inputs: Iterable[Input]) -> pl.DataFrame:
    """Return inputs as printed: what, value with its range, unit, where from."""
    rows = []
    for quantity in inputs:
        value = formatting.number(quantity.central)
        if quantity.low != quantity.high:
            value += f" ({formatting.number(quantity.low)} to {formatting.number(quantity.high)})"
        where = f"{quantity.evidence}: {quantity.source}"
        rows.append(
            {"input": quantity.what, "value": value, "unit": quantity.unit, "where from": where}
        )
    return pl.DataFrame(rows)


def input_number(inputs: Iterable[Input], name: str, provenance: Provenance) -> Number:
    """Return an input as a number that carries its range and where it is from.

    Parameters
    ----------
    inputs : iterable of Input
        Those of a result.
    name : str
        As the call names it, such as ``cost``.
    provenance : Provenance
        Of the result that they entered.

    Raises
    ------
    FaultsError
        If there is no such input.
    """
    by_name = {quantity.name: quantity for quantity in inputs}
    if name not in by_name:
        raise fault("input", "no such input", f"use one of {', '.join(by_name)}", name)
    input_ = by_name[name]
    apart = input_.low != input_.high
    return Number(
        value=input_.central,
        low=input_.low if apart else math.nan,
        high=input_.high if apart else math.nan,
        what=input_.what,
        unit=input_.unit,
        provenance=replace(
            provenance,
            evidence=provenance.evidence if input_.evidence == ASSUMED else input_.evidence,
            method=f"assumed: {input_.source}" if input_.evidence == ASSUMED else input_.source,
        ),
    )


def joined(provenance: Provenance, inputs: Iterable[Input], method: str) -> Provenance:
    """Return a provenance joined with the evidence of every input; assumptions are named."""
    stated = [
        quantity
        for quantity in inputs
        if quantity.low != quantity.high or quantity.source == SET_HERE
    ]
    known = [
        Provenance(evidence=quantity.evidence)
        for quantity in stated
        if quantity.evidence != ASSUMED
    ]
    assumed = ", ".join(quantity.name for quantity in stated if quantity.evidence == ASSUMED)
    return provenance.joined(known, f"{method}; assumed: {assumed}" if assumed else method)
