"""Exactly the effects that an estimands file declares, and what of them a pack may carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.cells.declaration import Declaration, Declared, not_its_cells
from analysis.cells.design import CellsDesign
from analysis.cells.pack_estimates import Estimated, Point
from analysis.cells.result import Cells
from analysis.effects import aggregate, group_time, layout
from analysis.effects.group_time import Comparison
from analysis.effects.result import EffectSet, stack
from analysis.faults import Fault, raise_if_any


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

    def estimated(self) -> Estimated:
        """Return the estimates with their jackknife covariance at full precision: inside only."""
        found = self.effects
        points = tuple(
            Point(
                estimand=name,
                outcome=key.outcome,
                estimate=float(found.points[i]),
                n_villages_treated=int(found.treated[:, i].sum()),
                n_villages_control=int(found.control[:, i].sum()),
                n_villages=int(found.used[:, i].sum()),
                cohort=key.cohort,
                period=key.period,
                at=key.at,
                degrees=float(found.reported_degrees[i]),
                effective_treated=float(found.effective_clusters[0, i]),
                effective_control=float(found.effective_clusters[1, i]),
            )
            for i, (name, key) in enumerate(zip(self.names, found.keys, strict=True))
        )
        return Estimated(points, found.under("reported").covariance)


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
    raise_if_any(
        [*not_its_cells(cells.design, declaration), *_beyond(declaration, declaration.estimands)]
    )
    return together(
        {one: estimand(cells, one, comparison(cells.design, one)) for one in declaration.estimands}
    )


def _beyond(declaration: Declaration, estimands: tuple[Declared, ...]) -> Iterator[Fault]:
    """Yield a fault for each key that cells alone cannot answer as a pack is derived again."""
    for one in estimands:
        for key in one.beyond_a_pack:
            yield Fault(
                declaration.name,
                "not from cells",
                "leave the key out, or run it on the panel: analysis did PANEL --estimands FILE",
                column=f"{one.name}.{key}",
            )


def together(sets: Mapping[Declared, EffectSet]) -> DeclaredEffects:
    """Return the estimates of several estimands as one set, each with its name."""
    names = [declared.name for declared, found in sets.items() for _ in found.keys]
    return DeclaredEffects(tuple(names), stack(*sets.values()))


def estimand(cells: Cells, declared: Declared, how: Comparison) -> EffectSet:
    """Estimate one declared estimand by a comparison."""
    table = layout.from_cells(cells, *declared.outcomes)
    found = group_time.estimate(table, how)
    if declared.aggregation == "group_time":
        return found
    return aggregate.aggregate(found, table, (declared.aggregation,))


def comparison(design: CellsDesign, declared: Declared) -> Comparison:
    """Return whom a declared estimand compares, with which base."""
    return Comparison(
        controls=declared.controls,  # type: ignore[arg-type]
        where=declared.where,  # type: ignore[arg-type]
        base=declared.base,  # type: ignore[arg-type]
        anticipation=design.anticipation,
    )
