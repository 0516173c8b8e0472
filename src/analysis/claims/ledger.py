"""The ledger of claims: what the five articles report, row by row, checked as it is read.

`schemas` defines each file; here they are read together, and what one says of another is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

import polars as pl

from analysis import contract, paths
from analysis.claims import references
from analysis.claims.expressions import Operand
from analysis.claims.intervals import Interval
from analysis.claims.printed import Margins, interval_of, read_number
from analysis.claims.schemas import SCHEMAS
from analysis.claims.units import PERCENT, Unit
from analysis.faults import Fault, FaultsError, raise_if_any

WHOLE = 100
"""Per cent."""


@dataclass(frozen=True, eq=False)
class Ledger:
    """The whole ledger, read and checked; equal to itself alone, so that results may be kept by it.

    Attributes
    ----------
    sources, claims, units, constants, official, relations, implied : polars.DataFrame
        One row per record, columns as in the schema of the same name.
    operands : dict of str to Operand
        Every name an expression may use, with its interval, unit, place and period.
    """

    sources: pl.DataFrame
    claims: pl.DataFrame
    units: pl.DataFrame
    constants: pl.DataFrame
    official: pl.DataFrame
    relations: pl.DataFrame
    implied: pl.DataFrame
    operands: dict[str, Operand]

    @property
    def quantities(self) -> pl.DataFrame:
        """The claims without numerals that only name a scheme."""
        return self.claims.filter(pl.col("slogan") == "no")


def load(folder: Path | None = None) -> Ledger:
    """Read the ledger and check it.

    Parameters
    ----------
    folder : Path, optional
        Where the files are; ``data/claims`` of the project by default.

    Raises
    ------
    FaultsError
        With every fault of every file: cells, vocabularies, keys, units, references between
        files, and printed phrases that do not say the value.
    """
    folder = folder or paths.data() / "claims"
    read = {
        name: contract.examine(folder / f"{name}.csv", schema) for name, schema in SCHEMAS.items()
    }
    tables = {name: frame for name, (frame, _) in read.items()}
    faulty = frozenset(name for name, (_, faults) in read.items() if faults)
    files = {name: contract.project_name(folder / f"{name}.csv") for name in SCHEMAS}
    raise_if_any(
        [
            *(fault for _, faults in read.values() for fault in faults),
            *references.faults(tables, files, faulty),
        ]
    )
    return Ledger(**tables, operands=_operands(tables))


def _operands(tables: dict[str, pl.DataFrame]) -> dict[str, Operand]:
    constants = {
        row["id"]: Operand(Interval.point(Fraction(row["value"])), Unit.parse(row["unit"]))
        for row in tables["constants"].iter_rows(named=True)
    }
    margins = Margins(*(_margin(tables["constants"], word) for word in ("nearly", "about")))
    claims = {row["id"]: _claim(row, margins) for row in tables["claims"].iter_rows(named=True)}
    official = {
        row["id"]: Operand(
            _official_interval(row, margins),
            Unit.parse(row["unit"]),
            "flow",
            row["place"],
            (date(row["year"], 1, 1), date(row["year"], 12, 31)),
        )
        for row in tables["official"].iter_rows(named=True)
    }
    return constants | claims | official


def _official_interval(row: dict[str, object], margins: Margins) -> Interval:
    """Read an official figure by the same rules as a claim: exact, or rounded at its last digit."""
    scale = _scale(str(row["unit"]))
    step = Fraction(str(row["step"] or 1)) * scale
    value = Fraction(str(row["value"])) * scale
    return interval_of(value, step, str(row["bound"]), margins, in_full=row["step"] is None)


def _margin(constants: pl.DataFrame, word: str) -> Fraction:
    name = f"{word}_margin"
    frame = constants.filter(pl.col("id") == name)
    if frame.is_empty():
        raise FaultsError(
            [
                Fault(
                    "data/claims/constants.csv",
                    f"{name} is missing",
                    "add the share by which such a number may differ",
                )
            ]
        )
    return Fraction(frame["value"].item()) * _scale(frame["unit"].item())


def _scale(unit: str) -> Fraction:
    """Return what one of a unit is worth in its base: a percentage is a hundredth."""
    return Fraction(1, 100) if unit == PERCENT else Fraction(1)


def _claim(row: dict[str, object], margins: Margins) -> Operand:
    """Turn a row into an operand: its interval follows from the phrase, the bound and the kind."""
    value = Fraction(str(row["value"]))
    reading = read_number(str(row["printed"]))
    step = reading.step if reading else Fraction(1)
    is_rule = row["kind"] in ("target", "threshold")
    in_full = is_rule or (bool(reading is None or reading.in_full) and row["kind"] != "rate")
    bound = "exact" if is_rule else str(row["bound"])
    scale = _scale(str(row["unit"]))
    interval = interval_of(value * scale, step * scale, bound, margins, in_full=in_full)
    if row["unit"] == PERCENT and value <= WHOLE:
        interval = interval.capped(Fraction(1))  # a share cannot exceed the whole
    start, end = row["period_start"], row["period_end"]
    assert isinstance(start, date)  # noqa: S101 — the schema says so; this tells the type checker
    assert isinstance(end, date)  # noqa: S101
    return Operand(
        interval,
        Unit.parse(str(row["unit"])),
        str(row["time_type"]),
        str(row["place"]),
        (start, end),
    )
