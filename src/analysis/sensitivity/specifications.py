"""The specification curve: one question, every defensible set of choices, one joint inference.

Simonsohn, Simmons & Nelson (2020, Nature Human Behaviour 4). Estimates of all specifications come
from the same villages, so they move together: their joint influence, and the estimates without each
village, give a band over all of them and an interval of their median.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Literal, cast

import numpy as np
import polars as pl

from analysis.cells.build import build
from analysis.cells.design import CellsDesign, Handling
from analysis.cells.outcomes import Outcome
from analysis.did.estimators import aggregate, group_time, imputation, two_way
from analysis.did.estimators.effect_set import EffectSet, stack
from analysis.did.estimators.layout import from_cells
from analysis.did.estimators.table import Table, refuse
from analysis.faults import FaultsError
from analysis.inference.arrays import Floats
from analysis.panels.panel import Panel
from analysis.sensitivity import choices
from analysis.sensitivity.choices import Choice, Specification

DRAWS = 4_000
SEED = 1
STRATUM = "stratum"
"""Column of the households that is the baseline stratum of the contract."""


@dataclass(frozen=True)
class Curve:
    """The estimates of every specification: s of them.

    Attributes
    ----------
    effects : EffectSet
        One estimate each, in per cent of what the treated had before; jointly estimated.
    used : tuple of Specification
        Its choices, in the order of `effects`.
    failed : tuple of (Specification, str)
        What these data do not allow, and why.
    main : int or None
        Which is the report's own; None if it failed.
    before : mapping of str to float
        What the treated had in the last period before they were, by income (currency units a year).
    rows_in : int
        Household × period records of the panel.
    """

    effects: EffectSet
    used: tuple[Specification, ...]
    failed: tuple[tuple[Specification, str], ...]
    main: int | None
    before: Mapping[str, float]
    rows_in: int

    @cached_property
    def half_widths(self) -> tuple[Floats, str]:
        """Half widths of the band over all specifications, shape (s,), and its rule."""
        band = self.effects.band()
        return band.critical * self.effects.std_errors, band.rule


def run(panel: Panel, programme: str, listed: tuple[Choice, ...], *, real: int | None) -> Curve:
    """Estimate the overall effect of a programme under every specification.

    Parameters
    ----------
    panel : Panel
        Where cells are made from: one scan per combination of strata and handling.
    programme : str
        Which programme.
    listed : tuple of Choice
        As from `choices.load`.
    real : int or None
        Year of constant prices; None if the panel's prices cannot be taken out.

    Returns
    -------
    Curve
        A two-way coefficient stands beside averages of effects; it is one only if they are alike.

    Raises
    ------
    FaultsError
        If no specification can be estimated.
    """
    counties = dict(panel.villages.select("village", "county").collect().iter_rows())
    before: dict[str, float] = {}

    @cache
    def table(strata: str, handling: Handling, anticipation: int) -> Table:
        design = CellsDesign(
            (programme,),
            outcomes=_outcomes(real),
            handling=handling,
            stratum=STRATUM if strata == "registered" else "",
            anticipation=anticipation if handling == "pairs" else 0,
        )
        laid_out = from_cells(build(panel, design))
        return in_counties(laid_out, counties) if strata == "county" else laid_out

    for name, value in _means_before(table("none", "balanced", 0)).items():
        before[name] = value
    used, effects, failed = [], [], []
    for plan, wanted in _plans(choices.specifications(listed)):
        try:
            estimates = _estimate(table, plan)
        except FaultsError as error:
            failed += [(each, error.faults[0].problem) for each in wanted]
            continue
        for each in wanted:
            kept = estimates.select(outcome=each["income"])
            if len(kept) == 1 and np.isfinite(kept.std_errors).all():
                used.append(each)
                effects.append(_per_cent(kept, before[each["income"]]))
            else:
                failed.append((each, _why(estimates, real)))
    if not effects:
        refuse(
            "no specification can be estimated", failed[0][1], column="programme", value=programme
        )
    own = choices.main(listed)
    rows = table("none", "balanced", 0).rows_in
    return Curve(
        stack(*effects),
        tuple(used),
        tuple(failed),
        used.index(own) if own in used else None,
        before,
        rows,
    )


def _outcomes(real: int | None) -> tuple[Outcome, ...]:
    years = {"nominal": None} | ({"real": real} if real else {})
    return tuple(
        Outcome(f"{per}_{prices}", source="total", per=per, real=year)
        for per in ("household", "head")
        for prices, year in years.items()
    )


def _plans(every: tuple[Specification, ...]) -> Iterator[tuple[Specification, list[Specification]]]:
    """Yield what has to be estimated, with the specifications that it serves: one per income."""
    groups: dict[tuple[str, ...], list[Specification]] = {}
    for row in every:
        groups.setdefault(tuple(v for k, v in row.items() if k != "income"), []).append(row)
    for wanted in groups.values():
        yield wanted[0], wanted


def _estimate(table: Callable[[str, Handling, int], Table], plan: Specification) -> EffectSet:
    """Return the overall effect on every income under one plan."""
    early = int(plan["anticipation"])
    if plan["estimator"] != "group_time":
        whole = table("none", "balanced", 0)
        if plan["estimator"] == "two_way":
            reference = (-1 - early,)
            return two_way.estimate(whole, static=True, reference=reference, anticipation=early)
        effects = imputation.estimate(whole, early)
        after = [(key.period or 0) >= (key.cohort or 0) for key in effects.keys]
        return aggregate.aggregate(effects.at(np.array(after)), whole, ("simple",), shares="fixed")
    handling = cast(Handling, plan["handling"])
    whole = table(plan["strata"], handling, early if handling == "pairs" else 0)
    how = group_time.Comparison(
        controls=cast(Literal["never", "not_yet"], plan["controls"]),
        where=cast(Literal["other_villages", "same_village", "anywhere"], plan["where"]),
        anticipation=early,
    )
    return aggregate.aggregate(group_time.estimate(whole, how, leads=False), whole, ("simple",))


def _why(effects: EffectSet, real: int | None) -> str:
    if effects.missing:
        return effects.missing[0][1]
    if real is None:
        return "prices cannot be taken out of this panel"
    return next((note for note in effects.notes if note), "no standard error")


def _per_cent(effects: EffectSet, before: float) -> EffectSet:
    """Return an effect in per cent of a fixed amount, so that incomes stand on one scale."""
    scale = 100 / before
    about = replace(effects.about, units={effects.keys[0].outcome: "percent"})
    return replace(
        effects,
        points=effects.points * scale,
        influence=effects.influence * scale,
        without=effects.without * scale,
        about=about,
        missing=(),
    )


def _means_before(table: Table) -> dict[str, float]:
    """Return the mean of the treated in their last period before treatment, by outcome."""
    weight, total = 0.0, np.zeros(len(table.outcomes))
    for cohort in table.cohorts:
        earlier = np.flatnonzero(table.periods < cohort)
        if earlier.size:
            rows, at = table.cohort == cohort, earlier[-1]
            weight += float(table.weight[rows, at].sum())
            total = total + table.total[rows, at].sum(axis=0)
    if weight == 0:
        refuse("nobody is seen before treatment", "add earlier periods", column="cohort")
    return dict(zip(table.outcomes, (total / weight).tolist(), strict=True))


def in_counties(table: Table, county: Mapping[str, str]) -> Table:
    """Return a table whose strata are counties, from one without strata.

    Parameters
    ----------
    table : Table
        With one stratum.
    county : mapping of str to str
        County of each village.

    Raises
    ------
    FaultsError
        If the table has strata, or a village no county.
    """
    unknown = [name for name in table.villages if not county.get(name)]
    if len(table.strata) > 1 or unknown:
        refuse(
            "counties cannot be the strata",
            "use cells without strata, and name each village's county",
            column="county",
            value=", ".join(unknown[:5]),
        )
    names, number = np.unique([county[name] for name in table.villages], return_inverse=True)
    return replace(table, strata=tuple(names.tolist()), stratum=number[table.village])


def joint(curve: Curve) -> pl.DataFrame:
    """Return one row per specification with its interval and the band over all of them.

    Returns
    -------
    DataFrame
        The choices, `estimate`, `std_error`, `ci_low`, `ci_high`, `band_low`, `band_high` (per cent
        of what the treated had before), `main`, ascending by estimate.
    """
    half, _ = curve.half_widths
    frame = curve.effects.to_frame().select(
        "estimate",
        "std_error",
        "ci_low",
        "ci_high",
        band_low=pl.col("estimate") - pl.Series(half),
        band_high=pl.col("estimate") + pl.Series(half),
    )
    plans = pl.DataFrame(list(curve.used))
    return (
        pl.concat([plans, frame], how="horizontal")
        .with_columns(main=pl.Series([k == curve.main for k in range(len(curve.used))]))
        .sort("estimate")
    )


@dataclass(frozen=True)
class Middle:
    """The curve in four numbers.

    Attributes
    ----------
    median, ci_low, ci_high : float
        Median over specifications with its interval, per cent.
    least, most : float
        The lowest and highest estimate, per cent.
    positive : int
        Specifications with an estimate above zero.
    apart : int
        Specifications whose band lies on one side of zero.
    rule : str
        How the band over all specifications is made.
    """

    median: float
    ci_low: float
    ci_high: float
    least: float
    most: float
    positive: int
    apart: int
    rule: str


def middle(curve: Curve, *, draws: int = DRAWS, seed: int = SEED) -> Middle:
    """Return the median over specifications with its interval, and what the band says.

    The interval is of medians of normal draws around the estimates with their joint CV3 covariance:
    sampling error of the villages, none for the choice of the list.
    """
    points = curve.effects.points
    drawn = points + _draws(curve.effects.covariance, draws, seed)
    level = curve.effects.level
    low, high = np.quantile(np.median(drawn, axis=1), [(1 - level) / 2, (1 + level) / 2])
    half, rule = curve.half_widths
    return Middle(
        float(np.median(points)),
        float(low),
        float(high),
        float(points.min()),
        float(points.max()),
        int((points > 0).sum()),
        int(((points - half > 0) | (points + half < 0)).sum()),
        rule,
    )


def _draws(covariance: Floats, draws: int, seed: int) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    return np.asarray(np.random.default_rng(seed).standard_normal((draws, values.size)) @ root.T)


def by_choice(curve: Curve, listed: tuple[Choice, ...]) -> pl.DataFrame:
    """Return how much each choice moves the estimate, everything else equal.

    Returns
    -------
    DataFrame
        One row per option: `choice`, `option`, `specifications`, `median` (per cent), and `moved`,
        the median difference from the main option over pairs that differ in nothing else (null for
        the main option). An estimator that leaves choices no room is paired with the main options
        of these.
    """
    frame = pl.DataFrame(list(curve.used)).with_columns(estimate=pl.Series(curve.effects.points))
    own = choices.main(listed)
    rows = []
    for choice in listed:
        for option in choice.options:
            part = frame.filter(pl.col(choice.name) == option.value)
            moved = None
            if option.value != choice.main and part.height:
                others = {name: value for name, value in own.items() if name != choice.name}
                closed = [name for name in others if (part[name] == choices.NOT_ASKED).all()]
                pairs = frame.filter(
                    pl.col(choice.name) == choice.main,
                    *(pl.col(name) == others[name] for name in closed),
                )
                keys = [name for name in others if name not in closed]
                both = part.join(pairs, on=keys, suffix="_main")
                moved = both.select((pl.col("estimate") - pl.col("estimate_main")).median()).item()
            median = part["estimate"].median() if part.height else None
            rows.append((choice.title, option.label, part.height, median, moved))
    return pl.DataFrame(
        rows,
        orient="row",
        schema={
            "choice": pl.String,
            "option": pl.String,
            "specifications": pl.Int64,
            "median": pl.Float64,
            "moved": pl.Float64,
        },
    )
