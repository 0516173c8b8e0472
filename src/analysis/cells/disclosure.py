"""Disclosure control: stated rules on what a pack shows and on what can be subtracted from it.

Every rule is applied to each *group* of households whose sum a reader has or can get by
subtracting one published sum from another. Groups are unions of patterns (who is seen when), so
the differences are formed exactly, not guessed from counts. This is control by stated rules, not a
formal guarantee of privacy; the holder of the data checks before release. Second moments
(`analysis.cells.second`) are in no pack: a sum and a sum of squares tell incomes apart that a sum
does not, and no rule here bounds what they tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from typing import Final

import polars as pl

from analysis import printing
from analysis.cells.declaration import Rules
from analysis.cells.design import CellsDesign
from analysis.cells.handling import bits, comparisons
from analysis.cells.outcomes import Outcome
from analysis.cells.result import Cells
from analysis.faults import Fault

RULES: Final = {
    "min_households": "every group has at least so many households",
    "difference": "so has every difference of two groups, wherever it is not empty",
    "dominance": "no household makes more than a set share of a group's absolute values, weighted"
    " or not",
    "headcount": "the poor of a group, and the others, are none or enough",
    "all_or_none": "a group in which everyone or nobody is poor, or nobody has an income, is shown"
    " only if that was declared",
    "adjacent_lines": "the households between two lines are none or enough",
    "one_scale": "lines per person and amounts per household are not released for one income",
    "gap_needs_headcount": "a gap is released only with the headcount at its line",
    "presence": "inverse-count moments need enough households in every pattern of presence",
    "recentred_influence": "outcomes of recentred influence stay inside",
    "second_moments": "sums of squares and of products stay inside",
    "winsorised": "winsorised outcomes stay inside: the cut may be what one household has",
    "villages": "an estimate with a published variance has enough villages in each arm",
    "one_handling": "all releases treat unbalanced panels in one way",
    "adjacent_releases": "rules on differences hold between releases too",
    "one_division": "two releases divide households and villages in one way, or each part of the"
    " joint division is large enough",
}
"""Every rule by its name; `tests/cells/test_attacks.py` runs the attack that each prevents."""


SECOND: Final = ("ss_", "wss_", "zs_", "zz_", "zsum_")
"""How columns of second moments begin."""


@dataclass(frozen=True)
class Broken:
    """A rule that some groups break: what is wrong, what to do, the first group, how many."""

    rule: str
    problem: str
    remedy: str
    where: str
    groups: int


def fault(rule: str, problem: str, remedy: str, where: str = "") -> Fault:
    """Return the refusal by a rule."""
    return Fault("pack", f"rule {rule}: {problem}", remedy, column=rule, value=where)


def check(cells: Cells, rules: Rules) -> list[Fault]:
    """Return what stands against publishing the totals of cells; nothing if all rules hold.

    Parameters
    ----------
    cells : Cells
        Built with ``disclosure=True``.
    rules : Rules
        How strict to be.
    """
    if cells.risk is None:
        remedy = "build the cells from the estimands file, or with disclosure=True"
        return [
            fault("dominance", "the cells do not say how large the largest household is", remedy)
        ]
    broken: dict[tuple[str, str], Broken] = {}
    for rule, frame in groups(cells):
        for one in of_groups(rule, frame, cells.design, rules):
            same = broken.get((one.rule, one.problem))
            count = one.groups + (same.groups if same else 0)
            broken[one.rule, one.problem] = replace(same or one, groups=count)
    return [
        *of_outcomes(cells.design.outcomes),
        *(
            fault(b.rule, f"{b.problem} ({b.groups} groups)", b.remedy, b.where)
            for b in broken.values()
        ),
    ]


def of_tables(tables: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Yield the rule that tables break, whatever their numbers: second moments stay inside."""
    for name, frame in tables.items():
        inside = [column for column in frame.columns if column.startswith(SECOND)]
        if inside:
            yield fault(
                "second_moments",
                f"{name} has sums of squares or products",
                "leave them out: they stay with the cells",
                ", ".join(inside[:3]),
            )


def formulas(tables: Mapping[str, pl.DataFrame]) -> Iterator[Fault]:
    """Yield labels that a spreadsheet would run: a pack is opened in one."""
    for frame in tables.values():
        for name in (name for name, kind in frame.schema.items() if kind == pl.String):
            found = frame.filter(printing.formulas(name))[name]
            if found.len():
                problem = "a label begins as a formula of a spreadsheet does"
                remedy = "recode it in the map of the survey"
                yield Fault("pack", problem, remedy, column=name, value=str(found[0]))


