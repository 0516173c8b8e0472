"""Effects from a pack, without a village row: points derived again, errors as carried.

The very same estimators that ran on cells run on the totals of a pack, so every declared point is
derived again and compared with the one that the pack carries. Errors cannot be: the covariance of
the declared estimates is carried, and intervals, bands and Wald tests follow from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from analysis.cells import declaration
from analysis.cells.declaration import Declaration, Declared
from analysis.cells.pack import Pack
from analysis.cells.pack_estimates import Covariance, Point
from analysis.cells.parameters import parameters
from analysis.did.estimators import aggregate, declared, group_time, imputation, layout, two_way
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.pack_effects import PackEffects
from analysis.did.estimators.record import About, Key
from analysis.faults import Fault, FaultsError, raise_if_any

TOLERANCE: Final = 1e-9
"""Relative difference of a carried and a derived point, or of the standard error where that is
larger: a point near zero is a small difference of large sums."""
AGAIN: Final = "ask the holder of the data for the pack again"
SAME_VILLAGE: Final = "controls in the same village need the cells"


@dataclass(frozen=True)
class Derived:
    """What the totals of a pack say by themselves.

    Attributes
    ----------
    effects : mapping of str to EffectSet
        Points of each declared estimand, in fen or as the outcome is; their influence and errors
        mean nothing, because all villages are one.
    carried_only : mapping of str to str
        Declared estimands whose points do not follow from totals, and why.
    """

    effects: dict[str, EffectSet]
    carried_only: dict[str, str]


def declared_in(pack: Pack) -> Declaration:
    """Return the estimands file that a pack carries."""
    return declaration.parse(tomllib.loads(pack.declaration), pack.declaration, "estimands.toml")


def derive(pack: Pack) -> Derived:
    """Derive every declared point from the totals of a pack.

    Parameters
    ----------
    pack : Pack
        From `analysis.cells.pack.read`.

    Raises
    ------
    FaultsError
        If the totals allow no estimate that was declared.
    """
    cells = pack.as_cells()
    effects: dict[str, EffectSet] = {}
    carried_only: dict[str, str] = {}
    for estimand in declared_in(pack).estimands:
        why = _not_from_totals(pack, estimand)
        if why:
            carried_only[estimand.name] = why
        else:
            effects[estimand.name] = declared.estimand(cells, estimand, _comparison(pack, estimand))
    return Derived(effects, carried_only)


def _not_from_totals(pack: Pack, estimand: Declared) -> str:
    """Return why an estimand's points do not follow from the totals; empty if they do."""
    return SAME_VILLAGE if estimand.where == "same_village" else ""


def _comparison(pack: Pack, estimand: Declared) -> Comparison:
    """Return whom the totals compare: where whole villages are treated, cohorts say it all."""
    how = declared.comparison(pack.design, estimand)
    whole = pack.design.level == "village" and estimand.where == "other_villages"
    return replace(how, where="anywhere") if whole else how


def estimate(pack: Pack) -> PackEffects:
    """Return the declared effects of a pack, after deriving every point again.

    Parameters
    ----------
    pack : Pack
        From `analysis.cells.pack.read`.

    Returns
    -------
    PackEffects
        In the order of the pack; what follows from the totals and is not carried is in `missing`.

    Raises
    ------
    FaultsError
        If the pack carries no estimates, or a carried point or covariance is not that of its
        totals; each is named.
    """
    if pack.covariance is None:
        raise FaultsError(
            [
                Fault(
                    "pack",
                    "it carries no estimates",
                    "make it with declared effects: analysis pack",
                    column="covariance",
                )
            ]
        )
    derived = derive(pack)
    raise_if_any(faults(pack, pack.covariance, derived))
    return _carried(pack, pack.covariance, derived)


def faults(pack: Pack, carried: Covariance, derived: Derived) -> Iterator[Fault]:
    """Yield every carried point that does not follow from the totals, and every odd covariance."""
    known = {
        (name, *_of_key(key)): float(effects.points[i])
        for name, effects in derived.effects.items()
        for i, key in enumerate(effects.keys)
    }
    yield from _odd(carried)
    for point, error in zip(carried.points, np.nan_to_num(carried.errors), strict=True):
        if point.estimand in derived.carried_only:
            continue
        where = f"{point.estimand} of {point.outcome} ({_place(point)})"
        again = known.get((point.estimand, *_of_point(point)))
        if again is None:
            problem = "no such estimate follows from the totals"
        elif not abs(again - point.estimate) <= TOLERANCE * max(abs(point.estimate), error):
            problem = f"the totals give {again:.12g}"
        else:
            continue
        value = f"{point.estimate:.12g}"
        yield Fault("pack", problem, AGAIN, column=where, value=value)


