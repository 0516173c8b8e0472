"""The committed library, its merge, and what a broken file is told."""

import csv
import shutil

import polars as pl
import pytest

import analysis as va
from analysis import paths
from analysis.faults import FaultsError
from analysis.studies import estimates
from analysis.studies.contracts import FIRST_HAND, TRUSTED


@pytest.fixture(scope="module")
def library():
    return estimates.load()


def text(name):
    return pl.col(name).cast(pl.String)


def test_every_row_of_the_three_files_is_accounted_for(library):
    """375 and 107 rows of estimates and 31 directions were merged; four rows were computed here."""
    counts = dict(library.merge.group_by("file").len().iter_rows())
    assert counts == {
        "second search": 375,
        "first library": 107,
        "directions only": 31,
        "computed here": 4,
    }
    dropped = library.merge.filter(text("decision") != "kept")
    assert dropped["reason"].null_count() == 0
    assert set(library.estimates["id"]) == set(library.merge["estimate"])


def test_no_row_is_there_twice(library):
    rows = library.estimates.filter(pl.col("estimate").is_not_null())
    keys = [
        "study",
        "outcome",
        "intervention",
        "effect",
        "comparison",
        "subgroup",
        "estimate",
        "horizon_months",
        "place",
    ]
    assert rows.unique(keys).height == rows.height


def test_nothing_from_memory_or_a_third_party_is_used(library):
    used = library.estimates.filter(text("usable") == "yes")
    assert set(used["known"].cast(pl.String)) <= set(TRUSTED)
    assert set(used["source_kind"].cast(pl.String)) <= set(FIRST_HAND)
    assert set(used["kind"].cast(pl.String)) == {"estimate"}


def test_identifiers_are_only_those_that_were_seen(library):
    """Identifiers from memory were left out: these stood as such in the files merged."""
    held = set(library.works["doi"].drop_nulls())
    assert "10.1257/app.3.3.188" in held
    assert not held & {"10.1016/j.foodpol.2012.10.003", "10.1257/aer.98.5.1864"}


def test_no_row_is_from_tibet_or_diqing_with_a_number(library):
    """Pages say so; a row that changes this must change the pages."""
    there = library.estimates.filter(
        pl.concat_str("place", "country", "outcome").str.contains("Tibet|Diqing|Lhasa"),
        pl.col("estimate").is_not_null(),
    )
    assert there.is_empty()
    silent = library.estimates.filter(pl.col("country") == "China", pl.col("estimate").is_null())
    of_tibet = silent.filter(pl.col("place").str.contains("Tibet"))
    assert set(of_tibet["id"]) == {"north_tibet_herders", "tibet_xinjiang_pairing"}


def test_no_chinese_trial_has_a_number(library):
    """Pages say so."""
    rows = library.estimates.filter(
        pl.col("country") == "China", text("risk_of_bias") == "randomised"
    )
    assert rows.height > 0
    assert rows["estimate"].null_count() == rows.height


def test_rows_agree_with_what_was_computed_again(library):
    """Within two per cent, errors within seven, but where a row says why not."""
    checks = library.checks.join(
        library.estimates.select("id", "estimate", printed_error="std_error"),
        left_on="estimate",
        right_on="id",
        how="left",
        suffix="_printed",
    ).filter(text("verdict") != "near")
    assert checks.height >= 35
    gap = (pl.col("value") - pl.col("estimate_printed")).abs() / pl.col("value").abs()
    error_gap = (pl.col("std_error") - pl.col("printed_error")).abs() / pl.col("std_error")
    assert checks.filter((gap > 0.02) | (error_gap > 0.07)).is_empty()