def keys(design: CellsDesign) -> list[str]:
    """Return the columns that a published group has: no village, or a declared group of them."""
    grouped = design.village_groups or design.control_villages
    return [name for name in design.keys if name != "village" or grouped]


def by_pattern(cells: Cells) -> pl.DataFrame:
    """Add the cells up over villages, patterns still apart."""
    assert cells.risk is not None  # noqa: S101  # asked before
    return _merge(cells.risk, [*keys(cells.design), "pattern", "period"])


def _merge(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    tops = [name for name in frame.columns if name.startswith(("top_", "wtop_"))]
    added = ("sum_", "wsum_", "abs_", "wabs_")
    sums = ["n", "weight", *(name for name in frame.columns if name.startswith(added))]
    grouped = frame.group_by(by, maintain_order=True)
    return grouped.agg(pl.col(sums).sum(), pl.col(tops).max()).sort(by)


def groups(cells: Cells) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the groups of households whose sums a reader has or can get, with the rule that asks.

    Yields
    ------
    rule : str
        ``min_households``, ``difference`` or ``presence``.
    frame : polars.DataFrame
        keys, period, n, weight, sums, Σ|x|, max |x|.
    """
    design, bit = cells.design, bits(cells.periods)
    parts, by = by_pattern(cells), [*keys(cells.design), "period"]
    if design.handling != "pairs":
        yield "min_households", _merge(parts, by)
    if design.handling == "cross_sections":
        # Only counted, not added up: who was ever seen, and not in this period.
        for own in bit.values():
            yield "difference", _count(parts, design, (pl.col("pattern") & own) == 0)
    if design.handling == "pairs":
        yield from _of_pairs(cells, parts, by)
    if design.inverse and design.handling != "balanced":
        yield "presence", parts


def _of_pairs(
    cells: Cells, parts: pl.DataFrame, by: list[str]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each pair of periods, and what one pair lacks of another in the same period."""
    bit = bits(cells.periods)
    partners: dict[int, set[int]] = {period: set() for period in cells.periods}
    cohorts = tuple(sorted({c for name in by if name.startswith("cohort") for c in parts[name]}))
    for base, period in comparisons(cohorts, cells.periods, cells.design.anticipation):
        partners[base].add(period)
        partners[period].add(base)
        both = bit[base] | bit[period]
        yield "difference", _count(parts, cells.design, (pl.col("pattern") & both) != both)
    for period, others in partners.items():
        here = parts.filter(pl.col("period") == period)
        seen = {other: (pl.col("pattern") & bit[other]) != 0 for other in sorted(others)}
        for inside in seen.values():
            yield "min_households", _merge(here.filter(inside), by)
            yield "difference", _merge(here.filter(~inside), by)
        for one, other in permutations(seen.values(), 2):
            yield "difference", _merge(here.filter(one, ~other), by)


def _count(parts: pl.DataFrame, design: CellsDesign, where: pl.Expr) -> pl.DataFrame:
    """Count the households of some patterns, each once."""
    once = parts.filter(where).unique([*keys(design), "pattern"], keep="first")
    return once.group_by(keys(design)).agg(pl.col("n").sum(), pl.lit(0).alias("period"))


def of_groups(
    rule: str, frame: pl.DataFrame, design: CellsDesign, rules: Rules
) -> Iterator[Broken]:
    """Yield the rules that some group breaks, each rule and outcome once."""
    least = rules.min_households
    few = pl.col("n") < least
    yield from _if_any(
        frame,
        few,
        design,
        rule,
        f"fewer than {least} households",
        "merge strata or cohorts, or use fewer periods",
    )
    for outcome in design.outcomes:
        if f"sum_{outcome.name}" not in frame.columns:
            continue
        if outcome.is_amount:
            yield from _money(frame, outcome, design, rules)
        elif outcome.is_count:
            yield from _headcount(frame, outcome, design, rules)
    for one, other in combinations(nested(design), 2):
        if family(one) != family(other) or f"sum_{one.name}" not in frame.columns:
            continue
        between = (pl.col(f"sum_{one.name}") - pl.col(f"sum_{other.name}")).abs()
        yield from _if_any(
            frame,
            (between > 0) & (between < least),
            design,
            "adjacent_lines",
            f"fewer than {least} households between {one.name} and {other.name}",
            "declare lines further apart",
        )


def _money(
    frame: pl.DataFrame, outcome: Outcome, design: CellsDesign, rules: Rules
) -> Iterator[Broken]:
    for prefix in ("", "w"):
        if f"{prefix}abs_{outcome.name}" not in frame.columns:
            continue
        size, top = pl.col(f"{prefix}abs_{outcome.name}"), pl.col(f"{prefix}top_{outcome.name}")
        yield from _if_any(
            frame,
            (size > 0) & (top > rules.largest_share * size),
            design,
            "dominance",
            f"one household makes more than {rules.largest_share:.0%} of {outcome.name}",
            "merge strata or cohorts, or leave the outcome out",
        )
    if not rules.all_or_none:
        yield from _if_any(
            frame,
            pl.col(f"abs_{outcome.name}") == 0,
            design,
            "all_or_none",
            f"{outcome.name} is zero for every household",
            "declare all_or_none, or merge groups",
        )


def _headcount(
    frame: pl.DataFrame, outcome: Outcome, design: CellsDesign, rules: Rules
) -> Iterator[Broken]:
    least, below = rules.min_households, pl.col(f"sum_{outcome.name}")
    above = pl.col("n") - below
    some = ((below > 0) & (below < least)) | ((above > 0) & (above < least))
    yield from _if_any(
        frame,
        some,
        design,
        "headcount",
        f"fewer than {least} households are below, or above, {outcome.name}",
        "merge groups, or leave the line out",
    )
    if not rules.all_or_none:
        yield from _if_any(
            frame,
            (below == 0) | (above == 0),
            design,
            "all_or_none",
            f"everyone or nobody is below {outcome.name}",
            "declare all_or_none, or merge groups",
        )


def _if_any(
    frame: pl.DataFrame, wrong: pl.Expr, design: CellsDesign, rule: str, problem: str, remedy: str
) -> Iterator[Broken]:
    """Yield the rule with the first group that breaks it, if there is one."""
    found = frame.filter(wrong)
    if found.height:
        first = found.select(*keys(design), "period").row(0)
        yield Broken(rule, problem, remedy, " · ".join(map(str, first)), found.height)


def nested(design: CellsDesign) -> list[Outcome]:
    """Return the outcomes that count who is below a line."""
    return [
        o for o in design.outcomes if o.transform and o.transform.kind in ("headcount", "threshold")
    ]


def family(outcome: Outcome) -> tuple[str, str]:
    """Return income and scale of a line: only lines of one family are nested in each other."""
    assert outcome.transform is not None  # noqa: S101  # asked of `_nested` only
    person = outcome.transform.kind == "headcount" or outcome.per == "head"
    return str(outcome.source), "person" if person else "household"


def of_outcomes(outcomes: tuple[Outcome, ...]) -> Iterator[Fault]:
    """Yield the rules that the choice of outcomes breaks, whatever the data."""
    lines = [o for o in outcomes if o.transform and o.transform.kind in ("headcount", "threshold")]
    for source in sorted({str(o.source) for o in lines}):
        scales = {family(o)[1] for o in lines if o.source == source}
        if len(scales) > 1:
            yield fault(
                "one_scale",
                f"{source} has lines per person and amounts per household",
                "keep one of the two",
                source,
            )
    for outcome in outcomes:
        made = outcome.transform
        if outcome.is_approximate:
            yield fault(
                "recentred_influence",
                f"the sum of {outcome.name} and the reference tell"
                " how many are below a quantile, or what they have",
                "leave it out: declare thresholds",
                outcome.name,
            )
        if made is not None and made.kind == "winsorised":
            yield fault(
                "winsorised",
                f"{outcome.name} is cut at quantiles, each of which may be one household's value",
                "leave it out: declare the amount, its logarithm or its inverse hyperbolic sine",
                outcome.name,
            )
        if made is None or made.kind not in ("gap", "squared_gap"):
            continue
        twin = [
            o
            for o in lines
            if o.transform
            and o.source == outcome.source
            and o.transform.kind == "headcount"
            and (o.transform.line, o.transform.fen) == (made.line, made.fen)
        ]
        if not twin:
            yield fault(
                "gap_needs_headcount",
                f"{outcome.name} has no headcount at its line",
                "declare that headcount too",
                outcome.name,
            )
