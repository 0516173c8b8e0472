"""Why before and after misleads: one programme, three difficulties, each on or off.

Stored, since it takes simulations: ``python -m analysis.answers.lesson`` makes
``reports/validation/lesson.csv`` again (about a minute). One panel a combination, seed 1 for all,
never chosen. In these panels training is the only programme that does anything.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from analysis import money, stored_tables
from analysis.answers.design import design_of
from analysis.answers.estimates import estimate
from analysis.answers.missing import Missing
from analysis.answers.naive import naive
from analysis.answers.overview import DECIMALS, SEED, SIZE
from analysis.answers.together import together_of
from analysis.answers.truth import truth_of
from analysis.faults import Fault, FaultsError
from analysis.panels import panel as panels
from analysis.panels.model import Settings, Switches, parameters, read_truth, simulate_settings
from analysis.panels.model.parameters import Parameters, Rule

PROGRAMME: Final = "training"
DIFFICULTIES: Final = ("growth", "selection_level", "dip")
"""Incomes grow for everybody; the better-off join first; wages dip before people enrol."""
METHODS: Final = ("before_after", "with_without", "design", "together")
STILL: Final = 2020
"""The year whose real incomes every year has where nothing grows: that of the model's prices."""
FILE: Final = Path("reports") / "validation" / "lesson.csv"


def without_growth(known: Parameters, year: int = STILL) -> Parameters:
    """Return parameters in which mean real income is that of one year in every year.

    Prices go on rising, and the sources keep the shares of the last year they are known for.

    Parameters
    ----------
    known : Parameters
        The model's.
    year : int
        Whose mean income is kept, in real terms.
    """
    prices = money.load()
    last = max(y for y, source in known.path if source != "total")
    kept = {
        (y, source): known.path[year if source == "total" else last, source]
        * float(prices.factor(y, year))
        for y, source in known.path
    }
    return replace(known, path=kept)


def only(known: Parameters, programme: str) -> Parameters:
    """Return parameters in which one programme has effects and the others have none."""
    rules = tuple(rule if rule.name == programme else _idle(rule) for rule in known.rules)
    return replace(known, rules=rules)


def _idle(rule: Rule) -> Rule:
    nothing = {source: tuple(0.0 for _ in path) for source, path in rule.effects.items()}
    return replace(rule, effects=nothing)


def made(wanted: tuple[tuple[bool, ...], ...] = ()) -> pl.DataFrame:
    """Simulate, estimate and compare.

    Parameters
    ----------
    wanted : tuple of tuples of bool
        States of `DIFFICULTIES`; all eight if empty.

    Returns
    -------
    polars.DataFrame
        One row per combination and method: growth, selection_level, dip (whether it is on), method
        (one of `METHODS`), estimate, ci_low, ci_high (null: it has no interval), truth. The last
        year's effect, yuan per household in the prices of the programme pages.
    """
    states = wanted or tuple(itertools.product((False, True), repeat=len(DIFFICULTIES)))
    rows = [row for state in states for row in _rows(*state)]
    numbers = pl.col("estimate", "ci_low", "ci_high", "truth").cast(pl.Float64)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(numbers.round(DECIMALS))


def _rows(growth: bool, selection_level: bool, dip: bool) -> Iterator[dict[str, object]]:
    known = only(parameters.load(), PROGRAMME)
    households, villages, periods = SIZE
    switches = Switches(selection_level=selection_level, dip=dip)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "panel"
        simulate_settings(
            folder,
            Settings(households, villages, periods, SEED, "lesson", switches),
            known=known if growth else without_growth(known),
        )
        panel = panels.read(folder)
        how = design_of(panel, PROGRAMME)
        if isinstance(how, Missing):
            raise FaultsError([Fault("model panel", how.reason, "simulate a larger panel")])
        truth = truth_of(read_truth(folder), how)
        found = naive(panel, how, estimate(panel, how), together_of(panel, how), truth)
    for row in found.rows.filter(pl.col("method").is_in(METHODS)).iter_rows(named=True):
        yield {
            "growth": growth,
            "selection_level": selection_level,
            "dip": dip,
            **{name: row[name] for name in ("method", "estimate", "ci_low", "ci_high", "truth")},
        }


def stored() -> pl.DataFrame:
    """Return the stored table; see `made`.

    Raises
    ------
    FaultsError
        If it is not there.
    """
    return stored_tables.read(FILE, "analysis.answers.lesson")


def main() -> None:
    """Make the table again and write it."""
    stored_tables.write(FILE, made())


if __name__ == "__main__":
    main()
