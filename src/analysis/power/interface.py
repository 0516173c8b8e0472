"""`va.power`: what a study of villages could detect, from a frame or from stated variances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import numpy as np
import polars as pl

from analysis.designs import frames
from analysis.faults import refuse
from analysis.power import study
from analysis.power.study import ALPHA, POWER, Design, Estimator
from analysis.power.variances import Components, Incomes, components
from analysis.results import Account, Comparison, Provenance, Result
from analysis.results.result import frame_of

TERM: Final = "minimum detectable effect"
NAMES: Final = {
    "change": "difference in differences",
    "baseline as covariate": "baseline as covariate (analysis of covariance)",
    "after only": "difference of means after",
}


def power(
    data: Any = None,
    y: str = "",
    *,
    cluster: str = "",
    unit: str = "",
    time: str = "",
    villages: int | Sequence[int] = 20,
    households: int | Sequence[int] = 20,
    before: int = 0,
    after: int = 1,
    estimator: Estimator | None = None,
    effect: float | None = None,
    take_up: float = 1.0,
    sd: float | None = None,
    icc: float | None = None,
    autocorrelation: float = 0.5,
    mean: float | None = None,
    outcome_unit: str = "",
    evidence: str = "",
) -> Result:
    """Say what a study that randomises villages could detect.

    Parameters
    ----------
    data : frame, optional
        Earlier data, from which variances inside and between villages are estimated; or state `sd`
        and `icc`.
    y, cluster, unit, time : str
        Columns of the outcome and the village; with several periods also of the household and the
        period.
    villages, households : int or sequence of int
        Villages in each of two arms, households measured in each village: every combination.
    before, after : int
        Periods measured before and after the programme begins.
    estimator : str, optional
        ``change``, ``baseline as covariate`` or ``after only``; analysis of covariance where there
        is a period before.
    effect : float, optional
        An effect in the unit of the outcome: adds the power to find it, and the villages in each
        arm that find it with a power of 0.8.
    take_up : float
        Share that takes part if offered: effects on participants must be larger by its inverse.
    sd, icc, autocorrelation, mean : float, optional
        Standard deviation of the outcome, intraclass correlation, correlation of a household's and
        a village's outcome with that of another period, mean. Instead of `data`.
    outcome_unit : str
        Unit of the outcome, for print.
    evidence : str
        Kind of evidence; by the data if left out.

    Returns
    -------
    Result
        A row per design: the effect of the offer that is found with a power of 0.8 by a two-sided
        test at 5 %; columns ``villages``, ``households``, ``on_participants``, ``per_cent`` (of the
        mean), ``power`` and ``villages_needed`` (in each arm; empty if over 2,000).

    Raises
    ------
    FaultsError
        If there is neither a frame nor `sd` and `icc`, the frame has fewer than ten villages or
        fewer periods than the design, or a number is out of range.

    Notes
    -----
    Bloom (1995); McKenzie (2012); Burlig, Preonas & Woerman (2020), equation 2, for village means.

    Examples
    --------
    A standard deviation of one, five per cent of the variance between villages, 20 villages of 20
    households an arm: 2.88 · √(2 (0.05 + 0.95/20)/20).

    >>> found = power(sd=1.0, icc=0.05, villages=20, households=20)
    >>> round(found.effect.value, 3)
    0.284
    """
    choice: Estimator = estimator or ("baseline as covariate" if before else "after only")
    if not 0 < take_up <= 1:
        refuse("take-up is not between 0 and 1", "as in 0.6", column="take_up", value=take_up)
    if data is not None:
        parts, account, inputs, kind = _of_frame(data, y, cluster, unit, time, evidence)
        source = f"variances of {y} in {parts.n_villages:,} villages; intraclass correlation "
        source += f"{_share(parts):.3f}"
    else:
        parts = _stated(sd, icc, autocorrelation, mean, before + after)
        account, inputs, kind = Account(0, 0), (), evidence or "model"
        source = f"stated: standard deviation {sd:,.12g}, intraclass correlation {icc:g}, "
        source += f"correlation of two periods {autocorrelation:g}"
    rows = [
        _row(parts, Design(v, h, before, after, choice), effect, take_up, y, outcome_unit or y)
        for v, h in product(_several(villages), _several(households))
    ]
    return Result(
        frame=frame_of(rows),
        comparison=Comparison(
            estimator=f"{NAMES[choice]}, {before} periods before and {after} after",
            estimand=f"effect of the offer found with power {POWER:g} at level {ALPHA:g}",
            compared="two arms of as many villages, randomised by village",
            base=source,
            errors="t of villages less means (and a slope)",
        ),
        account=account,
        provenance=Provenance.of(power, evidence=kind, method=TERM, inputs=inputs),
        title="Power",
    )


def _several(value: int | Sequence[int]) -> list[int]:
    numbers = [value] if isinstance(value, int) else list(value)
    if not numbers or min(numbers) < 1:
        refuse("a number of villages or households is below 1", "correct it", value=numbers)
    return numbers


def _share(parts: Components) -> float:
    return parts.share_between


def _row(
    parts: Components, design: Design, effect: float | None, take_up: float, y: str, unit: str
) -> dict[str, Any]:
    if study.degrees(design) < 1:
        refuse("an arm needs two villages", "plan more", column="villages", value=design.villages)
    value = study.detectable(parts, design)
    more: dict[str, Any] = {}
    if effect is not None:
        more = {
            "power": study.power_of(parts, design, abs(effect)),
            "villages_needed": study.villages_needed(parts, design, abs(effect)),
        }
    many = f"{design.villages} villages an arm, {design.households} households each"
    return {
        "term": many,
        "outcome": y,
        "estimate": value,
        "df": float(study.degrees(design)),
        "unit": unit,
        "note": " " if effect is None else f"power {more['power']:.2f}",
        "villages": design.villages,
        "households": design.households,
        "on_participants": value / take_up,
        "per_cent": 100 * value / parts.mean if parts.mean > 0 else math.nan,
        **more,
    }


def _stated(
    sd: float | None, icc: float | None, autocorrelation: float, mean: float | None, periods: int
) -> Components:
    """Return variances as stated, the same correlation between every two periods."""
    if sd is None or icc is None:
        refuse(
            "there are neither data nor variances",
            "hand over a frame, or state sd= and icc=",
            column="sd, icc",
        )
    if sd <= 0 or not 0 <= icc < 1 or not 0 <= autocorrelation < 1:
        refuse(
            "a variance or correlation is out of range",
            "sd above 0; icc and autocorrelation from 0 to below 1",
            value=f"{sd:g}, {icc:g}, {autocorrelation:g}",
        )
    shape = np.full((periods, periods), autocorrelation)
    np.fill_diagonal(shape, 1.0)
    within, between = (1 - icc) * sd**2 * shape, icc * sd**2 * shape
    return Components(within, between, math.nan if mean is None else mean, 0, 0)


def _of_frame(
    data: Any, y: str, cluster: str, unit: str, time: str, evidence: str
) -> tuple[Components, Account, tuple[object, ...], str]:
    """Return variances of households that are seen in every period, and the account of rows."""
    source = frames.read(data, evidence)
    frame = source.frame
    named = {"y": y, "cluster": cluster} | ({"unit": unit, "time": time} if time else {})
    for role, name in named.items():
        if name not in frame.columns:
            refuse(f"no column for {role}", f"the data have {', '.join(frame.columns)}", value=name)
    rows = frame.select(
        y=pl.col(y).cast(pl.Float64),
        cluster=pl.col(cluster).cast(pl.String),
        unit=pl.col(unit).cast(pl.String) if time else pl.int_range(pl.len()).cast(pl.String),
        time=pl.col(time).cast(pl.Int64) if time else pl.lit(0, pl.Int64),
    )
    known = rows.filter(pl.col("y").is_finite() & pl.col("cluster").is_not_null())
    left_out = {f"{y} or {cluster} is missing": rows.height - known.height}
    periods = known["time"].unique().sort()
    whole = known.filter(pl.len().over("unit") == len(periods)).sort("unit", "time")
    left_out["households not seen in every period"] = known.height - whole.height
    if whole.is_empty():
        refuse("no household is seen in every period", "choose fewer periods", column=time)
    first = whole.filter(pl.col("time") == periods[0])
    names = first["cluster"].unique().sort()
    number = first["cluster"].replace_strict(names, range(len(names)), return_dtype=pl.Int64)
    incomes = Incomes(
        household=tuple(first["unit"]),
        village=number.to_numpy(),
        villages=tuple(names),
        amount=whole["y"].to_numpy().reshape(-1, len(periods)),
        periods=tuple(periods),
        price_year=None,
        rows_in=frame.height,
        rows_used=whole.height,
    )
    account = Account(
        rows_in=frame.height,
        rows_used=whole.height,
        left_out={why: n for why, n in left_out.items() if n},
    )
    inputs = (source.input([name for name in named.values() if name]),)
    return components(incomes), account, inputs, source.evidence
