"""One audit by rank: what follows from everything that was ever published of a panel.

An *atom* is all households that stand in the same published groups of every release and are seen
in the same periods: no sum tells them apart. Each release publishes sums over atoms, of outcomes
that are sums of sources; stacked, they are a system of linear equations whose unknowns are the
sources of income (or gaps, or counts) of each atom in each period. Exact elimination says which
combinations of few households follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl

from analysis.cells import elimination
from analysis.cells.design import CellsDesign
from analysis.cells.handling import bits, comparisons
from analysis.cells.outcomes import Outcome
from analysis.cells.parameters import parameters

COUNT: Final = "households"
INCOME: Final = "income"
"""The one unknown of an atom in a period where a single release is looked at: all its outcomes are
sums over the same groups."""
MOST_BOUNDED: Final = 64
"""Unknowns of a system up to which bounds are looked for."""
Sum = tuple[tuple[Any, ...], tuple[int, ...], Callable[[int], Fraction | int]]


@dataclass(frozen=True)
class Source:
    """What one release publishes, as far as the audit asks.

    Attributes
    ----------
    design : CellsDesign
        Of its cells.
    periods : tuple of int
        Periods with income.
    label : str
        Column of the atoms that holds its groups.
    cohorts : tuple of str
        Columns of the atoms that hold its cohorts.
    """

    design: CellsDesign
    periods: tuple[int, ...]
    label: str
    cohorts: tuple[str, ...]


@dataclass(frozen=True)
class Atoms:
    """The atoms of all releases: n rows.

    Attributes
    ----------
    frame : polars.DataFrame
        A column of groups for each release, pattern, cohort and, with two programmes, cohort_2.
    households : list of int, length n
    villages : list of frozenset of str, length n
        The villages that an atom has households in.
    """

    frame: pl.DataFrame
    households: list[int]
    villages: list[frozenset[str]]

    def few(self, atoms: frozenset[int], households: int, villages: int) -> bool:
        """Whether some atoms have too few households or villages."""
        if sum(self.households[a] for a in atoms) < households:
            return True
        return len(frozenset().union(*(self.villages[a] for a in atoms))) < villages


@dataclass(frozen=True)
class Published:
    """A sum that was published.

    Attributes
    ----------
    release : int
        Which release.
    group : str
        Its group.
    kind : tuple
        Table and, where it has them, its periods.
    period : int or None
        Of the amounts; None for a count of households.
    of : mapping of int to Fraction
        How often each atom counts.
    """

    release: int
    group: str
    kind: tuple[Any, ...]
    period: int | None
    of: Mapping[int, Fraction | int]

    @property
    def is_plain(self) -> bool:
        """Whether each atom counts once or not at all."""
        return set(self.of.values()) == {1}


def outcome_parts(outcome: Outcome) -> dict[Any, int]:
    """Return the unknowns that an outcome adds up: real and nominal are one, names do not count.

    Incomes add up from their sources. What else an outcome is made of is not known: it is its own
    unknown. That consumption holds food is caught by the numbers of households, see `told`.

    Examples
    --------
    >>> sorted(outcome_parts(Outcome("all", source="total", real=2015)))[:2]
    [('household', 'business'), ('household', 'property')]
    """
    if outcome.is_of_sources:
        return {(outcome.per, name): 1 for name in outcome.columns}
    return {definition(outcome): 1}


def definition(outcome: Outcome) -> str:
    """Return what an outcome is, whatever its name."""
    made = outcome.transform
    how = "" if made is None else made.line or made.fen or " ".join(map(str, made.shares))
    kind = "" if made is None else made.kind
    return " ".join(f"{outcome.source} {outcome.per} {outcome.real or ''} {kind} {how}".split())


def sums(
    design: CellsDesign, periods: tuple[int, ...], cohorts: tuple[int, ...], own: Sequence[int]
) -> Iterator[Sum]:
    """Yield every sum of a group: kind, the periods of its amounts, how a pattern counts in it."""
    bit = bits(periods)

    def seen(wanted: int) -> Callable[[int], int]:
        return lambda pattern: int(pattern & wanted == wanted)

    yield ("ever",), (), lambda _: 1
    if design.handling != "pairs":
        for t in periods:
            yield ("totals",), (t,), seen(bit[t])
    else:
        for base, t in comparisons(cohorts, periods, design.anticipation):
            yield ("pair", base, t), (base, t), seen(bit[base] | bit[t])
    early = [g - design.anticipation if g else periods[-1] + 1 for g in own]
    free = sum(bit[t] for t in periods if all(t < first for first in early))
    for omega in design.inverse:
        inside = free if omega == "untreated" else sum(bit.values())
        for s in periods:
            for t in periods:
                yield (omega, t), (s,), _share(inside, bit[s], bit[t])
    if "untreated" in design.inverse:
        for t in periods:
            yield ("untreated",), (t,), _both(bit[t], free)


def _both(one: int, other: int) -> Callable[[int], int]:
    return lambda pattern: int(bool(pattern & one and pattern & other))


def _share(inside: int, s: int, t: int) -> Callable[[int], Fraction]:
    """Return how a pattern counts in an inverse-count moment: 1 over its periods inside."""

    def count(pattern: int) -> Fraction:
        there = pattern & inside
        return Fraction(int(bool(there & s and pattern & t)), max(there.bit_count(), 1))

    return count


def cohorts_of(atoms: Atoms, source: Source) -> tuple[int, ...]:
    """Return the cohorts that a release tells apart, ascending."""
    return tuple(sorted({int(c) for name in source.cohorts for c in atoms.frame[name]}))


def published(atoms: Atoms, sources: Sequence[Source]) -> list[Published]:
    """Return every sum that the releases publish, over atoms."""
    found = []
    frame = atoms.frame.with_row_index("atom")
    for number, source in enumerate(sources):
        cohorts = cohorts_of(atoms, source)
        for (group,), part in frame.group_by(source.label, maintain_order=True):
            patterns = dict(zip(part["atom"].to_list(), part["pattern"].to_list(), strict=True))
            treated = [int(part[name][0]) for name in source.cohorts]
            for kind, periods, count in sums(source.design, source.periods, cohorts, treated):
                of = {atom: x for atom, p in patterns.items() if (x := count(p))}
                if of:
                    for period in (None, *periods):
                        found.append(Published(number, str(group), kind, period, of))
    return found


def parts(atoms: Atoms, sources: Sequence[Source]) -> list[list[int]]:
    """Return the atoms in parts such that no sum of any release joins two of them."""
    from scipy.sparse import coo_array  # type: ignore[import-untyped]  # slow to import
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    n, edges = atoms.frame.height, []
    for source in sources:
        codes = atoms.frame[source.label].rank("dense").to_numpy().astype(int)
        first = np.zeros(codes.max() + 1, int)
        first[codes[::-1]] = np.arange(n)[::-1]
        edges.append(first[codes])
    ends = np.concatenate(edges)
    starts = np.tile(np.arange(n), len(edges))
    graph = coo_array((np.ones(ends.size), (starts, ends)), shape=(n, n))
    _, number = connected_components(graph, directed=False)
    return [np.flatnonzero(number == k).tolist() for k in range(number.max() + 1)]


@dataclass(frozen=True)
class Found:
    """Few households whose sum follows from what is published.

    Attributes
    ----------
    where : str
        A group that they are of.
    period : int or None
        None: their number.
    atoms : frozenset of int
    sums : int
        Published sums that it follows from.
    """

    where: str
    period: int | None
    atoms: frozenset[int]
    sums: int


class TooLargeError(Exception):
    """A system of more sums and unknowns than are eliminated exactly.

    Attributes
    ----------
    size : int
        Sums and unknowns.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} sums and unknowns")
        self.size = size


