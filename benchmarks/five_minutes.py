"""One task in four packages: a panel in a frame, effects by event time, clustered by village.

Run in the environment of `make bench`. Prints the lines of code that each needs from the frame to
the estimates with their standard errors, the overall effect, its error, and the time. Losses too.
"""

from __future__ import annotations

import inspect
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl

ROWS, PERIODS, VILLAGES = 100_000, 10, 400
REPEATS = 5


def panel(rows: int = ROWS) -> pl.DataFrame:
    """Return households over ten years in villages of five cohorts, effect 0.5."""
    rng = np.random.default_rng(1)
    units = rows // PERIODS
    village = rng.integers(0, VILLAGES, units)
    cohort = np.array([0, 2014, 2015, 2016, 2018])[rng.integers(0, 5, VILLAGES)][village]
    years = np.arange(2012, 2012 + PERIODS)
    treated = (cohort > 0)[:, None] & (years >= cohort[:, None])
    income = rng.normal(size=(units, PERIODS)) + rng.normal(size=units)[:, None] + 0.5 * treated
    return pl.DataFrame(
        {
            "household": np.repeat(np.arange(units), PERIODS),
            "year": np.tile(years, units),
            "first": np.repeat(cohort, PERIODS),
            "village": np.repeat(village, PERIODS),
            "income": income.ravel(),
        }
    )


def ours(frame: pl.DataFrame) -> tuple[float, float]:
    """Estimate with this library."""
    import analysis as va

    fit = va.did(frame, "income", "household", "year", "first", "village")
    return fit.overall.value, fit.overall.std_error


def diff_diff(frame: pd.DataFrame) -> tuple[float, float]:
    """Estimate with diff-diff."""
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(control_group="never_treated", cluster="village")
    fit = model.fit(
        frame,
        outcome="income",
        unit="household",
        time="year",
        first_treat="first",
        aggregate="all",
    )
    return fit.overall_att, fit.overall_se


def csdid(frame: pd.DataFrame) -> tuple[float, float]:
    """Estimate with csdid."""
    from csdid.att_gt import ATTgt

    fit = ATTgt("income", "year", "household", "first", data=frame, clustervar="village")
    simple = fit.fit(est_method="reg", bstrap=False, cband=False).aggte("simple", bstrap=False)
    return simple.atte["overall_att"], simple.atte["overall_se"]


def pyfixest(frame: pd.DataFrame) -> tuple[float, float]:
    """Estimate the two-way coefficient with pyfixest: another estimand, the usual first try."""
    import pyfixest as pf

    treated = (frame["first"] > 0) & (frame["year"] >= frame["first"])
    fit = pf.feols(
        "income ~ treated | household + year",
        frame.assign(treated=treated.astype(float)),
        vcov={"CRV1": "village"},
    )
    return float(fit.coef().iloc[0]), float(fit.se().iloc[0])


def main() -> None:
    """Print one row a package."""
    warnings.simplefilter("ignore")
    frame = panel()
    other = pd.DataFrame(frame.to_dict(as_series=False))
    tasks: dict[str, tuple[Callable[..., tuple[float, float]], object]] = {
        "this library": (ours, frame),
        "diff-diff": (diff_diff, other),
        "csdid": (csdid, other),
        "pyfixest (two-way)": (pyfixest, other),
    }
    print(f"{ROWS:,} rows, median of {REPEATS} warm runs, CPU seconds")
    for name, (task, data) in tasks.items():
        try:
            estimate, error = task(data)
        except ImportError as absent:
            print(f"{name:<20} not installed: {absent.name}")
            continue
        seconds = []
        for _ in range(REPEATS):
            begun = time.process_time()
            task(data)
            seconds.append(time.process_time() - begun)
        body = [x for x in inspect.getsource(task).splitlines() if x.strip()][2:]
        print(
            f"{name:<20} {len(body):>3} lines  {estimate:.6f} ({error:.6f})"
            f"  {statistics.median(seconds):.2f} s"
        )


if __name__ == "__main__":
    main()
