"""The tables of the design page: what varies, what is detectable, what to collect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from analysis import printing
from analysis.faults import FaultsError
from analysis.household.costs import Assumptions
from analysis.household.inputs import Input
from analysis.panels.panel import Panel
from analysis.power import study, variances
from analysis.power.collect import difficulties
from analysis.power.study import Design, Estimator
from analysis.power.variances import Components, Incomes
from analysis.studies.sizes import Size


@dataclass(frozen=True)
class Headline:
    """A number of the summary: id, value, what it is, unit, decimals."""

    id: str
    value: float
    what: str
    unit: str
    digits: int | None = None


VILLAGES: Final = (5, 10, 20, 40, 80)
"""Villages in each arm that the tables compare."""
HOUSEHOLDS: Final = 15
"""Households measured in each village, unless said."""
CLUSTER_SIZES: Final = (5, 15, 30)
"""Households in a village that the figure compares."""
YEARS: Final = ((0, 1), (1, 1), (1, 3), (3, 1), (3, 3))
"""Years before and after that the tables compare, as far as the panel has them."""


@dataclass(frozen=True)
class Look:
    """A panel as far as it says how incomes vary.

    Attributes
    ----------
    found, parts : Incomes, Components, or None
        None where the panel cannot say.
    why : str
        Why it cannot; empty otherwise.
    reference : Design
        The design that most tables use: forty villages an arm, the longest stretch of years.
    """

    found: Incomes | None
    parts: Components | None
    why: str
    reference: Design


def look(panel: Panel) -> Look:
    """Read a panel; what it lacks is said, not raised."""
    try:
        found = variances.incomes(panel)
        parts = variances.components(found)
    except FaultsError as error:
        return Look(None, None, str(error.faults[0].problem), Design(40, HOUSEHOLDS, 0, 1))
    before, after = possible(len(found.periods))[-1]
    estimator: Estimator = "change" if before else "after only"
    return Look(found, parts, "", Design(40, HOUSEHOLDS, before, after, estimator))


def possible(n_periods: int) -> list[tuple[int, int]]:
    """Return the years before and after that a panel of so many years can speak to.

    Examples
    --------
    >>> possible(1), possible(4)
    ([(0, 1)], [(0, 1), (1, 1), (1, 3), (3, 1)])
    """
    return [(before, after) for before, after in YEARS if before + after <= n_periods]


def curves(seen: Look) -> pl.DataFrame:
    """Return the rows of the figure: the reference years, several households in a village."""
    years = (pl.col("before") == seen.reference.before) & (pl.col("after") == seen.reference.after)
    rows = grid(seen, households=CLUSTER_SIZES)
    return rows.filter(years, pl.col("estimator") == seen.reference.estimator)


def years_text(seen: Look) -> str:
    """Say which years the figure and the reference design use."""
    before, after = seen.reference.before, seen.reference.after
    if not before:
        return "The panel has no year to take as one before: only levels are compared."
    return (
        f"Incomes are measured in {before} {'year' if before == 1 else 'years'} before the start "
        f"and {after} after."
    )


GRID = {
    "villages": pl.Int64,
    "before": pl.Int64,
    "after": pl.Int64,
    "households": pl.Int64,
    "estimator": pl.String,
    "amount": pl.Float64,
    "percent": pl.Float64,
}


def grid(
    seen: Look, villages: Iterable[int] = VILLAGES, households: Iterable[int] = (HOUSEHOLDS,)
) -> pl.DataFrame:
    """Return minimum detectable effects by villages, households and years.

    Returns
    -------
    polars.DataFrame
        villages (each arm), before, after, households, estimator, amount (currency a year, per
        household), percent (of mean income in the last year); no rows where the panel cannot say.
    """
    parts = seen.parts
    if parts is None or seen.found is None:
        return pl.DataFrame(schema=GRID)
    designs = [
        Design(v, n, before, after, estimator)
        for before, after in possible(len(seen.found.periods))
        for estimator in (("change", "baseline as covariate") if before else ("after only",))
        for n in households
        for v in villages
    ]
    rows = [(d, study.detectable(parts, d)) for d in designs]
    return pl.DataFrame(
        [
            {
                "villages": d.villages,
                "before": d.before,
                "after": d.after,
                "households": d.households,
                "estimator": d.estimator,
                "amount": effect,
                "percent": 100 * effect / parts.mean,
            }
            for d, effect in rows
        ],
        schema=GRID,
    )


def grid_shown(seen: Look) -> pl.DataFrame:
    """Return the grid as a reader sees it: one row per stretch of years and estimator."""
    frame = grid(seen)
    text = pl.concat_str(
        pl.col("amount").map_elements(printing.number, pl.String),
        pl.lit(" ("),
        pl.col("percent").map_elements(lambda x: printing.number(x, 1), pl.String),
        pl.lit(" %)"),
    )
    keys = ["before", "after", "estimator"]
    if frame.is_empty():
        return pl.DataFrame(
            schema={**{k: GRID[k] for k in keys}, **{str(v): pl.String for v in VILLAGES}}
        )
    return frame.with_columns(text=text).pivot("villages", index=keys, values="text")


NEEDED = {
    "programme": pl.String,
    "name": pl.String,
    "homes": pl.String,
    "basis": pl.String,
    "detectable": pl.Float64,
    "low": pl.Float64,
    "central": pl.Float64,
    "high": pl.Float64,
    "for_low": pl.String,
    "for_central": pl.String,
    "for_high": pl.String,
}


def needed(panel: Panel, seen: Look, sizes: Iterable[Size], assumed: Assumptions) -> pl.DataFrame:
    """Return how many villages each arm needs to detect what studies elsewhere found.

    Variances are those of the households that never take part in the programme, where there are
    enough villages of them, else of all.

    Returns
    -------
    polars.DataFrame
        programme, name, homes (whose variances), basis (of the published size), detectable (per
        cent of income with the reference design), low, central, high (published, per cent of
        household income), for_low, for_central, for_high (villages in each arm, printed).
    """
    if seen.found is None or seen.parts is None:
        return pl.DataFrame(schema=NEEDED)
    rows: list[dict[str, object]] = []
    for size in sizes:
        try:
            kept = variances.never_in(panel, seen.found, size.programme)
            parts, homes = variances.components(seen.found, kept), "never in it"
        except FaultsError:
            parts, homes = seen.parts, "all"
        least = 100 * study.detectable(parts, seen.reference) / parts.mean
        row = {
            "programme": size.programme,
            "name": size.name,
            "homes": homes,
            "basis": basis(size),
            "detectable": least,
        }
        effect = percent(size, assumed)
        if effect is not None:
            for end in ("low", "central", "high"):
                value = getattr(effect, end)
                row |= {end: value, f"for_{end}": _villages(parts, seen.reference, value)}
        rows.append(row)
    return pl.DataFrame(rows, schema=NEEDED)


def needed_shown(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `needed` as a reader sees it."""
    ends = [
        pl.col(end).map_elements(lambda x: printing.number(x, 1), pl.String)
        for end in ("low", "central", "high")
    ]
    return frame.with_columns(
        sizes=pl.concat_str(ends, separator=", "),
        detectable=pl.col("detectable").map_elements(
            lambda x: f"{printing.number(x, 1)} %", pl.String
        ),
    )


