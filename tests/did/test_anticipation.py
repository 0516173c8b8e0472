"""Anticipation among the not yet treated: who is about to be treated is no control."""

import numpy as np
import polars as pl
import pytest

import analysis as va


def panel():
    """Cohorts 2014, 2016, 2017 and never, six villages each; 2016 moves in the year before."""
    rows = []
    for v in range(24):
        first = (2014, 2016, 2017, None)[v % 4]
        for h in range(3):
            for year in range(2011, 2018):
                early = first == 2016 and year >= 2015
                value = 0.01 * v * (year - 2010) + (50.0 if early else 0.0) + 0.1 * h
                rows.append((f"h{v}-{h}", f"v{v}", year, first, value, (h - 1.0) * (v % 5 - 2)))
    names = ["household", "village", "year", "first", "income", "x"]
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.mark.parametrize("method", ["doubly_robust", "regression", "weighting"])
@pytest.mark.parametrize(("anticipation", "controls"), [(0, 54), (1, 36)])
def test_the_next_cohort_is_no_control_when_it_may_act_already(method, anticipation, controls):
    """Cohort 2014 in 2015: 2016 is a control only without anticipation, by count and by effect."""
    found = va.did(
        panel(),
        y="income",
        unit="household",
        time="year",
        first="first",
        cluster="village",
        covariates=["x"],
        controls="not_yet",
        anticipation=anticipation,
        method=method,
    )
    (row,) = found.group_time.tidy().filter(cohort=2014, period=2015).iter_rows(named=True)
    assert row["n_control"] == controls
    # A third of the controls rose by 50 where 2016 is among them.
    assert (abs(row["estimate"]) > 5) == (anticipation == 0)
    assert np.isfinite(row["estimate"])
