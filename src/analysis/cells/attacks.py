"""Every attack of the disclosure rules, run on a pack as its receiver has it.

`analysis.cells.disclosure` refuses a pack before it is written, from cells. Here the same rules are
asked of the published folder alone: what could be subtracted from what, and what is the smallest
group that comes out. Where only the cells can tell, it says so; with cells the pack is made again
and every refusal counts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final, Literal

import polars as pl

from analysis.cells import declaration, disclosure, releases
from analysis.cells import pack as packs
from analysis.cells.pack import Pack
from analysis.cells.releases import Release
from analysis.cells.result import Cells
from analysis.faults import Fault, FaultsError, raise_if_any

State = Literal["holds", "breaks", "not told"]
NOT_TOLD: Final = "only the cells tell; analysis attack --cells asks them"
NO_LOG: Final = "no log of releases was named; analysis attack --log asks it"
OF_RELEASES: Final = ("one_handling", "adjacent_releases", "one_division")


@dataclass(frozen=True)
class Attack:
    """One rule, attacked.

    Attributes
    ----------
    rule : str
        A key of `analysis.cells.disclosure.RULES`.
    state : {"holds", "breaks", "not told"}
        ``not told``: the pack alone cannot say.
    found : str
        What the attack got.
    """

    rule: str
    state: State
    found: str


def run(
    pack: Pack,
    log: Sequence[Release] | None = None,
    cells: Cells | None = None,
    villages: pl.DataFrame | None = None,
) -> tuple[Attack, ...]:
    """Run every attack on a pack.

    Parameters
    ----------
    pack : Pack
        As read from its folder.
    log : sequence of Release, optional
        What was released; the pack itself may be in it. Left out, attacks by subtracting releases
        are not told.
    cells : Cells, optional
        The cells it was made from, at the data holder's: then nothing is left untold.
    villages : polars.DataFrame, optional
        village, county: where the design has groups of villages, and cells are given.

    Returns
    -------
    tuple of Attack
        One for each rule, in the order of `analysis.cells.disclosure.RULES`.

    Raises
    ------
    FaultsError
        If the pack does not follow from the cells.
    """
    found = {rule: attack(pack) for rule, attack in ATTACKS.items()}
    for rule in OF_RELEASES:
        found[rule] = _of_releases(rule, pack, log)
    if cells is not None:
        found |= _of_cells(pack, cells, villages, found)
    return tuple(found[rule] for rule in disclosure.RULES)


def frame(attacks: Sequence[Attack]) -> pl.DataFrame:
    """Return attacks as a table: rule, meaning, state, found."""
    rows = [(a.rule, disclosure.RULES[a.rule], a.state, a.found) for a in attacks]
    return pl.DataFrame(rows, ["rule", "meaning", "state", "found"], orient="row")


def groups(pack: Pack) -> pl.DataFrame:
    """Return every group of households whose sums a pack shows.

    Returns
    -------
    polars.DataFrame
        keys, periods (of a pair the two), period (the one its sums are of), n, ``x_…``: the sums.
    """
    by = disclosure.keys(pack.design)
    prefix = "wsum_" if pack.weighted else "sum_"
    names = [outcome.name for outcome in pack.design.outcomes]
    if pack.design.handling != "pairs":
        sums = [pl.col(f"{prefix}{name}").alias(f"x_{name}") for name in names]
        shown = pack.tables["totals"].with_columns(
            pl.col("period").cast(pl.String).alias("periods")
        )
        return shown.select(*by, "periods", "period", "n", *sums)
    pairs = pack.tables["pairs"].with_columns(
        pl.format("{}–{}", pl.col("base"), pl.col("period")).alias("periods")
    )
    sides = [
        pairs.select(
            *by,
            "periods",
            pl.col(side).alias("period"),
            "n",
            *(pl.col(f"{prefix}{name}_{side}").alias(f"x_{name}") for name in names),
        )
        for side in ("base", "period")
    ]
    return pl.concat(sides)


# -------------------------------------------------------------------------- attacks on one pack


def _least(rule: str, what: str, smallest: object, least: int) -> Attack:
    """Return whether the smallest number that came out is none or enough."""
    if not isinstance(smallest, int):
        return Attack(rule, "holds", f"{what}: none comes out")
    state: State = "holds" if smallest >= least else "breaks"
    return Attack(rule, state, f"{what}: {smallest:,}, at least {least} asked")


def _min_households(pack: Pack) -> Attack:
    counts = [groups(pack)["n"], pack.tables["ever"]["n_ever"]]
    if "untreated" in pack.tables and "n" in pack.tables["untreated"].columns:
        counts.append(pack.tables["untreated"]["n"])
    shown = pl.concat([one.cast(pl.Int64) for one in counts])
    smallest = shown.filter(shown > 0).min()
    return _least("min_households", "smallest group", smallest, pack.rules.min_households)


def _difference(pack: Pack) -> Attack:
    """Subtract counts of one group of a pack from each other.

    The difference of counts is the difference of sets only where one set is inside the other: a
    household seen in a period is seen at some time. Of two pairs neither need be inside the other.
    """
    rule, least = "difference", pack.rules.min_households
    by = disclosure.keys(pack.design)
    shown = groups(pack).join(pack.tables["ever"].select(*by, "n_ever"), on=by, how="left")
    outside = (shown["n_ever"] - shown["n"]).abs()
    left = outside.filter(outside > 0).min()
    if isinstance(left, int) and left < least:
        return Attack(rule, "breaks", f"seen at some time, and not in one period: {left:,}")
    if pack.design.handling == "pairs":
        sides = shown.select(*by, "period", "periods", "n")
        both = sides.join(sides, on=[*by, "period"], suffix="_other")
        apart = (
            both.filter(pl.col("n") != pl.col("n_other"))
            .select((pl.col("n") - pl.col("n_other")).abs().min())
            .item()
        )
        if apart is not None and apart < least:
            said = f"two pairs with a period in common differ by {apart:,}; {NOT_TOLD}"
            return Attack(rule, "not told", said)
    return _least(rule, "smallest difference of two counts", left, least)


def _headcount(pack: Pack) -> Attack:
    rule, least = "headcount", pack.rules.min_households
    lines = disclosure.nested(pack.design)
    if not lines:
        return Attack(rule, "holds", "no outcome counts who is below a line")
    if pack.weighted:
        return Attack(rule, "not told", f"sums are weighted; {NOT_TOLD}")
    shown, smallest = groups(pack), []
    for one in lines:
        below = shown[f"x_{one.name}"].cast(pl.Int64)
        for side in (below, shown["n"].cast(pl.Int64) - below):
            smallest += side.filter(side > 0).to_list()
    return _least(rule, "smallest number below or above a line", min(smallest, default=None), least)


def _all_or_none(pack: Pack) -> Attack:
    rule = "all_or_none"
    if pack.rules.all_or_none:
        return Attack(rule, "holds", "it was declared that such groups are shown")
    shown = groups(pack)
    told = [
        one.name
        for one in pack.design.outcomes
        if one.is_count
        and not pack.weighted
        and shown.filter(
            (pl.col(f"x_{one.name}") == 0) | (pl.col(f"x_{one.name}") == pl.col("n"))
        ).height
    ]
    # Losses can make the sum of some nothing too: then it is a chance, and still refused.
    told += [
        one.name
        for one in pack.design.outcomes
        if one.is_amount and shown.filter(pl.col(f"x_{one.name}") == 0).height
    ]
    if told:
        return Attack(rule, "breaks", f"everyone or nobody in a group: {', '.join(told)}")
    return Attack(rule, "holds", "in no group everyone or nobody")


def _adjacent_lines(pack: Pack) -> Attack:
    rule, least = "adjacent_lines", pack.rules.min_households
    shown, smallest = groups(pack), []
    for one, other in combinations(disclosure.nested(pack.design), 2):
        if disclosure.family(one) == disclosure.family(other):
            between = (shown[f"x_{one.name}"] - shown[f"x_{other.name}"]).abs()
            smallest += between.filter(between > 0).to_list()
    if smallest and pack.weighted:
        return Attack(rule, "not told", f"sums are weighted; {NOT_TOLD}")
    return _least(
        rule, "smallest number between two lines", int(min(smallest)) if smallest else None, least
    )


def _of_design(rule: str) -> Callable[[Pack], Attack]:
    """Return the attack on a choice of outcomes, whatever the numbers."""

    def attack(pack: Pack) -> Attack:
        broken = [f for f in disclosure.of_outcomes(pack.design.outcomes) if f.column == rule]
        if broken:
            return Attack(rule, "breaks", broken[0].problem.partition(": ")[2])
        return Attack(rule, "holds", "no such choice of outcomes")

    return attack


def _second_moments(pack: Pack) -> Attack:
    broken = list(disclosure.of_tables(pack.tables))
    if broken:
        return Attack("second_moments", "breaks", broken[0].value)
    return Attack("second_moments", "holds", "no column of squares or products")


def _villages(pack: Pack) -> Attack:
    points = pack.covariance.points if pack.covariance else ()
    fewest = [min(p.n_villages_treated, p.n_villages_control) for p in points]
    return _least(
        "villages", "fewest villages in an arm", min(fewest, default=None), pack.rules.min_villages
    )


def _presence(pack: Pack) -> Attack:
    if not pack.design.inverse or pack.design.handling == "balanced":
        return Attack("presence", "holds", "one pattern of presence, or no such moments")
    return Attack("presence", "not told", NOT_TOLD)


def _dominance(pack: Pack) -> Attack:
    if not any(outcome.is_amount for outcome in pack.design.outcomes):
        return Attack("dominance", "holds", "no outcome is an amount")
    return Attack("dominance", "not told", f"a sum does not show its largest part; {NOT_TOLD}")


ATTACKS: Final[Mapping[str, Callable[[Pack], Attack]]] = {
    "min_households": _min_households,
    "difference": _difference,
    "dominance": _dominance,
    "headcount": _headcount,
    "all_or_none": _all_or_none,
    "adjacent_lines": _adjacent_lines,
    "one_scale": _of_design("one_scale"),
    "gap_needs_headcount": _of_design("gap_needs_headcount"),
    "presence": _presence,
    "recentred_influence": _of_design("recentred_influence"),
    "second_moments": _second_moments,
    "winsorised": _of_design("winsorised"),
    "villages": _villages,
}
"""The attack on each rule that a pack alone can be asked about."""


# --------------------------------------------------------------------------- with other sources


def _of_releases(rule: str, pack: Pack, log: Sequence[Release] | None) -> Attack:
    """Subtract the releases before a pack from it."""
    if log is None:
        return Attack(rule, "not told", NO_LOG)
    others = [release for release in log if release.digest != pack.digest]
    broken = [
        fault
        for fault in releases.check(packs.release_of(pack), others, pack.rules)
        if fault.column == rule
    ]
    if broken:
        return Attack(rule, "breaks", broken[0].problem.partition(": ")[2])
    return Attack(rule, "holds", f"{len(others)} other releases in the log")


def _of_cells(
    pack: Pack, cells: Cells, villages: pl.DataFrame | None, found: Mapping[str, Attack]
) -> dict[str, Attack]:
    """Make the pack again from its cells; a rule that refuses is one that the pack breaks."""
    text = pack.declaration
    declared = declaration.parse(tomllib.loads(text), text, "estimands.toml")
    told: dict[str, Attack] = {}
    try:
        made = packs.make(
            cells,
            declared,
            log=Path("no log"),
            villages=villages,
            min_households=pack.rules.min_households,
        )
    except FaultsError as error:
        raise_if_any(fault for fault in error.faults if fault.column not in disclosure.RULES)
        for fault in error.faults:
            told[fault.column] = Attack(fault.column, "breaks", fault.problem.partition(": ")[2])
    else:
        raise_if_any(_other_tables(pack, made))
    asked = {
        rule: Attack(rule, "holds", "asked of the cells")
        for rule, attack in found.items()
        if attack.state == "not told" and rule not in OF_RELEASES
    }
    return asked | told


def _other_tables(pack: Pack, made: Pack) -> Iterator[Fault]:
    """Yield the fault that a pack does not follow from the cells."""
    same = made.tables.keys() == pack.tables.keys()
    if not same or any(not frame.equals(pack.tables[name]) for name, frame in made.tables.items()):
        remedy = "name the cells that the pack was made from"
        yield Fault("pack", "its tables do not follow from these cells", remedy)
