"""The truth of a simulated panel, added up from potential outcomes in whole fen.

It is the truth of the incomes households have, not of those they report: rounding and missing
answers are errors of the survey. What is and is not seen matters for the sample only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from analysis import money
from analysis.faults import Fault, FaultsError
from analysis.panels import estimands
from analysis.panels.model import effects
from analysis.panels.model.draws import Booleans, Floats, Integers
from analysis.panels.model.observation import Observed
from analysis.panels.model.parameters import Rule
from analysis.panels.model.world import Run, World
from analysis.panels.schemas import SOURCES

SAMPLES: Final = {
    "all": "every household of the panel, also in years in which it was not seen",
    "observed": "household years seen with all four sources",
}
LINES: Final = ("national", "planning_2020")
POVERTY: Final = ("poor", "poor_members", "gap")


def outcomes() -> tuple[str, ...]:
    """Return the names of what is added up: sources, total, and three measures by line.

    Examples
    --------
    >>> outcomes()[4:8]
    ('total', 'poor_national', 'poor_members_national', 'gap_national')
    """
    return (*SOURCES, "total", *(f"{kind}_{line}" for line in LINES for kind in POVERTY))


@dataclass
class Tally:
    """Running sums of one programme and one group; g cohorts, t periods, k outcomes.

    The first axis is the sample: all, observed. Sums are whole numbers, so they do not depend on
    the order or the chunks in which households come.
    """

    shape: tuple[int, int]
    direct: Integers = field(init=False)
    spillover: Integers = field(init=False)
    realised: Integers = field(init=False)
    households: Integers = field(init=False)
    persons: Integers = field(init=False)
    ever: Integers = field(init=False)
    ever_persons: Integers = field(init=False)

    def __post_init__(self) -> None:
        cohorts, periods = self.shape
        k = len(outcomes())
        self.direct, self.spillover, self.realised = (
            np.zeros((2, cohorts, periods, k), np.int64) for _ in range(3)
        )
        self.households, self.persons = (
            np.zeros((2, cohorts, periods), np.int64) for _ in range(2)
        )
        self.ever, self.ever_persons = (np.zeros((2, cohorts), np.int64) for _ in range(2))


class Truth:
    """Collects the truth run by run and turns it into a table."""

    def __init__(self, world: World) -> None:
        self._world = world
        years = world.settings.years
        self._lines = [
            np.array([money.load().line_fen(line, int(year)) for year in years]) for line in LINES
        ]
        self._first = {r.name: min(r.first_years) for r in world.parameters.rules}
        self._tallies = {
            (rule.name, literal): Tally((self._n_cohorts(rule), years.size))
            for rule in world.parameters.rules
            for literal in (("treated", "untreated") if self._spills(rule) else ("treated",))
        }

    def _n_cohorts(self, rule: Rule) -> int:
        return max(rule.first_years) + len(rule.delays) - self._first[rule.name]

    def _spills(self, rule: Rule) -> bool:
        return self._world.settings.switches.spillover and bool(rule.spillovers)

    def add(self, run: Run, observed: Observed) -> None:
        """Add the households of a run."""
        total, seen = run.total(), observed.complete
        for effect in run.effects:
            self._group(
                "treated", effect, effect.rows, effect.takers.cohort[effect.rows], run, total, seen
            )
            if self._spills(effect.rule):
                rows, cohort = effects.exposed(effect.takers, run.homes.village)
                self._group("untreated", effect, rows, cohort, run, total, seen)

    def _group(
        self,
        who: str,
        effect: effects.Effect,
        rows: Integers,
        cohort: Integers,
        run: Run,
        total: Integers,
        seen: Booleans,
    ) -> None:
        """Add one group of one programme."""
        if not rows.size:
            return
        tally = self._tallies[effect.rule.name, who]
        size = run.homes.size[rows]
        nothing = np.zeros((rows.size, total.shape[1]), np.int64)
        own = [effect.direct.get(s, nothing) if who == "treated" else nothing for s in range(4)]
        others = [effect.spillover[s][rows] if s in effect.spillover else nothing for s in range(4)]
        own_total, others_total = sum(own, start=nothing), sum(others, start=nothing)
        with_all = total[rows]
        realised = self._poverty(with_all, size)
        without_own = self._poverty(with_all - own_total, size) if who == "treated" else realised
        parts = {
            "realised": [*(run.income[s][rows] for s in range(4)), with_all, *realised],
            "direct": [*own, own_total, *_differences(realised, without_own)],
        }
        if effect.spillover:
            without = self._poverty(with_all - own_total - others_total, size)
            parts["spillover"] = [*others, others_total, *_differences(without_own, without)]
        self._sum(tally, parts, cohort - self._first[effect.rule.name], size, seen[rows])

    def _poverty(self, total: Integers, size: Integers) -> list[Integers]:
        """Return poor, poor members and gap in fen for each line, each (n, t)."""
        items = []
        for line in self._lines:
            lacking = line * size[:, None] - total
            poor = lacking > 0
            items += [poor.astype(np.int64), poor * size[:, None], np.maximum(lacking, 0)]
        return items

    def _sum(
        self,
        tally: Tally,
        parts: dict[str, list[Integers]],
        cohort: Integers,
        size: Integers,
        seen: Booleans,
    ) -> None:
        """Add by cohort, as a product of matrices.

        Every factor is a whole number and no sum passes 2⁵³ (10⁵ households of 10¹⁰ fen), so double
        precision is exact in whatever order the product adds.
        """
        member: Floats = (cohort == np.arange(tally.shape[0])[:, None]).astype(np.float64)
        sums = {
            name: np.stack([_whole(member @ values) for values in arrays], axis=-1)
            for name, arrays in parts.items()
        }
        self._add(tally, 0, member, sums, np.ones(seen.shape), size)
        if not seen.all():
            sums = {
                name: np.stack([_whole(member @ (values * seen)) for values in arrays], axis=-1)
                for name, arrays in parts.items()
            }
        self._add(tally, 1, member, sums, seen.astype(np.float64), size)

    def _add(
        self,
        tally: Tally,
        sample: int,
        member: Floats,
        sums: dict[str, Integers],
        weight: Floats,
        size: Integers,
    ) -> None:
        """Add sums and counts to one sample of a tally."""
        ever = weight.any(axis=1).astype(np.float64)
        tally.households[sample] += _whole(member @ weight)
        tally.persons[sample] += _whole(member @ (weight * size[:, None]))
        tally.ever[sample] += _whole(member @ ever)
        tally.ever_persons[sample] += _whole(member @ (ever * size))
        for name, values in sums.items():
            getattr(tally, name)[sample] += values

    def table(self) -> pl.DataFrame:
        """Return the truth; see `COLUMNS` for what it holds."""
        frames = [self._cells(name, who, tally) for (name, who), tally in self._tallies.items()]
        cells = pl.concat(frames).filter(pl.col("n_ever") > 0)
        return pl.concat([cells.select(COLUMNS), self._aggregates(cells).select(COLUMNS)])

    def _cells(self, name: str, who: str, tally: Tally) -> pl.DataFrame:
        """Return the group-time effects of one programme and group, one row per outcome."""
        first, years = self._first[name], self._world.settings.years
        sums = {
            "direct": tally.direct,
            "spillover": tally.spillover,
            "total": tally.direct + tally.spillover,
        }
        kinds = sums if who == "treated" else {e: sums[e] for e in ("spillover", "total")}
        frames = []
        for kind, values in kinds.items():
            s, g, t, k = (index.ravel() for index in np.indices(values.shape))
            frame = pl.DataFrame(
                {
                    "sample": pl.Series(np.array(list(SAMPLES))[s]),
                    "cohort": pl.Series(first + g, dtype=pl.Int32),
                    "period": pl.Series(years[t], dtype=pl.Int32),
                    "measure": pl.Series(np.array(outcomes())[k]),
                    "sum": values.ravel(),
                    "sum_realised": tally.realised.ravel(),
                    "n_households": tally.households[s, g, t],
                    "n_persons": tally.persons[s, g, t],
                    "n_ever": tally.ever[s, g],
                    "n_ever_persons": tally.ever_persons[s, g],
                }
            ).with_columns(effect=pl.lit(kind))
            frames.append(frame)
        return _per_unit(pl.concat(frames)).with_columns(
            programme=pl.lit(name),
            who=pl.lit(who),
            aggregation=pl.lit("group_time"),
            at=pl.lit(None, dtype=pl.Int32),
        )

    def _aggregates(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Add the group-time effects up by the shared definitions."""
        first, last = self._world.settings.periods
        groups = ("programme", "who", "sample", "per")
        frames = []
        for key, part in cells.group_by(groups, maintain_order=True):
            size = "n_ever" if key[3] == "household" else "n_ever_persons"
            cohorts = part.select("cohort", pl.col(size).alias("size")).unique().sort("cohort")
            weighting = estimands.weights(cohorts, first, last, leads=last - first)
            by = (*groups, "effect", "outcome", "unit")
            frames.append(estimands.aggregate(part, weighting, by))
        if not frames:
            problem = "no programme begins after the first of these periods and by the last"
            remedy = "simulate more years"
            value = f"{first}:{last}"
            raise FaultsError([Fault("simulate", problem, remedy, column="periods", value=value)])
        empty = [pl.lit(None, dtype=pl.Int32).alias(name) for name in ("cohort", "period")]
        counted = ("sum", "sum_realised", "n_households", "n_persons", "n_ever")
        counts = [pl.lit(None, dtype=pl.Int64).alias(name) for name in counted]
        return pl.concat(frames).with_columns(*empty, *counts)


