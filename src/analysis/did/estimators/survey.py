"""Errors under the survey's own design: primary sampling units in design strata.

V = Σ_h n_h/(n_h − 1) Σ_j (ψ_hj − ψ̄_h)(ψ_hj − ψ̄_h)′, with ψ_hj the influence of unit j of stratum h,
added up over its villages (Binder 1983; units drawn with replacement, no correction for a finite
population). Every unit of the sample counts in n_h, also one without influence on an estimate: the
treated are a part of the sample, not a sample of their own. The degrees of freedom are units less
strata.

Units numbered inside strata are taken together with them. A unit may group villages. One that cuts
through a village cannot be told from cells by village.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.did.estimators.effect_set import EffectSet
from analysis.faults import Fault, FaultsError
from analysis.inference import clusters
from analysis.panels.panel import Panel

ONE = "all"
"""Design stratum of a panel that names none."""


@dataclass(frozen=True)
class Sample:
    """How villages came into the sample.

    Attributes
    ----------
    psu : mapping of str to str
        Primary sampling unit of each village; itself where the panel names none.
    stratum : mapping of str to str
        Design stratum of each village.
    """

    psu: Mapping[str, str]
    stratum: Mapping[str, str]


def of_panel(panel: Panel) -> Sample:
    """Return the sample as the households of a panel name it.

    Raises
    ------
    FaultsError
        If units cut through villages, or only some households have a design stratum.
    """
    stratum = pl.col("stratum")
    homes = (
        panel.households.select("village", psu=within_strata(), stratum="design_stratum")
        .unique()
        .collect()
    )
    faults = []
    cut = _several(homes, "village", "psu")
    if cut:
        faults.append(
            _fault(
                "primary_sampling_unit",
                "a primary sampling unit cuts through a"
                " village: cells by village cannot tell its parts",
                cut,
                "import with the unit as the village",
            )
        )
    lacking = homes.filter(stratum.is_null())["village"].unique().sort()
    if lacking.len() and homes["stratum"].null_count() < homes.height:
        faults.append(
            _fault(
                "design_stratum",
                "some households have no design stratum",
                lacking[0],
                "give it to all, or to none",
            )
        )
    else:
        homes = homes.with_columns(stratum.fill_null(ONE))
    if faults:
        raise FaultsError(faults)
    rows = homes.sort("village")
    return Sample(
        dict(rows.select("village", "psu").iter_rows()),
        dict(rows.select("village", "stratum").iter_rows()),
    )


def within_strata() -> pl.Expr:
    """Return the name of the sampling unit of each household, the village where it has none.

    Surveys number units inside strata: a number that occurs in several is taken together with its
    stratum. The columns are those of the households of a panel.
    """
    own = pl.coalesce("primary_sampling_unit", "village")
    stratum = pl.col("design_stratum")
    reused = stratum.drop_nulls().n_unique().over(own) > 1
    expression = pl.concat_str(stratum, own, separator=" / ", ignore_nulls=True)
    return pl.when(reused).then(expression).otherwise(own)


def _several(frame: pl.DataFrame, of: str, what: str) -> str:
    """Return the first that has several values of something; empty if none has."""
    counted = frame.group_by(of).agg(pl.col(what).n_unique().alias("n"))
    return str(counted.filter(pl.col("n") > 1)[of].min() or "")


def _fault(column: str, problem: str, value: str, remedy: str) -> Fault:
    return Fault("households.parquet", problem, remedy, column=column, value=value)


def to_frame(effects: EffectSet, sample: Sample) -> pl.DataFrame:
    """Return estimates with errors and intervals under the design of the sample.

    Parameters
    ----------
    effects : EffectSet
        Estimates; their villages are those of the sample that were used.
    sample : Sample
        From `of_panel`.

    Returns
    -------
    polars.DataFrame
        programme, outcome, estimand, estimate, std_error, ci_low, ci_high, degrees, n_units,
        n_strata, unit.

    Raises
    ------
    ValueError
        If a village is not in the sample, or a design stratum has one unit.
    """
    error = np.sqrt(np.diag(effects.design_covariance(sample.stratum, sample.psu)))
    units = {sample.psu[name] for name in effects.villages}
    strata = {sample.stratum[name] for name in effects.villages}
    degrees = np.full(len(effects), float(len(units) - len(strata)))
    half = clusters.half_width(error, degrees, effects.level)
    return pl.DataFrame(
        {
            "programme": [key.programme for key in effects.keys],
            "outcome": [key.outcome for key in effects.keys],
            "estimand": [key.estimand for key in effects.keys],
            "estimate": effects.points,
            "std_error": error,
            "ci_low": effects.points - half,
            "ci_high": effects.points + half,
            "degrees": degrees,
            "n_units": len(units),
            "n_strata": len(strata),
            "unit": [effects.about.units.get(key.outcome, "") for key in effects.keys],
        }
    )
