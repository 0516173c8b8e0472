"""Where no effect can be: periods before treatment, sources out of reach; and parts left out.

An estimate away from zero where the programme cannot have acted says that something else moves the
treated. One near zero says so only as far as its interval is narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from analysis import programmes
from analysis.effects import aggregate, group_time
from analysis.effects.group_time import Comparison
from analysis.effects.record import Key
from analysis.effects.result import EffectSet, stack
from analysis.effects.table import Table, refuse
from analysis.faults import FaultsError
from analysis.inference.arrays import Booleans
from analysis.panels.schemas import SOURCES
from analysis.sensitivity.combine import combination, only, overall


def earlier(table: Table, shift: int, how: Comparison | None = None) -> EffectSet:
    """Return the effect of a programme that is said to begin earlier than it did.

    Parameters
    ----------
    table : Table
        Cells as arrays.
    shift : int
        Periods earlier, above the anticipation of `how`: these periods are compared with the last
        one before them. What the programme may already move is left out.
    how : Comparison, optional
        Controls and anticipation.

    Returns
    -------
    EffectSet
        One estimate per outcome, in yuan: the mean over the pretended periods, each over the
        cohorts that have it.

    Raises
    ------
    FaultsError
        If `shift` leaves no period, or no cohort has a period before it.
    """
    how = how or Comparison()
    if shift <= how.anticipation:
        refuse(
            "the pretended start leaves no period before treatment",
            "move the start by more periods than are anticipated",
            column="shift",
            value=shift,
        )
    before = replace(how, anticipation=shift, base="universal")
    found = group_time.estimate(table, before)
    pretended = [
        key.cohort is not None
        and key.period is not None
        and -shift <= key.period - key.cohort < -how.anticipation
        for key in found.keys
    ]
    if not any(pretended):
        refuse(
            "no cohort has periods enough before treatment",
            "move the start by fewer periods",
            column="shift",
            value=shift,
        )
    by_time = aggregate.aggregate(found.at(np.array(pretended)), table, ("event_time",)).in_yuan()
    means = []
    for outcome in dict.fromkeys(key.outcome for key in by_time.keys):
        part = by_time.select(outcome=outcome)
        key = Key(outcome, "simple", at=-shift, programme=table.programme)
        means.append(combination(part, np.full(len(part), 1 / len(part)), key))
    return stack(*means)


def untouched(programme: str) -> tuple[str, ...]:
    """Return the sources of income that a programme has no channel to.

    By ``data/programmes/programmes.csv``. A source is untouched only if the catalogue is right and
    nobody gives up one kind of work for another.

    Examples
    --------
    >>> untouched("training"), untouched("no such programme")
    (('property', 'transfer'), ())
    """
    known = programmes.load().programmes.filter(pl.col("id") == programme)
    channels = (known["channels"].item() or "") if known.height else ";".join(SOURCES)
    return tuple(source for source in SOURCES if source not in channels.split(";"))


def on_untouched(table: Table, programme: str, how: Comparison | None = None) -> EffectSet:
    """Return the overall effect on each source that a programme has no channel to, in yuan.

    Raises
    ------
    FaultsError
        If there is no such source, or none that the table has.
    """
    sources = [source for source in untouched(programme) if source in table.outcomes]
    if not sources:
        refuse(
            "no source of income is out of the programme's reach",
            "use placebo periods",
            column="programme",
            value=programme,
        )
    found = overall(table.select(*sources), how)
    if not len(found):
        refuse(
            "there is no overall effect", found.missing[0][1], column="programme", value=programme
        )
    return found


def leave_out(
    table: Table,
    groups: Mapping[str, Booleans],
    outcome: str = "total",
    how: Comparison | None = None,
    estimate: Callable[[Table, Comparison | None], EffectSet] = overall,
) -> pl.DataFrame:
    """Return the overall effect without each of some groups of rows.

    Parameters
    ----------
    table : Table
        Cells as arrays.
    groups : mapping of str to array, shape (c,)
        Which rows each group has; see `counties` and `cohorts`.
    outcome, how
        As in `combine.overall`.
    estimate : callable
        From table and comparison to one estimate per outcome.

    Returns
    -------
    DataFrame
        First the estimate with everybody (`without` empty), then `without`, `households` left out
        (ever seen), `estimate`, interval (yuan), `moved` from the first, `why` there is none.
    """
    chosen = table.select(outcome)
    rows: list[dict[str, object]] = []
    for name, gone in {"": np.zeros(table.village.size, bool), **groups}.items():
        row: dict[str, object] = {"without": name, "households": int(table.n_ever[gone].sum())}
        try:
            # Who is clean beside the treated does not change when rows are left out.
            part = replace(chosen.rows(~gone), first_in_village=chosen.village_cohort())
            one = only(estimate(part, how), outcome).to_frame().row(0, named=True)
            row |= {key: one[key] for key in ("estimate", "ci_low", "ci_high")} | {"why": ""}
        except FaultsError as error:
            row |= {
                "estimate": None,
                "ci_low": None,
                "ci_high": None,
                "why": error.faults[0].problem,
            }
        rows.append(row)
    frame = pl.DataFrame(
        rows,
        schema={
            "without": pl.String,
            "households": pl.Int64,
            "estimate": pl.Float64,
            "ci_low": pl.Float64,
            "ci_high": pl.Float64,
            "why": pl.String,
        },
    )
    return frame.with_columns(moved=pl.col("estimate") - pl.col("estimate").first())


def counties(table: Table, county: Mapping[str, str]) -> dict[str, Booleans]:
    """Return the rows of each county, for `leave_out`; villages without one are never left out."""
    of_row = np.array([county.get(table.villages[v]) or "" for v in table.village])
    return {str(name): of_row == name for name in np.unique(of_row) if name}


def cohorts(table: Table) -> dict[str, Booleans]:
    """Return the rows of each cohort, for `leave_out`."""
    return {str(g): table.cohort == g for g in table.cohorts}
