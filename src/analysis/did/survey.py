"""Errors of a stratified sample of clusters, or of primary sampling units that group them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from analysis.did.estimators.effect_set import EffectSet
from analysis.faults import refuse
from analysis.inference import clusters
from analysis.inference.arrays import Floats, Integers


@dataclass(frozen=True)
class SurveyEffects(EffectSet):
    """Effects whose covariance is that of the sample design (Binder 1983, with replacement).

    Attributes
    ----------
    unit, stratum : array, shape (v,)
        Number of each cluster's primary sampling unit and design stratum.
    """

    unit: Integers = None  # type: ignore[assignment]
    stratum: Integers = None  # type: ignore[assignment]

    @property
    def covariance(self) -> Floats:
        """Σ_h n_h/(n_h − 1) Σ_j (ψ_hj − ψ̄_h)(ψ_hj − ψ̄_h)′ over sampling units j of strata h."""
        influence, stratum = self._by_unit()
        return clusters.stratified_covariance(influence, stratum)

    @property
    def reported_degrees(self) -> Floats:
        """Sampling units less strata, never more than the rule of villages allows."""
        influence, stratum = self._by_unit()
        degrees = influence.shape[0] - np.unique(stratum).size
        values: Floats = np.minimum(float(degrees), super().reported_degrees)
        return values

    def _by_unit(self) -> tuple[Floats, Integers]:
        names, place = np.unique(self.unit, return_inverse=True)
        influence = np.zeros((names.size, len(self)))
        np.add.at(influence, place, self.influence)
        stratum = np.zeros(names.size, np.int64)
        stratum[place] = self.stratum
        return influence, stratum


def of_design(effects: EffectSet, design: pl.DataFrame) -> SurveyEffects:
    """Return effects with the errors of a sample design.

    Parameters
    ----------
    effects : EffectSet
        Effects by cluster.
    design : polars.DataFrame
        cluster, and ``strata``, ``psu`` or both, one row a cluster.

    Raises
    ------
    FaultsError
        If a stratum has one sampling unit: its variance cannot be told.
    """
    lookup = {row["cluster"]: row for row in design.iter_rows(named=True)}
    rows = [lookup[name] for name in effects.villages]
    unit = np.unique([row.get("psu", row["cluster"]) for row in rows], return_inverse=True)[1]
    names, stratum = np.unique([row.get("strata", "all") for row in rows], return_inverse=True)
    for number, name in enumerate(names):
        if np.unique(unit[stratum == number]).size < 2:
            refuse(
                "a stratum has one sampling unit",
                "join it to another one",
                column="strata",
                value=name,
            )
    values: dict[str, Any] = {name: getattr(effects, name) for name in effects.__dataclass_fields__}
    return replace(SurveyEffects(**values), unit=unit, stratum=stratum)