def told(
    atoms: Atoms, sources: Sequence[Source], households: int, villages: int
) -> Iterator[Found]:
    """Yield what the releases together tell of few households, or of few villages.

    Targets are every atom, every two atoms, every village and every difference of two published
    sums, and whatever lies in the smallest atoms alone. Numbers of households are one
    unknown for all outcomes: what follows from outcomes that add up in a way not known here is of
    households whose number follows too.

    Raises
    ------
    TooLargeError
        If a system is larger than `parameters` allow.
    """
    everything = published(atoms, sources)
    by_period: dict[int | None, dict[int, list[Published]]] = {}
    part_of = {a: k for k, part in enumerate(parts(atoms, sources)) for a in part}
    for one in everything:
        place = by_period.setdefault(one.period, {})
        place.setdefault(part_of[next(iter(one.of))], []).append(one)
    yield from _accounts(atoms, sources, by_period[None], households, villages)
    for period, systems in by_period.items():
        for system in systems.values():
            rows = list(_rows(system, sources if len(sources) > 1 else (), period))
            seen = set()
            for columns in _small(rows, atoms):
                support = frozenset(column[0] for column in columns)
                if support not in seen and atoms.few(support, households, villages):
                    yield Found(system[0].group, period, support, len(system))
                seen.add(support)


