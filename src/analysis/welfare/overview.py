"""Everything that the page on poverty and inequality shows of a panel, as far as it can be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.effects.layout import from_cells
from analysis.faults import FaultsError
from analysis.panels.panel import Panel
from analysis.welfare import distribution, effects, inequality, model_truth, poverty, quantiles
from analysis.welfare.linearised import Measures
from analysis.welfare.model_truth import Potential
from analysis.welfare.people import UNITS, People, of_panel

LINES = ("national", "planning_2020")
FIRST_CHOICE = ("training", "dividend")
"""Programmes whose whole distribution is shown if the panel has them; else the first of others."""
KEPT = [
    "programme",
    "line_name",
    "measure",
    "estimate",
    "std_error",
    "ci_low",
    "ci_high",
    "treated",
    "n_villages_treated",
    "n_villages_control",
    "note",
]
PROGRAMMES = {
    "programme": pl.String,
    "line_name": pl.String,
    "measure": pl.String,
    "estimate": pl.Float64,
    "std_error": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "treated": pl.Float64,
    "n_villages_treated": pl.Int64,
    "n_villages_control": pl.Int64,
    "note": pl.String,
    "all_alike": pl.Float64,
    "unit": pl.String,
    "truth": pl.Float64,
}

NO_TRUTH = ("line_name", "measure", "truth")


@dataclass(frozen=True, eq=False)
class Distributed:
    """The effect of one programme on the whole distribution.

    Attributes
    ----------
    programme : str
        Which.
    deciles : polars.DataFrame
        As `quantiles.effects`, with `truth` (null without one).
    thirds : polars.DataFrame
        As `effects.by_third`, with `truth` (of totals; null without one).
    functions : quantiles.Distributions
        What the quantiles were read from.
    amounts : int
        Of the grid.
    rows_used : int
        Household-years of its cells.
    """

    programme: str
    deciles: pl.DataFrame
    thirds: pl.DataFrame
    functions: quantiles.Distributions
    amounts: int
    rows_used: int


@dataclass(frozen=True, eq=False)
class Overview:
    """What the page shows.

    Attributes
    ----------
    evidence : str
        Tier of the panel, ``twin`` for a twin.
    people : People
        Household-years.
    poverty, inequality : Measures
        By period; poverty is empty where no line applies.
    ends : tuple of int or None
        First and last period; None if there is one only.
    programmes : polars.DataFrame
        Effects on poverty by programme, unit, line and measure, with the truth where there is one;
        a programme without an estimate has one row with its reason in `note`.
    distributed : Distributed or None
        One programme's effect on the distribution.
    """

    evidence: str
    people: People
    poverty: Measures
    inequality: Measures
    ends: tuple[int, int] | None
    programmes: pl.DataFrame
    distributed: Distributed | None

    @property
    def is_model(self) -> bool:
        """Whether a truth is known."""
        return self.evidence == "model"


def overview(panel: Panel, simulation: Mapping[str, Any] | None = None) -> Overview:
    """Compute everything that a panel supports.

    Parameters
    ----------
    panel : Panel
        Any panel.
    simulation : mapping, optional
        Settings it was simulated with; the truth is then known.
    """
    parted = effects.with_thirds(panel)
    people = of_panel(parted)
    lines = LINES if people.has_lines else ()
    known: dict[str, Potential] = {}
    if simulation and panel.evidence == "model":
        known = model_truth.potential(model_truth.settings_of(simulation))
    found = _programmes(panel)
    rows = [_poverty_of(parted, name, people, lines, known.get(name)) for name in found]
    return Overview(
        evidence=panel.evidence,
        people=people,
        poverty=poverty.measure(people, lines),
        inequality=inequality.measure(people),
        ends=distribution.ends(people),
        programmes=pl.concat(rows, how="diagonal") if rows else pl.DataFrame(schema=PROGRAMMES),
        distributed=_distribution(parted, found, people, known),
    )


def _programmes(panel: Panel) -> list[str]:
    names = panel.participation.select("programme").unique().collect()["programme"].sort()
    return names.to_list()


def _poverty_of(
    panel: Panel, programme: str, people: People, lines: tuple[str, ...], known: Potential | None
) -> pl.DataFrame:
    """Return a programme's effects on poverty, per person and per household."""
    frames = []
    try:
        for unit in UNITS if lines else ():
            made = effects.cells(panel, programme, people, lines, edges=(), unit=unit)
            table = from_cells(made)
            measures = [o.name for o in poverty.outcomes(lines)]
            table = table.select(*(name for name in measures if name in table.outcomes))
            inside = effects.poverty_effects(effects.estimate(table), lines).select(KEPT)
            alike = effects.poverty_effects(effects.estimate(effects.pooled(table)), lines)
            both = inside.join(
                alike.select("line_name", "measure", all_alike="estimate"),
                on=["line_name", "measure"],
                how="left",
            )
            truth = (
                model_truth.poverty_effects(known, lines, unit)
                if known is not None
                else pl.DataFrame(schema={name: PROGRAMMES[name] for name in NO_TRUTH})
            )
            frames.append(
                both.join(truth, on=["line_name", "measure"], how="left").with_columns(
                    unit=pl.lit(unit)
                )
            )
    except FaultsError as fault:
        return _nothing(programme, fault.faults[0].problem)
    if not frames:
        return _nothing(programme, "no poverty line applies")
    return pl.concat(frames).select(pl.col(name).cast(kind) for name, kind in PROGRAMMES.items())


def _nothing(programme: str, why: str) -> pl.DataFrame:
    return pl.DataFrame({"programme": [programme], "note": [f"not estimated: {why}"]}).select(
        (pl.col(name) if name in ("programme", "note") else pl.lit(None)).cast(kind).alias(name)
        for name, kind in PROGRAMMES.items()
    )


def _distribution(
    panel: Panel, found: list[str], people: People, known: Mapping[str, Potential]
) -> Distributed | None:
    """Return the first programme's whole distribution that can be estimated."""
    order = [name for name in FIRST_CHOICE if name in found]
    for name in [*order, *(one for one in found if one not in order)]:
        try:
            return _one(panel, name, people, known.get(name))
        except FaultsError:
            continue
    return None


def _one(panel: Panel, name: str, people: People, known: Potential | None) -> Distributed:
    made = effects.cells(panel, name, people)
    estimated = effects.of_cells(made)
    functions = quantiles.distributions(estimated, made)
    deciles = quantiles.effects(functions)
    thirds, _ = effects.by_third(estimated.table)
    if known is not None and people.price_year is not None:
        truth = model_truth.quantile_effects(known, quantiles.SHARES, people.price_year)
        deciles = deciles.join(truth.select("share", "truth"), on="share", how="left")
        names = panel.households.select("household", third=effects.THIRD).collect()
        gained = model_truth.by_third(known, names, people.price_year)
        thirds = thirds.join(
            gained.with_columns(outcome=pl.lit("total")), on=["third", "outcome"], how="left"
        )
    else:
        deciles, thirds = (
            f.with_columns(truth=pl.lit(None, pl.Float64)) for f in (deciles, thirds)
        )
    return Distributed(
        name, deciles, thirds, functions, functions.edges.size, made.account.rows_used
    )