def test_the_front_door():
    credit = va.studies("credit_funds")
    assert len(credit) < len(va.studies())
    assert len(credit.randomised.usable) <= len(credit.usable) <= len(credit)
    assert credit.design("matching").frame["design"].cast(pl.String).unique().to_list() == [
        "matching"
    ]
    assert credit.n_estimates.provenance.evidence == "published"
    assert str(credit.n_estimates) == str(len(credit))
    assert "data/studies/estimates.csv" in str(credit.provenance.inputs[0])
    table = credit.primary.table()
    assert table.shown.height == len(credit.primary)
    assert len(table.shown.columns) <= 6


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: va.studies("schooling"),
        lambda: va.studies().design("lottery"),
        lambda: va.studies().outcome("joy"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_names_there_are(wrong):
    with pytest.raises(FaultsError, match="use one of"):
        wrong()


def broken(tmp_path, file, line, column, value):
    """Copy the studies with one cell changed, and return the faults that loading it names."""
    folder = tmp_path / "studies"
    shutil.copytree(paths.data() / "studies", folder)
    with (folder / file).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[line - 2][column] = value
    with (folder / file).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(FaultsError) as caught:
        estimates.load(folder)
    return caught.value.faults


@pytest.mark.parametrize(
    ("file", "name", "column", "value", "problem"),
    [
        ("estimates.csv", "nsw_full", "design", "lottery", "not in the vocabulary"),
        ("estimates.csv", "nsw_full", "estimate", "much", "wrong type"),
        (
            "estimates.csv",
            "nsw_full",
            "estimate",
            "",
            "a direction stands where there is no number",
        ),
        ("estimates.csv", "nsw_full", "direction", "null", "a direction stands where there is"),
        ("estimates.csv", "nsw_full", "unit", "", "an estimate needs its unit"),
        ("estimates.csv", "nsw_full", "error_source", "none", "an error says how it was got"),
        (
            "estimates.csv",
            "nsw_full",
            "se_multiplier",
            "1.5",
            "a factor for clusters needs a reason",
        ),
        ("estimates.csv", "nsw_full", "range_low", "5", "the estimate lies in its range"),
        ("estimates.csv", "nsw_full", "known", "from_memory", "memory and third parties"),
        (
            "estimates.csv",
            "nsw_full",
            "source_kind",
            "third_party_page",
            "memory and third parties",
        ),
        ("estimates.csv", "nsw_full", "kind", "review", "a review is a row of its own kind"),
        ("estimates.csv", "nsw_full", "subgroup", "young men", "a part of a sample does not stand"),
        ("estimates.csv", "nsw_full", "work", "nobody2001", "unknown work"),
        ("estimates.csv", "jtpa_9872", "primary", "yes", "two rows stand for one study"),
        ("merge.csv", None, "estimate", "nothing_here", "no such estimate"),
        ("works.csv", None, "id", "nobody2001", "no estimate is of this work"),
        ("programmes.csv", None, "catalogue", "schooling", "unknown programme"),
        ("priors.csv", None, "tau_scale", "0", "min exclusive"),
    ],
)
def test_a_broken_row_is_refused_with_its_line(tmp_path, file, name, column, value, problem):
    line = 2
    if name is not None:
        with (paths.data() / "studies" / file).open(encoding="utf-8", newline="") as handle:
            line = 2 + [row["id"] for row in csv.DictReader(handle)].index(name)
    faults = broken(tmp_path, file, line, column, value)
    said = [fault for fault in faults if problem in fault.problem]
    assert said, "\n".join(map(str, faults))
    assert said[0].file == file
    # Of two rows that stand for one study the later one is named.
    assert said[0].row is not None
    assert said[0].remedy


def test_villages_where_nobody_was_paid_have_their_own_mean(library):
    """Haushofer and Shapiro (2018): the mean of unpaid neighbours and the loss that they had."""
    kenya = library.estimates.filter(pl.col("work") == "haushofer2018", subgroup="whole")
    between = kenya.filter(text("effect") == "offer", text("comparison") == "no_programme")
    within = dict(
        kenya.filter(text("comparison") == "neighbours")
        .select("outcome_family", "comparison_mean")
        .iter_rows()
    )
    lost = dict(
        kenya.filter(text("effect") == "spillover").select("outcome_family", "estimate").iter_rows()
    )
    found = dict(between.select("outcome_family", "comparison_mean").iter_rows())
    assert found == pytest.approx({name: mean - lost[name] for name, mean in within.items()})
    spending = between.filter(text("outcome_family") == "consumption")
    # 17.41 dollars a month on 187.55 + 37.66, not on 187.55 (which would be 9.3 per cent)
    assert spending["percent"].item() == pytest.approx(100 * 17.41 / 225.21)


def test_a_difference_between_villages_is_quoted_and_never_used():
    """Lin et al. (2026), table 11: remote villages, 2098.439 − 1793.988 = 304.451 yuan."""
    cash = va.studies("dividends_cash")
    near, further = (cash.estimate(f"lin2026_0{n}", as_printed=True) for n in (2, 3))
    assert near.value + further.value == pytest.approx(304.451)
    row = cash.where(pl.col("id") == "lin2026_03")
    assert len(row.usable) == 0
    assert row.frame["percent"].item() is None
