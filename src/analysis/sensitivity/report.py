"""Every check of one programme on one panel; what the data do not allow is said, not raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

import polars as pl

from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.designs import lee_bounds as attrition
from analysis.effects import aggregate, group_time
from analysis.effects.layout import from_cells
from analysis.effects.table import Table
from analysis.faults import FaultsError
from analysis.panels.panel import Panel
from analysis.panels.views import FEN
from analysis.sensitivity import (
    confounding,
    event_study,
    leavers,
    placebo,
    specifications,
    spillovers,
    trends,
)
from analysis.sensitivity.choices import Choice
from analysis.sensitivity.combine import only, overall
from analysis.sensitivity.specifications import STRATUM

SHOWN: Final = ("cooperative", "training", "dividend")
"""Programmes that the page shows of the model panel: two of households, one of villages."""
WINDOW: Final = (-4, 3)
"""Event times that the page looks at: long enough for a drift, short enough for few villages."""
BOUNDS: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Multiples of the largest drift before, for the figure."""
MOST: Final = 4.0
"""Where the search for a breakdown ends: beyond, trends broke as never before."""
SHIFTS: Final = (1, 2, 3)
"""Periods by which the start is moved in placebos."""
AFTER: Final = 2
"""Periods after the start at which leavers are looked at."""
REAL: Final = 2020
"""Year of constant prices."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Checks:
    """What was tried on one programme; None where the panel does not allow it, `why` says why.

    Attributes
    ----------
    programme : str
        Which.
    main : DataFrame or None
        One row: the report's own estimate with its interval, households and villages.
    study : EventStudy or None
        Effects by event time.
    drift : DataFrame or None
        As `trends.relative_magnitudes` over `BOUNDS`, of the mean effect after treatment.
    broken : Breakdown or None
        Largest M̄ at which the sign holds.
    line : Breakdown or None
        Largest change of slope, per period, at which the sign holds.
    curve : Curve or None
        Every specification.
    controls : Alternatives or None
        Other controls.
    direct : DirectBounds or None
        If spillovers reach the treated.
    periods, sources, counties, cohorts : DataFrame or None
        Placebos and parts left out.
    leaving : Bounds or None
        Lee bounds on the change of income.
    leaving_interval : tuple of float or None
        Their interval.
    hidden : Robustness or None
        Strength of a hidden cause of changes.
    truth : float or None
        Assumed effect of a simulated panel over all treated household years, yuan a year per
        household, spillovers included.
    truth_drawn : float or None
        The same as the plain mean over the event times of `study`, which `drift` is about.
    rows_in, rows_used : int
        Household × period records of the panel, and those behind `main`.
    why : mapping of str to str
        What is missing, by attribute.
    """

    programme: str
    main: pl.DataFrame | None = None
    study: event_study.EventStudy | None = None
    drift: pl.DataFrame | None = None
    broken: trends.Breakdown | None = None
    line: trends.Breakdown | None = None
    curve: specifications.Curve | None = None
    controls: spillovers.Alternatives | None = None
    direct: spillovers.DirectBounds | None = None
    periods: pl.DataFrame | None = None
    sources: pl.DataFrame | None = None
    counties: pl.DataFrame | None = None
    cohorts: pl.DataFrame | None = None
    leaving: attrition.Bounds | None = None
    leaving_interval: tuple[float, float] | None = None
    hidden: confounding.Robustness | None = None
    truth: float | None = None
    truth_drawn: float | None = None
    rows_in: int = 0
    rows_used: int = 0
    why: Mapping[str, str] = field(default_factory=dict)


def subjects(panel: Panel) -> tuple[str, ...]:
    """Return the programmes to look at: three of the model panel, all of a survey."""
    there = panel.participation.select(pl.col("programme").unique().sort()).collect()
    names = there["programme"].cast(pl.String).to_list()
    if panel.tier == "model":
        return tuple(name for name in SHOWN if name in names)
    return tuple(names)


def checks(
    panel: Panel, programme: str, listed: tuple[Choice, ...], truth: pl.DataFrame | None = None
) -> Checks:
    """Try everything on one programme.

    Parameters
    ----------
    panel : Panel
        Households one by one; all but `leaving` and `hidden` is from cells.
    programme : str
        Which programme.
    listed : tuple of Choice
        Degrees of freedom, from `choices.load`.
    truth : DataFrame, optional
        As `analysis.panels.current.truth` gives it.
    """
    found: dict[str, Any] = {}
    why: dict[str, str] = {}

    def tried(name: str, make: Callable[[], Found]) -> Found | None:
        try:
            found[name] = make()
        except FaultsError as error:
            why[name] = error.faults[0].problem
            return None
        made: Found = found[name]
        return made

    def cells(stratum: str) -> Table:
        return from_cells(build(panel, CellsDesign((programme,), stratum=stratum)))

    table = tried("table", partial(cells, STRATUM))
    if table is None:
        return Checks(programme, why=dict.fromkeys(Checks.__annotations__, why["table"]))
    main = tried("main", lambda: only(overall(table.select("total")), "total"))
    study = tried("study", lambda: _study(table))
    if study is not None:
        mean = study.average()
        drift = partial(trends.relative_magnitudes, study, mean)
        tried("drift", lambda: drift(BOUNDS))
        tried("broken", lambda: trends.breakdown(drift, MOST))
        tried(
            "line",
            lambda: trends.breakdown(
                partial(trends.smoothness, study, mean), 2 * trends.needed_drift(study, mean)
            ),
        )
    tried("curve", lambda: _curve(panel, programme, listed))
    controls = tried("controls", lambda: spillovers.alternatives(table))
    if controls is not None:
        tried("direct", lambda: spillovers.direct_bounds(controls))
    tried("periods", lambda: _periods(table))
    tried("sources", lambda: placebo.on_untouched(table, programme).to_frame())
    county = dict(panel.villages.select("village", "county").collect().iter_rows())
    if len({name for name in county.values() if name}) > 1:
        tried("counties", lambda: placebo.leave_out(table, placebo.counties(table, county)))
    else:
        why["counties"] = "there is one county, or its villages have none"
    tried("cohorts", lambda: placebo.leave_out(table, placebo.cohorts(table)))
    rows = tried("rows", lambda: leavers.changes(panel, programme, AFTER))
    if rows is not None:
        by = ("cohort", "stratum")
        bounds = tried("leaving", lambda: leavers.bounds(rows, by=by))
        if bounds is not None:
            tried(
                "leaving_interval", lambda: attrition.interval(bounds, *leavers.errors(rows, by=by))
            )
        tried("hidden", lambda: confounding.of_changes(rows))
    return Checks(
        programme,
        main=main.to_frame() if main is not None else None,
        **{
            name: found[name]
            for name in Checks.__annotations__
            if name in found and name not in ("main", "rows")
        },
        truth=_truth(truth, programme),
        truth_drawn=_truth(truth, programme, range(WINDOW[1] + 1)),
        rows_in=table.rows_in,
        rows_used=main.about.rows_used if main is not None else 0,
        why=why,
    )


def _curve(panel: Panel, programme: str, listed: tuple[Choice, ...]) -> specifications.Curve:
    """Return the curve, in constant prices too where the panel's prices can be taken out."""
    if panel.currency_unit == FEN and panel.price_year is None:
        try:
            return specifications.run(panel, programme, listed, real=REAL)
        except FaultsError:
            # No index for these years, or nothing can be estimated: the second try says which.
            pass
    return specifications.run(panel, programme, listed, real=None)


