"""Published tables come out to the printed digit; expected values are those of the tables."""

from __future__ import annotations

import polars as pl
import pytest

from analysis.faults import FaultsError
from analysis.panels import external
from analysis.validation import published

EXTERNAL = {"mpdta": "mpdta", "hb": "bangladesh_microcredit_1998"}
# Two printed numbers are not what the data give, one is cut off: the remark of each says so.
NOT_TO_THE_DIGIT = {"psid1_raw", "lalonde_full_nsw", "mpdta_twfe"}


def test_every_printed_case_has_its_function_and_the_other_way_round():
    assert list(published.CASES) == published.load()["case"].to_list()


@pytest.mark.parametrize("case", list(published.CASES))
def test_case(case):
    data = EXTERNAL.get(case.split("_")[0])
    if data and external.available(data) is None:
        pytest.skip(f"{data} is not here: fetch it with: make data")
    row = published.reproduce(case).row(0, named=True)
    assert row["n"] == row["published_n"]
    tolerance = published.load().filter(case=case)["tolerance"].item()
    assert abs(row["difference"]) <= tolerance
    assert published.within(row["ours"], row["printed"])
    assert row["within"] == (case not in NOT_TO_THE_DIGIT), row
    assert (row["why_not"] == "") == row["within"]


def test_data_that_are_not_here_are_said_to_be_missing(monkeypatch):
    published._counties.cache_clear()
    monkeypatch.setattr(external, "available", lambda name: None)
    found = published.reproduce("mpdta_cs_simple", "hb_placement_simple")
    assert found["ours"].null_count() == found["within"].null_count() == 2
    assert found["published"].null_count() == 0
    assert all("make data" in why for why in found["why_not"])


def test_an_unknown_case_is_refused():
    with pytest.raises(FaultsError, match="no such case"):
        published.reproduce("nothing")


def test_a_printed_number_that_is_none_is_refused(tmp_path):
    text = "case,dataset,source,estimator,estimate,se,n,tolerance,provenance,remark\n"
    (tmp_path / "published.csv").write_text(text + "a,b,c,d,12-3,,5,1,e,\n", encoding="utf-8")
    with pytest.raises(FaultsError, match="required form"):
        published.load(tmp_path / "published.csv")


@pytest.mark.parametrize(
    ("value", "printed", "inside"),
    [
        (-0.03995000001, "-0.03995", True),
        (0.5, "1", True),
        (0.49, "1", False),
        (-8497.516, "-8498", True),
        (1154.61, "1154", False),
    ],
)
def test_half_a_unit_of_the_last_digit(value, printed, inside):
    assert published.within(value, printed) == inside


def test_schema_of_the_result():
    found = published.reproduce("engel_ols_slope")
    assert found.columns == [
        "case",
        "dataset",
        "source",
        "estimator",
        "provenance",
        "published",
        "published_se",
        "published_n",
        "printed",
        "printed_se",
        "ours",
        "our_se",
        "n",
        "difference",
        "se_difference",
        "within",
        "why_not",
    ]
    assert found.schema["within"] == pl.Boolean
