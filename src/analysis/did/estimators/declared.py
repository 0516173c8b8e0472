"""Exactly the effects that an estimands file declares, and what of them a pack may carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.cells.declaration import Declaration, Declared, not_its_cells
from analysis.cells.design import CellsDesign
from analysis.cells.pack_estimates import Estimated, Point
from analysis.cells.result import Cells
from analysis.did.estimators import aggregate, group_time, layout
from analysis.did.estimators.effect_set import EffectSet, stack
from analysis.did.estimators.group_time import Comparison
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
        effects = self.effects
        points = tuple(
            Point(
                estimand=name,
                outcome=key.outcome,
                estimate=float(effects.points[i]),
                n_villages_treated=int(effects.treated[:, i].sum()),
                n_villages_control=int(effects.control[:, i].sum()),
                n_villages=int(effects.used[:, i].sum()),
                cohort=key.cohort,
                period=key.period,
                at=key.at,
                degrees=float(effects.reported_degrees[i]),
                effective_treated=float(effects.effective_clusters[0, i]),
                effective_control=float(effects.effective_clusters[1, i]),
            )
            for i, (name, key) in enumerate(zip(self.names, effects.keys, strict=True))
        )
        return Estimated(points, effects.under("reported").covariance)


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
        {
            declared: estimand(cells, declared, comparison(cells.design, declared))
            for declared in declaration.estimands
        }
    )


def _beyond(declaration: Declaration, estimands: tuple[Declared, ...]) -> Iterator[Fault]:
    """Yield a fault for each key that cells alone cannot answer as a pack is derived again."""
    for estimand in estimands:
        for key in estimand.beyond_a_pack:
            yield Fault(
                declaration.name,
                "not from cells",
                "leave the key out, or run it on the panel: analysis did PANEL --estimands FILE",
                column=f"{estimand.name}.{key}",
            )


def together(sets: Mapping[Declared, EffectSet]) -> DeclaredEffects:
    """Return the estimates of several estimands as one set, each with its name."""
    names = [declared.name for declared, effects in sets.items() for _ in effects.keys]
    return DeclaredEffects(tuple(names), stack(*sets.values()))


def estimand(cells: Cells, declared: Declared, how: Comparison) -> EffectSet:
    """Estimate one declared estimand by a comparison."""
    table = layout.from_cells(cells, *declared.outcomes)
    effects = group_time.estimate(table, how)
    if declared.aggregation == "group_time":
        return effects
    return aggregate.aggregate(effects, table, (declared.aggregation,))


def comparison(design: CellsDesign, declared: Declared) -> Comparison:
    """Return whom a declared estimand compares, with which base."""
    return Comparison(
        controls=declared.controls,  # type: ignore[arg-type]
        where=declared.where,  # type: ignore[arg-type]
        base=declared.base,  # type: ignore[arg-type]
        anticipation=design.anticipation,
    )
