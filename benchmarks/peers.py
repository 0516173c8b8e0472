"""The same jobs by other packages: from a flat Parquet file to a number, no bootstrap.

Imports stand inside the functions, so that a process that times one package loads no other.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

COVARIATES = ["land", "schooling", "distance"]
Frame = Any


def flat(folder: Path, level: str, *more: str) -> Frame:
    """Read the columns that a package needs, into pandas."""
    import pandas as pd
    import polars as pl

    columns = ["household", "village", "period", "wage", f"first_{level}", *more]
    read = pl.read_parquet(folder / "flat.parquet", columns=columns)
    read = read.rename({f"first_{level}": "first"})
    return pd.DataFrame({name: read[name].to_numpy() for name in read.columns}, copy=False)


def bare(folder: Path, level: str) -> float:
    """Add up the flat file by village and period: what no method can do without."""
    import polars as pl

    frame = pl.scan_parquet(folder / "flat.parquet").group_by("village", "period")
    return float(frame.agg(pl.len(), pl.col("wage").sum()).collect(engine="streaming").height)


def _diff_diff(frame: Frame, covariates: list[str] | None = None) -> float:
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(control_group="never_treated", cluster="village", n_bootstrap=0)
    fit = model.fit(
        frame,
        outcome="wage",
        unit="household",
        time="period",
        first_treat="first",
        aggregate="all",
        covariates=covariates,
    )
    return float(fit.overall_att)


def diff_diff_group_time(folder: Path, level: str) -> float:
    """Return the overall effect of diff-diff's CallawaySantAnna with its aggregates."""
    return _diff_diff(flat(folder, level))


def diff_diff_doubly_robust(folder: Path, level: str) -> float:
    """Return the same adjusted for covariates, with plain errors."""
    return _diff_diff(flat(folder, level, *COVARIATES), COVARIATES)


def diff_diff_file(folder: Path, level: str) -> float:
    """Read the CSV file with pandas, make numbers of names, and estimate."""
    import pandas as pd

    frame = pd.read_csv(folder / "flat.csv").rename(columns={f"first_{level}": "first"})
    for name in ("household", "village"):
        frame[name] = frame[name].astype("category").cat.codes
    return _diff_diff(frame)


def _csdid(frame: Frame, covariates: str = "") -> float:
    from csdid.att_gt import ATTgt

    with contextlib.redirect_stdout(io.StringIO()):  # csdid prints its tables
        fit = ATTgt(
            yname="wage",
            tname="period",
            idname="household",
            gname="first",
            data=frame,
            control_group="nevertreated",
            clustervar="village",
            **({"xformla": covariates} if covariates else {}),
        ).fit(est_method="dr" if covariates else "reg", bstrap=False)
        for kind in ("dynamic", "group", "calendar", "simple"):
            aggregated = fit.aggte(typec=kind, bstrap=False, cband=False).atte
    return float(aggregated["overall_att"])


def csdid_group_time(folder: Path, level: str) -> float:
    """Return the overall effect of csdid's ATTgt with its aggregates."""
    return _csdid(flat(folder, level))


def csdid_doubly_robust(folder: Path, level: str) -> float:
    """Return the same adjusted for covariates."""
    return _csdid(flat(folder, level, *COVARIATES), f"wage ~ {' + '.join(COVARIATES)}")


def diff_diff_imputation(folder: Path, level: str) -> float:
    """Return the overall effect of diff-diff's ImputationDiD."""
    from diff_diff import ImputationDiD

    fit = ImputationDiD(cluster="village").fit(
        flat(folder, level), outcome="wage", unit="household", time="period", first_treat="first"
    )
    return float(fit.overall_att)


def pyfixest_two_way(folder: Path, level: str) -> float:
    """Return the effect at the start by pyfixest's event study."""
    import numpy as np
    import pyfixest

    frame = flat(folder, level)
    frame["event"] = np.where(frame["first"] > 0, frame["period"] - frame["first"], -1)
    fit = pyfixest.feols(
        "wage ~ i(event, ref=-1) | household + period",
        frame,
        vcov={"CRV1": "village"},
        lean=True,
        store_data=False,
    )
    found = fit.coef()
    return float(next(found[name] for name in found.index if name.endswith(("::0", "[0]", "T.0]"))))