def _odd(carried: Covariance) -> Iterator[Fault]:
    errors = carried.errors
    there = np.isfinite(errors)
    good = bool((errors[there] >= 0).all())
    if carried.correlations is not None and there.any():
        part = carried.correlations[np.ix_(there, there)]
        good = good and bool(np.isfinite(part).all()) and np.array_equal(part, part.T)
        # Rounding moves an eigenvalue by no more than half a digit a row.
        half = part.shape[0] * 10.0 ** -parameters().digits / 2
        good = good and bool(np.linalg.eigvalsh(part).min() >= -half)
    if not good:
        problem = "no covariance: not symmetric, or a variance below zero"
        yield Fault("pack", problem, AGAIN, column="covariance")


def _of_key(key: Key) -> tuple[str, int | None, int | None, int | None]:
    return key.outcome, key.cohort, key.period, key.at


def _of_point(point: Point) -> tuple[str, int | None, int | None, int | None]:
    return point.outcome, point.cohort, point.period, point.at


def _place(point: Point) -> str:
    """Return which effect of an estimand a point is, in words."""
    parts = {"cohort": point.cohort, "period": point.period, "at": point.at}
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None) or "-"


def _carried(pack: Pack, carried: Covariance, derived: Derived) -> PackEffects:
    """Return the carried estimates; households and bases are those of the derived."""
    plan = {estimand.name: estimand for estimand in declared_in(pack).estimands}
    again = {
        (name, *_of_key(key)): (key, int(effects.n_treated[i]), int(effects.n_control[i]))
        for name, effects in derived.effects.items()
        for i, key in enumerate(effects.keys)
    }
    keys, treated, control = [], [], []
    for point in carried.points:
        place = (point.estimand, *_of_point(point))
        key, n_treated, n_control = again.get(place, (None, None, None))
        keys.append(key or _key(pack, plan[point.estimand], point))
        treated.append(n_treated)
        control.append(n_control)
    there = {(p.estimand, *_of_point(p)) for p in carried.points}
    missing = [pair for effects in derived.effects.values() for pair in effects.missing]
    missing += [
        (key, "the pack does not carry it")
        for (name, *_), (key, *_) in again.items()
        if (name, *_of_key(key)) not in there
    ]
    abouts = {estimand.name: _about(pack, estimand, derived) for estimand in plan.values()}
    return PackEffects(
        names=tuple(point.estimand for point in carried.points),
        keys=tuple(keys),
        points=np.array([point.estimate for point in carried.points]),
        reported=carried.matrix,
        untold_errors=carried.note,
        villages=np.array(
            [[p.n_villages_treated, p.n_villages_control, p.n_villages] for p in carried.points],
            np.int64,
        )
        .reshape(-1, 3)
        .T,
        carried_degrees=np.array([p.degrees for p in carried.points], np.float64),
        effective=np.array(
            [[p.effective_treated, p.effective_control] for p in carried.points], np.float64
        )
        .reshape(-1, 2)
        .T,
        households=(tuple(treated), tuple(control)),
        abouts=abouts,
        about=next(iter(abouts.values())),
        pack=pack.name,
        missing=tuple(missing),
        untold=tuple(reason for reason, n in _left_out(pack).items() if isinstance(n, str)),
    )


def _key(pack: Pack, estimand: Declared, point: Point) -> Key:
    """Return what a point is of where no derived estimate says so."""
    base = None
    if point.cohort is not None and point.period is not None:
        how = declared.comparison(pack.design, estimand)
        base = group_time.base_period(np.array(pack.periods), point.cohort, point.period, how)
    return Key(
        point.outcome,
        estimand.aggregation,
        point.at,
        point.cohort,
        point.period,
        base,
        pack.design.programmes[0],
    )


def _left_out(pack: Pack) -> dict[str, object]:
    result = pack.account["left_out"]
    return dict(result) if isinstance(result, dict) else {}


