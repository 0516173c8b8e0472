"""Matching before differences: nearest never treated units on covariates before treatment.

What many village studies report as PSM-DID. Each cohort is compared with the never treated units
that were nearest to it in the last period before its treatment; all estimators and tests of
`analysis.did` then run on the matched units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from analysis.designs.matching import matched
from analysis.designs.sample import prepare
from analysis.did import layout
from analysis.did.check import Observations
from analysis.did.estimators import group_time
from analysis.did.estimators.group_time import Comparison as How
from analysis.did.result import DidResult
from analysis.faults import refuse
from analysis.results import FrameDigest, Provenance

NEIGHBOURS: Final = 1
UNMATCHED: Final = "never treated and nobody's nearest neighbour"
NO_BASE: Final = "of a cohort without a period before treatment"
KNOWN: Final = (
    "each treated unit has one nearest never treated unit (Mahalanobis distance of covariates in"
    " the last period before treatment), used again where it is nearest to several; errors take the"
    " match as known"
)


def estimate(observed: Observations, how: How, units: Mapping[str, str], kind: str) -> DidResult:
    """Match each cohort with never treated units and compare changes.

    Parameters are those of `analysis.did.extended_two_way.estimate`; covariates are needed.

    Raises
    ------
    FaultsError
        If there are no covariates, nobody is never treated, or units are weighted.

    Notes
    -----
    Heckman, Ichimura & Todd (1997). The error of matching itself, which does not vanish (Abadie &
    Imbens 2006), is not in the intervals: they are those of the matched units.
    """
    from analysis.did.estimate import result

    columns = observed.columns
    for given, problem, remedy in (
        (columns.covariates, "there are no covariates to match on", "name them: covariates="),
        (not columns.weight, "matching takes no weights", 'use method="doubly_robust"'),
        (not columns.within, "matching makes its own groups", "leave within= out"),
        (not observed.cross_sections, "units are not followed over time", "name unit="),
    ):
        if not given:
            refuse(problem, remedy, column="covariates")
    stacked, names = stack(observed, how.anticipation)
    used = stacked.frame["unit_given"].unique()
    gone = observed.frame.filter(~pl.col("unit").is_in(used.implode()))
    lost = gone.filter(pl.col("cohort") > 0).height
    left_out = {**observed.left_out, UNMATCHED: gone.height - lost, NO_BASE: lost}
    chosen = replace(
        stacked,
        frame=stacked.frame.drop("unit_given"),
        groups=names,
        left_out={why: n for why, n in left_out.items() if n},
        decisions=(*observed.decisions, KNOWN),
    )
    cells, decisions = layout.table(
        chosen, anticipation=how.anticipation, evidence=kind, units=dict(units)
    )
    digest = FrameDigest(observed.frame, "data")
    provenance = Provenance.of(
        estimate, evidence=kind, method="matching before differences", inputs=(digest,)
    )
    fit = result(
        group_time.estimate(cells, how),
        cells,
        how,
        "matching",
        provenance,
        units=columns.unit,
        cluster=columns.cluster or columns.unit,
        decisions=(*chosen.decisions, *decisions),
        shift=observed.shift,
        covariates=columns.covariates,
    )
    people = observed.frame.filter(pl.col("unit").is_in(used.implode()))
    control = people.filter(pl.col("cohort") == 0)
    return replace(
        fit,
        comparison=replace(
            fit.comparison,
            estimator="nearest neighbours before treatment, then difference in differences",
            adjusted="",
            weights=f"how often a control is a match on {', '.join(columns.covariates)}",
        ),
        account=replace(
            fit.account,
            rows_used=people.height,
            n_control=control["unit"].n_unique(),
            n_clusters_control=control["cluster"].n_unique(),
        ),
    )


def stack(observed: Observations, anticipation: int) -> tuple[Observations, tuple[str, ...]]:
    """Return one group of rows for each cohort with its matches, and the groups' names.

    The frame has ``unit_given``, the unit as it was; units of different groups have their own.
    """
    frame, periods = observed.frame, observed.periods
    x = [f"x:{name}" for name in observed.columns.covariates]
    parts: list[pl.DataFrame] = []
    names: list[str] = []
    for cohort in sorted(set(frame["cohort"].to_list()) - {0}):
        before = periods[periods < cohort - anticipation]
        if not before.size:
            continue
        base = frame.filter(
            (pl.col("period") == int(before[-1])) & pl.col("cohort").is_in([0, cohort])
        )
        sample = base.select("unit", *x, d=(pl.col("cohort") > 0).cast(pl.Int64)).with_columns(
            y=pl.int_range(pl.len()).cast(pl.Float64)
        )
        match = matched(prepare(sample, "y", "d", x), NEIGHBOURS)
        treated = sample["d"].to_numpy() == 1
        weight = np.where(treated, 1.0, match.controls * treated.sum())
        own = pl.DataFrame({"unit": sample["unit"], "match": weight}).filter(pl.col("match") > 0)
        group = len(names)
        parts.append(
            frame.join(own, on="unit").with_columns(
                unit_given=pl.col("unit"),
                unit=pl.concat_str(pl.lit(f"{group} / "), pl.col("unit").cast(pl.String)),
                weight=pl.col("match"),
                within=pl.lit(group, pl.UInt32),
            )
        )
        names.append(f"cohort {cohort - observed.shift}")
    if not parts:
        refuse("no cohort has a period before treatment", "add earlier periods", column="time")
    return replace(observed, frame=pl.concat(parts).drop("match")), tuple(names)
