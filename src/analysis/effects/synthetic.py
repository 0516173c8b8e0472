"""One treated village: synthetic difference-in-differences on village means (diff-diff).

Arkhangelsky et al. (2021): other villages weighed to follow the treated one before treatment, and
periods before weighed to resemble those after. With one village no error comes from the data alone:
each control is treated in turn, as if, and the spread of what is found stands in (their section
5). That takes villages to vary alike; the place of the effect among the placebos needs less.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from diff_diff import SyntheticDiD  # type: ignore[import-untyped]

from analysis.designs.micro import MicroEffect, made
from analysis.designs.sample import Sample
from analysis.effects.table import Table, check_constant, refuse
from analysis.inference.arrays import Floats

OTHERS = "villages with a programme of their own"
SEED = 0
"""Asked for by diff-diff; the variance that is used draws nothing."""
LEAST_BEFORE = 2
"""Periods before treatment without which nothing can be matched."""


@dataclass(frozen=True, eq=False, repr=False)
class Synthetic:
    """A synthetic difference-in-differences for one village.

    Attributes
    ----------
    effect : MicroEffect
        Mean effect over the periods after; `more` has the placebos: how many, and the share of
        villages, the treated one counted, whose effect is at least as far from zero.
    path : polars.DataFrame
        One row per period: ``period``, ``treated`` and ``synthetic`` means, ``after``, and
        ``weight``, the period's own before treatment.
    villages : polars.DataFrame
        One row per control: ``village``, ``weight``, ``placebo`` (the effect found on it).
    """

    effect: MicroEffect
    path: pl.DataFrame
    villages: pl.DataFrame

    def __repr__(self) -> str:
        return repr(self.effect)

    def _repr_html_(self) -> str:
        return self.effect._repr_html_() + self.path._repr_html_()


def means(table: Table, outcome: str, village: str) -> pl.DataFrame:
    """Return means by village and period for one treated village and the never treated ones.

    Parameters
    ----------
    table : Table
        Cells as arrays; the programme must reach whole villages.
    outcome : str
        Name of the outcome.
    village : str
        The treated village.

    Returns
    -------
    polars.DataFrame
        ``village``, ``period``, ``mean``, ``first`` (first treated period, 0 for never).

    Raises
    ------
    FaultsError
        If there is no such village or outcome, or households of one village differ in cohort.
    """
    chosen = table.select(outcome)
    check_constant(chosen)
    if village not in table.villages:
        refuse(
            "there is no such village",
            "name one that the cells have",
            column="village",
            value=village,
        )
    first = table.village_cohort()
    mixed = np.unique(chosen.village[chosen.cohort != first[chosen.village]])
    if mixed.size:
        refuse(
            "households of one village have different cohorts",
            "use group_time: the programme is not one of villages",
            column="village",
            value=table.villages[int(mixed[0])],
        )
    v, t = len(table.villages), table.periods.size
    total, weight = np.zeros((v, t)), np.zeros((v, t))
    np.add.at(total, chosen.village, chosen.total[:, :, 0])
    np.add.at(weight, chosen.village, chosen.weight)
    if (weight == 0).any():
        at = int(np.argwhere(weight == 0)[0, 0])
        refuse(
            "a village is not seen in every period",
            "leave it out",
            column="village",
            value=table.villages[at],
        )
    return pl.DataFrame(
        {
            "village": np.repeat(table.villages, t),
            "period": np.tile(table.periods, v),
            "mean": (total / weight).ravel(),
            "first": np.repeat(first, t),
        }
    )


def estimate(
    frame: pl.DataFrame,
    village: str,
    *,
    outcome: str = "mean",
    level: float = 0.95,
    tier: str = "yours",
    unit: str = "",
    programme: str = "",
) -> Synthetic:
    """Estimate the effect on one village.

    A row of the result's account is a village with all its periods.

    Parameters
    ----------
    frame : polars.DataFrame
        As `means` returns it: ``village``, ``period``, ``mean``, ``first``. Villages that are
        treated themselves are left out and counted.
    village : str
        The treated village.
    outcome : str
        What the mean is of, for the result.
    level : float
        Probability of the interval.
    tier, unit, programme : str
        Evidence tier, unit of the outcome, what was treated.

    Returns
    -------
    Synthetic

    Raises
    ------
    FaultsError
        If the village is not treated, fewer than two periods lie before treatment or none after,
        fewer than two controls are left, or a mean is missing.
    """
    own = frame.filter(village=village)
    first = own["first"].max() if own.height else None
    if not isinstance(first, int) or first <= 0:
        refuse(
            "the village is not treated in these periods",
            "name a treated one",
            column="village",
            value=village,
        )
    kept = frame.filter((pl.col("first") == 0) | (pl.col("village") == village))
    wide = kept.pivot("period", index="village", values="mean", sort_columns=True).sort("village")
    periods = sorted(kept["period"].unique().to_list())
    y: Floats = wide.select(str(p) for p in periods).cast(pl.Float64).to_numpy()
    if not np.isfinite(y).all():
        refuse("a mean is missing or infinite", "leave the village out", column="mean")
    after = np.array([p >= first for p in periods])
    if (~after).sum() < LEAST_BEFORE or not after.any():
        refuse(
            f"{(~after).sum()} periods lie before treatment and {after.sum()} after it",
            f"at least {LEAST_BEFORE} before and one after are needed",
            column="period",
            value=first,
        )
    names = wide["village"].to_list()
    at = names.index(village)
    controls = [k for k in range(len(names)) if k != at]
    if len(controls) < 2:
        refuse(
            "fewer than two controls are left",
            "a synthetic village needs others to weigh",
            column="village",
        )
    found = _fit(y, at, controls, after, None)
    placebos = np.array(
        [
            _fit(y, k, [c for c in controls if c != k], after, found).att
            if len(controls) > 2
            else np.nan
            for k in controls
        ]
    )
    error = float(placebos.std())
    weights = np.array([found.unit_weights.get(k, 0.0) for k in controls])
    time = np.array([found.time_weights.get(t, 0.0) for t in range(len(periods))])
    effect = made(
        _sample(
            names, y, at, frame["village"].n_unique() - len(names), outcome, tier, unit, programme
        ),
        "synthetic difference-in-differences on village means",
        "att",
        float(found.att),
        error,
        float("inf"),
        "placebo",
        controls=f"{len(controls)} never treated villages",
        note="" if np.isfinite(error) else "no interval: too few controls for placebos",
        level=level,
        with_library="diff-diff",
        more={
            "placebos": float(len(controls)),
            "share_as_far": float(
                (1 + (np.abs(placebos) >= abs(found.att)).sum()) / (1 + len(controls))
            ),
        },
    )
    path = pl.DataFrame(
        {
            "period": periods,
            "treated": y[at],
            "synthetic": weights @ y[controls],
            "after": after,
            "weight": time,
        }
    )
    return Synthetic(
        effect,
        path,
        pl.DataFrame(
            {"village": [names[k] for k in controls], "weight": weights, "placebo": placebos}
        ).sort("weight", descending=True),
    )


def _fit(y: Floats, at: int, controls: list[int], after: Any, like: Any) -> Any:
    """Fit one village against controls; placebos keep the regularisation of the treated one."""
    rows = [at, *controls]
    v, t = len(rows), y.shape[1]
    data = pd.DataFrame(
        {
            "village": np.repeat(rows, t),
            "period": np.tile(np.arange(t), v),
            "mean": y[rows].ravel(),
            "treated": np.repeat([1] + [0] * len(controls), t),
        }
    )
    zeta = {} if like is None else {"zeta_omega": like.zeta_omega, "zeta_lambda": like.zeta_lambda}
    # The jackknife is the one variance of diff-diff that draws nothing; its result is not used.
    model = SyntheticDiD(variance_method="jackknife", n_bootstrap=2, seed=SEED, **zeta)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(
            data,
            "mean",
            "treated",
            "village",
            "period",
            post_periods=np.flatnonzero(after).tolist(),
        )


def _sample(
    names: list[str],
    y: Floats,
    at: int,
    gone: int,
    outcome: str,
    tier: str,
    unit: str,
    programme: str,
) -> Sample:
    """Return the account of a fit: one row per village, however many periods each has."""
    n = len(names)
    treated = np.zeros(n)
    treated[at] = 1.0
    return Sample(
        outcome,
        "treated",
        y.mean(axis=1),
        treated,
        (),
        np.empty((n, 0)),
        np.ones(n),
        np.arange(n),
        np.zeros(n, np.int64),
        rows_in=n + gone,
        left_out={OTHERS: gone} if gone else {},
        tier=tier,
        unit=unit,
        programme=programme,
    )