def _about(pack: Pack, estimand: Declared, derived: Derived) -> About:
    """Return what an estimand compares; a number of rows that is not told is not counted."""
    how = declared.comparison(pack.design, estimand)
    by_name = {reason: n for reason, n in _left_out(pack).items() if isinstance(n, int)}
    used = pack.account["rows_used"]
    assert isinstance(used, int)  # noqa: S101  # written by `analysis.cells.pack`
    rows_in, effects = used + sum(by_name.values()), derived.effects.get(estimand.name)
    if effects is not None and pack.design.handling != "pairs":
        by_name, used = {**by_name, **effects.about.left_out}, effects.about.rows_used
    return About(
        estimator="group_time",
        tier=pack.tier,
        controls=how.controls,
        base=how.base,
        where=how.where,
        anticipation=how.anticipation,
        weights="baseline weights" if pack.weighted else "none",
        handling=pack.design.handling,
        rows_in=rows_in,
        rows_used=used,
        left_out=by_name,
        units={o.name: o.unit for o in pack.design.outcomes},
    )


def add_up(
    pack: Pack, effects: PackEffects, wanted: tuple[str, ...] = aggregate.ALL
) -> PackEffects:
    """Add carried group-time effects up to other aggregates, the shares of cohorts held fixed.

    Points are those of `analysis.did.estimators.aggregate` exactly, and errors those of
    ``aggregate(..., shares="fixed")`` as far as `PackEffects.combine` says, to the
    digits of the pack. An aggregate that was declared also counts the error of estimated shares,
    which a pack does not tell of others.

    Parameters
    ----------
    pack : Pack
        Whose cohorts' sizes weight the effects.
    effects : PackEffects
        Group-time effects, such as ``estimate(pack).estimand("by group and time")``.
    wanted : tuple of str
        Names of `analysis.panels.estimands.AGGREGATIONS`.

    Raises
    ------
    FaultsError
        If `found` has no group-time effects.
    """
    ever = pack.tables["ever"].group_by("cohort").agg(share=pl.col("weight_ever").sum())
    size = dict(zip(ever["cohort"], ever["share"], strict=True))
    rows, keys = [], []
    for outcome in dict.fromkeys(key.outcome for key in effects.keys):
        place = {
            (key.cohort, key.period): n
            for n, key in enumerate(effects.keys)
            if key.outcome == outcome and key.cohort is not None and key.period is not None
        }
        cells = [(g, t) for g, t in place if g is not None and t is not None]
        if not cells:
            continue
        for recipe in aggregate.recipes(cells, wanted):
            share = np.array([size[g] for g in recipe.cohort.tolist()])
            row = np.zeros(len(effects))
            at = zip(recipe.cohort.tolist(), recipe.period.tolist(), strict=True)
            row[[place[cell] for cell in at]] = aggregate.weights(recipe, share)
            rows.append(row)
            of_effect: dict[tuple[int | None, int | None], Key] = {
                cell: effects.keys[n] for cell, n in place.items()
            }
            keys.append(
                Key(
                    outcome,
                    recipe.aggregation,
                    at=recipe.at,
                    base=aggregate.event_base(recipe, of_effect),
                    programme=pack.design.programmes[0],
                )
            )
    if not rows:
        raise FaultsError(
            [
                Fault(
                    "pack",
                    "there are no group-time effects to add up",
                    "declare an estimand with the aggregation group_time",
                    column="aggregation",
                )
            ]
        )
    return effects.combine(np.stack(rows), keys)


def cross_checks(pack: Pack) -> pl.DataFrame:
    """Return points of imputation and two-way fixed effects from the totals of a pack.

    Household effects need a balanced panel or the inverse-count moments, so unbalanced packs
    answer only if their design asks for these. There are no errors: those of estimators that were
    not declared need cells.

    Returns
    -------
    polars.DataFrame
        estimator, outcome, estimand, estimate; in fen or as the outcome is.

    Raises
    ------
    FaultsError
        If the totals lack the moments.
    """
    table = layout.from_cells(pack.as_cells())
    imputed = imputation.estimate(table, pack.design.anticipation)
    rows = []
    for effects in (
        aggregate.aggregate(imputed, table, shares="fixed"),
        two_way.estimate(table, anticipation=pack.design.anticipation),
    ):
        rows += [
            (effects.about.estimator, key.outcome, key.estimand, float(point))
            for key, point in zip(effects.keys, effects.points, strict=True)
        ]
    return pl.DataFrame(rows, ["estimator", "outcome", "estimand", "estimate"], orient="row")
