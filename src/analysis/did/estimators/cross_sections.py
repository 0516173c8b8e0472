"""Doubly robust group-time effects where other households are seen in each period (diff-diff).

The estimator for repeated cross-sections of Sant'Anna & Zhao (2020, section 4). diff-diff keeps the
influence of each row on its result, unpublished; errors made of it must equal those it prints.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.households import Households, about
from analysis.did.estimators.record import Key
from analysis.did.estimators.table import refuse
from analysis.faults import FaultsError
from analysis.inference.arrays import Booleans, Floats

CLIP = 1e-6
"""Propensities are kept this far from 0 and 1; diff-diff's own 0.01 moves estimates."""
AGREE = 1e-8
"""How closely the errors of the influence must equal those that diff-diff prints."""


def estimate(households: Households, how: Comparison, *, leave_out: bool) -> EffectSet:
    """Estimate every group-time effect.

    Parameters
    ----------
    households : Households
        Cohorts without a base left out, as `analysis.did.estimators.households.with_base` does.
    how, leave_out
        Estimate again without each village, for the errors that are reported.
    """
    villages = tuple(households.frame["village"].unique().sort().to_list())
    place = np.searchsorted(villages, households.frame["village"].to_numpy().astype(str))
    fit = _fit(households, how)
    keys, entries = zip(*_effects(fit, households), strict=True)
    v, k = len(villages), len(keys)
    influence = np.zeros((v, k))
    arms = {"treated": np.zeros((v, k), bool), "control": np.zeros((v, k), bool)}
    sizes = {"treated": np.zeros((v, k)), "control": np.zeros((v, k))}
    weight = households.frame["weight"].to_numpy()
    weights = {"treated": np.zeros((v, k)), "control": np.zeros((v, k))}
    for column, (cell, entry) in enumerate(entries):
        part = fit._aggregation_kit.influence[cell]
        for arm, mask in arms.items():
            at = place[part[f"{arm}_idx"]]
            np.add.at(influence[:, column], at, part[f"{arm}_inf"])
            mask[at, column] = True
            np.add.at(sizes[arm][:, column], at, 1.0)
            np.add.at(weights[arm][:, column], at, weight[part[f"{arm}_idx"]])
        _agree(influence[:, column], float(entry["se"]))
    used = arms["treated"] | arms["control"]
    points = np.array([float(entry["effect"]) for _, entry in entries])
    without = np.where(used, np.nan, points)
    if leave_out:
        without = _without(households, how, villages, keys, points, used)
    return EffectSet(
        keys=keys,
        points=points,
        influence=influence,
        without=without,
        used=used,
        treated=arms["treated"],
        control=arms["control"],
        treated_weight=weights["treated"],
        control_weight=weights["control"],
        treated_size=sizes["treated"],
        control_size=sizes["control"],
        villages=villages,
        n_treated=np.array([int(e["n_treated"]) for _, e in entries]),
        n_control=np.array([int(e["n_control"]) for _, e in entries]),
        n_left_out=np.zeros(k, np.int64),
        about=about(households, how, "diff-diff"),
        convention="reported" if leave_out else "parity",
        missing=tuple(_missing(fit, households)),
    )


def _fit(households: Households, how: Comparison) -> Any:
    """Fit by diff-diff; what it cannot do is said in the user's words."""
    import pandas as pd
    from diff_diff import CallawaySantAnna, SurveyDesign  # type: ignore[import-untyped]

    frame = households.frame
    data = pd.DataFrame(
        {name: frame[name].to_numpy() for name in frame.columns if name != "village"}
    )
    data["village"] = frame["village"].cast(pl.Categorical).to_physical().to_numpy()
    design = SurveyDesign(weights="weight", psu="village") if households.weight else None
    model = CallawaySantAnna(
        control_group="never_treated" if how.controls == "never" else "not_yet_treated",
        anticipation=how.anticipation,
        estimation_method="dr",
        base_period=how.base,
        cluster=None if design else "village",
        panel=False,
        pscore_trim=CLIP,
        rank_deficient_action="silent",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return model.fit(
                data,
                "outcome",
                "household",
                "period",
                "cohort",
                covariates=list(households.covariates),
                survey_design=design,
            )
        except (ValueError, np.linalg.LinAlgError) as error:
            refuse(
                f"diff-diff cannot estimate: {error}",
                "look at the covariates: they may tell treated from controls, or each other",
                column="covariates",
                value=", ".join(households.covariates),
            )


def _effects(fit: Any, households: Households) -> Iterator[tuple[Key, tuple[Any, Any]]]:
    """Yield each effect that there is: its key, and diff-diff's cell with its entry."""
    entries = [
        (
            Key(
                households.outcome,
                "group_time",
                cohort=int(cell[0]),
                period=int(cell[1]),
                programme=households.programme,
            ),
            (cell, entry),
        )
        for cell, entry in fit.group_time_effects.items()
        if np.isfinite(entry["effect"]) and np.isfinite(entry["se"])
    ]
    if not entries:
        refuse(
            "no group-time effect can be made",
            "look at how many controls each has",
            column="cohort",
        )
    yield from sorted(entries, key=lambda pair: (pair[0].cohort or 0, pair[0].period or 0))


def _missing(fit: Any, households: Households) -> Iterator[tuple[Key, str]]:
    for (g, t), entry in fit.group_time_effects.items():
        if not np.isfinite(entry["effect"]):
            key = Key(
                households.outcome,
                "group_time",
                cohort=int(g),
                period=int(t),
                programme=households.programme,
            )
            yield key, str(entry.get("skip_reason") or "diff-diff gives no estimate")


def _agree(influence: Floats, printed: float) -> None:
    """Refuse influence that does not give the error that diff-diff prints."""
    g = influence.size
    own = float(np.sqrt(g / (g - 1) * ((influence - influence.mean()) ** 2).sum()))
    if abs(own - printed) > AGREE * max(printed, own):
        refuse(
            "the influence of households does not give the printed error: another diff-diff",
            "install the version of the lock",
            column="std_error",
            value=f"{own:g} and {printed:g}",
        )


def _without(
    households: Households,
    how: Comparison,
    villages: tuple[str, ...],
    keys: tuple[Key, ...],
    points: Floats,
    used: Booleans,
) -> Floats:
    """Return the estimates without each village; NaN where there is none."""
    values = np.full((len(villages), len(keys)), np.nan)
    for row, village in enumerate(villages):
        less = replace(households, frame=households.frame.filter(pl.col("village") != village))
        try:
            effects = dict(_effects(_fit(less, how), less))
        except FaultsError:
            continue
        for column, key in enumerate(keys):
            if key in effects:
                values[row, column] = float(effects[key][1]["effect"])
    # A village outside a comparison changes nothing, whatever the last digit says.
    return np.where(used, values, points)
