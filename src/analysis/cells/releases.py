"""The log of releases: what was published before, so that no two packs can be subtracted.

The log holds published numbers only, one line a release; the holder of the data keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import polars as pl

from analysis.cells import disclosure, grouping
from analysis.cells.declaration import Rules
from analysis.cells.design import CellsDesign
from analysis.cells.result import Cells
from analysis.faults import Fault, FaultsError

LOG: Final = "releases.jsonl"
DIVISION: Final = ("programmes", "level")
COMPARED: Final = ("periods", "anticipation")
SIDES: Final = ("", "_base", "_period")
ROUNDING: Final = 1e-9
"""Sums of floats on two engines differ by less, relative to their size; other sums by more."""


@dataclass(frozen=True)
class Release:
    """One published pack, as the log knows it.

    Attributes
    ----------
    name : str
        Name of the pack.
    digest : str
        Digest of its tables; the same pack may be published again.
    design : CellsDesign
        What its cells were.
    counts : polars.DataFrame
        keys, base (null but for pairs), period, n, ``sum_o`` of who is below a line, and ``x_…``:
        the published sum of any other outcome.
    """

    name: str
    digest: str
    design: CellsDesign
    counts: pl.DataFrame


def read(log: Path) -> list[Release]:
    """Read a log; one that is not there yet is empty.

    Raises
    ------
    FaultsError
        If a line cannot be read: then nothing may be released.
    """
    if not log.is_file():
        return []
    found = []
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            counts = pl.DataFrame(entry["counts"]).with_columns(
                pl.col("base", "period").cast(pl.Int32)
            )
            design = CellsDesign.from_dict(entry["design"])
        except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            raise FaultsError(
                [
                    Fault(
                        log.name,
                        "the line cannot be read",
                        "restore the log: without it releases can be subtracted",
                        number,
                    )
                ]
            ) from None
        found.append(Release(entry["name"], entry["digest"], design, counts))
    return found


def append(log: Path, release: Release) -> None:
    """Add a release to the log, unless the very same is in it."""
    if any(old.digest == release.digest for old in read(log)):
        return
    entry = {
        "name": release.name,
        "digest": release.digest,
        "design": release.design.as_dict(),
        "counts": release.counts.to_dict(as_series=False),
    }
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def check(
    release: Release, before: list[Release], rules: Rules, joint: tuple[Cells, ...] = ()
) -> Iterator[Fault]:
    """Yield what stands against a release beside those before it.

    Parameters
    ----------
    release : Release
        The new one.
    before : list of Release
        The log.
    rules : Rules
        How strict to be.
    joint : tuple of Cells
        Cells keyed by pairs of programmes, for packs of two programmes on the same households: all
        that can be subtracted is a union of their groups.
    """
    for old in before:
        if old.digest == release.digest:
            continue
        if old.design.handling != release.design.handling:
            yield disclosure.fault(
                "one_handling",
                f"{old.name} was released with the handling {old.design.handling}",
                f"use {old.design.handling}",
                old.name,
            )
        elif release.design.handling == "pairs" and any(
            getattr(old.design, k) != getattr(release.design, k) for k in COMPARED
        ):
            yield disclosure.fault(
                "one_handling",
                f"{old.name} compared other pairs of periods",
                "use its periods and anticipation",
                old.name,
            )
        elif any(getattr(old.design, k) != getattr(release.design, k) for k in DIVISION):
            yield from _other_division(release, old, rules, joint)
        else:
            yield from _same_division(release, old, rules)


def _other_division(
    release: Release, old: Release, rules: Rules, joint: tuple[Cells, ...]
) -> Iterator[Fault]:
    """Ask for the joint division of two releases, and check it."""
    programmes = {*release.design.programmes, *old.design.programmes}
    same = all(
        getattr(old.design, k) == getattr(release.design, k)
        for k in ("stratum", "periods", "handling", "village_groups")
    )
    both = [
        c
        for c in joint
        if set(c.design.programmes) == programmes
        and same
        and c.design.handling == release.design.handling
        and c.design.stratum == release.design.stratum
        and c.design.periods == release.design.periods
        and c.design.village_groups == release.design.village_groups
    ]
    if not both:
        remedy = "pass the joint cells of both programmes, of the same design, as `joint`"
        if not same or len(programmes) != 2:
            remedy = "use the strata, periods and groups of villages of that release"
        yield disclosure.fault(
            "one_division", f"{old.name} divides the households otherwise", remedy, old.name
        )
        return
    told = {
        design.programmes[0]: design.control_villages
        for design in (old.design, release.design)
        if design.control_villages
    }
    for one in disclosure.check(grouping.apart(both[0], told), rules):
        yield disclosure.fault(
            "one_division", f"with {old.name}: {one.problem}", one.remedy, one.value
        )


def _same_division(release: Release, old: Release, rules: Rules) -> Iterator[Fault]:
    """Compare two releases group by group, at the finest division that both have."""
    outcomes = tuple({o.name: o for o in (*old.design.outcomes, *release.design.outcomes)}.values())
    for one in disclosure.of_outcomes(outcomes):
        yield disclosure.fault("adjacent_releases", f"with {old.name}: {one.problem}", one.remedy)
    by = [*disclosure.keys(release.design), "base", "period"]
    if old.design.stratum != release.design.stratum:
        if old.design.stratum and release.design.stratum:
            yield disclosure.fault(
                "one_division",
                f"{old.name} has other strata",
                f"use its stratum, {old.design.stratum}, or none",
            )
            return
        by.remove("stratum")
    ours, theirs = _grouping(old.design), _grouping(release.design)
    if ours != theirs:
        if any(ours) and any(theirs):
            yield _other_groups(old)
            return
        by = [name for name in by if name != "village"]
    elif "village" in by and set(old.counts["village"]) != set(release.counts["village"]):
        yield _other_groups(old)
        return
    both = _side_by_side(old.counts, release.counts, by)
    for condition, problem in _wrong(both, old, release, rules.min_households):
        found = both.filter(condition)
        if found.height:
            where = " · ".join(map(str, found.select(by).row(0)))
            yield disclosure.fault(
                "adjacent_releases",
                f"with {old.name}: {problem} ({found.height} groups)",
                "publish nothing until more households differ",
                where,
            )


def _grouping(design: CellsDesign) -> tuple[int, str]:
    return design.village_groups, design.control_villages


def _other_groups(old: Release) -> Fault:
    return disclosure.fault(
        "one_division", f"{old.name} has other groups of villages", "keep its groups", old.name
    )


def _side_by_side(old: pl.DataFrame, new: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Join two releases on their groups; the columns of the new one end in ``@new``."""
    left, right = (
        frame.group_by(by).agg(pl.col("^(n|sum_.*|x_.*)$").sum()) for frame in (old, new)
    )
    right = right.rename({c: f"{c}@new" for c in right.columns if c not in by})
    return left.join(right, on=by, how="inner", nulls_equal=True).sort(by)


def _wrong(
    both: pl.DataFrame, old: Release, new: Release, least: int
) -> Iterator[tuple[pl.Expr, str]]:
    """Yield conditions on the groups of two releases, and what is wrong where they hold."""
    apart = (pl.col("n@new") - pl.col("n")).abs()
    yield (apart > 0) & (apart < least), f"fewer than {least} households more or less"
    for name in both.columns:
        if name.startswith(("sum_", "x_")) and f"{name}@new" in both.columns:
            change = (pl.col(f"{name}@new") - pl.col(name)).abs()
            moved = change > ROUNDING * pl.col(name).abs()
            yield (apart == 0) & moved, "as many households, but another sum"
    lines = product(disclosure.nested(old.design), disclosure.nested(new.design), SIDES)
    for one, other, side in lines:
        ours, theirs = f"sum_{one.name}{side}", f"sum_{other.name}{side}@new"
        if one == other or disclosure.family(one) != disclosure.family(other):
            continue
        if ours in both.columns and theirs in both.columns:
            between = (pl.col(theirs) - pl.col(ours)).abs()
            problem = f"fewer than {least} households between {one.name} and {other.name}"
            yield (between > 0) & (between < least), problem
