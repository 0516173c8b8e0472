"""The pack that a report is given, or a worked example with the cells beside it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from analysis import paths
from analysis.cells import declaration
from analysis.cells import pack as packs
from analysis.cells.build import build
from analysis.cells.pack import Pack
from analysis.effects import declared, from_pack
from analysis.effects.estimates import Estimates
from analysis.effects.pack_effects import PackEffects
from analysis.effects.result import EffectSet
from analysis.faults import Fault, FaultsError
from analysis.panels.model.simulate import simulate

HOUSEHOLDS: Final = 9_600
VILLAGES: Final = 240
PERIODS: Final = (2012, 2018)
SEED: Final = 3
"""Of the worked example: small, so that it is made in a second; its pack passes every rule."""
EXACT: Final = 1e-12
"""Relative difference up to which a point from a pack and one from cells are the same."""
THREE_DIGITS: Final = 5e-3
"""The same for errors: half a unit of the third digit, of a number that begins with 1."""
ROUNDED: Final = 2 * THREE_DIGITS
"""The same for intervals and bands, of their half width: several rounded numbers make it."""


KINDS: Final = {
    "estimates": ("estimate", EXACT),
    "standard errors": ("std_error", THREE_DIGITS),
    "lower ends of intervals": ("ci_low", ROUNDED),
    "upper ends of intervals": ("ci_high", ROUNDED),
    "lower ends of joint bands": ("band_low", ROUNDED),
    "upper ends of joint bands": ("band_high", ROUNDED),
    "villages treated": ("n_villages_treated", EXACT),
    "villages as controls": ("n_villages_control", EXACT),
}
"""What `agreement` compares: its column, and how far apart two numbers may be."""


@dataclass(frozen=True)
class Shown:
    """What the page on packs shows.

    Attributes
    ----------
    pack : Pack
        As read from its folder.
    effects : PackEffects
        Its declared effects, in yuan where they are money.
    derived : from_pack.Derived
        What its totals say by themselves.
    cells : EffectSet or None
        The same effects from cells, in yuan: of the worked example only.
    """

    pack: Pack
    effects: PackEffects
    derived: from_pack.Derived
    cells: EffectSet | None = None

    @property
    def tier(self) -> str:
        """Evidence tier: that of the panel the pack was made from."""
        return self.pack.tier

    @property
    def digest(self) -> str:
        """What a finding says of the pack it rests on: ``name:digest``."""
        name = "worked pack" if self.cells is not None else "your pack"
        return f"{name}:{totals_digest(self.pack)}"


def totals_digest(pack: Pack) -> str:
    """Return 12 digits of the sha256 of the totals.

    They are the same on every machine where sums are whole; covariances differ in the last digit.
    """
    content = hashlib.sha256()
    for name, frame in sorted(pack.tables.items()):
        content.update(f"{name}\n{frame.write_csv()}".encode())
    return content.hexdigest()[:12]


def pack_brought() -> Pack | None:
    """Return the pack that ``make report PACK=folder`` names; None without it.

    Raises
    ------
    FaultsError
        If ``PACK`` is no pack, or one that was changed.
    """
    named = os.environ.get("PACK")
    if not named:
        return None
    folder = Path(named) if Path(named).is_absolute() else paths.root() / named
    if not (folder / packs.MANIFEST).is_file():
        raise FaultsError([Fault(named, "PACK is not a pack", "make one: analysis pack")])
    return packs.read(folder)


def shown() -> Shown:
    """Return the pack that the report is given with its effects, else the worked example."""
    pack = pack_brought()
    if pack is None:
        return worked(paths.root() / "build" / "packs")
    return Shown(pack, from_pack.estimate(pack).in_yuan(), from_pack.derive(pack))


def worked(folder: Path) -> Shown:
    """Simulate a panel, make cells and a pack of it, and estimate from both.

    Parameters
    ----------
    folder : Path
        Where the panel, the pack and its log of releases are kept; the pack is read back from
        there, as its receiver reads it.
    """
    plan = declaration.read(paths.data() / "estimands" / "pack.toml")
    panel, log = folder / "worked-panel", folder / "worked-releases.jsonl"
    simulate(panel, households=HOUSEHOLDS, villages=VILLAGES, periods=PERIODS, seed=SEED)
    cells = build(panel, plan.design)
    found = declared.estimate(cells, plan)
    # The example has no release before it: an older log would be one of other code.
    log.unlink(missing_ok=True)
    made = packs.make(cells, plan, found.estimated(), log=log)
    packs.write(made, folder / "worked-pack", log=log)
    pack = packs.read(folder / "worked-pack")
    return Shown(
        pack, from_pack.estimate(pack).in_yuan(), from_pack.derive(pack), found.effects.in_yuan()
    )


def agreement(pack: Estimates, cells: Estimates) -> pl.DataFrame:
    """Compare what a pack says with what the cells say, kind by kind.

    Returns
    -------
    polars.DataFrame
        what, compared (those that the pack tells), equal (points to twelve digits, the rest to
        the digits of the pack), largest (relative difference).
    """
    # A joint band is one of the estimates that have an error, so of the same ones here and there.
    told = np.isfinite(pack.std_errors)
    ours, theirs = (
        pl.concat([one.at(told).to_frame(band=True), one.at(~told).to_frame(band=True)])
        for one in (pack, cells)
    )
    rows = []
    for what, (column, tolerance) in KINDS.items():
        a, b = ours[column].cast(pl.Float64), theirs[column].cast(pl.Float64)
        # A number near zero is a small difference of large ones: its error says how small.
        size = pl.Series(np.maximum(b.abs(), theirs["std_error"].fill_nan(0.0)))
        if tolerance == ROUNDED:
            size = (b - theirs["estimate"]).abs()
        apart = (a - b).abs() / size
        known = apart.filter(a.is_not_nan())
        rows.append((what, known.len(), int((known <= tolerance).sum()), known.max()))
    return pl.DataFrame(rows, ["what", "compared", "equal", "largest"], orient="row")


def compared(shown: Shown) -> pl.DataFrame:
    """Return `agreement` with the cells beside a pack; without rows if there are none."""
    if shown.cells is None:
        return agreement(shown.effects, shown.effects).clear()
    return agreement(shown.effects, shown.cells)
