"""For whom: the effect in groups of households named before any outcome is looked at."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from analysis.answers import choices
from analysis.answers.design import TOTAL, Design
from analysis.answers.estimates import OVERALL
from analysis.answers.missing import Missing, attempt
from analysis.cells import build
from analysis.effects import aggregate, families, group_time, layout
from analysis.effects.result import EffectSet, stack
from analysis.effects.table import Table
from analysis.faults import Fault, FaultsError
from analysis.panels.panel import Panel

COLUMN: Final = "x_group_and_stratum"
BAR: Final = " | "
"""Between the group and the design's own stratum, within which households are still compared."""

THIRDS: Final = ("poorest third", "middle third", "richest third")


@dataclass(frozen=True)
class Dimension:
    """One way to tell households apart.

    Attributes
    ----------
    id, title : str
        Name, and what it is called.
    levels : tuple of str
        Groups in order; the last is compared with the first.
    """

    id: str
    title: str
    levels: tuple[str, ...]


DIMENSIONS: Final = (
    Dimension("register", "Register of the poor", ("on the register", "not on it")),
    Dimension("income", "Baseline income per head", THIRDS),
    Dimension("size", "Members at baseline", ("fewer members", "more members")),
    Dimension("remoteness", "Road to the county town", ("nearer half", "farther half")),
)


@dataclass(frozen=True)
class Groups:
    """Effects on total income by group.

    Attributes
    ----------
    levels : EffectSet
        One estimate per group; `Key.programme` is ``dimension: group``. Yuan per household a year.
    differences : EffectSet or Missing
        Last group less first, one per dimension; `Key.programme` is the dimension.
    adjusted : polars.DataFrame or Missing
        The differences as one family; see `analysis.effects.families.adjust`.
    missing : tuple of (str, Missing)
        Title of each dimension that these data do not have, and why.
    joined : tuple of str
        Groups in which the design's own strata had to be joined, since one village alone held one.
    """

    levels: EffectSet
    differences: EffectSet | Missing
    adjusted: pl.DataFrame | Missing
    missing: tuple[tuple[str, Missing], ...]
    joined: tuple[str, ...] = ()


def groups(panel: Panel, design: Design) -> Groups:
    """Estimate the overall effect in every group that the panel can tell apart.

    Groups are frozen at baseline: nothing that the programme can move makes them. Within a group
    households are compared as in the design, in its own strata.

    Raises
    ------
    FaultsError
        If no dimension can be estimated.
    """
    found: list[EffectSet] = []
    differences: list[EffectSet] = []
    missing: list[tuple[str, Missing]] = []
    joined: list[str] = []
    for dimension in DIMENSIONS:
        whole = attempt(_table, panel, design, dimension)
        if isinstance(whole, Missing):
            missing.append((dimension.title, whole))
            continue
        made = [attempt(_group, whole, design, dimension, level) for level in dimension.levels]
        made = _joined(made, whole, panel, design, dimension, joined)
        for level, one in zip(dimension.levels, made, strict=True):
            if isinstance(one, Missing):
                missing.append((f"{dimension.title}: {level}", one))
            else:
                found.append(one)
        first, last = made[0], made[-1]
        if not isinstance(first, Missing) and not isinstance(last, Missing):
            differences.append(_difference(first, last, dimension.title))
    if not found:
        why = "; ".join(f"{title}: {one.reason}" for title, one in missing)
        raise FaultsError(
            [Fault("answers", f"households cannot be told apart ({why})", "add baseline columns")]
        )
    probability = choices.load().level
    if not differences:
        none = Missing("no two groups of a kind can both be estimated")
        return Groups(
            replace(stack(*found), level=probability), none, none, tuple(missing), tuple(joined)
        )
    family = replace(stack(*differences), level=probability)
    return Groups(
        replace(stack(*found), level=probability),
        family,
        attempt(families.adjust, family),
        tuple(missing),
        tuple(joined),
    )


def _table(
    panel: Panel, design: Design, dimension: Dimension, joined: Set[str] = frozenset()
) -> Table:
    """Return cells of total income by group and stratum, or by group over the strata named."""
    told = grouped(panel, dimension, design.cells.stratum)
    if joined:
        group = pl.col(COLUMN).str.split(BAR).list.first()
        kept = pl.when(pl.col(COLUMN).is_in(list(joined))).then(group)
        told = replace(told, households=told.households.with_columns(kept.alias(COLUMN)))
    total = design.cells.outcome(TOTAL)
    cells = build.build(told, replace(design.cells, outcomes=(total,), stratum=COLUMN))
    return layout.from_cells(cells)