def percent(size: Size, assumed: Assumptions) -> Input | None:
    """Return a published size in per cent of household income; None if there is none.

    An effect on earnings of one person is multiplied by the assumed part of household income that
    this person earns.
    """
    if size.low is None or size.central is None or size.high is None:
        return None
    low, central, high = size.low, size.central, size.high
    if size.scale != "income":
        part = assumed.input("earner")
        ends = [end * share for end in (low, high) for share in (part.low, part.high)]
        low, central, high = min(ends), central * part.central, max(ends)
    return Input("effect", "published effect", low, central, high, "per cent of household income")


def basis(size: Size) -> str:
    """Say what a published size rests on.

    Examples
    --------
    >>> basis(Size("a", "A", "range", "earnings", 0.0, 20.0, 30.0, 4, 4, 1, 0))
    'range, 4 estimates of earnings; 1 reports no effect'
    """
    if not size.known:
        return "no number"
    text = {"pooled": f"pooled, {size.n} trials", "range": f"range, {size.n} estimates"}.get(
        size.basis, size.basis
    )
    if size.scale == "earnings":
        text += " of earnings"
    if size.unseen_null:
        word = "reports" if size.unseen_null == 1 else "report"
        text += f"; {size.unseen_null} {word} no effect"
    return text


def _villages(parts: Components, design: Design, effect: float) -> str:
    """Print the villages that detect an effect in per cent."""
    if effect <= 0:
        return "none can"
    found = study.villages_needed(parts, design, effect * parts.mean / 100)
    return f"over {printing.number(study.MOST)}" if found is None else printing.number(found)


PARTS = {
    "name": pl.String,
    "households": pl.Int64,
    "villages": pl.Int64,
    "mean": pl.String,
    "within": pl.String,
    "between": pl.String,
    "share": pl.String,
    "changes": pl.String,
    "lasting": pl.String,
}


