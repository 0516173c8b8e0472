"""The log of releases: what was published before, so that everything is audited together.

One line a release. It holds counts and sums of atoms too (see `analysis.cells.audit`), by which a
later release is known to be of the same households, so it is as confidential as the panel and lies
beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.cells import audit, grouping
from analysis.cells.audit import Atoms, Source
from analysis.cells.design import MOST_PROGRAMMES, CellsDesign
from analysis.cells.scan import known_by
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.files import write_atomic
from analysis.locks import held
from analysis.panels import panel as panels

if TYPE_CHECKING:
    from analysis.cells.disclosure import Held

LOG: Final = "releases.jsonl"
ROUNDING: Final = 1e-9
"""Sums of floats on two engines differ by less, relative to their size; other sums by more."""
BY: Final = ["group", "pattern", "period"]
AMOUNT: Final = "amount_"
"""How columns begin that tell whether a release is of the same households: Σ|value| of each column
of the income table, whatever is released of it."""
NOTHING: Final = "publish nothing more of these households: what differs could be subtracted"
Labels = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Release:
    """One published pack, as the log knows it.

    Attributes
    ----------
    name, panel : str
        Of the pack, and of the panel that it is of.
    digest : str
        Of its tables and declaration; the same pack may be published again.
    design : CellsDesign
        Of its cells, as published.
    periods : tuple of int
        Periods with income.
    weighted : bool
        Whether its sums are weighted.
    rank : int
        Of its covariance, or how many errors it tells.
    content : polars.DataFrame
        group, pattern, period, n, weight, ``amount_…`` (see `AMOUNT`; null counts as nothing) and
        ``c_…``: households counted, as below a line, not weighted.
    """

    name: str
    panel: str
    digest: str
    design: CellsDesign
    periods: tuple[int, ...]
    weighted: bool
    rank: int
    content: pl.DataFrame


def digest(tables: Mapping[str, pl.DataFrame], declaration: str) -> str:
    """Return what says that two releases publish the same."""
    whole = {name: frame.write_csv() for name, frame in tables.items()}
    return hashlib.sha256(json.dumps([whole, declaration], sort_keys=True).encode()).hexdigest()


# ------------------------------------------------------------------------------------- the file


def beside(log: Path | None, panel: Path | None, name: str) -> Path:
    """Return the log of a panel, which lies beside its folder.

    Parameters
    ----------
    log : Path, optional
        ``releases.jsonl`` beside the panel if it is not named.
    panel : Path, optional
        Folder of the panel; one beside the log if it is not named.
    name : str
        Of the panel that the cells are of.

    Raises
    ------
    FaultsError
        If neither is named, the log lies elsewhere, or a log would be begun where the panel is not.
    """
    if panel is not None:
        known = str(panels.read_manifest(panel)["name"])
        if known != name:
            remedy = f"name the folder of the panel {name}"
            raise FaultsError([Fault(panel.name, "the cells are of another panel", remedy)])
    place = panel and panel.resolve().parent
    if place is None and log is None:
        remedy = "name the panel's folder, or the log"
        raise FaultsError([Fault(LOG, "no log of releases was named", remedy)])
    if log is None:
        assert place is not None  # noqa: S101  # one of the two is there
        return place / LOG
    if place is not None and log.resolve().parent != place:
        remedy = f"use {place.name}/{log.name}, or leave the log out"
        raise FaultsError([Fault(log.name, "the log lies beside the panel", remedy)])
    if place is None and not log.is_file() and not _holds(log.resolve().parent, name):
        problem = f"there is no such log of releases, and no panel {name} beside it to begin one"
        remedy = "correct the path, or name the panel's folder: --panel, panel="
        raise FaultsError([Fault(log.name, problem, remedy)])
    return log


def _holds(place: Path, name: str) -> bool:
    """Whether the folder of a panel lies in a place."""
    for file in place.glob(f"*/{panels.MANIFEST}"):
        try:
            if panels.read_manifest(file.parent)["name"] == name:
                return True
        except FaultsError:
            continue
    return False


@contextmanager
def locked(log: Path) -> Iterator[None]:
    """Hold a log from the moment it is read until the release is noted.

    Raises
    ------
    FaultsError
        If another process makes a release, or the folder of the log is not there.
    """
    if not log.parent.is_dir():
        remedy = "correct the path, or make the folder"
        raise FaultsError([Fault(log.name, f"there is no folder {log.parent.name}", remedy)])
    fault = Fault(log.name, "another release is being made", "wait until it is done")
    with held(log.parent / f".{log.name}.lock", fault):
        yield


def read(log: Path, panel: str = "", *, new: bool = False) -> list[Release]:
    """Read a log.

    Parameters
    ----------
    log : Path
        The file.
    panel : str
        Name of the panel that it must be of; any if empty.
    new : bool
        Whether a log may be begun: only where no other log of the panel lies in the folder.

    Raises
    ------
    FaultsError
        If it is not there, cannot be read, or is of another panel: then nothing may be released.
    """
    if not log.is_file():
        others = [one for one in sorted(log.parent.glob("*.jsonl")) if panel in _panels(one)]
        if new and not others:
            return []
        remedy = f"name {others[0].name}" if others else "correct the path"
        raise FaultsError([Fault(log.name, "there is no such log of releases", remedy)])
    releases = []
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines(), 1):
        try:
            releases.append(_from_dict(json.loads(line)))
        except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
            problem = "the line cannot be read"
            remedy = "restore the log: without it releases can be subtracted"
            raise FaultsError([Fault(log.name, problem, remedy, number)]) from None
    raise_if_any(
        Fault(log.name, f"the log is of the panel {one.panel}", "name that of this panel")
        for one in releases
        if panel and one.panel != panel
    )
    return releases


def _panels(path: Path) -> set[str]:
    """Return the panels that a file has releases of; none if it is no log."""
    try:
        return {one.panel for one in read(path)}
    except (FaultsError, UnicodeDecodeError):
        return set()


def append(log: Path, release: Release) -> None:
    """Add a release to the log, unless the very same is in it."""
    before = read(log, release.panel, new=True)
    if all(old.digest != release.digest for old in before):
        lines = [*before, release]
        text = "".join(json.dumps(_as_dict(one), ensure_ascii=False) + "\n" for one in lines)
        write_atomic(log, text.encode())


def _as_dict(release: Release) -> dict[str, Any]:
    return {
        "name": release.name,
        "panel": release.panel,
        "digest": release.digest,
        "design": release.design.as_dict(),
        "periods": list(release.periods),
        "weighted": release.weighted,
        "rank": release.rank,
        "content": release.content.to_dict(as_series=False),
    }


def _from_dict(entry: dict[str, Any]) -> Release:
    content = pl.DataFrame(entry["content"]).with_columns(pl.col("period").cast(pl.Int32))
    return Release(
        entry["name"],
        entry["panel"],
        entry["digest"],
        CellsDesign.from_dict(entry["design"]),
        tuple(entry["periods"]),
        entry["weighted"],
        entry["rank"],
        content.select(*BY, "n", "weight", pl.col(f"^{AMOUNT}.*$"), pl.col("^c_.*$")),
    )


# ------------------------------------------------------------------------- atoms of all releases


def source(held: Held, design: CellsDesign, label: str, periods: tuple[int, ...] = ()) -> Source:
    """Return what the audit asks of a release, over cells that divide as finely."""
    place = held.cells.design.programmes.index
    columns = tuple("cohort_2" if place(name) else "cohort" for name in design.programmes)
    return Source(design, periods or held.cells.periods, label, columns)


def labelled(held: Held, design: CellsDesign) -> Labels:
    """Return what adds the published group to rows of cells, as ``group``."""
    columns: Sequence[str] = source(held, design, "").cohorts
    groups = None
    if design.control_villages:
        how = dict.fromkeys(design.programmes, design.control_villages)
        groups = grouping.by_first_period(held.cells, how)
    stratum = [pl.col("stratum")] if design.stratum else [pl.lit("all")]

    def add(frame: pl.DataFrame) -> pl.DataFrame:
        there = [] if groups is None else [pl.col("told_apart")]
        if groups is not None:
            named = groups.rename({"group": "told_apart"})
            frame = frame.join(named, on="village", how="left", maintain_order="left")
        parts = [*there, *(pl.col(name) for name in columns), *stratum]
        return frame.with_columns(group=pl.concat_str(parts, separator=" · "))

    return add


def grouped(frame: pl.DataFrame, add: Labels) -> pl.DataFrame:
    """Return rows of cells added up over groups, by pattern, base and period."""
    index = ("village", "cohort", "cohort_2", "stratum", "told_apart", "group", "pattern", "base")
    labels = add(frame)
    values = [name for name in frame.columns if name not in (*index, "period")]
    by = [name for name in ("group", "pattern", "base", "period") if name in labels.columns]
    tops = [name for name in values if name.startswith(("top_", "wtop_"))]
    added = pl.col([name for name in values if name not in tops]).sum()
    return labels.group_by(by, maintain_order=True).agg(added, pl.col(tops).max()).sort(by)


def content(held: Held, design: CellsDesign | None = None) -> pl.DataFrame:
    """Return what a release is known by: see `Release`."""
    risk, measured = held.cells.risk, held.cells.sizes
    assert risk is not None and measured is not None  # noqa: S101  # asked before
    levels = measured.filter(pl.col("base").is_null())
    begins = f"abs_{known_by('')}"
    amounts = [
        pl.col(name).alias(AMOUNT + name.removeprefix(begins))
        for name in levels.columns
        if name.startswith(begins)
    ]
    lines = [
        pl.col(f"sum_{o.name}").alias(f"c_{audit.definition(o)}")
        for o in held.cells.design.outcomes
        if o.is_count
    ]
    keys = [*held.cells.design.keys, "pattern", "period"]
    frame = risk.select(*keys, "n", "weight", *lines).join(levels.select(*keys, *amounts), on=keys)
    return grouped(frame, labelled(held, design or held.design))


def atoms(held: Held, sources: Sequence[Source], labels: Mapping[str, Labels]) -> Atoms:
    """Return the atoms of releases, over cells that divide as finely as all of them."""
    risk = held.cells.risk
    assert risk is not None  # noqa: S101  # asked before
    keys = [*held.cells.design.keys, "pattern"]
    frame = risk.unique(keys, keep="first", maintain_order=True).select(*keys, "n")
    for name, add in labels.items():
        frame = frame.with_columns(add(frame)["group"].alias(name))
    cohorts = sorted({name for one in sources for name in one.cohorts})
    by = [*labels, *cohorts, "pattern"]
    found = frame.group_by(by, maintain_order=True).agg(
        pl.col("n").sum(), pl.col("village").unique()
    )
    found = found.sort(by)
    villages = [frozenset(one) for one in found["village"].to_list()]
    return Atoms(found.select(by), found["n"].to_list(), villages)


def together(
    finest: Held, own: Held, before: Sequence[Release]
) -> tuple[list[Fault], list[Source], Atoms | None]:
    """Return the atoms of a release and all before it, or why they cannot be told.

    Parameters
    ----------
    finest : Held
        Cells that divide households as finely as every release.
    own : Held
        Those of the new release.
    before : sequence of Release
        The log.
    """
    every = (*own.design.programmes, *(name for old in before for name in old.design.programmes))
    joint = tuple(dict.fromkeys(every))
    faults = [fault for old in before for fault in _odd(finest, own, old, joint)]
    if faults:
        return faults, [], None
    sources, labels = [], {}
    asked = [("", own.design, own.cells.periods, content(own))]
    asked += [(old.name, old.design, old.periods, old.content) for old in before]
    for number, (name, design, periods, known) in enumerate(asked):
        label = f"group_{number}"
        sources.append(source(finest, design, label, periods))
        labels[label] = labelled(finest, design)
        if not _same(content(finest, design), known):
            whose = f"those of {name}" if name else "those of the cells"
            problem = f"its households, their weights, incomes or groups are not {whose}"
            faults.append(_fault(problem, NOTHING, name))
    return faults, sources, None if faults else atoms(finest, sources, labels)


def _fault(problem: str, remedy: str, where: str) -> Fault:
    return Fault("pack", f"rule releases: {problem}", remedy, column="releases", value=where)


def _odd(finest: Held, own: Held, old: Release, programmes: tuple[str, ...]) -> Iterator[Fault]:
    """Yield why a release cannot be seen as a coarser division of the cells."""
    there, design = finest.cells.design, old.design
    if not set(design.programmes) <= set(there.programmes):
        problem = f"{old.name} divides households by another programme"
        remedy = f"name cells of {' and '.join(programmes)}, made together: --joint, joint="
        if len(programmes) > MOST_PROGRAMMES:
            remedy = f"cells divide by {MOST_PROGRAMMES} programmes at most: {NOTHING}"
        yield _fault(problem, remedy, old.name)
    elif design.stratum not in ("", there.stratum):
        yield _fault(f"{old.name} has other strata", f"use its stratum, {design.stratum}", old.name)
    elif (old.weighted, design.unit) != (own.cells.weighted, own.design.unit):
        problem = f"{old.name} has other weights, or another unit"
        yield _fault(problem, f"use the unit {design.unit} and its weights", old.name)


def _same(frame: pl.DataFrame, known: pl.DataFrame) -> bool:
    both = frame.join(known, on=BY, how="full", suffix="_known")
    if both["n"].null_count() or both["n_known"].null_count():
        return False
    shared = [name for name in frame.columns if name in known.columns]
    amounts = [name for name in shared if name.startswith(AMOUNT)]
    apart = [
        (pl.col(name) - pl.col(f"{name}_known")).abs() > ROUNDING * pl.col(name).abs()
        for name in ("n", "weight", *amounts)
    ]
    return both.filter(pl.any_horizontal(apart)).is_empty()