def _group(whole: Table, design: Design, dimension: Dimension, level: str) -> EffectSet:
    inside = np.array([name.split(BAR)[0] == level for name in whole.strata])
    part = whole.rows(inside[whole.stratum])
    found = group_time.estimate(part, design.comparison, leads=False)
    one = aggregate.aggregate(found, part, (OVERALL,)).in_yuan()
    named = tuple(replace(key, programme=f"{dimension.title}: {level}") for key in one.keys)
    return replace(one, keys=named, missing=())


def _joined(
    made: list[EffectSet | Missing],
    whole: Table,
    panel: Panel,
    design: Design,
    dimension: Dimension,
    joined: list[str],
) -> list[EffectSet | Missing]:
    """Estimate groups without an interval again, their strata joined.

    Only strata with participants are joined: where only the registered take part, only they are
    compared.
    """
    lone = [
        level
        for level, one in zip(dimension.levels, made, strict=True)
        if not isinstance(one, Missing) and not np.isfinite(one.std_errors).all()
    ]
    if not lone:
        return made
    treated = whole.stratum[whole.cohort > 0]
    kept = {whole.strata[s] for s in np.unique(treated)}
    again = _table(panel, design, dimension, kept)
    found = list(made)
    for place, level in enumerate(dimension.levels):
        one = attempt(_group, again, design, dimension, level) if level in lone else None
        if isinstance(one, EffectSet) and np.isfinite(one.std_errors).all():
            found[place] = one
            joined.append(f"{dimension.title}: {level}")
    return found


def _difference(first: EffectSet, last: EffectSet, title: str) -> EffectSet:
    """Return the last group's effect less the first group's, with their joint influence."""
    both = stack(first, last)
    one, two = both.at(np.array([0])), both.at(np.array([1]))
    return replace(
        two,
        keys=(replace(two.keys[0], programme=title),),
        points=two.points - one.points,
        influence=two.influence - one.influence,
        without=two.without - one.without,
        treated=two.treated | one.treated,
        control=two.control | one.control,
        used=two.used | one.used,
        n_treated=two.n_treated + one.n_treated,
        n_control=two.n_control + one.n_control,
    )


def grouped(panel: Panel, dimension: Dimension, stratum: str) -> Panel:
    """Return the panel with a column that names each household's group and own stratum.

    Parameters
    ----------
    panel : Panel
        The panel.
    dimension : Dimension
        How to tell households apart.
    stratum : str
        Column of the design's own strata, kept within groups.

    Raises
    ------
    FaultsError
        If the panel lacks the baseline column, or it does not tell households apart.
    """
    homes = _GROUPINGS[dimension.id](panel, dimension).collect()
    kept = homes.filter(pl.col("group").is_not_null())
    there = set(kept["group"].unique().to_list())
    if there != set(dimension.levels):
        problem = (
            "the baseline column is empty"
            if not there
            else ("only one group: " + ", ".join(sorted(there)))
        )
        raise FaultsError([Fault("households", problem, "add it to the survey")])
    named = homes.with_columns(
        pl.concat_str("group", pl.col(stratum).cast(pl.String), separator=BAR).alias(COLUMN)
    ).drop("group")
    return replace(panel, households=named.lazy())


def _register(panel: Panel, dimension: Dimension) -> pl.LazyFrame:
    on, off = dimension.levels
    group = pl.when("registered_poor").then(pl.lit(on)).when(~pl.col("registered_poor"))
    return panel.households.with_columns(group=group.then(pl.lit(off)))


def _income(panel: Panel, dimension: Dimension) -> pl.LazyFrame:
    per_head = pl.col("income_baseline_fen") / pl.col("size_baseline")
    return panel.households.with_columns(group=_ranked(per_head, dimension.levels))


def _size(panel: Panel, dimension: Dimension) -> pl.LazyFrame:
    fewer, more = dimension.levels
    size = pl.col("size_baseline")
    above = size > size.median()
    return panel.households.with_columns(
        group=pl.when(above).then(pl.lit(more)).otherwise(pl.lit(fewer))
    )


def _remoteness(panel: Panel, dimension: Dimension) -> pl.LazyFrame:
    villages = panel.villages.select(
        "village", group=_ranked(pl.col("remoteness_km"), dimension.levels)
    )
    return panel.households.join(villages, on="village", how="left", maintain_order="left")


def _ranked(value: pl.Expr, levels: tuple[str, ...]) -> pl.Expr:
    """Cut at quantiles into as many groups as there are levels; missing stays missing."""
    place = ((value.rank("average") - 0.5) * len(levels) / value.count()).floor()
    words = dict(enumerate(levels))
    return place.cast(pl.Int64, strict=False).replace_strict(words, return_dtype=pl.String)


_GROUPINGS: Final[dict[str, Callable[[Panel, Dimension], pl.LazyFrame]]] = {
    "register": _register,
    "income": _income,
    "size": _size,
    "remoteness": _remoteness,
}