def parts_shown(panel: Panel, seen: Look) -> pl.DataFrame:
    """Return the variance components of all households and of those never in each programme.

    Returns
    -------
    polars.DataFrame
        name, households, villages, mean (currency a year), within, between (standard deviations
        of the last year), share (intraclass correlation, per cent), changes (the same of the last
        yearly change), lasting (correlation of a village's mean with the year before).
    """
    if seen.found is None or seen.parts is None:
        return pl.DataFrame(schema=PARTS)
    rows = [_parts_row("all households", seen.parts)]
    for programme, name in difficulties().select("id", "name").iter_rows():
        try:
            kept = variances.never_in(panel, seen.found, programme)
            if kept.all():
                continue
            rows.append(_parts_row(f"never in: {name}", variances.components(seen.found, kept)))
        except FaultsError as error:
            blank = dict.fromkeys(PARTS)
            rows.append({**blank, "name": f"never in: {name}: {error.faults[0].problem}"})
    return pl.DataFrame(rows, schema=PARTS)


def _parts_row(name: str, parts: Components) -> dict[str, object]:
    def share(value: float) -> str:
        return "" if value != value else printing.number(100 * value, 1)

    lasting = parts.autocorrelation(HOUSEHOLDS)
    return {
        "name": name,
        "households": parts.n_households,
        "villages": parts.n_villages,
        "mean": printing.number(parts.mean),
        "within": printing.number(parts.within[-1, -1] ** 0.5),
        "between": printing.number(parts.between[-1, -1] ** 0.5),
        "share": share(parts.share_between),
        "changes": share(parts.share_between_changes),
        "lasting": "" if lasting != lasting else printing.number(lasting, 2),
    }


def headlines(seen: Look) -> tuple[Headline, ...]:
    """Return the numbers of the summary; none where the panel cannot say."""
    parts, design = seen.parts, seen.reference
    if parts is None or seen.found is None:
        return ()
    found = [
        Headline(
            name,
            100 * study.detectable(parts, d) / parts.mean,
            f"minimum detectable effect on household income, {d.villages} villages an arm, "
            f"{d.households} households each, {d.before} years before and {d.after} after",
            "percent",
            1,
        )
        for name, d in (
            ("power_detectable_many", design),
            ("power_detectable_few", replace(design, villages=VILLAGES[1])),
        )
    ]
    if not design.before:
        return tuple(found)
    level = study.detectable(parts, replace(design, before=0, after=1, estimator="after only"))
    change = study.detectable(parts, replace(design, before=1, after=1))
    return (
        *found,
        Headline(
            "power_share_changes",
            100 * parts.share_between_changes,
            "intraclass correlation of the last yearly change",
            "percent",
            1,
        ),
        Headline(
            "power_gain_before",
            100 * (1 - change / level),
            "how much smaller an effect is found with one year before than with none",
            "percent",
            0,
        ),
        Headline(
            "power_gain_years",
            100 * (1 - study.detectable(parts, design) / change),
            "how much smaller with the reference years than with one before and one after",
            "percent",
            0,
        ),
    )


def headline_text(seen: Look, numbers: Iterable[object]) -> str:
    """Say what the reference design detects, from the printed findings of `headlines`."""
    said = [linked(number) for number in numbers]
    if not said:
        return f"**This panel cannot say how incomes vary**: {seen.why}."
    design = seen.reference
    text = (
        f"With {design.villages} villages in each arm, {design.households} households in each, "
        f"{design.before} years before and {design.after} after, the smallest effect that a study "
        f"would find with {100 * study.POWER:.0f} per cent probability is **{said[0]} per cent** "
        f"of household income; with {VILLAGES[1]} villages it is {said[1]} per cent."
    )
    if design.before:
        text += (
            f" Of the variance of yearly changes, {said[2]} per cent lies between villages: "
            "that part only more villages reduce."
        )
    return text


def years_gain_text(seen: Look, numbers: Iterable[object]) -> str:
    """Say what years before and more years add, from the findings of `headlines`."""
    said = [linked(number) for number in numbers]
    if not seen.reference.before:
        return "**What a year before would add cannot be said**: the panel has none to try."
    text = (
        f"**A year measured before the start** makes the smallest effect found {said[3]} per cent "
        "smaller than none does"
    )
    if (seen.reference.before, seen.reference.after) == YEARS[1]:
        return f"{text} (@tbl-grid)."
    return (
        f"{text}; with {seen.reference.before} before and {seen.reference.after} after it is "
        f"another {said[4]} per cent smaller (@tbl-grid)."
    )


def linked(number: object) -> str:
    """Return a finding's link, or the bare number."""
    markdown = getattr(number, "markdown", None)
    return str(markdown()) if callable(markdown) else str(number)
