"""`va.did`: from a frame, a panel, cells or a pack to effects in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from analysis.did import layout
from analysis.did.check import Columns, Observations, observe, refuse, to_polars
from analysis.did.result import DidResult, account_of, added, comparison_of, tidy
from analysis.effects import group_time, imputation, two_way
from analysis.effects.estimates import Estimates
from analysis.effects.group_time import Comparison
from analysis.effects.result import EffectSet
from analysis.effects.table import Table
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
CLUSTER: Final = "clusters"


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
        A Polars, pandas or Arrow frame with one row per unit and period; a panel or its folder,
        cells, or a pack.
    y : str or sequence of str
        Outcomes: any numbers, never rounded. Effects are in the unit they have in `data`. Outcomes
        that add up have effects that add up exactly.
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
        Numbers measured before treatment, adjusted for as `method` says.
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
        ``imputation``, ``two_way``, or another one that `METHODS` names.
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
        Of a panel: which programme.

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
    Firms in Michigan that were given a training grant in 1988 or 1989, and their scrap rates.

    >>> import analysis as va
    >>> firms = va.data("jtrain")
    >>> fit = va.did(firms, y="hrsemp", unit="fcode", time="year", first="first_grant")
    >>> fit.overall.n_treated > 0
    True
    """
    if method not in METHODS and method not in OTHERS:
        refuse("no such method", f"use one of {', '.join([*METHODS, *OTHERS])}", column="method",
               value=method)
    outcomes = (y,) if isinstance(y, str) and y else tuple(y)
    source = _of_stored(data, programme, outcomes, handling, anticipation, method)
    if source is not None:
        return _from_stored(source, outcomes, controls, where or "other_villages", base,
                            anticipation, method, drop)
    for name, given in (("y", outcomes), ("time", time), ("first", first)):
        if not given:
            refuse("not named", f'name the column, as in {name}="…"', column=name)
    if not unit and not cluster:
        refuse("neither a unit nor a cluster is named",
               "name unit= for a panel, or cluster= for other units in each period", column="unit")
    frame = to_polars(data)
    columns = Columns(outcomes, unit, time, first, cluster, weight, strata, psu, within,
                      tuple(covariates))
    codes = tuple(never) if isinstance(never, (list, tuple, set)) else (never,)
    observed = observe(frame, columns, codes)
    observed = _dropped(observed, drop)
    units = {name: outcome_unit if isinstance(outcome_unit, str) else outcome_unit.get(name, "")
             for name in outcomes}
    kind = evidence or str(getattr(data, "evidence", "") or "yours")
    how = Comparison(controls, where or "anywhere", base, anticipation)
    if method in OTHERS:
        return OTHERS[method](observed, how, units, kind)
    wanted = {"imputation": ("untreated",), "two_way": ("all",)}.get(method, ())
    cells, decisions = layout.table(observed, handling, moments=wanted, anticipation=anticipation,
                                    evidence=kind, units=units)
    if covariates:
        estimates = _adjusted(observed, cells, how, method)
    else:
        estimates = _estimate(cells, how, method)
    decisions = (*observed.decisions, *decisions, *_mixed(cells, how))
    used = frame.select(list(columns.named()))
    provenance = Provenance.of(
        did, evidence=kind, method=METHODS[method],
        inputs=(getattr(data, "digest", None) or FrameDigest(used, "data"),),
    )
    return result(estimates, cells, how, method, provenance, units=unit or "rows",
                  cluster=cluster or unit, decisions=decisions, shift=observed.shift,
                  covariates=covariates, design=observed.design)


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
    design: pl.DataFrame | None = None,
) -> DidResult:
    """Return estimates as a result: the overall effect, then effects by event time."""
    shares = "fixed" if method == "imputation" else "estimated"
    frames = [tidy(added(estimates, cells, name, shares), shift) for name in ("simple", "event_time")]
    frame = pl.concat([f for f in frames if f.height], how="diagonal")
    if not frame.height:
        frame = tidy(estimates, shift)
    names = {"group_time": METHODS.get(method, method), "imputation": METHODS["imputation"],
             "two_way": METHODS["two_way"], "two-way fixed effects": METHODS["two_way"],
             "doubly robust group-time effects": METHODS.get(method, method)}
    outcomes = list(dict.fromkeys(key.outcome for key in estimates.keys))
    return DidResult(
        frame=frame,
        comparison=comparison_of(estimates, ESTIMAND, covariates, names),
        account=account_of(estimates, cells, units, cluster, decisions),
        provenance=provenance,
        title=f"Effect on {', '.join(outcomes)}",
        level=estimates.level,
        estimates=estimates,
        cells=cells,
        how=how,
        shift=shift,
        shares=shares,
    )
