"""Attacks on a pack: what was tried, what came out, and what no attempt here covers.

A receiver has the pack alone, and can try what its tables and covariance show. Its holder has cells
and the log of releases too, and tries the whole audit again. That nothing came out is no proof.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np
import polars as pl

from analysis.cells import declaration, disclosure, outcome_rules, releases
from analysis.cells import pack as packs
from analysis.cells.pack import Pack
from analysis.cells.parameters import parameters
from analysis.cells.releases import Release
from analysis.cells.result import Cells
from analysis.faults import Fault, FaultsError, raise_if_any

State = Literal["nothing found", "found", "not tried"]
TRIED: Final = {
    "counts": "read the smallest group, and subtract each period or pair from all ever seen",
    "lines": "count who is below, above and between poverty lines",
    "outcomes": "look for outcomes that tell incomes together, and for sums of squares",
    "covariance": "count the rank and the digits of the covariance against the villages",
    "audit": "solve everything that was released for few households or villages, ask who makes most"
    " of a sum or change, and bound values of known sign",
}
"""Every attack by its name."""
NOT_COVERED: Final = (
    "outside knowledge: who knows all households of a group but one learns that one's income",
    "combinations of more than two atoms that make up few households, unless they are the smallest"
    " or of one village",
    "dominance in differences between two releases, and in sums weighted by an attacker",
    "bounds from more than 64 unknowns, from several periods at once, or from what is likely",
    "earlier releases that are in no log, and tables or figures published beside packs",
)
"""What no attack here covers."""
NEEDS_CELLS: Final = "takes the cells and the log: analysis attack --cells --log"


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes
    ----------
    rule : str
        A key of `TRIED`.
    state : {"nothing found", "found", "not tried"}
    found : str
        What came out, or why it was not tried.
    """

    rule: str
    state: State
    found: str


def run(
    pack: Pack,
    log: Sequence[Release] | None = None,
    cells: Cells | None = None,
    joint: Cells | None = None,
) -> tuple[Attack, ...]:
    """Run every attack on a pack.

    Parameters
    ----------
    pack : Pack
        As read from its folder.
    log : sequence of Release, optional
        What was released; the pack itself may be in it.
    cells : Cells, optional
        The cells it was made from, at the data holder's.
    joint : Cells, optional
        As for `analysis.cells.pack.make`.

    Returns
    -------
    tuple of Attack
        One for each key of `TRIED`, in its order.

    Raises
    ------
    FaultsError
        If the pack does not follow from the cells.
    """
    tried = {"counts": _counts, "lines": _lines, "outcomes": _outcomes, "covariance": _covariance}
    by_name = [_said(name, list(attack(pack))) for name, attack in tried.items()]
    if cells is None or log is None:
        by_name.append(Attack("audit", "not tried", NEEDS_CELLS))
    else:
        by_name.append(_said("audit", list(_audit(pack, log, cells, joint))))
    return tuple(by_name)


def _said(name: str, hits: list[str]) -> Attack:
    state: State = "found" if hits else "nothing found"
    return Attack(name, state, "; ".join(hits) or TRIED[name])


def frame(attacks: Sequence[Attack]) -> pl.DataFrame:
    """Return attacks as a table: rule, meaning, state, found."""
    rows = [(a.rule, TRIED[a.rule], a.state, a.found) for a in attacks]
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


def _few(pack: Pack, what: str, counts: pl.Series) -> Iterator[str]:
    small = counts.filter((counts > 0) & (counts < pack.rules.min_households))
    if small.len():
        yield f"{what}: {small.sort()[0]:,}"


def _counts(pack: Pack) -> Iterator[str]:
    shown = groups(pack)
    yield from _few(pack, "households in a group", shown["n"])
    yield from _few(pack, "households of a cohort", pack.tables["ever"]["n_ever"])
    by = disclosure.keys(pack.design)
    both = shown.join(pack.tables["ever"], on=by)
    yield from _few(pack, "seen at some time, and not then", both["n_ever"] - both["n"])


def _lines(pack: Pack) -> Iterator[str]:
    lines, shown = outcome_rules.counted(pack.design.outcomes), groups(pack)
    if pack.weighted:
        return
    for one in lines:
        below = shown[f"x_{one.name}"].cast(pl.Int64)
        yield from _few(pack, f"households below {one.name}", below)
        yield from _few(pack, f"households not below {one.name}", shown["n"] - below)
    for one, other in combinations(lines, 2):
        if outcome_rules.scale(one) == outcome_rules.scale(other):
            between = (shown[f"x_{one.name}"] - shown[f"x_{other.name}"]).abs()
            yield from _few(pack, f"households between {one.name} and {other.name}", between)


def _outcomes(pack: Pack) -> Iterator[str]:
    for fault in (
        *outcome_rules.broken(pack.design.outcomes),
        *disclosure.of_tables(pack.tables),
    ):
        yield fault.problem


def _covariance(pack: Pack) -> Iterator[str]:
    """Yield what a covariance tells beyond its rank and digits."""
    told, limits = pack.covariance, parameters()
    if told is None:
        return
    errors = told.errors
    there = np.isfinite(errors)
    known = [p for p, told_it in zip(told.points, there.tolist(), strict=True) if told_it]
    if any(float(f"{x:.{limits.digits}g}") != x for x in errors[there].tolist()):
        yield f"errors of more than {limits.digits} digits"
    if told.correlations is None:
        if len(known) > limits.errors_without_matrix:
            yield f"{len(known)} errors without a covariance"
        return
    if (np.nan_to_num(np.round(told.correlations, limits.digits) - told.correlations) != 0).any():
        yield f"correlations of more than {limits.digits} digits"
    arm = min(min(p.n_villages_treated, p.n_villages_control) for p in known)
    if told.rank > arm - limits.residual_degrees:
        yield f"a covariance of rank {told.rank} of {arm} villages"


def _audit(pack: Pack, log: Sequence[Release], cells: Cells, joint: Cells | None) -> Iterator[str]:
    """Make the pack again from its cells, beside all other releases; yield every refusal."""
    text = pack.declaration
    declared = declaration.parse(tomllib.loads(text), text, "estimands.toml")
    own = releases.digest(pack.tables, text)
    others = [release for release in log if release.digest != own]
    try:
        made, _ = packs.make(
            cells,
            declared,
            before=others,
            joint=joint,
            min_households=pack.rules.min_households,
        )
    except FaultsError as error:
        raise_if_any(fault for fault in error.faults if fault.column not in disclosure.RULES)
        yield from (fault.problem for fault in error.faults)
    else:
        same = made.tables.keys() == pack.tables.keys()
        if not same or any(not f.equals(pack.tables[name]) for name, f in made.tables.items()):
            remedy = "name the cells that the pack was made from"
            raise FaultsError([Fault("pack", "its tables do not follow from these cells", remedy)])
