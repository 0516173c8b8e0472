"""What the page on packs shows: the manifest, rules, account and effects of one, as tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

import numpy as np
import polars as pl

from analysis import printing
from analysis.cells import disclosure
from analysis.cells.pack import Pack
from analysis.effects.brought import totals_digest
from analysis.effects.estimates import Estimates
from analysis.effects.from_pack import TOLERANCE, declared_in
from analysis.effects.pack_effects import PackEffects
from analysis.panels.schemas import SOURCES

OVERALL: Final = ("event_time_overall", "simple", "cohort_overall", "calendar_overall")
NEEDS: Final = {
    "Who is in the data, and what households live on": "household records",
    "Who is poor, and how equal incomes are, at lines not declared": "household records",
    "Other outcomes, strata or groups of households": "cells, made anew from the panel",
    "Controls in the same village": "cells: totals do not say which village",
    "Wild bootstrap and randomisation inference": "cells: each village by itself",
    "Leaving a county or a village out": "cells: each village by itself",
    "Errors of an estimator that was not declared": "cells: the influence of each village",
}
"""What pages on a panel say that a pack alone does not, and what that takes."""


def manifest(pack: Pack) -> pl.DataFrame:
    """Return what a pack says of itself: item, value."""
    design, weights = pack.design, "baseline weights" if pack.weighted else "none"
    first, last = min(pack.periods), max(pack.periods)
    rows = {
        "Name": pack.name,
        "Tier": pack.tier,
        "Programme": ", ".join(design.programmes),
        "Given to": design.level,
        "Periods": f"{first} to {last}",
        "Outcomes": "; ".join(f"{o.name} ({_unit(o.unit)})" for o in design.outcomes),
        "Strata": design.stratum or "none",
        "Households not always seen": design.handling.replace("_", " "),
        "Weights": weights,
        "Villages told apart by": design.control_villages.replace("_", " ") or "nothing",
        "Rows of totals": f"{sum(frame.height for frame in pack.tables.values()):,}",
        "Digest of the totals": totals_digest(pack),
    }
    return pl.DataFrame({"item": list(rows), "value": list(rows.values())})


def _unit(unit: str) -> str:
    """Return a unit in words: yuan for fen.

    Examples
    --------
    >>> _unit("fen/households/years, prices of each year")
    'yuan a year per household, prices of each year'
    """
    words = {
        "fen/households/years": "yuan a year per household",
        "yuan/households/years": "yuan a year per household",
        "fen/heads/years": "yuan a year per head",
        "yuan/heads/years": "yuan a year per head",
    }
    for known, said in words.items():
        unit = unit.replace(known, said)
    return unit


def account(pack: Pack) -> pl.DataFrame:
    """Return the rows used, and those left out by reason: reason, rows (as printed)."""
    left = pack.account["left_out"]
    reasons = dict(left) if isinstance(left, dict) else {}
    rows = {"used": pack.account["rows_used"], **reasons}
    said = [f"{n:,}" if isinstance(n, int) else str(n) for n in rows.values()]
    return pl.DataFrame({"reason": list(rows), "rows": said})


def estimands(pack: Pack) -> pl.DataFrame:
    """Return what was declared: name, aggregation, controls, villages, base, outcomes."""
    return pl.DataFrame(
        [
            {
                "name": one.name,
                "aggregation": one.aggregation.replace("_", " "),
                "controls": one.controls.replace("_", " ") + " treated",
                "villages": one.villages,
                "base": one.base,
                "outcomes": ", ".join(one.outcomes),
            }
            for one in declared_in(pack).estimands
        ]
    )


def rules(pack: Pack) -> pl.DataFrame:
    """Return the rules of disclosure that a pack passed: rule, meaning, set (empty: as stated)."""
    chosen = asdict(pack.rules)
    chosen["dominance"], chosen["villages"] = chosen["largest_share"], chosen["min_villages"]
    chosen["all_or_none"] = "declared" if pack.rules.all_or_none else "not declared"
    return pl.DataFrame(
        {
            "rule": [name.replace("_", " ") for name in disclosure.RULES],
            "meaning": list(disclosure.RULES.values()),
            "set": [str(chosen.get(name, "")) for name in disclosure.RULES],
        }
    )


def villages(found: PackEffects) -> pl.DataFrame:
    """Return villages by arm of each estimand, fewest and most over its estimates."""
    treated, control, used = found.n_villages
    frame = pl.DataFrame(
        {"estimand": found.names, "treated": treated, "control": control, "used": used}
    )
    arms = ("treated", "control", "used")
    low, high = pl.col(arms).min(), pl.col(arms).max()
    shown = frame.group_by("estimand", maintain_order=True).agg(
        low.name.suffix("_low"), high.name.suffix("_high")
    )
    return shown.select("estimand", *(_span(arm) for arm in arms))


def _span(arm: str) -> pl.Expr:
    """Print the fewest and the most of an arm, once where they are the same."""
    low, high = pl.col(f"{arm}_low"), pl.col(f"{arm}_high")
    both = (
        pl.when(low == high).then(pl.format("{}", low)).otherwise(pl.format("{} to {}", low, high))
    )
    return both.alias(arm)


def effects(found: PackEffects) -> pl.DataFrame:
    """Return the estimates as printed: estimand, outcome, estimate, interval, band, villages.

    A joint band is one of an estimand and an outcome: over its event times, for example.
    """
    frames = []
    for name in dict.fromkeys(found.names):
        own = found.estimand(name)
        for outcome in dict.fromkeys(key.outcome for key in own.keys):
            frames.append(
                own.select(outcome=outcome).to_frame(band=True).with_columns(estimand=pl.lit(name))
            )
    frame = pl.concat(frames)
    place = pl.coalesce(
        pl.format(": {}", "at"), pl.format(": {} in {}", "cohort", "period"), pl.lit("")
    )
    return frame.select(
        pl.concat_str("estimand", place.str.replace("-", "−")).alias("estimand"),
        "outcome",
        estimate=_printed("estimate"),
        interval=pl.coalesce(_ends("ci_low", "ci_high"), "note"),
        band=_ends("band_low", "band_high"),
        villages=pl.format("{} and {}", "n_villages_treated", "n_villages_control"),
    )


def _printed(column: str) -> pl.Expr:
    return pl.col(column).map_elements(_number, return_dtype=pl.String)


def _ends(low: str, high: str) -> pl.Expr:
    there = pl.col(low).is_not_nan()
    return pl.when(there).then(pl.format("{} to {}", _printed(low), _printed(high)))


def _number(value: float) -> str:
    """Print an amount; a share keeps three digits."""
    return printing.number(value, 0 if abs(value) >= 10 else None)


def adding_up(found: PackEffects) -> pl.DataFrame:
    """Compare the four sources, added up, with the total, wherever all five were declared.

    Returns
    -------
    polars.DataFrame
        estimand, at, sources, total, apart (of the total or, where larger, of its error);
        empty if no estimand has them in one unit.
    """
    errors = pl.Series("error", np.nan_to_num(found.std_errors))
    frame = found.to_frame().with_columns(pl.Series("estimand", found.names), errors)
    by = ["estimand", "at", "cohort", "period"]
    whole = frame.filter(outcome="total")
    parts = frame.filter(pl.col("outcome").is_in(SOURCES)).join(
        whole.select(*by, "unit"), on=[*by, "unit"], how="semi", nulls_equal=True
    )
    added = parts.group_by(by, maintain_order=True).agg(
        sources=pl.col("estimate").sum(), n=pl.col("outcome").n_unique()
    )
    both = added.filter(pl.col("n") == len(SOURCES)).join(
        whole.select(*by, "error", total="estimate"), on=by, nulls_equal=True, maintain_order="left"
    )
    size = pl.max_horizontal(pl.col("total").abs(), "error")
    return both.select(
        "estimand",
        "at",
        "sources",
        "total",
        apart=(pl.col("sources") - pl.col("total")).abs() / size,
    )


def sums_that_hold(frame: pl.DataFrame) -> int:
    """Count the rows of `adding_up` whose sources are the total to nine digits."""
    return int((frame["apart"] <= TOLERANCE).sum())


def headline(found: PackEffects) -> pl.DataFrame:
    """Return one overall estimate for each outcome, where one was declared.

    Returns
    -------
    polars.DataFrame
        outcome, estimand, estimate, ci_low, ci_high, unit, note.
    """
    frame = found.to_frame().with_columns(estimand=pl.Series(found.names))
    chosen = [
        rows.head(1)
        for outcome in frame["outcome"].unique(maintain_order=True)
        for kind in OVERALL
        if (rows := frame.filter(outcome=outcome, aggregation=kind)).height
    ]
    if not chosen:
        return frame.clear().select(
            "outcome", "estimand", "estimate", "ci_low", "ci_high", "unit", "note"
        )
    return (
        pl.concat(chosen)
        .unique("outcome", keep="first", maintain_order=True)
        .select("outcome", "estimand", "estimate", "ci_low", "ci_high", pl.col("unit"), "note")
        .with_columns(unit=pl.col("unit").map_elements(_unit, return_dtype=pl.String))
    )


def unit_of(found: Estimates) -> str:
    """Return the unit that money is in, in words; that of the first outcome."""
    return _unit(found.about.units.get(found.keys[0].outcome, ""))


def needs() -> pl.DataFrame:
    """Return what a pack alone does not show, and what that takes: question, takes."""
    return pl.DataFrame({"question": list(NEEDS), "takes": list(NEEDS.values())})


def event_times(found: PackEffects) -> pl.DataFrame:
    """Return the first estimand by event time with its bands, as `Estimates.to_frame` does.

    A band is one of an outcome. Without rows if no estimand by event time was declared.
    """
    for name in dict.fromkeys(found.names):
        own = found.estimand(name).select(aggregation="event_time")
        if len(own):
            outcomes = dict.fromkeys(key.outcome for key in own.keys)
            return pl.concat(
                own.select(outcome=outcome).to_frame(band=True) for outcome in outcomes
            )
    return found.to_frame(band=True).clear()


def base_of(found: PackEffects) -> int | None:
    """Return the event time that `event_times` are compared with; None without a single one."""
    for name in dict.fromkeys(found.names):
        own = found.estimand(name)
        if len(own.select(aggregation="event_time")):
            return -1 - own.about.anticipation if own.about.base == "universal" else None
    return None


def bounds(frame: pl.DataFrame) -> pl.DataFrame:
    """Print intervals under bounds on trends: bound, set, interval."""
    return frame.select(
        bound=pl.col("bound").map_elements(lambda x: f"{x:g}", return_dtype=pl.String),
        set=_ends("set_low", "set_high"),
        interval=_ends("ci_low", "ci_high"),
    )


def inputs(frame: pl.DataFrame) -> pl.DataFrame:
    """Print the points and errors that questions of trends start from: at, estimate, std_error."""
    return frame.select(
        pl.col("at").cast(pl.String).str.replace("-", "−"),
        estimate=_printed("estimate"),
        std_error=_printed("std_error"),
    )


def ends(row: Mapping[str, object]) -> tuple[str, ...]:
    """Return which numbers of a row of `headline` there are: the estimate, and its interval."""
    low = row["ci_low"]
    known = isinstance(low, float) and math.isfinite(low)
    return ("estimate", "ci_low", "ci_high") if known else ("estimate",)
