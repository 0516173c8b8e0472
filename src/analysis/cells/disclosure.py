"""Disclosure control of packs: what follows from published sums, and how large the largest are.

`analysis.cells.audit` says which households a reader can get a sum of, from all releases together.
Here every such sum is asked whether its households and villages are enough, whether one or two of
them make most of it, in levels and in changes, and what counts below a line tell. This is control
by stated rules, not a formal guarantee of privacy; the holder of the data checks before release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import polars as pl

from analysis import printing
from analysis.cells import audit, elimination, outcome_rules, releases, sizes
from analysis.cells.audit import Atoms, Source
from analysis.cells.declaration import Rules
from analysis.cells.design import CellsDesign
from analysis.cells.outcome_rules import counted, fault, scale
from analysis.cells.outcomes import Outcome
from analysis.cells.releases import Release
from analysis.cells.result import Cells
from analysis.faults import Fault
from analysis.panels import schemas

RULES: Final = {
    "min_households": "no combination of what is published is of fewer households, or of fewer"
    " villages, than the rules ask for",
    "dominance": "the two largest households make no more than a set share of a sum or of a change,"
    " the second cannot tell the first closely, and enough households have any of it",
    "bounds": "no value of known sign is bounded closely for fewer households",
    "headcount": "the poor of a group, and the others, are none or enough",
    "all_or_none": "a group in which everyone or nobody is poor, or nobody has an income, is shown"
    " only if that was declared",
    "adjacent_lines": "the households between two lines, of any release, are none or enough",
    "one_scale": "amounts or lines per person and per household are not released for one income",
    "one_form": "a column is released as it is, or as one logarithm, inverse hyperbolic sine or"
    " winsorised value: two forms tell how unequal a group is, or who was drawn in",
    "gap_needs_headcount": "a gap is released only with the headcount at its line",
    "recentred_influence": "outcomes of recentred influence stay inside",
    "second_moments": "sums of squares and of products stay inside",
    "villages": "an estimate has enough villages in each arm",
    "releases": "every release is of the same households, with the same weights, in divisions of"
    " which one is the finest, so that all are audited together",
}
"""Every rule by its name; `tests/cells/test_attacks.py` runs the attack that each prevents."""
SECOND: Final = ("ss_", "wss_", "zs_", "zz_", "zsum_")
"""How columns of second moments begin."""
AGAIN: Final = "merge strata or cohorts, or declare fewer outcomes or periods; it is audited again"
"""What to do where a sum tells too much: what comes of it passes the same audit."""


@dataclass(frozen=True)
class Held:
    """What the holder of the data has for the audit of a release.

    Attributes
    ----------
    cells : Cells
        By village, with what disclosure control needs; of this release, or of a finer division.
    design : CellsDesign
        Of this release, as published.
    """

    cells: Cells
    design: CellsDesign


def check(
    held: Held, rules: Rules, before: Sequence[Release] = (), finest: Held | None = None
) -> list[Fault]:
    """Return what stands against a release; nothing if all rules hold.

    Parameters
    ----------
    held : Held
        Of the release.
    rules : Rules
        How strict to be.
    before : sequence of Release
        Every earlier release of the panel.
    finest : Held, optional
        Cells of a division that is finer than those of all releases; `held` if left out.
    """
    cells = held.cells
    if cells.risk is None or cells.sizes is None:
        remedy = "build the cells from the estimands file, or with disclosure=True"
        return [fault("dominance", "the cells do not say how large the largest are", remedy)]
    faults, sources, atoms = releases.together(finest or held, held, before)
    if atoms is None:
        return faults
    outcomes = (*held.design.outcomes, *(o for old in before for o in old.design.outcomes))
    own = _own(held)
    sets = _sets(own)
    return [
        *outcome_rules.broken(held.design.outcomes, outcomes),
        *_few(atoms, sources, rules),
        *_dominance(held, own, sets, outcomes, rules),
        *_gaps_before(held.design.outcomes, before),
        *_bounds(held, own, rules),
        *_counts(held, sets, before, rules),
    ]


# ------------------------------------------------------------------------------ few households


def _few(atoms: Atoms, sources: Sequence[Source], rules: Rules) -> Iterator[Fault]:
    try:
        found = list(audit.told(atoms, sources, rules.min_households, rules.min_villages))
    except audit.TooLargeError as error:
        problem = f"a system of {error.size:,} sums and unknowns is too large to be audited"
        yield fault("min_households", problem, AGAIN)
        return
    if found:
        first = found[0]
        what = "a number" if first.period is None else f"a sum of {first.period}"
        problem = (
            f"{what} of fewer than {rules.min_households} households or {rules.min_villages}"
            f" villages follows from {first.sums} published sums ({len(found)} such)"
        )
        yield fault("min_households", problem, AGAIN, first.where)


# ---------------------------------------------------------------------------- dominance, bounds


@dataclass(frozen=True)
class _Own:
    """A release by itself: its atoms and what it publishes."""

    atoms: Atoms
    published: list[audit.Published]


def _own(held: Held) -> _Own:
    source = releases.source(held, held.design, "own")
    atoms = releases.atoms(held, [source], {"own": releases.labelled(held, held.design)})
    return _Own(atoms, audit.published(atoms, [source]))


def _sets(own: _Own) -> pl.DataFrame:
    """Return the sums of households that a release shows, and differences of nested ones.

    Returns
    -------
    polars.DataFrame
        set, group, pattern, base (null: a level), period.
    """
    patterns = own.atoms.frame["pattern"].to_list()
    levels: dict[tuple[str, int], set[frozenset[int]]] = {}
    kinds: dict[tuple[str, tuple[object, ...]], dict[int, frozenset[int]]] = {}
    for one in own.published:
        if one.period is not None and one.is_plain:
            there = frozenset(patterns[a] for a in one.of)
            levels.setdefault((one.group, one.period), set()).add(there)
            kinds.setdefault((one.group, one.kind), {})[one.period] = there
    rows: list[tuple[str, frozenset[int], int | None, int]] = []
    for (group, period), found in levels.items():
        nested = {a - b for a in found for b in found if b < a}
        rows += [(group, one, None, period) for one in found | nested]
    for (group, _), by in kinds.items():
        for s, t in combinations(sorted(by), 2):
            rows.append((group, by[s] | by[t], s, t))
    flat = [
        (number, group, pattern, base, period)
        for number, (group, there, base, period) in enumerate(dict.fromkeys(rows))
        for pattern in there
    ]
    kinds_of = {"set": pl.Int64, "group": pl.String, "pattern": pl.Int64}
    return pl.DataFrame(flat, {**kinds_of, "base": pl.Int32, "period": pl.Int32}, orient="row")


def _merged(sets: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Add a frame by group, pattern, base and period up over sets."""
    by = ["group", "pattern", "base", "period"]
    joined = sets.join(frame, on=by, how="inner", nulls_equal=True)
    names = [name for name in frame.columns if name not in by]
    tops = [name for name in names if name.startswith(("top_", "wtop_"))]
    grouped = joined.group_by("set", maintain_order=True)
    added = pl.col([name for name in names if name not in tops]).sum()
    return grouped.agg(pl.col("group", "base", "period").first(), added, pl.col(tops).max())


