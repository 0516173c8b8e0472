"""What an estimands file declares, estimated from a panel: one design for command and page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis import paths
from analysis.cells import declaration
from analysis.cells.build import build
from analysis.cells.declaration import Declared
from analysis.cells.design import CellsDesign
from analysis.cells.interface import design_of
from analysis.did import panel_households, sources
from analysis.did.estimate import MOMENTS, did
from analysis.did.result import DidResult
from analysis.faults import FaultsError, refuse
from analysis.panels import panel as panels
from analysis.panels.description import Description
from analysis.panels.panel import Panel
from analysis.results.result import Result, frame_of
from analysis.results.table import ResultTable

WINDOWS: Final = ((None, None), (-4, 3), (-3, 2), (-2, 1), (-2, 0))
"""Event times that bounds are asked over: all, or those about the start."""
PLAIN: Final[tuple[Declared, ...]] = (
    Declared("overall", "simple"),
    Declared("event study", "event_time"),
    Declared("by cohort", "cohort"),
)
"""What is estimated where nothing is declared."""


@dataclass(frozen=True)
class NotEstimable:
    """Why something cannot be estimated from these data; prints its reason.

    Attributes
    ----------
    reason : str
        In words.
    """

    reason: str

    def __repr__(self) -> str:
        return f"not estimable: {self.reason}"


@dataclass(frozen=True, eq=False, kw_only=True)
class DeclaredResult(Result):
    """Everything a file declares, each estimand by its name.

    Attributes
    ----------
    panel : Panel
        What it was estimated from.
    programme : str
        Whose effect.
    fits : mapping of str to DidResult
        The estimates behind each estimand.
    parts : mapping of str to Result
        The declared rows of each.
    """

    panel: Panel
    programme: str
    fits: Mapping[str, DidResult]
    parts: Mapping[str, Result]

    def estimand(self, name: str) -> Result:
        """Return the rows of one estimand.

        Raises
        ------
        FaultsError
            If the file declares none of that name.
        """
        if name not in self.parts:
            refuse("no such estimand", f"use one of: {', '.join(self.parts)}", value=name)
        return self.parts[name]

    @property
    def fit(self) -> DidResult:
        """The estimates behind the first estimand."""
        return next(iter(self.fits.values()))

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes, as declared."""
        return tuple(dict.fromkeys(self.fit.frame["outcome"].to_list()))

    @property
    def main(self) -> str:
        """The outcome that plots and tests are of: the total where there is one, else the first."""
        return "total" if "total" in self.outcomes else self.outcomes[0]

    @property
    def overall(self) -> Any:
        """The overall effect on the main outcome."""
        return self.fit.aggregate("simple").effect_of(outcome=self.main)

    @property
    def imported(self) -> ResultTable:
        """Return what became of every record of the source: reason, rows, share."""
        return Description(self.panel, {}).account()

    @property
    def balance(self) -> ResultTable:
        """Return how treated and untreated households differed before, in standard deviations."""
        return Description(self.panel, {}).balance()

    @property
    def event_study(self) -> Any:
        """Effects on the main outcome by event time, to print or plot."""
        chosen = self.fit.event_study
        rows = chosen.frame.filter(pl.col("outcome") == self.main)
        return replace(chosen, frame=rows, title=f"Effect on {self.main}")

    def pretrends(self) -> Any:
        """Test the periods before treatment (main outcome)."""
        return _tried(lambda: self.fit.pretrends(self.main))

    def honest(self) -> Any:
        """Bound the effect if trends differ (main outcome; Rambachan and Roth 2023)."""
        return _tried(lambda: _honest(self.fit, self.main))

    def leave_out(self) -> Any:
        """Return the overall effect without each cohort in turn (main outcome)."""
        return _tried(lambda: _without_each(self.fit, self.main))

    def few_villages(self, draws: int = 999) -> Any:
        """Test each cohort by the wild bootstrap and by randomisation (main outcome)."""
        return _tried(lambda: _few(self.fit, self.main, draws))


def _tried(what: Callable[[], Any]) -> Any:
    try:
        return what()
    except FaultsError as error:
        return NotEstimable("; ".join(f"{f.problem} ({f.remedy})" for f in error.faults))
    except ValueError as error:  # of the tests: an estimate that does not vary at all
        return NotEstimable(str(error))