COLUMNS: Final = (
    "programme",
    "who",
    "effect",
    "sample",
    "aggregation",
    "at",
    "cohort",
    "period",
    "outcome",
    "per",
    "unit",
    "att",
    "sum",
    "sum_realised",
    "n_households",
    "n_persons",
    "n_ever",
)
"""Columns of ``truth.parquet``: `sum` and `sum_realised` are whole fen, households or persons."""


def _differences(a: list[Integers], b: list[Integers]) -> list[Integers]:
    return [x - y for x, y in zip(a, b, strict=True)]


def _whole(values: Floats) -> Integers:
    return np.rint(values).astype(np.int64)


def _per_unit(frame: pl.DataFrame) -> pl.DataFrame:
    """Give each sum its unit: per household or per baseline member, yuan or share.

    `poor` is a share of households and `poor_members` a share of persons; the gap is printed both
    per household and per person, from the same sum.
    """
    gap = pl.col("measure").str.starts_with("gap_")
    members = pl.col("measure").str.starts_with("poor_members_")
    share = pl.col("measure").str.starts_with("poor_")
    household = frame.filter(~members).with_columns(per=pl.lit("household"))
    person = frame.filter(gap | members).with_columns(per=pl.lit("person"))
    n = pl.when(pl.col("per") == "household").then("n_households").otherwise("n_persons")
    value = pl.when(n > 0).then(pl.col("sum") / n)
    return pl.concat([household, person]).with_columns(
        outcome=pl.col("measure").str.replace("poor_members_", "poor_"),
        unit=pl.when(share)
        .then(pl.concat_str(pl.lit("share of "), "per", pl.lit("s")))
        .otherwise(pl.concat_str(pl.lit("yuan/"), "per", pl.lit("s/years"))),
        att=pl.when(share).then(value).otherwise(value / money.FEN_PER_YUAN),
    )


def told(known: pl.DataFrame, programme: str) -> pl.DataFrame:
    """Return the true effects of a programme that estimates from cells are compared with.

    Parameters
    ----------
    known : polars.DataFrame
        As `analysis.panels.model.simulate.read_truth` gives it.
    programme : str
        Its name in the catalogue.

    Returns
    -------
    polars.DataFrame
        outcome, estimand, att: nominal yuan a year per household, on all households of the
        programme against no programme at all; empty if the panel has no such programme.
    """
    at = pl.coalesce("at", "cohort", "period").cast(pl.String)
    kept = known.filter(
        pl.col("aggregation") != "group_time",
        programme=programme,
        effect="total",
        sample="all",
        who="treated",
        per="household",
    ).filter(pl.col("outcome").is_in([*SOURCES, "total"]))
    named = kept.with_columns(
        estimand=pl.when(at.is_null())
        .then("aggregation")
        .otherwise(pl.format("{}({})", "aggregation", at.fill_null("")))
    )
    return named.select("outcome", "estimand", "att")
