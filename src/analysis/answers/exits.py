"""Exit from poverty: what happens without any programme, who leaves the data, what that hides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from statsmodels.api import OLS

from analysis import programmes
from analysis.answers import choices
from analysis.answers.bundles import starts
from analysis.answers.missing import Missing, attempt
from analysis.answers.targeting import below, options, registered, shares
from analysis.designs import lee_bounds as attrition
from analysis.designs.lee_bounds import Bounds
from analysis.effects.table import refuse
from analysis.panels.panel import Panel
from analysis.sensitivity import leavers
from analysis.welfare.linearised import Measures
from analysis.welfare.people import People, per_head

WAYS: Final = {
    "registered": "Registered, last year less first",
    "others": "Not registered, last year less first",
    "difference": "Difference",
    "one_year": "Difference, alike in first-year income",
    "lasting": "Difference, alike in lasting income",
}


def untouched(people: People, panel: Panel) -> tuple[int, int]:
    """Return the first two periods, before any programme is recorded.

    Raises
    ------
    FaultsError
        If a programme begins in the second period or before, or there is one period.
    """
    periods = people.periods
    if len(periods) < 2:
        refuse("the panel has one period", "add periods", column="period")
    began = starts(panel)["first"].min()
    if isinstance(began, int) and began <= periods[1]:
        refuse(
            "programmes begin in the first two periods",
            "add a period before any programme",
            column="first_period",
            value=began,
        )
    return periods[0], periods[1]


def again(people: People, panel: Panel) -> Measures:
    """Return who is poor again a year later, in years without any programme.

    Returns
    -------
    Measures
        Label `measure`: ``poor`` and ``poor_next`` (share of households below the national line in
        the first and the second year), ``left`` (of the poor, no longer poor a year later) and
        ``fell`` (of the others, poor a year later); of households seen in both.

    Raises
    ------
    FaultsError
        If no line fits the panel, or two years without a programme are not there.
    """
    if not people.has_lines:
        refuse("no poverty line fits the panel's money", "give incomes in yuan", column="currency")
    first, second = untouched(people, panel)
    ends = [
        people.rows(period).with_columns(poor=below(people, people.rows(period)))
        for period in (first, second)
    ]
    rows = (
        ends[0]
        .select("household", "cluster", "weight", "poor")
        .join(ends[1].select("household", after="poor"), on="household")
    )
    everybody, poor, after = pl.lit(True), pl.col("poor"), pl.col("after")
    return shares(
        rows,
        people.design,
        [
            ({"measure": "poor"}, everybody | poor, poor),
            ({"measure": "poor_next"}, everybody | poor, after),
            ({"measure": "left"}, poor, ~after),
            ({"measure": "fell"}, ~poor, after),
        ],
    )


def changes(people: People) -> pl.DataFrame:
    """Return the change of registered households' income beside others', ever closer compared.

    Returns
    -------
    polars.DataFrame
        way (of `WAYS`), estimate, ci_low, ci_high (real money of the panel per head a year,
        intervals by village), n (households). A group of income in which all or none are registered
        compares nobody and is left out. From the first to the last period of the panel; in
        the last way from the mean of the first years.

    Raises
    ------
    FaultsError
        If the panel has no register, or no household is seen first and last.

    Notes
    -----
    Who is picked at a low has a low behind and is likely to rise with no programme at all.
    Households of the same first-year income share that; but others of the same income had a worse
    year on top of a better life and rise further. Lasting income takes part of that away.
    """
    known = registered(people)  # refuses a panel without incomes, which has no periods
    first, last = people.periods[0], people.periods[-1]
    base = known.filter(pl.col("period") == first)
    final = people.rows(last)
    rows = base.join(final.select("household", after=pl.Series(per_head(final))), on="household")
    if rows["registered"].n_unique() < 2 or first == last:
        refuse(
            "nobody on and off the register is seen first and last", "add periods", column="period"
        )
    rows = rows.with_columns(change=pl.col("after") - pl.col("income"))
    kept = rows.filter(pl.col("lasting").is_not_null()).with_columns(
        change=pl.col("after") - pl.col("lasting")
    )
    made = [
        ("registered", rows.filter("registered"), False),
        ("others", rows.filter(~pl.col("registered")), False),
        ("difference", rows.with_columns(bin=0), True),
        ("one_year", _alike(rows, "rank"), True),
        ("lasting", _alike(kept, "rank_lasting"), True),
    ]
    found = [
        (name, *_mean(part, compared=compared), part.height)
        for name, part, compared in made
        if part.height
    ]
    schema = {
        "way": pl.String,
        "estimate": pl.Float64,
        "ci_low": pl.Float64,
        "ci_high": pl.Float64,
        "n": pl.Int64,
    }
    return pl.DataFrame(found, schema=schema, orient="row").with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


def _alike(rows: pl.DataFrame, rank: str) -> pl.DataFrame:
    """Return the rows of groups of income in which some are registered and some are not."""
    bins = options().bins
    place = (pl.col(rank) * bins).floor().clip(upper_bound=bins - 1).cast(pl.Int64)
    both = pl.col("registered").n_unique().over("bin") > 1
    return rows.with_columns(bin=place).filter(both)


def _mean(rows: pl.DataFrame, *, compared: bool) -> tuple[float, float, float]:
    """Return a mean, or a difference in means within groups, with its interval by village."""
    weight = rows["weight"].to_numpy().astype(float)
    columns = [np.ones(rows.height)]
    if compared:
        bins = rows["bin"].to_numpy()
        columns = [(bins == k).astype(float) for k in np.unique(bins)]
        columns.insert(0, rows["registered"].to_numpy().astype(float))
    root = np.sqrt(weight)
    fit = OLS(root * rows["change"].to_numpy(), root[:, None] * np.column_stack(columns)).fit(
        cov_type="cluster", cov_kwds={"groups": rows["cluster"].to_numpy()}, use_t=True
    )
    low, high = fit.conf_int(1 - choices.load().level)[0]
    return float(fit.params[0]), float(low), float(high)


def fates(people: People) -> Measures:
    """Return where registered and other households stand in the last period.

    Returns
    -------
    Measures
        Labels `register` (``registered`` or ``others``) and `fate`: ``poor_first`` (below the line
        when first seen), ``poor``, ``above`` and ``gone`` (not seen) in the last period; shares of
        households.

    Raises
    ------
    FaultsError
        If the panel has no register, or no line.
    """
    if not people.has_lines:
        refuse("no poverty line fits the panel's money", "give incomes in yuan", column="currency")
    known = registered(people)  # refuses a panel without incomes, which has no periods
    final = people.rows(people.periods[-1])
    last = final.select("household", late=below(people, final))
    rows = known.join(last, on="household", how="left")
    wanted = []
    for name, whom in (("registered", pl.col("registered")), ("others", ~pl.col("registered"))):
        wanted += [
            ({"register": name, "fate": "poor_first"}, whom, pl.col("poor")),
            ({"register": name, "fate": "poor"}, whom, pl.col("late").fill_null(False)),
            ({"register": name, "fate": "above"}, whom, (~pl.col("late")).fill_null(False)),
            ({"register": name, "fate": "gone"}, whom, pl.col("late").is_null()),
        ]
    return shares(rows, people.design, wanted)


def leaving(people: People) -> Measures:
    """Return how often households are seen for the last time, by register and poverty.

    Returns
    -------
    Measures
        Label `who`: ``registered_above``, ``registered_below``, ``others``; share of
        household-years before the last period that are a household's last.

    Raises
    ------
    FaultsError
        If the panel has no register, no line, or one period.
    """
    if not people.has_lines or len(people.periods) < 2:
        refuse("leaving needs two periods and a poverty line", "add periods", column="period")
    known = registered(people).select("household")
    rows = people.frame.join(known, on="household", how="semi")
    rows = rows.with_columns(
        poor=below(people, rows), gone=pl.col("period") == pl.col("period").max().over("household")
    ).filter(pl.col("period") < people.periods[-1])
    on, poor = pl.col("registered"), pl.col("poor")
    return shares(
        rows,
        people.design,
        [
            ({"who": "registered_above"}, on & ~poor, pl.col("gone")),
            ({"who": "registered_below"}, on & poor, pl.col("gone")),
            ({"who": "others"}, ~on, pl.col("gone")),
        ],
    )


@dataclass(frozen=True)
class Hidden:
    """What people who left may hide about one programme.

    Attributes
    ----------
    programme : str
        The programme.
    bounds : Bounds
        By trimming (Lee 2009), nominal money of the panel per household a year.
    low, high : float
        Interval that holds the effect with the chosen probability (Imbens & Manski 2004).
    truth : float or None
        True effect on the treated so many years after the start, nominal; None if unknown.
    """

    programme: str
    bounds: Bounds
    low: float
    high: float
    truth: float | None


def hidden(panel: Panel, programme: str, known: pl.DataFrame | None = None) -> Hidden:
    """Return bounds on a programme's effect without assuming that who left is like who stayed.

    Households are compared inside cohort and baseline stratum, as in the programme's design.

    Raises
    ------
    FaultsError
        If no cohort is seen before it begins and so long after, or an arm is never seen.
    """
    after = options().after
    rows = leavers.changes(panel, programme, after)
    by = ("cohort", "stratum")
    bounds = leavers.bounds(rows, by=by)
    # Where nobody leaves both ends are one number, which rounding can put the wrong way round.
    bounds = replace(bounds, low=min(bounds.low, bounds.high), high=max(bounds.low, bounds.high))
    low, high = attrition.interval(bounds, *leavers.errors(rows, by=by), level=choices.load().level)
    truth = None
    if known is not None:
        found = known.filter(
            pl.col("programme") == programme,
            pl.col("effect") == "total",
            pl.col("who") == "treated",
            pl.col("sample") == "all",
            pl.col("per") == "household",
            pl.col("outcome") == "total",
            pl.col("aggregation") == "event_time",
            pl.col("at") == after,
        )
        truth = None if found.is_empty() else float(found["att"][0])
    return Hidden(programme, bounds, low, high, truth)


def all_hidden(panel: Panel, known: pl.DataFrame | None = None) -> tuple[Hidden, ...]:
    """Return the bounds of every programme of the catalogue for which there are any."""
    made = [attempt(hidden, panel, name, known) for name in programmes.load().designs["programme"]]
    return tuple(one for one in made if not isinstance(one, Missing))