def estimate(panel: Panel | str | Path, estimands: str | Path | None = None) -> DeclaredResult:
    """Estimate from a panel what an estimands file declares, and nothing else.

    Parameters
    ----------
    panel : Panel or folder
        As ``analysis import`` wrote it.
    estimands : path, optional
        The file, a TOML; without it the overall effect, the event study and each cohort's effect of
        the panel's only programme on all its outcomes.

    Returns
    -------
    DeclaredResult
        Every declared estimate by the name of its estimand; ``.fits`` has the results behind them,
        and ``.balance``, ``.pretrends()``, ``.honest()``, ``.leave_out()`` and
        ``.few_villages()`` what a reader asks next.

    Raises
    ------
    FaultsError
        With everything wrong in the file, or if an estimand cannot be estimated.

    Examples
    --------
    >>> import tempfile
    >>> import analysis as va
    >>> folder = tempfile.mkdtemp() + "/panel"
    >>> panel = va.simulate(folder, households=800, villages=40, periods=(2012, 2016), seed=1)
    >>> file = folder + ".toml"
    >>> text = '''name = "training"
    ... [design]
    ... programmes = ["training"]
    ... [[outcome]]
    ... name = "wage"
    ... [[estimand]]
    ... name = "overall"
    ... aggregation = "simple"'''
    >>> _ = open(file, "w").write(text)
    >>> declared = va.estimate(panel, file)
    >>> fit = va.did(panel, y=["wage"], programme="training")
    >>> str(declared.estimand("overall").effect) == str(fit.overall)
    True
    """
    source = panel if isinstance(panel, Panel) else panels.read(_existing_file(panel))
    notes: tuple[str, ...] = ()
    if estimands is None or not str(estimands):
        design, notes = design_of(source, sources.programme_of(source, ""))
        declared, name = PLAIN, source.name
    else:
        plan = declaration.read(_existing_file(estimands))
        design, declared, name = plan.design, plan.estimands, plan.name
    known: dict[Declared, DidResult] = {}
    fits, parts = {}, {}
    for estimand in declared:
        key = replace(estimand, name="", aggregation="")
        if key not in known:
            known[key] = _fit(source, design, estimand)
        fits[estimand.name] = known[key]
        parts[estimand.name] = _rows(known[key], estimand)
    first = next(iter(fits.values()))
    frames = [
        part.frame.with_columns((pl.lit(f"{name}: ") + pl.col("term")).alias("term"))
        if len(parts) > 1
        else part.frame
        for name, part in parts.items()
    ]
    account = replace(first.account, decisions=(*notes, *first.account.decisions))
    return DeclaredResult(
        frame=pl.concat(frames, how="diagonal_relaxed"),
        comparison=first.comparison,
        account=account,
        provenance=first.provenance,
        title=f"{name}: effects of {', '.join(design.programmes)}",
        level=first.level,
        panel=source,
        programme=design.programmes[0],
        fits=fits,
        parts=parts,
    )


def _existing_file(path: str | Path) -> Path:
    """Return a path as it is, or inside the project where it is not here."""
    return Path(path) if Path(path).exists() else paths.root() / path


def _fit(panel: Panel, design: CellsDesign, estimand: Declared) -> DidResult:
    """Estimate one estimand from cells, or from households where cells do not have what it asks."""
    chosen = tuple(
        o for o in design.outcomes if not estimand.outcomes or o.name in estimand.outcomes
    )
    design = replace(design, outcomes=chosen, disclosure=False)
    compared: dict[str, Any] = {
        "controls": estimand.controls,
        "where": estimand.where,
        "base": estimand.base,
        "method": estimand.method,
        "drop": estimand.drop,
    }
    if estimand.needs_records:
        return panel_households.estimate(
            panel,
            design,
            covariates=estimand.covariates,
            strata=estimand.strata,
            psu=estimand.psu,
            **compared,
        )
    if design.handling == "pairs":
        design = replace(design, inverse=MOMENTS.get(estimand.method, ()))
    names = [outcome.name for outcome in design.outcomes]
    return did(build(panel, design), names, anticipation=design.anticipation, **compared)


def _rows(fit: DidResult, estimand: Declared) -> Result:
    """Return the declared aggregation of a fit."""
    if estimand.aggregation == "group_time":
        return fit.group_time
    if estimand.aggregation == "event_time":
        return fit.event_study
    return fit.aggregate(estimand.aggregation)


def _without_each(fit: DidResult, outcome: str) -> Result:
    cohorts = sorted(fit.by_cohort.frame["cohort"].drop_nulls().unique().to_list())
    if len(cohorts) < 2:
        refuse("there is one cohort", "nothing is left without it", column="cohort")
    overall = fit.aggregate("simple")
    rows = [overall.frame.filter(pl.col("outcome") == outcome)]
    for cohort in cohorts:
        fewer = fit.without(cohort).aggregate("simple").frame
        name = fit.period_name(cohort)
        rows.append(
            fewer.filter(pl.col("outcome") == outcome).with_columns(
                term=pl.lit(f"without cohort {name}")
            )
        )
    return replace(
        overall,
        frame=pl.concat(rows, how="diagonal_relaxed"),
        title=f"Overall effect on {outcome}, each cohort left out",
    )


def _honest(fit: DidResult, outcome: str) -> Result:
    """Bound over all event times, or over those about the start if there are too many of them."""
    for first, last in WINDOWS[:-1]:
        try:
            result = fit.honest(outcome=outcome, first=first, last=last)
        except FaultsError:
            continue
        window = "" if first is None else f", event times {first} to {last}".replace("-", "−")
        return replace(result, title=result.title + window)
    first, last = WINDOWS[-1]
    return fit.honest(outcome=outcome, first=first, last=last)


def _p_value(test: Any) -> float:
    return float(test.p_value if hasattr(test, "p_value") else test.p_values[0])


def _few(fit: DidResult, outcome: str, draws: int) -> Result:
    by_cohort = fit.by_cohort.frame.filter(pl.col("outcome") == outcome)
    rows = []
    for row in by_cohort.iter_rows(named=True):
        cohort = row["cohort"]
        for name, test in (("wild bootstrap", fit.wild), ("randomisation", fit.randomise)):
            try:
                p, note = _p_value(test(draws, cohort=cohort, outcome=outcome)), ""
            except FaultsError as error:
                p, note = None, error.faults[0].problem
            rows.append(
                {
                    **row,
                    "term": f"{row['term']}, {name}",
                    "std_error": None,
                    "ci_low": None,
                    "ci_high": None,
                    "statistic": None,
                    "p_value": p,
                    "note": note or f"p of the {name}",
                }
            )
    return replace(
        fit.by_cohort,
        frame=frame_of(rows),
        title=f"Effect on {outcome} by cohort, tested with few villages in mind",
    )
