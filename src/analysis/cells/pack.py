"""A pack: what may leave. Totals over villages, joint covariances, and a manifest; no village row.

From it anyone recomputes points, aggregates, errors, bands and sensitivity. Wild bootstrap,
randomisation inference, controls in the same village and new outcomes need the cells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.cells import disclosure, grouping, pack_checks, releases
from analysis.cells.declaration import Declaration, Rules
from analysis.cells.design import CellsDesign
from analysis.cells.disclosure import Held
from analysis.cells.pack_estimates import Covariance, Estimated, as_dict, from_dict, published
from analysis.cells.releases import Release
from analysis.cells.result import Cells
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.folders import replaced
from analysis.panels.account import Account

MANIFEST: Final = "pack.json"
WHAT: Final = "a pack"
VERSION: Final = 5
TABLES: Final = ("totals", "ever", "pairs", "inverse", "untreated")
NOTE: Final = (
    "Disclosure control by stated rules, not a formal guarantee of privacy; the holder of the data"
    " checks before release."
)
INSIDE: Final = ("households_never_seen_untreated",)
"""What is known of cells and does not leave with a pack: it may be a count of few."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pack:
    """What is published.

    Attributes
    ----------
    name, tier : str
        Of the declaration and the panel.
    design : CellsDesign
        As of the cells.
    periods : tuple of int
        Periods with income.
    weighted : bool
        Whether sums are weighted (``wsum_…``).
    tables : mapping of str to polars.DataFrame
        As in `Cells`, over villages; one column of sums for each outcome, the one in use.
    covariance : Covariance or None
        The declared estimates, and how they vary together as far as that is told.
    declaration : str
        The estimands file.
    rules : Rules
        Rules it passed.
    account : mapping of str to object
        Rows read and used; reasons, small numbers hidden.
    meta : mapping
        Panel, engine, versions.
    """

    name: str
    tier: str
    design: CellsDesign
    periods: tuple[int, ...]
    weighted: bool
    tables: Mapping[str, pl.DataFrame]
    covariance: Covariance | None
    declaration: str
    rules: Rules
    account: Mapping[str, object]
    meta: Mapping[str, Any]

    def __repr__(self) -> str:
        rows = ", ".join(f"{frame.height:,} {name}" for name, frame in self.tables.items())
        points = len(self.covariance.points) if self.covariance else 0
        return (
            f"Pack {self.name!r} ({self.design.handling}, tier {self.tier}): rows of {rows};"
            f" {points:,} estimates; every group and difference has at"
            f" least {self.rules.min_households} households"
        )

    @property
    def digest(self) -> str:
        """sha256 of everything that the folder holds: tables, declaration and the manifest."""
        return _digest(_manifest(self), self.tables, self.declaration)

    def as_cells(self) -> Cells:
        """Return cells that every point follows from, and no error.

        Their village is ``all``, or whether anybody in it is treated where
        `CellsDesign.control_villages` tells villages apart: then controls in other villages follow.
        Controls in the same village never do.
        """
        grouped = "village" in disclosure.keys(self.design)
        village = [] if grouped else [pl.lit("all").alias("village")]
        frames: dict[str, Any] = {
            name: frame.select(*village, pl.all()) for name, frame in self.tables.items()
        }
        if "totals" not in frames:
            columns = {name.removesuffix("_base") for name in frames["pairs"].columns}
            columns -= {name for name in columns if name.endswith("_period")} | {"base"}
            order = [name for name in (*self.design.keys, "period") if name in columns]
            empty = frames["pairs"].clear().rename(lambda name: name.removesuffix("_base"))
            frames["totals"] = empty.select(*order, *sorted(columns - set(order)))
        used = self.account["rows_used"]
        assert isinstance(used, int)  # noqa: S101  # written by `_account`
        return Cells(
            design=self.design,
            tier=self.tier,
            periods=self.periods,
            weighted=self.weighted,
            account=Account(used, used),
            meta=self.meta,
            **frames,
        )


