"""Exactly the effects that an estimands file declares, and what of them a pack may carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.cells.declaration import Declaration, Declared, not_its_cells
from analysis.cells.pack import Covariance, Point
from analysis.cells.result import Cells
from analysis.effects import aggregate, group_time, layout
from analysis.effects.group_time import Comparison
from analysis.effects.result import EffectSet, stack
from analysis.faults import raise_if_any

WHERE: Final = {"other": "other_villages", "same": "same_village", "any": "anywhere"}


@dataclass(frozen=True)
class DeclaredEffects:
    """What was declared, estimated.

    Attributes
    ----------
    names : tuple of str
        The declared estimand behind each estimate of `effects`.
    effects : EffectSet
        All estimates together, so that their covariance is joint.
    """

    names: tuple[str, ...]
    effects: EffectSet

    def covariance(self) -> Covariance:
        """Return what a pack carries: the points and how they vary together, no village row."""
        found = self.effects
        points = tuple(
            Point(
                estimand=name,
                outcome=key.outcome,
                estimate=float(found.points[i]),
                n_villages_treated=int(found.treated[:, i].sum()),
                n_villages_control=int(found.control[:, i].sum()),
                cohort=key.cohort,
                period=key.period,
                at=key.at,
            )
            for i, (name, key) in enumerate(zip(self.names, found.keys, strict=True))
        )
        reported = found.under("reported").covariance
        return Covariance(
            points,
            found.under("parity").covariance,
            reported if np.isfinite(reported).all() else None,
        )


def estimate(cells: Cells, declaration: Declaration) -> DeclaredEffects:
    """Estimate what a file declares from cells of its design, and nothing else.

    Parameters
    ----------
    cells : Cells
        Made from ``declaration.design``.
    declaration : Declaration
        The estimands file.

    Raises
    ------
    FaultsError
        If the cells are not those of the file, or an estimand cannot be estimated from them.
    """
    raise_if_any(not_its_cells(cells.design, declaration))
    sets = [_one(cells, declared) for declared in declaration.estimands]
    names = [
        declared.name
        for declared, found in zip(declaration.estimands, sets, strict=True)
        for _ in found.keys
    ]
    return DeclaredEffects(tuple(names), stack(*sets))


def _one(cells: Cells, declared: Declared) -> EffectSet:
    table = layout.from_cells(cells, *declared.outcomes)
    found = group_time.estimate(table, comparison(cells, declared))
    if declared.aggregation == "group_time":
        return found
    return aggregate.aggregate(found, table, (declared.aggregation,))


def comparison(cells: Cells, declared: Declared) -> Comparison:
    """Return whom a declared estimand compares, with which base."""
    return Comparison(
        controls=declared.controls,  # type: ignore[arg-type]
        where=WHERE[declared.villages],  # type: ignore[arg-type]
        base=declared.base,  # type: ignore[arg-type]
        anticipation=cells.design.anticipation,
    )
