"""All programmes at once: each programme's path while the others are held, from household records.

Where programmes come together, a comparison for one of them finds what all of them do. This
regression has household effects, year effects by stratum, income before any programme times year
(incomes that grow in proportion grow by more yuan where they are high), and for each programme the
years since its start. It assumes that a programme's path is the same for each cohort, and that
programmes add up; it needs household records, since cells of one programme do not tell the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.record import About, Key
from analysis.did.estimators.table import refuse
from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.inference.degrees import rules

SINGULAR = 1e-9
"""Smallest squared pivot of the scaled X′X that counts as not zero."""
FIRST = "first_"
"""Columns of first periods begin so: ``first_training``."""


@dataclass(frozen=True)
class Term:
    """One dummy of a programme: a year since its start, or all later ones together.

    Attributes
    ----------
    programme : str
        Which programme.
    at : int
        Event time; the last one stands for it and all later.
    rows : array of bool, shape (n,)
        Household-years in it.
    """

    programme: str
    at: int
    rows: Booleans


def estimate(
    data: pl.DataFrame,
    anticipation: Mapping[str, int],
    outcomes: tuple[str, ...],
    about: About,
) -> EffectSet:
    """Estimate every programme's path at once.

    Parameters
    ----------
    data : polars.DataFrame
        One row per household and period seen: household, village, stratum (String), period (Int),
        weight, before (income before any programme, any unit), the outcomes (Float64), and
        ``first_<programme>`` (Int, null: never) for each programme.
    anticipation : mapping of str to int
        Each programme, and the periods before its first in which incomes may already move: they
        get dummies of their own.
    outcomes : tuple of str
        Columns whose effects are estimated; sources add up to the total exactly.
    about : About
        What a page prints of tier, weights, units and rows.

    Returns
    -------
    EffectSet
        For each outcome and programme: ``simple`` (mean over household-years in it), ``calendar``
        of the last period, and ``event_time``. Influence is that of villages; `without` comes from
        leaving each village out.

    Raises
    ------
    FaultsError
        If programmes and years cannot be told apart.
    """
    data = data.sort("village", "household", "period")
    villages = data["village"].unique(maintain_order=True).to_list()
    village = data["village"].rank("dense").to_numpy().astype(np.int64) - 1
    terms = [
        term for name, years in anticipation.items() for term in _terms(data, name, years, village)
    ]
    if not terms:
        refuse(
            "nobody is in any programme in these periods",
            "check the first periods",
            column="programme",
            value=", ".join(anticipation),
        )
    x = np.column_stack([*(term.rows for term in terms), *_years(data)]).astype(np.float64)
    gram, moment = _sums(
        x,
        data.select(outcomes).to_numpy().astype(np.float64),
        data["household"].rank("dense").to_numpy().astype(np.int64) - 1,
        data["weight"].to_numpy(),
        village,
    )
    theta = _solved(gram.sum(axis=0), moment.sum(axis=0))
    if np.isnan(theta).any():
        refuse(
            "programmes and years cannot be told apart",
            "leave out programmes that all begin together, or add villages without them",
            column="programme",
            value=", ".join(anticipation),
        )
    bread = np.linalg.inv(gram.sum(axis=0))
    influence = np.einsum("pq,vqk->vpk", bread, moment - gram @ theta)
    without = np.stack(
        [
            _solved(gram.sum(axis=0) - g, moment.sum(axis=0) - m)
            for g, m in zip(gram, moment, strict=True)
        ]
    )
    return _set(data, terms, outcomes, theta, influence, without, (tuple(villages), village), about)


def _terms(data: pl.DataFrame, programme: str, anticipation: int, village: Integers) -> list[Term]:
    """Return the dummies of one programme; years that few villages reach are joined."""
    event = (data["period"] - data[FIRST + programme]).to_numpy().astype(np.float64)
    there = np.unique(event[event >= -anticipation])
    if not (there >= 0).any():
        return []
    reached = [
        at
        for at in there
        if np.unique(village[event == at]).size >= rules().multipliers_from or at <= 0
    ]
    last = max(reached)
    return [Term(programme, int(at), event >= at if at == last else event == at) for at in reached]


def _years(data: pl.DataFrame) -> list[Floats]:
    """Return year effects by stratum, and income before any programme times year."""
    period = data["period"].to_numpy()
    before = data["before"].to_numpy().astype(np.float64)
    spread = before.std()
    columns: list[Floats] = []
    for stratum in data["stratum"].unique().sort():
        inside = (data["stratum"] == stratum).to_numpy()
        seen = np.unique(period[inside])
        columns += [(inside & (period == t)).astype(np.float64) for t in seen[1:]]
    if spread > 0:
        scaled = (before - before.mean()) / spread
        columns += [scaled * (period == t) for t in np.unique(period)[1:]]
    return columns


def _sums(
    x: Floats, y: Floats, household: Integers, weight: Floats, village: Integers
) -> tuple[Floats, Floats]:
    """Return X′X (v, p, p) and X′Y (v, p, k) of each village, household effects taken out."""
    count = np.bincount(household).astype(np.float64)[:, None]

    def within(values: Floats) -> Floats:
        means = np.column_stack([np.bincount(household, column) for column in values.T]) / count
        left: Floats = values - means[household]
        return left

    x, y = within(x), within(y)
    edges = np.searchsorted(village, np.arange(village.max() + 2))
    grams, moments = [], []
    for first, end in pairwise(edges):
        weighted = x[first:end] * weight[first:end, None]
        grams.append(weighted.T @ x[first:end])
        moments.append(weighted.T @ y[first:end])
    return np.stack(grams), np.stack(moments)


def _solved(gram: Floats, moment: Floats) -> Floats:
    """Solve the normal equations; NaN where they have no single solution."""
    scale = np.sqrt(np.diag(gram))
    if (scale > 0).all():
        try:
            root: Floats = np.linalg.cholesky(gram / np.outer(scale, scale))
        except np.linalg.LinAlgError:
            return np.full(moment.shape, np.nan)
        if (np.diag(root) ** 2).min() > SINGULAR:
            return np.asarray(np.linalg.solve(gram, moment), np.float64)
    return np.full(moment.shape, np.nan)


def _set(
    data: pl.DataFrame,
    terms: list[Term],
    outcomes: tuple[str, ...],
    theta: Floats,
    influence: Floats,
    without: Floats,
    of: tuple[tuple[str, ...], Integers],
    about: About,
) -> EffectSet:
    """Add the dummies of each programme up, for every outcome."""
    names, village = of
    weight, last = data["weight"].to_numpy(), (data["period"] == data["period"].max()).to_numpy()
    asked: list[tuple[str, str, int | None, Integers, Floats]] = []
    for programme in dict.fromkeys(term.programme for term in terms):
        mine = np.array([i for i, term in enumerate(terms) if term.programme == programme])
        post = np.array([i for i in mine if terms[i].at >= 0])
        for aggregation, inside in (("simple", np.ones(last.size, bool)), ("calendar", last)):
            size = np.array([(weight * (terms[i].rows & inside)).sum() for i in post])
            at = int(data["period"].max()) if aggregation == "calendar" else None  # type: ignore[arg-type]
            if size.sum() > 0:
                asked.append((programme, aggregation, at, post, size / size.sum()))
        asked += [(programme, "event_time", terms[i].at, np.array([i]), np.ones(1)) for i in mine]
    sides = {name: _arms(data, name, village, len(names)) for name, *_ in asked}
    keys, columns, arms = [], [], []
    for k, outcome in enumerate(outcomes):
        for programme, aggregation, at, which, share in asked:
            keys.append(Key(outcome, aggregation, at=at, programme=programme))
            columns.append(
                (
                    share @ theta[which, k],
                    influence[:, which, k] @ share,
                    without[:, which, k] @ share,
                )
            )
            arms.append(sides[programme])
    treated, control, weight_treated, weight_control, n_treated, n_control = zip(*arms, strict=True)
    points, moves, left = zip(*columns, strict=True)
    return EffectSet(
        keys=tuple(keys),
        points=np.array(points),
        influence=np.column_stack(moves),
        without=np.column_stack(left),
        treated=np.column_stack(treated),
        control=np.column_stack(control),
        used=np.ones((len(names), len(keys)), bool),
        treated_weight=np.column_stack(weight_treated),
        control_weight=np.column_stack(weight_control),
        n_treated=np.array(n_treated),
        n_control=np.array(n_control),
        n_left_out=np.zeros(len(keys), np.int64),
        villages=names,
        about=about,
    )


def _arms(
    data: pl.DataFrame, programme: str, village: Integers, size: int
) -> tuple[Booleans, Booleans, Floats, Floats, int, int]:
    """Return villages with households in a programme and with others, and how much they weigh.

    The last two numbers count households ever in the programme and never in it.
    """
    first = data[FIRST + programme]
    inside = (data["period"] >= first).fill_null(value=False).to_numpy()
    began = data.filter(pl.Series(inside))["period"].min()
    outside = ~inside & (data["period"] >= began).to_numpy()
    homes = data.group_by("household").agg(taken=pl.col(FIRST + programme).first())
    never = homes["taken"].null_count()
    weight = data["weight"].to_numpy()
    held = [
        np.bincount(village[rows], weight[rows], size).astype(np.float64)
        for rows in (inside, outside)
    ]
    return held[0] > 0, held[1] > 0, held[0], held[1], homes.height - never, never