def make(
    cells: Cells,
    declared: Declaration,
    estimated: Estimated | None = None,
    *,
    before: Sequence[Release] = (),
    joint: Cells | None = None,
    min_households: int | None = None,
) -> tuple[Pack, Release]:
    """Make a pack, or refuse and name every rule that stands against it.

    Parameters
    ----------
    cells : Cells
        Made from the declared design.
    declared : Declaration
        The estimands file.
    estimated : Estimated, optional
        The declared estimands, from the effects room.
    before : sequence of Release
        Every earlier release of the panel: its log, as `releases.read` returns it.
    joint : Cells, optional
        Cells of this programme and another one that was released, which divide households as
        finely as both.
    min_households : int, optional
        A stricter minimum than the declared one.

    Returns
    -------
    pack : Pack
    release : Release
        What the log keeps of it.

    Raises
    ------
    FaultsError
        If a rule is broken; nothing is written.
    """
    rules = declared.rules
    if min_households is not None:
        rules = replace(rules, min_households=max(min_households, rules.min_households))
    raise_if_any(pack_checks.not_declared(cells, declared, estimated))
    merged = grouping.apart(cells, _told_apart(cells.design, declared))
    merged = replace(merged, design=_without_bounds(merged.design))
    tables = publishable(merged)
    digest = releases.digest(tables, declared.text)
    others = [old for old in before if old.digest != digest]
    covariance, carried = None, sum(old.rank for old in others)
    same = {one.name for one in declared.estimands if one.where == "same_village"}
    if estimated is not None:
        # A point that does not follow from totals tells as much as one of the covariance's.
        carried += sum(point.estimand in same for point in estimated.points)
        covariance = published(
            estimated,
            households=pack_checks.smallest_village(cells),
            least=rules.min_households,
            rank_before=carried,
        )
    pack = Pack(
        name=declared.name,
        tier=cells.tier,
        design=merged.design,
        periods=cells.periods,
        weighted=cells.weighted,
        tables=tables,
        covariance=covariance,
        declaration=declared.text,
        rules=rules,
        account=pack_checks.account_of(cells, rules.min_households),
        meta={name: x for name, x in cells.meta.items() if name not in INSIDE},
    )
    held = Held(cells, merged.design)
    finest = None if joint is None else Held(joint, joint.design)
    raise_if_any(
        [
            *disclosure.of_tables(tables),
            *disclosure.formulas(tables),
            *disclosure.check(held, rules, others, finest),
            *pack_checks.too_few_villages(covariance, rules, same, carried),
        ]
    )
    rank = carried - sum(old.rank for old in others) + (covariance.rank if covariance else 0)
    name = str(cells.meta.get("panel", ""))
    content = releases.content(held)
    release = Release(
        pack.name, name, digest, pack.design, pack.periods, pack.weighted, rank, content
    )
    return pack, release


def _told_apart(design: CellsDesign, declared: Declaration) -> dict[str, str]:
    """Return how villages must be told apart for the declared controls in other villages.

    Where whole villages are treated the cohort says it already.
    """
    asked = {
        estimand.controls for estimand in declared.estimands if estimand.where == "other_villages"
    }
    if design.level != "household" or len(design.programmes) > 1 or not asked:
        return {}
    return {design.programmes[0]: "not_yet" if "not_yet" in asked else "never"}


def _without_bounds(design: CellsDesign) -> CellsDesign:
    """Return a design that does not tell where values are drawn in: a quantile is somebody's."""
    outcomes = (replace(o, measured=replace(o.measured, bounds=())) for o in design.outcomes)
    return replace(design, outcomes=tuple(outcomes))


def publishable(cells: Cells) -> dict[str, pl.DataFrame]:
    """Return the tables of a pack: added up over villages, only what estimators use.

    Second moments stay inside. Under ``pairs`` the totals of single periods stay inside too: pairs
    suffice, and the difference of a period and a pair is the income of those who left.
    """
    names = [name for name in TABLES if getattr(cells, name) is not None]
    if cells.design.handling == "pairs":
        names.remove("totals")
    drop = "sum_" if cells.weighted else "wsum_"
    tables = {}
    for name in names:
        frame: pl.DataFrame = getattr(cells, name)
        frame = frame.select(c for c in frame.columns if not c.startswith(drop))
        index = [*disclosure.keys(cells.design), "omega", "base", "period"]
        by = [c for c in index if c in frame.columns]
        values = [c for c in frame.columns if c not in (*by, "village")]
        tables[name] = frame.group_by(by, maintain_order=True).agg(pl.col(values).sum()).sort(by)
    return tables


