"""Starts are read from every row, remedies work as printed, rows used are those of a comparison.

Expected values are the estimates of the same data coded as the front door asks, or counts by hand.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

import analysis as va
from analysis.did.estimators.rows_used import NO_COMPARISON, NOT_TWICE, TOO_EARLY
from analysis.faults import FaultsError

NAMES = {"y": "income", "unit": "household", "time": "year", "first": "first", "cluster": "village"}
TREATED = pl.col("village").is_in([f"v{v}" for v in range(10)])


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """Twenty villages of five households, 2001 to 2006; the first ten treated from 2004 on."""
    rng = np.random.default_rng(1)
    rows = [
        (f"h{v}_{h}", f"v{v}", t, float(rng.normal() + (v < 10 and t >= 2004)))
        for v in range(20)
        for h in range(5)
        for t in range(2001, 2007)
    ]
    names = ["household", "village", "year", "income"]
    data = pl.DataFrame(rows, schema=names, orient="row")
    return data.with_columns(first=pl.when(TREATED).then(2004))


def test_a_start_without_an_outcome_stays_the_start(frame):
    """0/1 treatment; the treated have no income in 2004, half of them none in 2005 either."""
    half = TREATED & pl.col("household").str.ends_with("_1") & (pl.col("year") == 2005)
    known = ~((TREATED & (pl.col("year") == 2004)) | half)
    holes = frame.with_columns(income=pl.when(known).then("income"))
    coded = holes.with_columns(first=(TREATED & (pl.col("year") >= 2004)).cast(pl.Int8))
    found, right = va.did(coded, **NAMES), va.did(holes, **NAMES)
    assert found.by_cohort.frame["cohort"].to_list() == [2004]
    assert found.event_study.frame["event_time"].to_list() == [-2, -1, 1, 2]
    assert found.overall.value == pytest.approx(right.overall.value, rel=1e-12)
    assert "nobody of the cohort is seen in the period" in repr(found)


def test_a_start_that_no_row_tells_of_is_said(frame):
    some = pl.col("household").str.ends_with("_1") & (pl.col("year") == 2003)
    gaps = frame.filter(~(TREATED & some))
    coded = gaps.with_columns(first=(TREATED & (pl.col("year") >= 2004)).cast(pl.Int8))
    assert "10 units have no row" in repr(va.did(coded, **NAMES))


def remedied(data: pl.DataFrame, **more: object) -> pl.DataFrame:
    """Return the data after the remedy that the refusal prints, run as it stands."""
    with pytest.raises(FaultsError) as refused:
        va.did(data, **{**NAMES, **more})
    code = re.search(r"data\.with_columns\(.*\)", refused.value.faults[0].remedy)
    assert code, refused.value
    return eval(code[0], {"pl": pl, "data": data})  # what the user would paste


DAY, FIRST_DAY = pl.date("year", 1, 15), pl.when(TREATED).then(pl.date(2004, 1, 15))
SHAPES = {
    "dates": {"year": DAY},
    "dates in text": {"year": DAY.cast(pl.String)},
    "dates in text, first too": {
        "year": DAY.cast(pl.String),
        "first": FIRST_DAY.cast(pl.String),
    },
    "dates, first too": {"year": DAY, "first": FIRST_DAY},
    "years in text": {"year": pl.col("year").cast(pl.String)},
    "words": {
        "year": "wave " + pl.col("year").cast(pl.String),
        "first": pl.when(TREATED).then(pl.lit("wave 2004")),
    },
    "quarters, first too": {
        "year": pl.date(2000 + pl.col("year") // 4, 1 + 3 * (pl.col("year") % 4), 1),
        "first": pl.when(TREATED).then(pl.date(2501, 1, 1)),
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_remedy_for_periods_that_are_no_numbers_gives_the_right_estimate(frame, shape):
    right = va.did(frame, **NAMES)
    found = va.did(remedied(frame.with_columns(**SHAPES[shape])), **NAMES)
    assert found.overall.value == pytest.approx(right.overall.value, rel=1e-12)
    assert found.event_study.frame["event_time"].to_list() == [-2, -1, 0, 1, 2]


def test_numbers_in_text_are_shown_with_their_row_and_the_remedy_works(frame):
    right = va.did(frame, **NAMES).overall.value
    comma = pl.col("income").cast(pl.String).str.replace(".", ",", literal=True)
    coded = frame.with_columns(income=comma)
    with pytest.raises(FaultsError, match=rf"'{coded['income'][0]}': not a number, in 600 rows"):
        va.did(coded, **NAMES)
    assert va.did(remedied(coded), **NAMES).overall.value == pytest.approx(right, rel=1e-12)


def test_yes_and_no_are_read_as_treatment(frame):
    words = pl.when(TREATED & (pl.col("year") >= 2004)).then(pl.lit("Yes")).otherwise(pl.lit("no"))
    found = va.did(frame.with_columns(first=words), **NAMES)
    assert found.overall.value == pytest.approx(va.did(frame, **NAMES).overall.value, rel=1e-12)
    assert "read as 1 and 0" in repr(found)


def test_codes_for_no_answer_are_counted_and_the_remedy_empties_them(frame):
    shifted = frame.with_columns(income=pl.col("income") + 100)
    coded = shifted.with_columns(
        income=pl.when(pl.col("household") == "h0_0").then(-9.0).otherwise("income")
    )
    found = va.did(coded, **NAMES)
    note = next(line for line in found.account.decisions if "no answer" in line)
    assert "income is -9 in 6 rows" in note
    code = note[note.index("data.with_columns") :]
    emptied = eval(code, {"pl": pl, "data": coded})  # what the user would paste
    right = va.did(shifted.filter(pl.col("household") != "h0_0"), **NAMES)
    assert va.did(emptied, **NAMES).overall.value == pytest.approx(right.overall.value, rel=1e-12)


def test_duplicates_are_shown_by_row(frame):
    with pytest.raises(FaultsError, match=r"h0_0 in 2001 \(rows 1, 601\)"):
        va.did(pl.concat([frame, frame.head(2)]), **NAMES)


def test_rows_used_are_those_of_a_comparison(frame):
    """v0 is treated in 2001 (30 rows, none before); h1_0 is seen once (1 row); by hand."""
    coded = frame.with_columns(
        first=pl.when(pl.col("village") == "v0").then(2001).otherwise("first")
    ).filter((pl.col("household") != "h1_0") | (pl.col("year") == 2005))
    found = va.did(coded, **NAMES)
    assert found.account.left_out == {TOO_EARLY: 30, NOT_TWICE: 1}
    assert found.account.rows_used == 600 - 5 - 30 - 1
    assert (found.account.n_treated, found.account.n_control) == (44, 50)


def test_rows_of_periods_without_a_control_are_left_out(frame):
    """No control is seen in 2006: the 50 rows of the treated in it are in no comparison."""
    coded = frame.filter(TREATED | (pl.col("year") < 2006))
    found = va.did(coded, **NAMES, handling="pairs")
    assert found.account.left_out == {NO_COMPARISON: 50}
    assert found.account.rows_used == 500
    assert "as nobody untreated is seen in the period: cohort 2004 in 2006" in repr(found)
