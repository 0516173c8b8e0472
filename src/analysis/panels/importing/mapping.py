"""A map: how the columns of a survey become the tables of the contract, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from analysis.panels.outcomes import PanelOutcome
from analysis.panels.schemas import SOURCES

WAVE: Final = "{wave}"
"""Stands in a column name of a wide file for the word of each wave."""

FILE_UNITS: Final = ("household", "person", "village")
LAYOUTS: Final = ("long", "wide", "fixed")
STATUSES: Final = ("verified", "unverified")
WEIGHT_TYPES: Final = ("none", "frequency", "sampling")


@dataclass(frozen=True)
class Cell:
    """Where the value of a field comes from, and how it is read.

    Attributes
    ----------
    key : str
        The TOML key, for messages.
    files : tuple of str
        Ids of the files that hold the column.
    columns : tuple of str
        One column, or several joined with ``-`` for a key; empty for a constant.
    constant : str or None
        The same value everywhere.
    recode : mapping of str to str or None
        Value found to value meant.
    strict : bool
        Whether a value outside `recode` rejects the record; otherwise it stays as it is.
    missing : tuple of str
        Codes that mean no answer, besides those of the file.
    labels : bool
        Read the value label in place of the code.
    date : str
        How the column counts days, a key of `analysis.columns.COUNTED`; empty: it does not. A date
        with its year first (2013-05-01, also with / or .) is read in any case.
    text : bool
        A covariate is a word; otherwise it is a number.
    """

    key: str
    files: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    constant: str | None = None
    recode: Mapping[str, str] | None = None
    strict: bool = False
    missing: tuple[str, ...] = ()
    labels: bool = False
    date: str = ""
    text: bool = False


@dataclass(frozen=True)
class Item:
    """One detailed item of a source of income or of another outcome.

    Attributes
    ----------
    target : str
        A source of income (``wage`` ...), or the name of an outcome.
    cell : Cell
        Its column.
    factor : float
        What one of the number in the file is worth: of money in hundredths of the currency a year;
        negative for a cost.
    empty : str
        What an empty cell means: ``zero`` or ``missing``.
    times : Cell or None
        A second column the amount is multiplied by: months worked, where it is a monthly wage.
    per_head : bool
        Whether the amount is per member and is multiplied by the members present.
    kind, unit : str
        As of `analysis.panels.outcomes.PanelOutcome`.
    """

    target: str
    cell: Cell
    factor: float
    empty: str = "missing"
    times: Cell | None = None
    per_head: bool = False
    kind: str = "money"
    unit: str = ""


@dataclass(frozen=True)
class SurveyFile:
    """One file of the survey.

    Attributes
    ----------
    id : str
        What the map calls it.
    file : str
        Its name, relative to the folder of the survey.
    unit : str
        What a row is: ``household``, ``person`` (summed to households) or ``village``.
    layout : str
        ``long``: a row per unit and period; ``wide``: a row per unit, a column per wave;
        ``fixed``: a row per unit without a period.
    keys : Cell
        Household, or village for a village file.
    person : Cell or None
        Key of the person inside the household.
    period : Cell or None
        Period of a long file.
    waves : mapping of str to int
        Word in the column names of a wide file to period.
    missing : tuple of str
        Codes that mean no answer, in every column.
    encoding, delimiter, decimal, thousands : str or None
        Of a text file; None means found by looking.
    sheet : str or None
        Of a workbook.
    header : int or None
        Line of a text or row of a sheet that names the columns, from 1; None: the first.
    main : bool
        Whether its rows say which households were seen when.
    """

    id: str
    file: str
    unit: str
    layout: str
    keys: Cell
    person: Cell | None = None
    period: Cell | None = None
    waves: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    thousands: str | None = None
    sheet: str | None = None
    header: int | None = None
    main: bool = False


@dataclass(frozen=True)
class Treatment:
    """Participation in one programme.

    Attributes
    ----------
    programme : str
        An id of the catalogue of programmes, or one of your own.
    level : str
        ``household`` or ``village``.
    first : tuple of Cell
        First period, or date, of treatment (empty: never), unless `indicator`.
    indicator : tuple of Cell
        0 or 1 by wave; the first wave with 1 is the first period.
    dose : tuple of Cell
        How much, in `dose_unit`.
    dose_unit : str or None
        Unit of the dose.
    """

    programme: str
    level: str
    first: tuple[Cell, ...] = ()
    indicator: tuple[Cell, ...] = ()
    dose: tuple[Cell, ...] = ()
    dose_unit: str | None = None


@dataclass(frozen=True)
class Limits:
    """Where an import stops, and which years are possible.

    Attributes
    ----------
    max_rejected_rows, max_rejected_records : float
        Shares; more than that stops the import.
    first_year, last_year : int
        Possible calendar years, where the calendar has years.
    """

    max_rejected_rows: float
    max_rejected_records: float
    first_year: int
    last_year: int


@dataclass(frozen=True)
class SurveyMap:
    """A whole map, checked.

    Attributes
    ----------
    survey, status, currency, note : str
        Name; ``verified`` if the map was tried on the files; main unit of money; remarks.
    calendar : str
        What a period is: a key of `analysis.panels.calendar.CALENDARS`.
    prices : str or mapping of int to str
        Price index of the place and currency, as of `analysis.panels.panel.Panel`.
    files : tuple of SurveyFile
        At least one with periods.
    household : mapping of str to tuple of Cell
        ``village``, ``size``, ``weight``, ``stratum``, ``registered_poor``,
        ``primary_sampling_unit``, ``design_stratum``, ``workers``; and ``x_...`` covariates.
    village : mapping of str to tuple of Cell
        ``county``, ``prefecture``, ``n_households``, ``remoteness_km``; and ``x_...``.
    members : tuple of Cell
        Members present; empty if `count_persons`.
    count_persons : tuple of str
        Ids of the person files whose rows are counted.
    items : tuple of Item
        Of the four sources.
    outcomes : tuple of Item
        Of other outcomes by household and period.
    absent : mapping of str to str
        Source the survey did not ask for, with the reason.
    treatments : tuple of Treatment
        Programmes.
    weight_type : str
        ``none``, ``frequency`` or ``sampling``.
    limits : Limits
        Where an import stops.
    """

    survey: str
    status: str
    files: tuple[SurveyFile, ...]
    household: Mapping[str, tuple[Cell, ...]]
    village: Mapping[str, tuple[Cell, ...]]
    limits: Limits
    members: tuple[Cell, ...] = ()
    count_persons: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    outcomes: tuple[Item, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    treatments: tuple[Treatment, ...] = ()
    weight_type: str = "none"
    currency: str = ""
    calendar: str = "year"
    prices: str | Mapping[int, str] = ""
    note: str = ""

    def anchors(self) -> tuple[SurveyFile, ...]:
        """Return the files whose rows say which households were seen in which period.

        Those the map calls main; otherwise every household file with periods; otherwise every
        person file with periods.
        """
        timed = [f for f in self.files if f.unit != "village" and f.layout != "fixed"]
        named = tuple(f for f in timed if f.main)
        if named:
            return named
        of_households = tuple(f for f in timed if f.unit == "household")
        return of_households or tuple(timed)

    def cells(self) -> tuple[Cell, ...]:
        """Return every cell of the map, keys and periods of files included."""
        of_files = [c for f in self.files for c in (f.keys, f.person, f.period) if c is not None]
        of_items = [c for i in (*self.items, *self.outcomes) for c in (i.cell, i.times) if c]
        of_treatments = [c for t in self.treatments for c in (*t.first, *t.indicator, *t.dose)]
        of_units = [
            c for part in (self.household, self.village) for cs in part.values() for c in cs
        ]
        return (*of_files, *self.members, *of_items, *of_treatments, *of_units)

    def panel_outcomes(self) -> tuple[PanelOutcome, ...]:
        """Return the outcomes besides income that the panel will have."""
        first = {item.target: item for item in reversed(self.outcomes)}
        names = dict.fromkeys(item.target for item in self.outcomes)
        return tuple(
            PanelOutcome(
                name, first[name].kind, first[name].unit if first[name].kind == "number" else ""
            )
            for name in names
        )

    def sources_read(self) -> frozenset[str]:
        """Return the sources of income that at least one item adds to."""
        return frozenset(i.target for i in self.items) & frozenset(SOURCES)
