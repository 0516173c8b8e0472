"""The library of studies: every estimate, read, checked and put on one scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from analysis import contract, paths, programmes
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.results import Effect, FrameDigest, Number, Provenance, ResultTable
from analysis.studies import single_estimates, study_table
from analysis.studies.contracts import DESIGNS, PROGRAMMES, SCHEMAS
from analysis.studies.conversions import with_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILE: Final = "data/studies/estimates.csv"


@dataclass(frozen=True)
class Tables:
    """The files of ``data/studies``, each by its schema in `analysis.studies.contracts`."""

    works: pl.DataFrame
    estimates: pl.DataFrame
    merge: pl.DataFrame
    checks: pl.DataFrame
    programmes: pl.DataFrame
    outcomes: pl.DataFrame
    priors: pl.DataFrame
    rating: pl.DataFrame
    ratings: pl.DataFrame


def load(folder: Path | None = None) -> Tables:
    """Read the files of the library and check them.

    Parameters
    ----------
    folder : Path, optional
        Where the files are; ``data/studies`` of the project by default.

    Raises
    ------
    FaultsError
        With every fault of every file: cells, vocabularies, keys, references between files, a
        study that two rows stand for.
    """
    folder = folder or paths.data() / "studies"
    tables: dict[str, pl.DataFrame] = {}
    faults: list[Fault] = []
    for name, schema in SCHEMAS.items():
        try:
            tables[name] = contract.read(folder / f"{name}.csv", schema)
        except FaultsError as error:
            faults.extend(error.faults)
    raise_if_any(faults)
    raise_if_any(_reference_faults(tables, folder))
    shorts = tables["works"].select("short", work="id")
    estimates = with_percent(tables["estimates"]).join(shorts, on="work", how="left")
    return Tables(**{**tables, "estimates": estimates})


@cache
def tables() -> Tables:
    """Return the library of this project, read once."""
    return load()


def _reference_faults(tables: dict[str, pl.DataFrame], folder: Path) -> Iterator[Fault]:
    """Check what one file says of another."""
    files = {name: contract.project_name(folder / f"{name}.csv") for name in SCHEMAS}
    estimates, works = tables["estimates"], set(tables["works"]["id"])
    for line, work in estimates.filter(~pl.col("work").is_in(works)).select("line", "work").rows():
        yield Fault(
            files["estimates"], "unknown work", "add it to works.csv", line, "work", str(work)
        )
    unused = tables["works"].filter(~pl.col("id").is_in(estimates["work"].implode()))
    for line, work in unused.select("line", "id").rows():
        yield Fault(
            files["works"], "no estimate is of this work", "remove it", line, "id", str(work)
        )
    kept = set(estimates["id"])
    named = [
        (table, line, name)
        for table in ("merge", "checks")
        for line, name in tables[table].select("line", "estimate").rows()
    ]
    for table, line, name in named:
        if name not in kept:
            yield Fault(
                files[table],
                "no such estimate",
                "name a row of estimates.csv",
                line,
                "estimate",
                str(name),
            )
    catalogue = set(programmes.load().programmes["id"])
    for line, listed in tables["programmes"].select("line", "catalogue").rows():
        for name in str(listed).split(";"):
            if name not in catalogue:
                remedy = "use an id of data/programmes/programmes.csv"
                yield Fault(
                    files["programmes"], "unknown programme", remedy, line, "catalogue", name
                )
    keys = ["study", "programme", "sub_type", "outcome_family", "effect", "comparison", "kind"]
    twice = (
        estimates.filter(pl.col("primary").cast(pl.String) == "yes")
        .group_by(keys)
        .agg(pl.col("line").sort(), pl.col("id"))
        .filter(pl.col("line").list.len() > 1)
    )
    for row in twice.sort(pl.col("line").list.first()).iter_rows(named=True):
        yield Fault(
            files["estimates"],
            "two rows stand for one study",
            "mark the one with the clean comparison, nearest three years",
            row["line"][1],
            "primary",
            str(row["study"]),
        )


@dataclass(frozen=True, eq=False)
class Studies:
    """Estimates of published studies: a frame with its record, and ways to narrow it.

    Attributes
    ----------
    frame : polars.DataFrame
        Columns of ``data/studies/estimates.csv`` with error, percent, percent_se, percent_low,
        percent_high, log_effect, log_se and short (authors and year).
    title : str
        What was kept.

    Examples
    --------
    >>> credit = studies("credit_funds")
    >>> credit.randomised.usable.outcome("consumption").frame["study"].n_unique() >= 6
    True
    """

    frame: pl.DataFrame
    title: str = "studies"

    def __len__(self) -> int:
        return self.frame.height

    def _filtered(self, condition: pl.Expr, what: str) -> Studies:
        return replace(self, frame=self.frame.filter(condition), title=f"{self.title}, {what}")

    @property
    def randomised(self) -> Studies:
        """Estimates from random assignment."""
        return self._filtered(pl.col("risk_of_bias").cast(pl.String) == "randomised", "randomised")

    @property
    def usable(self) -> Studies:
        """Estimates known first-hand, which may enter a range or a rating."""
        return self._filtered(pl.col("usable").cast(pl.String) == "yes", "usable")

    @property
    def reviews(self) -> Studies:
        """Results of reviews and meta-analyses."""
        return self._filtered(pl.col("kind").cast(pl.String) == "review", "reviews")

    @property
    def directions(self) -> Studies:
        """Rows that report a direction without a number."""
        return self._filtered(pl.col("kind").cast(pl.String) == "direction", "directions only")

    @property
    def primary(self) -> Studies:
        """Rows that stand for their study."""
        return self._filtered(pl.col("primary").cast(pl.String) == "yes", "one estimate a study")

    def design(self, *names: str) -> Studies:
        """Keep studies of one or several designs, such as ``matching``.

        Raises
        ------
        FaultsError
            If a design is none of the vocabulary.
        """
        _known(names, DESIGNS, "design")
        return self._filtered(pl.col("design").cast(pl.String).is_in(names), " or ".join(names))

    def outcome(self, *families: str) -> Studies:
        """Keep one or several families of outcomes, such as ``consumption``."""
        _known(families, list(tables().outcomes["id"]), "outcome family")
        kept = pl.col("outcome_family").cast(pl.String).is_in(families)
        return self._filtered(kept, " or ".join(families))

    def effect(self, name: str) -> Studies:
        """Keep effects of the ``offer``, on ``participation``, on an ``area`` and so on."""
        return self._filtered(pl.col("effect").cast(pl.String) == name, f"effect: {name}")

    def sub_type(self, *names: str) -> Studies:
        """Keep one or several kinds of the programme."""
        return self._filtered(pl.col("sub_type").is_in(names), " or ".join(names))

    def country(self, *names: str) -> Studies:
        """Keep studies of one or several countries."""
        return self._filtered(pl.col("country").is_in(names), " or ".join(names))

    def where(self, *conditions: pl.Expr) -> Studies:
        """Keep rows that meet conditions on the columns of the frame."""
        return replace(self, frame=self.frame.filter(*conditions))

    @property
    def provenance(self) -> Provenance:
        """Where the rows come from."""
        whole = tables().estimates
        return Provenance.of(
            studies,
            evidence="published",
            rows_in=whole.height,
            rows_used=self.frame.height,
            method="count",
            inputs=(FrameDigest(whole, FILE),),
        )

    def _count(self, value: float, what: str) -> Number:
        return Number(value=value, what=what, unit="count", provenance=self.provenance)

    @property
    def n_estimates(self) -> Number:
        """Rows."""
        return self._count(self.frame.height, f"estimates: {self.title}")

    @property
    def n_studies(self) -> Number:
        """Studies or samples."""
        return self._count(self.frame["study"].n_unique(), f"studies: {self.title}")

    @property
    def n_works(self) -> Number:
        """Publications."""
        return self._count(self.frame["work"].n_unique(), f"works: {self.title}")

    @property
    def n_with_error(self) -> Number:
        """Rows with a standard error."""
        held = self.frame.height - self.frame["std_error"].null_count()
        return self._count(held, f"estimates with an error: {self.title}")

    def estimate(self, name: str, *, as_printed: bool = False) -> Effect:
        """Return one estimate by its id, in per cent of the comparison mean where it has one.

        Parameters
        ----------
        name : str
            Id in ``data/studies/estimates.csv``.
        as_printed : bool
            In its own unit, such as yuan, even where it has a per cent.

        Raises
        ------
        FaultsError
            If there is none of that name, or if it has a direction and no number.

        Examples
        --------
        >>> studies("training").estimate("attanasio2011_01").interval.text
        '11.2 to 33.2'
        """
        return single_estimates.find(self, name, as_printed=as_printed)

    def plot(
        self, by: str = "outcome_family", language: str = "en", ax: Axes | None = None
    ) -> Axes:
        """Draw the estimates that are in per cent side by side, without a mean.

        Parameters
        ----------
        by : str
            Column of the groups: ``outcome_family``, ``risk_of_bias``, ``effect``, ``comparison``,
            ``sub_type`` or ``setting``.
        language : str
            ``en`` or ``zh``.
        ax : matplotlib Axes, optional
            Where; a new figure if left out.
        """
        return single_estimates.forest_of(self, by=by, language=language, ax=ax)

    def answers(self, language: str = "en") -> ResultTable:
        """Return one line a programme: size, number and kind of studies, how sure.

        Parameters
        ----------
        language : str
            ``en`` or ``zh``.
        """
        from analysis.studies.by_programme import answers

        return answers(self, language)

    def map(
        self,
        language: str = "en",
        ax: Axes | None = None,
        page: str = "/notebooks/09-studies.html",
    ) -> Axes:
        """Draw the evidence map: programmes by outcomes, a mark a study.

        Parameters
        ----------
        language : str
            ``en`` or ``zh``.
        ax : matplotlib Axes, optional
            Where; a new figure if left out.
        page : str
            List of studies that a mark leads to, filtered; empty for no links.
        """
        from analysis.studies.by_programme import summary_by_programme
        from analysis.studies.evidence_map import evidence_map

        lines = summary_by_programme().filter("first")
        return evidence_map(
            self.frame, lines, page=page, provenance=self.provenance, language=language, ax=ax
        )

    def table(self, *, filterable: bool = False, language: str = "en") -> ResultTable:
        """Return the rows as a reader sees them, what was found before the rest.

        A result is in per cent of the comparison mean with its interval where it can be, else in
        its own unit with its standard error in brackets. Studies of which no number is known have
        a direction.

        Parameters
        ----------
        filterable : bool
            With filters by programme, outcome and design, which an address may set:
            ``page.html?programme=training&outcome=earnings``.
        language : str
            ``en`` or ``zh``.
        """
        return study_table.table_of(self, filterable=filterable, language=language)

    def ordered(self) -> pl.DataFrame:
        """Return the rows by programme, the least risk of bias first, then those with an error."""
        return self.frame.sort(
            "programme",
            "risk_of_bias",
            pl.col("percent_se").is_null(),
            pl.col("percent").is_null(),
            "outcome_family",
            "study",
            "id",
        )

    def __repr__(self) -> str:
        counts = f"{self.frame.height} rows, {self.frame['study'].n_unique()} studies"
        return f"{self.title}: {counts}\n{self.table()!r}"

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def _known(names: Sequence[str], allowed: Sequence[str], what: str) -> None:
    raise_if_any(
        Fault("studies", f"unknown {what}", f"use one of: {', '.join(allowed)}", value=name)
        for name in names
        if name not in allowed
    )


def studies(programme: str | None = None) -> Studies:
    """Return the published studies of a programme, or all of them.

    Parameters
    ----------
    programme : str, optional
        One of ``training``, ``jobs_migration``, ``cooperatives``, ``dividends_cash``,
        ``paired_assistance``, ``credit_funds``, ``industry``, ``land``, ``targeting_area``.

    Raises
    ------
    FaultsError
        If the programme is none of these.

    Examples
    --------
    >>> training = studies("training")
    >>> training.randomised.usable.primary.outcome("earnings").frame["study"].n_unique()
    5
    """
    frame = tables().estimates
    if programme is None:
        return Studies(frame, "studies")
    _known([programme], PROGRAMMES, "programme")
    return Studies(frame.filter(pl.col("programme").cast(pl.String) == programme), programme)