def in_reach(outcomes: Sequence[Outcome], per: str) -> list[int]:
    """Return the sums of sources that follow from outcomes, as bits of `sizes`.

    Examples
    --------
    The total and three sources tell the fourth.

    >>> [wage, business, prop, transfer, total] = [1, 2, 4, 8, 15]
    >>> known = [Outcome(name) for name in ("wage", "business", "property", "total")]
    >>> transfer in in_reach(known, "household"), transfer in in_reach(known[:1], "household")
    (True, False)
    """
    order = {1 << k: k for k in range(len(schemas.SOURCES))}

    def row(bits: int) -> dict[int, int]:
        return {one: 1 for one in order if bits & one}

    plain = [sizes.mask(o) for o in outcomes if o.is_of_sources and o.per == per]
    known = elimination.reduced(map(row, plain), order)
    return [
        bits
        for bits in range(1, sizes.ALL + 1)
        if len(elimination.reduced([*known, row(bits)], order)) == len(known)
    ]


def _values(held: Held, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the columns of `sizes` of every value that a sum can be had of."""
    for name, one in sizes.families(held.cells.design).items():
        for bits in in_reach(outcomes, one.per):
            yield f"{name}{bits}"
    for one in filter(sizes.is_sized, held.design.outcomes):
        yield one.name
        if one.is_gap:
            reach = sizes.mask(one) in in_reach(outcomes, one.per)
            yield from (name for name, below in sizes.sides(one).items() if below or reach)


def _dominance(
    held: Held, own: _Own, sets: pl.DataFrame, outcomes: Sequence[Outcome], rules: Rules
) -> Iterator[Fault]:
    assert held.cells.sizes is not None  # noqa: S101  # asked by `check`
    measured = releases.grouped(held.cells.sizes, releases.labelled(held, held.design))
    merged = _merged(sets, measured)
    level = pl.col("base").is_null()
    problems: dict[str, list[tuple[str, pl.DataFrame]]] = {}
    for value in _values(held, outcomes):
        any_of_it = pl.col(f"num_{value}")
        few = (any_of_it > 0) & (any_of_it < rules.min_households)
        problem = f"fewer than {rules.min_households} households have any of a sum or change"
        asked = [("dominance", problem, few)]
        for prefix in ("", "w")[: 1 + held.cells.weighted]:
            size, top = pl.col(f"{prefix}abs_{value}"), pl.col(f"{prefix}top_{value}")
            second = _second(size, top, pl.col(f"{prefix}sq_{value}"))
            two = top + second > rules.two_largest * size
            problem = f"two households make more than {rules.two_largest:.0%} of a sum or change"
            asked.append(("dominance", problem, (size > 0) & two))
            problem = f"the second largest tells the largest to within {rules.within:.0%}"
            asked.append(
                ("dominance", problem, (size > 0) & (size - top - second < rules.within * top))
            )
        if not rules.all_or_none:
            problem = "nobody has any of a sum"
            asked.append(("all_or_none", problem, level & (any_of_it == 0)))
        for rule, problem, wrong in asked:
            rows = merged.filter(wrong)
            if rows.height:
                problems.setdefault(f"{rule}: {problem}", []).append((value, rows))
    for name, hits in problems.items():
        rule, _, problem = name.partition(": ")
        count = sum(rows.height for _, rows in hits)
        value, rows = hits[0]
        where = " · ".join(str(x) for x in rows.select("group", "base", "period").row(0) if x)
        what = ", ".join(dict.fromkeys(_named(value) for value, _ in hits))
        yield fault(rule, f"{problem} ({count}: {what})", AGAIN, where)


def _gaps_before(outcomes: Sequence[Outcome], before: Sequence[Release]) -> Iterator[Fault]:
    """Yield earlier gaps of an income that follows only now: who is above was not measured."""
    own = {audit.definition(o) for o in outcomes}
    known = [o for old in before for o in old.design.outcomes]
    for gap in (o for o in known if o.is_gap and audit.definition(o) not in own):
        now, then = (in_reach(all_of, gap.per) for all_of in ((*known, *outcomes), known))
        if sizes.mask(gap) in set(now) - set(then):
            problem = f"{gap.name} was released, and who is above its line is not measured here"
            remedy = "declare that gap and its headcount too; it is audited again"
            yield fault("dominance", problem, remedy, gap.name)


def _second(size: pl.Expr, top: pl.Expr, squares: pl.Expr) -> pl.Expr:
    """Return a bound of the second largest, from the sum, the largest and the sum of squares."""
    return pl.min_horizontal(top, size - top, (squares - top**2).clip(0).sqrt())


def _named(value: str) -> str:
    """Return what a value of `sizes` is called.

    Examples
    --------
    >>> _named("household__5"), _named("household_2015_15"), _named("gap")
    ('wage + property', 'total', 'gap')
    """
    head, _, bits = value.rpartition("_")
    if not head.startswith(("household_", "head_")) or not bits.isdigit():
        return value
    if int(bits) == sizes.ALL:
        return "total"
    return " + ".join(s for k, s in enumerate(schemas.SOURCES) if int(bits) >> k & 1)


def _bounds(held: Held, own: _Own, rules: Rules) -> Iterator[Fault]:
    """Yield a fault if linear programming bounds a value of known sign for few households.

    Of other columns and of transforms the sign is not known here, and may be to a reader: their
    absolute values are asked.
    """
    assert held.cells.sizes is not None  # noqa: S101  # asked by `check`
    measured = releases.grouped(held.cells.sizes, releases.labelled(held, held.design))
    levels = measured.filter(pl.col("base").is_null())
    prefix = "wabs_" if held.cells.weighted else "abs_"
    signed = {
        o.name: f"{prefix}{sizes.family(o)}{sizes.mask(o)}" if o.is_of_sources else prefix + o.name
        for o in held.design.outcomes
        if sizes.is_sized(o) or (o.is_of_sources and o.source in schemas.NOT_NEGATIVE)
    }
    of = own.atoms.frame.select(group="own", pattern="pattern").with_row_index("atom")
    for outcome, column in signed.items():
        values = levels.join(of, on=["group", "pattern"]).select("atom", "period", column)
        known = {(a, t): float(x) for a, t, x in values.iter_rows()}
        systems: dict[tuple[str, int], list[audit.Published]] = {}
        for one in own.published:
            if one.period is not None:
                systems.setdefault((one.group, one.period), []).append(one)
        for (group, period), system in systems.items():
            there = {a: known.get((a, period), 0.0) for one in system for a in one.of}
            if any(audit.bounded(system, there, own.atoms, rules.min_households, rules.within)):
                problem = f"{outcome} is bounded to within {rules.within:.0%} for few households"
                yield fault("bounds", problem, AGAIN, f"{group} · {period}")
                return


# ------------------------------------------------------------------------------ counts below lines


def _counts(
    held: Held, sets: pl.DataFrame, before: Sequence[Release], rules: Rules
) -> Iterator[Fault]:
    """Yield what true counts, weighted or not, say of lines of this release and of all others."""
    lines = {audit.definition(o): o for o in counted(held.design.outcomes)}
    if not lines:
        return
    frame = releases.content(held).with_columns(pl.lit(None, pl.Int32).alias("base"))
    least = rules.min_households
    own = set(frame["group"])
    for old in before:
        for other in counted(old.design.outcomes):
            if all(scale(other) != scale(one) for one in lines.values()):
                continue
            if set(old.content["group"]) != own:
                problem = f"{old.name} counts who is below lines in other groups"
                yield fault("adjacent_lines", problem, "leave lines out; it is audited again")
                return
            # Also of the same name: a line may have another amount than it had.
            name = audit.definition(other)
            again = f"{name} of {old.name}"
            column = pl.col(f"c_{name}").alias(f"c_{again}")
            frame = frame.join(old.content.select(*releases.BY, column), on=releases.BY, how="left")
            lines[again] = other
    merged = _merged(sets.filter(pl.col("base").is_null()), frame)
    asked: list[tuple[str, str, pl.Expr]] = []
    for name, outcome in lines.items():
        below, above = pl.col(f"c_{name}"), pl.col("n") - pl.col(f"c_{name}")
        some = ((below > 0) & (below < least)) | ((above > 0) & (above < least))
        problem = f"fewer than {least} households are below, or above, {outcome.name}"
        asked.append(("headcount", problem, some))
        if not rules.all_or_none:
            problem = f"everyone or nobody is below {outcome.name}"
            asked.append(("all_or_none", problem, (below == 0) | (above == 0)))
    for (a, one), (b, other) in combinations(lines.items(), 2):
        if scale(one) == scale(other):
            between = (pl.col(f"c_{a}") - pl.col(f"c_{b}")).abs()
            problem = f"fewer than {least} households between {one.name} and {other.name}"
            asked.append(("adjacent_lines", problem, (between > 0) & (between < least)))
    for rule, problem, wrong in asked:
        rows = merged.filter(wrong)
        if rows.height:
            where = " · ".join(map(str, rows.select("group", "period").row(0)))
            remedy = "merge groups, or leave the line out; it is audited again"
            yield fault(rule, f"{problem} ({rows.height} groups)", remedy, where)


def of_tables(tables: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Yield the rule that tables break, whatever their numbers: second moments stay inside."""
    for name, frame in tables.items():
        inside = [column for column in frame.columns if column.startswith(SECOND)]
        if inside:
            problem = f"{name} has sums of squares or products"
            remedy = "leave them out: they stay with the cells"
            yield fault("second_moments", problem, remedy, ", ".join(inside[:3]))


def formulas(tables: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Yield labels that a spreadsheet would run: a pack is opened in one."""
    for frame in tables.values():
        for name in (name for name, kind in frame.schema.items() if kind == pl.String):
            series = frame.filter(printing.formulas(name))[name]
            if series.len():
                problem = "a label begins as a formula of a spreadsheet does"
                remedy = "recode it in the map of the survey"
                yield Fault("pack", problem, remedy, column=name, value=str(series[0]))


def keys(design: CellsDesign) -> list[str]:
    """Return the columns of a published group: no village, or whether anybody in it is treated."""
    return [name for name in design.keys if name != "village" or design.control_villages]