def write(pack: Pack, folder: Path) -> None:
    """Write a pack as a folder of CSV and JSON, whole or not at all."""
    about = {**_manifest(pack), "digest": pack.digest}
    with replaced(folder, MANIFEST, WHAT) as stage:
        for name, frame in pack.tables.items():
            frame.write_csv(stage / f"{name}.csv")
        (stage / "estimands.toml").write_text(pack.declaration, encoding="utf-8", newline="\n")
        text = json.dumps(about, ensure_ascii=False, indent=2) + "\n"
        (stage / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def publish(
    cells: Cells,
    declared: Declaration,
    estimated: Estimated | None,
    folder: Path,
    *,
    log: Path,
    **options: Any,
) -> Pack:
    """Make a pack beside all releases of a log, note it there and write it.

    The log comes first: a release that is noted and not written does no harm.

    Parameters
    ----------
    cells, declared, estimated
        As in `make`, which also takes the `options`.
    folder : Path
        Where the pack goes.
    log : Path
        The log of releases of the panel; held from first to last.
    """
    with releases.locked(log):
        before = releases.read(log, str(cells.meta.get("panel", "")), new=True)
        pack, release = make(cells, declared, estimated, before=before, **options)
        releases.append(log, release)
        write(pack, folder)
    return pack


def _manifest(pack: Pack) -> dict[str, Any]:
    """Return the manifest but for its digest."""
    return {
        "version": VERSION,
        "name": pack.name,
        "tier": pack.tier,
        "note": NOTE,
        "design": pack.design.as_dict(),
        "periods": list(pack.periods),
        "weighted": pack.weighted,
        "account": pack.account,
        "rules": {"set": asdict(pack.rules), "meaning": disclosure.RULES},
        "meta": pack.meta,
        "covariance": pack.covariance and as_dict(pack.covariance),
    }


def _digest(
    manifest: Mapping[str, Any], tables: Mapping[str, pl.DataFrame], declaration: str
) -> str:
    """Return the sha256 of a manifest, of the tables as they are written, of the declaration."""
    whole = {
        "manifest": manifest,
        "tables": {name: frame.write_csv() for name, frame in tables.items()},
        "declaration": declaration,
    }
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def read(folder: Path) -> Pack:
    """Read a pack.

    Raises
    ------
    FaultsError
        If the folder holds no pack, one of another version, or one that was changed.
    """
    file = f"{folder.name}/{MANIFEST}"
    try:
        about = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "name a folder that `analysis pack` wrote"
        raise FaultsError([Fault(file, "the file is missing", remedy)]) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise FaultsError([Fault(file, "not JSON", "get the pack again")]) from None
    if not isinstance(about, dict) or about.get("version") != VERSION:
        raise FaultsError(
            [
                Fault(
                    file,
                    f"the version is not {VERSION}",
                    "get a newer pack",
                    column="version",
                    value=str(about.get("version") if isinstance(about, dict) else about)[:20],
                )
            ]
        )
    try:
        return _whole(folder, about)
    except (KeyError, TypeError, ValueError, OSError, pl.exceptions.PolarsError) as error:
        problem = f"an entry or a file is missing or damaged: {_short(error)}"
        raise FaultsError([Fault(file, problem, "get the pack again")]) from None


def _short(error: Exception) -> str:
    """Return what an error says, in one line."""
    entries = (getattr(error, "strerror", None) or str(error)).strip().splitlines()
    return f"{type(error).__name__}: {entries[0][:80] if entries else 'nothing more is known'}"


def _whole(folder: Path, about: dict[str, Any]) -> Pack:
    """Return the pack of a manifest, its files read and held against its digest."""
    tables = {
        name: _read_table(folder / f"{name}.csv")
        for name in TABLES
        if (folder / f"{name}.csv").is_file()
    }
    pack = Pack(
        name=about["name"],
        tier=about["tier"],
        design=CellsDesign.from_dict(about["design"]),
        periods=tuple(about["periods"]),
        weighted=about["weighted"],
        tables=tables,
        covariance=from_dict(about["covariance"]) if about["covariance"] else None,
        declaration=(folder / "estimands.toml").read_text(encoding="utf-8"),
        rules=Rules(**about["rules"]["set"]),
        account=about["account"],
        meta=about["meta"],
    )
    # Of the manifest as it stands: what this version does not know counts too.
    written = {name: value for name, value in about.items() if name != "digest"}
    if _digest(written, tables, pack.declaration) != about["digest"]:
        raise FaultsError(
            [
                Fault(
                    f"{folder.name}/{MANIFEST}",
                    "the pack is not that of its digest: a file was changed",
                    "get the pack again",
                )
            ]
        )
    return pack


def _read_table(path: Path) -> pl.DataFrame:
    """Read a table with the types of cells: what looks like a number need not be one."""
    names = pl.read_csv(path, n_rows=0).columns
    texts = dict.fromkeys(("village", "stratum", "omega"), pl.String)
    counts = dict.fromkeys(("weight", "weight_ever", "a"), pl.Float64)
    years = dict.fromkeys(("cohort", "cohort_2", "base", "period"), pl.Int32)
    kinds = {name: kind for name, kind in {**texts, **counts, **years}.items() if name in names}
    floats = {name: pl.Float64 for name in names if name.startswith(("wsum_", "b_"))}
    return pl.read_csv(path, schema_overrides={**kinds, **floats}, infer_schema_length=None)
