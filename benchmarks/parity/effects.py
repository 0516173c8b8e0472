"""Effects by independent packages on one small panel: data/validation/parity/effects.csv.

Run in an environment of its own, with csdid, diff-diff and pyfixest; the tests read what it wrote.
Each row names the package with its version, the design, and the estimate with its standard error
as the package prints it.

    python -m venv reference && reference/bin/pip install csdid diff-diff pyfixest polars pyarrow
    reference/bin/python benchmarks/parity/effects.py
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyfixest as pf
from csdid.att_gt import ATTgt
from diff_diff import BaconDecomposition, CallawaySantAnna, ImputationDiD, SurveyDesign

FOLDER = Path(__file__).resolve().parents[2] / "data" / "validation" / "parity"
COHORT = {"village": "cohort_village", "household": "cohort_household"}
EVENT = {"dynamic": "event_time", "group": "cohort", "calendar": "calendar", "simple": "simple"}
Row = dict[str, Any]


def panel(level: str, handling: str, controls: str) -> pd.DataFrame:
    """Return the panel with one column `first`, 0 for never."""
    data = pd.read_parquet(FOLDER / "panel.parquet")
    if handling != "balanced":
        data = data[data["seen"]].copy()
    data["first"] = data[COHORT[level]]
    if controls == "not_yet_all_treated":
        data = data[data["first"] > 0].copy()
    return data.reset_index(drop=True)


def row(package: str, design: Row, **values: Any) -> Row:
    """Return one row of the result."""
    empty = {"aggregation": "group_time", "at": None, "cohort": None, "period": None}
    return {"package": f"{package} {version(package)}", **design, **empty, **values}


def with_csdid(design: Row) -> Iterator[Row]:
    """Group-time effects and their aggregates."""
    data = panel(design["level"], design["handling"], design["controls"])
    fit = ATTgt(
        yname="income",
        tname="period",
        idname="household",
        gname="first",
        data=data,
        control_group="nevertreated" if design["controls"] == "never" else "notyettreated",
        xformla="income ~ stratum" if design["strata"] else None,
        allow_unbalanced_panel=design["handling"] == "cross_sections",
        clustervar="village",
        weights_name="weight" if design["weighted"] else None,
        anticipation=design["anticipation"],
    ).fit(est_method="reg", base_period=design["base"], bstrap=False)
    found = fit.results
    for g, t, att, error in zip(
        found["group"], found["year"], found["att"], found["se"], strict=True
    ):
        yield row("csdid", design, cohort=int(g), period=int(t), estimate=att, std_error=error)
    if fit.MP["W"] is not None:
        # The p value of the joint test stands in `std_error`.
        yield row(
            "csdid", design, aggregation="pretrend", estimate=fit.MP["W"], std_error=fit.MP["Wpval"]
        )
    for kind, name in EVENT.items():
        made = fit.aggte(typec=kind, bstrap=False, cband=False).atte
        overall = name if name == "simple" else f"{name}_overall"
        yield row(
            "csdid",
            design,
            aggregation=overall,
            estimate=made["overall_att"],
            std_error=made["overall_se"],
        )
        if name == "simple":
            continue
        inner = zip(made["egt"], made["att_egt"], np.ravel(made["se_egt"]), strict=True)
        for at, att, error in inner:
            yield row("csdid", design, aggregation=name, at=int(at), estimate=att, std_error=error)


def with_diff_diff(design: Row) -> Iterator[Row]:
    """Group-time effects, with G/(G − 1) and centred influence."""
    data = panel(design["level"], design["handling"], design["controls"])
    survey = SurveyDesign(weights="weight", psu="village") if design["weighted"] else None
    fit = CallawaySantAnna(
        control_group=f"{design['controls']}_treated",
        anticipation=design["anticipation"],
        estimation_method="reg",
        cluster=None if survey else "village",
        base_period=design["base"],
    ).fit(
        data,
        "income",
        "household",
        "period",
        "first",
        covariates=["stratum"] if design["strata"] else None,
        survey_design=survey,
    )
    for (g, t), one in fit.group_time_effects.items():
        yield row(
            "diff-diff",
            design,
            cohort=int(g),
            period=int(t),
            estimate=one["effect"],
            std_error=one["se"],
        )


def with_imputation(design: Row) -> Iterator[Row]:
    """Effects by horizon and overall, by imputation."""
    data = panel(design["level"], design["handling"], design["controls"])
    survey = SurveyDesign(weights="weight", psu="village") if design["weighted"] else None
    fit = ImputationDiD(
        cluster=None if survey else "village", anticipation=design["anticipation"]
    ).fit(data, "income", "household", "period", "first", survey_design=survey)
    yield row(
        "diff-diff",
        design,
        aggregation="treated_mean",
        estimate=fit.overall_att,
        std_error=fit.overall_se,
    )
    horizons = fit.aggregate("event_study")
    for at, att, error, known in zip(
        horizons.event_time, horizons.att, horizons.se, horizons.is_reference, strict=True
    ):
        if not known:
            yield row(
                "diff-diff",
                design,
                aggregation="event_time",
                at=int(at),
                estimate=att,
                std_error=error,
            )


def with_bacon(design: Row) -> Iterator[Row]:
    """Each two-by-two comparison behind the static coefficient.

    The control's cohort stands in `period`, the weight in `std_error`.
    """
    data = panel(design["level"], design["handling"], design["controls"])
    found = BaconDecomposition(weights="exact").fit(data, "income", "household", "period", "first")
    for one in found.comparisons:
        control = one.control_group
        yield row(
            "diff-diff",
            design,
            aggregation=one.comparison_type,
            cohort=one.treated_group,
            period=0 if control == "never_treated" else int(control),
            estimate=one.estimate,
            std_error=one.weight,
        )


def with_pyfixest(design: Row) -> Iterator[Row]:
    """Two-way fixed effects, CRV1 by village."""
    data = panel(design["level"], design["handling"], design["controls"])
    event = (data["period"] - data["first"]).where(data["first"] > 0, -1)
    data["treated"] = ((data["first"] > 0) & (event >= 0)).astype(float)
    times = [] if design["estimator"] == "static" else sorted(set(event) - {-1})
    for e in times:
        data[f"e{e}".replace("-", "m")] = (event == e).astype(float)
    names = [f"e{e}".replace("-", "m") for e in times] or ["treated"]
    fit = pf.feols(
        f"income ~ {' + '.join(names)} | household + period",
        data,
        vcov={"CRV1": "village"},
        fixef_rm="none",
        weights="weight" if design["weighted"] else None,
    )
    for name, at in zip(names, times or [None], strict=True):
        yield row(
            "pyfixest",
            design,
            aggregation="event_time" if times else "static",
            at=at,
            estimate=fit.coef()[name],
            std_error=fit.se()[name],
        )


def designs() -> Iterator[tuple[Any, Row]]:
    """Yield every comparison."""
    plain: Row = {
        "estimator": "group_time",
        "level": "village",
        "handling": "balanced",
        "controls": "never",
        "base": "varying",
        "anticipation": 0,
        "weighted": False,
        "strata": False,
    }
    changes: list[Row] = [
        {},
        {"controls": "not_yet"},
        {"base": "universal"},
        {"anticipation": 1},
        {"weighted": True},
        {"strata": True},
        {"handling": "cross_sections"},
        {"level": "household"},
        {"level": "household", "controls": "not_yet"},
        {"level": "household", "weighted": True, "base": "universal"},
        {"level": "household", "strata": True},
        {"level": "household", "anticipation": 1},
        {"handling": "cross_sections", "weighted": True},
        {"level": "household", "handling": "cross_sections", "controls": "not_yet"},
        {"controls": "not_yet", "anticipation": 1, "weighted": True, "base": "universal"},
        {"controls": "not_yet_all_treated"},
    ]
    for change in changes:
        yield with_csdid, {**plain, **change}
    for change in (*changes[:6], *changes[7:12]):
        yield with_diff_diff, {**plain, **change}
    yield with_diff_diff, {**plain, "handling": "pairs"}
    for level in COHORT:
        for change in ({}, {"handling": "pairs"}, {"anticipation": 1}, {"weighted": True}):
            yield with_imputation, {**plain, "estimator": "imputation", "level": level, **change}
        yield with_bacon, {**plain, "estimator": "bacon", "level": level}
        for estimator in ("two_way", "static"):
            for change in (
                {},
                {"handling": "pairs"},
                {"weighted": True},
                {"weighted": True, "handling": "pairs"},
            ):
                yield with_pyfixest, {**plain, "estimator": estimator, "level": level, **change}


def main() -> None:
    """Write the results."""
    rows: list[Row] = []
    for number, (package, design) in enumerate(designs()):
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rows += [{"design": number, **one} for one in package(design)]
    frame = pd.DataFrame(rows)
    for name in ("at", "cohort", "period"):
        frame[name] = frame[name].astype("Int64")
    frame.to_csv(FOLDER / "effects.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