def accounts(
    design: CellsDesign, periods: tuple[int, ...], cohorts: tuple[int, ...]
) -> Iterator[Callable[[int], int]]:
    """Yield how often a pattern counts in the rows that a pack says it used, and left out.

    Only pairs of periods: otherwise these numbers are those of groups, added up.
    """
    if design.handling == "pairs":
        bit = bits(periods)
        compared = comparisons(cohorts, periods, design.anticipation)
        there = {t: [bit[a] | bit[b] for a, b in compared if t in (a, b)] for t in periods}

        def used(pattern: int) -> int:
            return sum(any(pattern & both == both for both in there[t]) for t in periods)

        yield used
        yield lambda pattern: pattern.bit_count() - used(pattern)


def _accounts(
    atoms: Atoms,
    sources: Sequence[Source],
    systems: Mapping[int, Sequence[Published]],
    households: int,
    villages: int,
) -> Iterator[Found]:
    """Yield what numbers of rows over all groups tell beyond the numbers of every group."""
    pattern, rows = atoms.frame["pattern"].to_list(), []
    for source in sources:
        cohorts = cohorts_of(atoms, source)
        for count in accounts(source.design, source.periods, cohorts):
            rows.append({(a, COUNT): count(p) for a, p in enumerate(pattern)})
    if not rows:
        return
    order = {(a, COUNT): a for a in range(len(pattern))}
    known = [elimination.reduced(_rows(one, (), None), order) for one in systems.values()]
    pivots = {min(row, key=order.__getitem__): row for part in known for row in part}
    left = elimination.reduced([elimination.remainder(row, pivots) for row in rows], order)
    for columns in elimination.supports(left, order):
        support = frozenset(column[0] for column in columns)
        if atoms.few(support, households, villages):
            yield Found("all groups", None, support, len(rows))


def _rows(
    system: Sequence[Published], sources: Sequence[Source], period: int | None
) -> Iterator[elimination.Row]:
    """Yield the sums of a system as rows over (atom, unknown)."""
    done = set()
    for one in system:
        vectors: list[dict[Any, int]] = [{COUNT if period is None else INCOME: 1}]
        if sources and period is not None:
            vectors = [outcome_parts(o) for o in sources[one.release].design.outcomes]
        for vector in vectors:
            row = elimination.whole(
                {(a, v): x * y for a, x in one.of.items() for v, y in vector.items()}
            )
            key = frozenset(row.items())
            if key not in done:
                done.add(key)
                yield row


def _small(rows: list[elimination.Row], atoms: Atoms) -> Iterator[frozenset[Any]]:
    """Yield the unknowns of combinations of few of them."""
    columns = {column for row in rows for column in row}
    if len(rows) + len(columns) > parameters().largest_system:
        raise TooLargeError(len(rows) + len(columns))
    ranked = sorted(columns, key=lambda c: (-atoms.households[c[0]], str(c)))
    order = {column: place for place, column in enumerate(ranked)}
    yield from elimination.supports(elimination.reduced(rows, order), order)
    for one, other in combinations(rows, 2):
        left = frozenset(c for c in {*one, *other} if one.get(c, 0) != other.get(c, 0))
        if left:
            yield left
    alone = {next(iter(atoms.villages[c[0]])) for c in columns if len(atoms.villages[c[0]]) == 1}
    for village in sorted(alone):
        own = {c for c in columns if atoms.villages[c[0]] == {village}}
        last = {c: place + len(order) * (c in own) for c, place in order.items()}
        for row in elimination.reduced(rows, last):
            if set(row) <= own:
                yield frozenset(row)


def bounded(
    system: Sequence[Published],
    values: Mapping[int, float],
    atoms: Atoms,
    households: int,
    within: float,
) -> Iterator[int]:
    """Yield atoms of few households that values of known sign are bounded closely for.

    Parameters
    ----------
    system : sequence of Published
        Sums of one part in one period.
    values : mapping of int to float
        The true sum of each atom, none below zero.
    households : int
        Atoms with fewer are looked at.
    within : float
        How closely, as a share of the value, nobody may know it.
    """
    from scipy.optimize import linprog  # type: ignore[import-untyped]  # slow to import

    names = sorted({a for one in system for a in one.of})
    small = [a for a in names if atoms.households[a] < households and values[a] > 0]
    if not small or len(names) > MOST_BOUNDED:
        return
    matrix = np.array([[float(one.of.get(a, 0)) for a in names] for one in system])
    scale = max(values[a] for a in names)
    true = np.array([values[a] for a in names]) / scale
    for atom in small:
        place = names.index(atom)
        aim = np.zeros(len(names))
        aim[place] = 1.0
        ends = [linprog(s * aim, A_eq=matrix, b_eq=matrix @ true, method="highs") for s in (1, -1)]
        if all(end.status == 0 for end in ends):
            low, high = ends[0].fun, -ends[1].fun
            if high <= true[place] * (1 + within) and low >= true[place] * (1 - within):
                yield atom
