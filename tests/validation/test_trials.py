"""Trials: by hand on made-up data; stored numbers against the data, and against print."""

import numpy as np
import polars as pl
import pytest

from analysis.panels import external
from analysis.studies import library
from analysis.validation import trials

ROWS = trials.stored()


def one(dataset, outcome, estimator):
    return ROWS.row(
        by_predicate=(pl.col("dataset") == dataset)
        & (pl.col("outcome") == outcome)
        & (pl.col("estimator") == estimator),
        named=True,
    )


@pytest.mark.parametrize("study", trials.STUDIES, ids=lambda study: study.dataset)
def test_stored_estimates_come_out_of_the_data_again(study):
    if external.available(study.dataset) is None:
        pytest.skip(f"{study.dataset} may not be passed on: make data gets it")
    again = trials.made(study).sort("outcome", "estimator")
    kept = ROWS.filter(pl.col("dataset") == study.dataset).sort("outcome", "estimator")
    assert again.height == kept.height
    for column in again.columns:
        if column in ("made", "code"):
            continue
        if again[column].dtype.is_float():
            np.testing.assert_allclose(again[column], kept[column], rtol=1e-8, err_msg=column)
        else:
            assert again[column].cast(pl.String).to_list() == kept[column].cast(pl.String).to_list()


def test_every_study_is_stored_with_the_digest_of_its_file():
    assert set(ROWS["dataset"]) == {study.dataset for study in trials.STUDIES}
    for name, data in ROWS.select("dataset", "data").unique().iter_rows():
        assert external.catalogue()[name].sha256.startswith(data)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("consumption_endline", "sindh_consumption_24m"),
        ("consumption_followup", "sindh_consumption_36m"),
        ("some_income_followup", "sindh_income_36m"),
    ],
)
def test_sindh_agrees_with_the_library_of_studies(ours, theirs):
    """Recomputed apart from this code, from another copy of the data, to the digits kept there."""
    found = one("pakistan_graduation", ours, "difference")
    kept = library.load().estimates.filter(pl.col("id") == theirs).row(0, named=True)
    assert found["estimate"] == pytest.approx(kept["estimate"], abs=5e-3)
    assert found["std_error"] == pytest.approx(kept["std_error"], abs=5e-3)
    assert found["control_mean"] == pytest.approx(kept["control_mean"], abs=5e-3)
    assert found["n_used"] == kept["n"]


def test_hyderabad_agrees_with_print():
    """Banerjee et al. (2015), tables 2 and 3: 0.127, 0.083, 354; from memory, all came out."""
    dataset = "hyderabad_spandana"
    assert round(one(dataset, "spandana_loan", "adjusted")["estimate"], 3) == 0.127
    assert round(one(dataset, "microfinance_loan", "adjusted")["estimate"], 3) == 0.083
    assert round(one(dataset, "business_profit", "adjusted")["estimate"]) == 354


def test_new_borrowers_are_those_without_a_loan_before():
    """Household 1 borrows in both years, 2 begins (spending 10 to 15), 3 never does (20 to 21)."""
    frame = pl.DataFrame(
        {
            "household": [1, 2, 3] * 2,
            "year": [0] * 3 + [1] * 3,
            "thana": [1] * 6,
            "village": [1] * 6,
            "land": [0.0] * 6,
            "male_borrower": [1, 0, 0, 1, 0, 0],
            "female_borrower": [0, 0, 0, 0, 1, 0],
            "expenditure": [5.0, 10.0, 20.0, 9.0, 15.0, 21.0],
        }
    )
    study = next(s for s in trials.STUDIES if s.dataset == "bangladesh_microcredit_panel")
    made = study.ready(frame).select("household", "borrows", "change").sort("household")
    assert made.rows() == [(2, 1, 5.0), (3, 0, 1.0)]


def test_estimates_by_hand():
    """Means 4 and 1 of two arms; Neyman's error √(2/2 + 2/2) with deviations of one."""
    frame = pl.DataFrame({"treatment": [1, 1, 0, 0], "y": [3.0, 5.0, 0.0, 2.0]})
    outcome = trials.Outcome("y", "income", "dollars")
    study = trials.Study("pakistan_graduation", "paired_assistance", True, (outcome,), lambda f: f)
    (row,) = trials.estimated(study, frame)
    assert (row["estimate"], row["control_mean"]) == pytest.approx((3.0, 1.0))
    assert row["n_used"] == 4
    assert row["std_error"] == pytest.approx(np.sqrt(2.0))