def _study(table: Table) -> event_study.EventStudy:
    how = group_time.Comparison(base="universal")
    whole = table.select("total")
    found = aggregate.aggregate(group_time.estimate(whole, how), whole, ("event_time",))
    first, last = WINDOW
    return event_study.of_effects(found.in_yuan(), "total", first=first, last=last)


def _periods(table: Table) -> pl.DataFrame:
    """Return one row per pretended start that the data allow."""
    whole, parts = table.select("total"), []
    for shift in SHIFTS:
        try:
            one = placebo.earlier(whole, shift).to_frame()
        except FaultsError as error:
            last = error
            continue
        parts.append(one.with_columns(shift=pl.lit(shift)))
    if not parts:
        raise last
    return pl.concat(parts)


def _truth(known: pl.DataFrame | None, programme: str, times: range | None = None) -> float | None:
    """Return the assumed effect on the treated, yuan a year per household, prices of each year.

    Over all treated household years, or the plain mean over some event times.
    """
    if known is None:
        return None
    rows = known.filter(
        pl.col("programme") == programme,
        pl.col("who") == "treated",
        pl.col("effect") == "total",
        pl.col("sample") == "all",
        pl.col("outcome") == "total",
        pl.col("per") == "household",
        (pl.col("aggregation") == "simple")
        if times is None
        else (pl.col("aggregation") == "event_time") & pl.col("at").is_in(list(times)),
    )
    whole = rows.height == (1 if times is None else len(times))
    return float(rows["att"].mean()) if whole else None  # type: ignore[arg-type]
