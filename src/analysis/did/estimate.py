"""`va.did`: from a frame, a panel, cells or a pack to effects in one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, Final, Literal, cast

import numpy as np
import polars as pl

from analysis.did import covariate_adjustment, layout, panel_households, sources, survey
from analysis.did.check import Observations, observe
from analysis.did.columns import Columns
from analysis.did.estimators import group_time, imputation, two_way
from analysis.did.estimators.effect_set import EffectSet, stack
from analysis.did.estimators.estimates import Estimates
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.table import Table
from analysis.did.result import DidResult
from analysis.did.tidy import (
    account_of,
    added,
    comparison_of,
    mean_of,
    tidy,
    without_lone_cohorts,
)
from analysis.faults import refuse
from analysis.frames import to_polars
from analysis.panels.panel import Panel
from analysis.results.provenance import FrameDigest, Provenance

Method = Literal["doubly_robust", "regression", "weighting", "imputation", "two_way"]
METHODS: Final[Mapping[str, str]] = {
    "doubly_robust": "difference in differences by cohort and period, doubly robust",
    "regression": "difference in differences by cohort and period, outcome regression",
    "weighting": "difference in differences by cohort and period, inverse probability weighting",
    "imputation": "difference in differences by imputation",
    "two_way": "two-way fixed effects",
}
"""Callaway and Sant'Anna (2021) with one of three adjustments; Borusyak, Jaravel and Spiess (2024);
and the regression that both were made to replace."""
ESTIMAND: Final = "mean effect on the treated, over treated periods"
MOMENTS: Final[Mapping[str, tuple[str, ...]]] = {"imputation": ("untreated",), "two_way": ("all",)}
"""Moments of unbalanced panels that a method needs."""
OTHERS: Final[Mapping[str, str]] = {
    "extended_two_way": "extended two-way fixed effects, with covariates",
    "local_projections": "local projections",
    "stacked": "stacked experiments",
    "triple_difference": "triple differences; within= says who could be treated",
    "switching": "treatment that ends or comes in doses; first= is the treatment of each row",
    "matching": "nearest neighbours on covariates before treatment, then differences",
}
"""Further designs, each in a module of its name; all but the last over diff-diff."""


def did(
    data: Any,
    y: str | Sequence[str] = (),
    unit: str = "",
    time: str = "",
    first: str = "",
    cluster: str = "",
    *,
    never: object | Iterable[object] = (),
    weight: str = "",
    strata: str = "",
    psu: str = "",
    within: str = "",
    covariates: Sequence[str] = (),
    controls: Literal["never", "not_yet"] = "never",
    where: Literal["", "anywhere", "other_villages", "same_village"] = "",
    base: Literal["varying", "universal"] = "varying",
    anticipation: int = 0,
    method: str = "doubly_robust",
    handling: Literal["", "balanced", "pairs", "cross_sections"] = "",
    drop: Sequence[int] = (),
    outcome_unit: str | Mapping[str, str] = "",
    evidence: str = "",
    programme: str = "",
) -> DidResult:
    """Estimate effects of a treatment that starts at different times.

    Parameters
    ----------
    data : frame, panel, cells or pack
        A Polars, pandas or Arrow frame with one row per unit and period, or the path of a file of
        one; a panel or its folder, cells, or a pack.
    y : str or sequence of str
        Outcomes: any numbers, never rounded; of a panel what it declares. Effects are in the unit
        they have in `data`. Outcomes that add up have effects that add up exactly.
    unit, time, first, cluster : str
        Columns of a frame: who is followed (empty: other units in each period), the period (whole
        numbers of any calendar, with gaps), the first treated period, and the cluster of the
        standard errors (left out: the unit). `first` is empty, NaN or infinite for the never
        treated, or 0 where every period is later; it may also say in each row whether the unit is
        treated (0 and 1), if treatment lasts.
    never : value or values
        Other codes of the never treated, such as ``-1`` or ``9999``.
    weight : str
        Weights, held at each unit's first period.
    strata, psu : str
        Design strata and primary sampling units of the sample, for the standard errors. Ids that
        are numbered inside a stratum are taken together with it.
    within : str
        Groups (fixed at the first period) inside which units are compared; effects are averaged as
        the treated are spread over them.
    covariates : sequence of str
        Numbers (of a panel, columns of the households) measured before treatment, adjusted for as
        `method` says.
    controls : str
        ``never`` treated or ``not_yet`` treated.
    where : str
        Controls from ``anywhere`` (frames by default), from ``other_villages`` (clusters in which
        nobody is treated by then; panels, cells and packs by default, as programmes spill over) or
        from the ``same_village``.
    base : str
        ``varying`` or ``universal``; the last period before treatment in both, read from the data.
    anticipation : int
        Periods before the first in which treatment may already act.
    method : str
        ``doubly_robust``, ``regression``, ``weighting`` (the same without covariates),
        ``imputation``, ``two_way``; of peers ``extended_two_way``, ``local_projections``,
        ``stacked``, ``triple_difference`` (`within`: who could be treated), ``switching`` (`first`:
        the treatment of each row, which may end or be a dose), and ``matching`` (on covariates
        before treatment).
    handling : str
        Of units not seen in every period: ``balanced`` leaves them out, ``pairs`` uses those seen
        in both periods of each comparison, ``cross_sections`` everyone; left out: balanced if all
        are seen always, else pairs, and the printout says so.
    drop : sequence of int
        Cohorts to leave out.
    outcome_unit : str or mapping
        Unit of the outcomes as it is to be printed, such as ``"dollars a year"``.
    evidence : str
        Kind of evidence: ``public``, ``model`` or ``yours`` (by default that of the data).
    programme : str
        Of a panel: which programme; may be left out where there is one.

    Returns
    -------
    DidResult
        With ``.overall``, ``.event_study``, ``.by_cohort``, ``.by_period``, ``.group_time``,
        ``.pretrends()``, ``.honest()``, ``.wild()``, ``.randomise()``, ``.tidy()``, ``.plot()``,
        ``.table()``, ``.save(folder)``.

    Raises
    ------
    FaultsError
        If a column is missing or not what it should be, or nothing can be estimated: naming column,
        value and a remedy.

    References
    ----------
    Callaway & Sant'Anna (2021), Journal of Econometrics 225(2), equations 2.3, 2.4 and 3.2 to 3.11;
    Borusyak, Jaravel & Spiess (2024), Review of Economic Studies 91(6).

    Examples
    --------
    Hours of training in Michigan's firms, some of which were given a grant in 1988 or 1989.

    >>> import analysis as va
    >>> import polars as pl
    >>> first = pl.col("year").filter(pl.col("grant") == 1).min().over("firm").alias("first")
    >>> firms = va.data("jtrain").with_columns(first)
    >>> fit = va.did(firms, y="training_hours", unit="firm", time="year", first="first")
    >>> str(fit.overall), str(fit.overall.interval)
    ('21.2', '14.9 to 27.5')
    """
    if method not in METHODS and method not in OTHERS:
        refuse(
            "no such method",
            f"use one of {', '.join([*METHODS, *OTHERS])}",
            column="method",
            value=method,
        )
    if method in OTHERS and handling:
        refuse("the method takes no handling", "leave it out", column="handling", value=handling)
    outcomes = (y,) if isinstance(y, str) and y else tuple(y)
    wanted = MOMENTS.get(method, ())
    data = sources.opened(data)
    own = {"unit": unit, "time": time, "first": first, "cluster": cluster, "weight": weight}
    of_households = {"covariates": tuple(covariates), "strata": strata, "psu": psu}
    panel_households.nothing_passed_over(
        data, {**own, "never": never}, {**of_households, "within": within}
    )
    if isinstance(data, Panel) and (any(of_households.values()) or within):
        return panel_households.asked(
            data,
            programme,
            outcomes,
            {"handling": handling or "balanced", "stratum": within, "anticipation": anticipation},
            controls=controls,
            where=where or "other_villages",
            base=base,
            method=method,
            drop=tuple(drop),
            **of_households,
        )
    held = sources.source(data, programme, outcomes, handling, anticipation, wanted)
    if held is not None:
        how = Comparison(controls, where or "other_villages", base, anticipation)
        return _from_stored(held, how, method, drop)
    for name, given in (("y", outcomes), ("time", time), ("first", first)):
        if not given:
            refuse("not named", f'name the column, as in {name}="…"', column=name)
    if not unit and not cluster:
        refuse(
            "neither a unit nor a cluster is named",
            "name unit= for a panel, or cluster= for other units in each period",
            column="unit",
        )
    frame = to_polars(data)
    # Units drawn together are counted together, in the tests of few clusters too.
    cluster = cluster or psu
    columns = Columns(
        outcomes, unit, time, first, cluster, weight, strata, psu, within, tuple(covariates)
    )
    units = {
        name: outcome_unit if isinstance(outcome_unit, str) else outcome_unit.get(name, "")
        for name in outcomes
    }
    card = getattr(data, "card", None)
    kind = evidence or ("yours" if card is None else "public")
    if method == "switching":
        return _other(method, frame, columns, units, kind)
    codes = tuple(never) if isinstance(never, (list, tuple, set)) else (never,)
    observed = observe(frame, columns, codes)
    observed = _dropped(observed, drop)
    how = Comparison(controls, where or "anywhere", base, anticipation)
    if method in OTHERS:
        return _other(method, observed, how, units, kind)
    observed, handled, decisions = layout.handled(observed, handling)
    cells, _ = layout.table(
        observed, handled, moments=wanted, anticipation=anticipation, evidence=kind, units=units
    )
    estimates = (
        _adjusted(observed, how, method, units, handled)
        if covariates
        else _estimate(cells, how, method)
    )
    if observed.design is not None:
        estimates = survey.of_design(estimates, observed.design)
    decisions = (*observed.decisions, *decisions, *_mixed(cells, how))
    used = frame.select(list(columns.named()))
    provenance = Provenance.of(
        did,
        evidence=kind,
        method=METHODS[method],
        inputs=(FrameDigest(used, "data" if card is None else card.id),),
    )
    return result(
        estimates,
        cells,
        how,
        method,
        provenance,
        units=unit or "rows",
        cluster=cluster or unit,
        decisions=decisions,
        shift=observed.shift,
        covariates=covariates,
    )


def _other(method: str, *arguments: object) -> DidResult:
    """Estimate by a design of another module: a result with the same aggregates."""
    module = import_module(f"analysis.did.{method}")
    return cast("DidResult", module.estimate(*arguments))


def _dropped(observed: Observations, drop: Sequence[int]) -> Observations:
    """Leave cohorts out that the user drops; counted."""
    if not drop:
        return observed
    gone = observed.frame["cohort"].is_in([g + observed.shift for g in drop])
    if not gone.any():
        there = sorted(set(observed.frame["cohort"].to_list()) - {0})
        refuse(
            "no such cohort",
            f"choose from {', '.join(str(g - observed.shift) for g in there)}",
            column="drop",
            value=", ".join(map(str, drop)),
        )
    reason = f"cohorts dropped: {', '.join(map(str, drop))}"
    left_out = {**observed.left_out, reason: int(gone.sum())}
    return replace(observed, frame=observed.frame.filter(~gone), left_out=left_out)


def _estimate(cells: Table, how: Comparison, method: str) -> EffectSet:
    """Estimate from cells, without covariates."""
    if method == "imputation":
        return imputation.estimate(cells, how.anticipation)
    if method == "two_way":
        return _two_way(cells, how.anticipation)
    return group_time.estimate(cells, how)


def _two_way(cells: Table, anticipation: int) -> EffectSet:
    """Estimate the static coefficient and the event study; the base is read from the periods."""
    times = np.unique((cells.periods - cells.cohort[cells.cohort > 0][:, None]).ravel())
    before = times[times < -anticipation]
    if not before.size:
        refuse("no cohort has a period before treatment", "add earlier periods", column="time")
    reference = [int(before[-1])]
    if not (cells.cohort == 0).any():
        reference.append(int(before[0]))  # nobody is never treated: a trend would be free
    event = two_way.estimate(cells, reference=tuple(reference), anticipation=anticipation)
    keys = tuple(replace(key, base=reference[0]) for key in event.keys)
    static = two_way.estimate(cells, static=True, anticipation=anticipation)
    simple = tuple(replace(key, aggregation="simple") for key in static.keys)
    return stack(replace(static, keys=simple), replace(event, keys=keys))


def _adjusted(
    observed: Observations, how: Comparison, method: str, units: Mapping[str, str], handling: str
) -> EffectSet:
    """Estimate from units, adjusted for covariates."""
    if method not in ("doubly_robust", "regression", "weighting"):
        refuse(
            "the method takes no covariates",
            'use method="doubly_robust"',
            column="covariates",
            value=method,
        )
    adjusted = covariate_adjustment.estimate(observed, how, method, handling)
    return replace(adjusted, about=replace(adjusted.about, units=units))


def _mixed(cells: Table, how: Comparison) -> tuple[str, ...]:
    """Say where treated and untreated units of one cluster are compared."""
    if how.where != "anywhere":
        return ()
    treated = np.unique(cells.village[cells.cohort > 0])
    both = np.intersect1d(treated, cells.village[cells.cohort == 0]).size
    if not both:
        return ()
    return (
        f"{both:,} clusters hold treated and never treated units, and both are compared;"
        " if treatment spills over, say where='other_villages'",
    )


def _from_stored(
    held: sources.Stored, how: Comparison, method: str, drop: Sequence[int]
) -> DidResult:
    """Estimate from a panel, cells or a pack."""
    provenance = Provenance.of(
        did, evidence=held.evidence, method=METHODS[method], inputs=(held.digest,)
    )
    if held.cells is None:
        assert held.declared is not None  # noqa: S101  # a pack declares its effects
        return result(
            held.declared,
            None,
            None,
            method,
            provenance,
            units=held.units,
            cluster=held.clusters,
            decisions=held.decisions,
            calendar=held.calendar,
        )
    cells = held.cells
    if drop:
        unknown = [g for g in drop if g not in cells.cohorts]
        if unknown:
            refuse(
                "no such cohort",
                f"choose from {', '.join(map(str, cells.cohorts))}",
                column="drop",
                value=", ".join(map(str, unknown)),
            )
        cells = cells.rows(~np.isin(cells.cohort, list(drop)))
    return result(
        _estimate(cells, how, method),
        cells,
        how,
        method,
        provenance,
        units=held.units,
        cluster=held.clusters,
        decisions=held.decisions,
        calendar=held.calendar,
    )


def result(
    estimates: Estimates,
    cells: Table | None,
    how: Comparison | None,
    method: str,
    provenance: Provenance,
    *,
    units: str,
    cluster: str,
    decisions: Sequence[str] = (),
    shift: int = 0,
    covariates: Sequence[str] = (),
    calendar: str = "number",
) -> DidResult:
    """Return estimates as a result: the overall effect, then effects by event time."""
    shares = "fixed" if method == "imputation" else "estimated"
    mean = mean_of(estimates)
    frames = [
        tidy(added(estimates, cells, name, shares), shift, calendar=calendar)
        for name in (mean, "event_time")
    ]
    rest, lonely = without_lone_cohorts(estimates, cells, shares, shift)
    frame = pl.concat([f for f in (*frames, rest) if f.height], how="diagonal_relaxed")
    if not frame.height:
        frame = tidy(estimates, shift, calendar=calendar)
    names = {
        "group_time": METHODS.get(method, method),
        "imputation": METHODS["imputation"],
        "two_way": METHODS["two_way"],
        "two-way fixed effects": METHODS["two_way"],
        "doubly robust group-time effects": METHODS.get(method, method),
    }
    outcomes = list(dict.fromkeys(key.outcome for key in estimates.keys))
    overall = added(estimates, cells, mean, shares)
    return DidResult(
        frame=frame,
        comparison=comparison_of(estimates, ESTIMAND, covariates, names, cluster),
        account=account_of(estimates, cells, units, cluster, (*decisions, *lonely), overall, shift),
        provenance=provenance,
        title=f"Effect on {', '.join(outcomes)}",
        level=estimates.level,
        estimates=estimates,
        cells=cells,
        how=how,
        shift=shift,
        shares=shares,
        calendar=calendar,
    )
