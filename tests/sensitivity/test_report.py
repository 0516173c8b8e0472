"""Everything on one programme, the tables and the sentences: whole on the model, said elsewhere."""

from dataclasses import replace

import polars as pl
import pytest

from analysis.faults import Fault, FaultsError
from analysis.panels import panel
from analysis.panels.model.simulate import read_truth
from analysis.sensitivity import choices, leavers, report, shown, words


@pytest.fixture(scope="module")
def whole(world):
    folder = world("bundling", "attrition", households=3000, villages=100)
    return panel.read(folder), read_truth(folder)


@pytest.fixture(scope="module")
def listed():
    """Few choices, so that the curve is short."""
    return tuple(
        replace(
            choice,
            options=tuple(option for option in choice.options if option.main)
            if choice.name in ("anticipation", "strata", "handling")
            else choice.options,
        )
        for choice in choices.load()
    )


@pytest.fixture(scope="module")
def found(whole, listed):
    data, truth = whole
    return [report.checks(data, name, listed, truth) for name in ("cooperative", "dividend")]


TABLES = (
    shown.overview,
    shown.drifts,
    shown.controls,
    shown.placebos,
    shown.parts_shown,
    shown.leavers,
    shown.hidden,
)


def texts(one):
    """Every sentence of a page about one programme."""
    short = words.middle(one)
    noted = {head.id: head.value for head in words.headlines(one, short)}
    return [
        words.curve_text(one, noted),
        words.truth_text(one, noted),
        words.placebo_text(one),
        words.breakdown_text(one, noted),
    ]


def test_subjects_are_those_of_the_panel(whole):
    data, _ = whole
    assert report.subjects(data) == report.SHOWN
    yours = replace(data, tier="yours")
    assert set(report.SHOWN) < set(report.subjects(yours))


def test_everything_is_there_on_the_model_panel(found):
    village = found[0]
    assert not village.why
    assert village.truth is not None
    assert village.truth_drawn is not None
    assert 0 < village.rows_used <= village.rows_in
    assert found[1].why == {"direct": "spillovers cannot be bounded"}


@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_tables_are_text_and_name_each_programme(found, make):
    frame = make(found)
    assert set(frame.dtypes) == {pl.String}
    assert {"Co-operatives", "Dividends and funds turned into shares"} == set(frame["programme"])
    assert frame.null_count().sum_horizontal().item() == 0


def test_numbers_in_tables_are_those_of_the_checks(found):
    one = found[0]
    row = shown.overview(found).row(0, named=True)
    printed = f"{one.main['estimate'].item():,.0f}".replace("-", "−")
    assert row["estimate"].startswith(printed)
    assert row["truth"] == f"{one.truth:,.0f}"
    parts = shown.parts(found)
    assert parts["moved"].abs().is_sorted(descending=True)
    assert parts.height == sum(len(f) - 1 for c in found for f in (c.counties, c.cohorts))
    failed = shown.failures(found[1])
    assert failed["specifications"].sum() == len(found[1].curve.failed)
    assert shown.failures(None).is_empty()


def test_the_sentences_say_what_is_so(found):
    one = found[0]
    curve, truth, placebo, broken = texts(one)
    assert str(len(one.curve.used)) in curve
    points = one.curve.effects.points
    share = words.percent(one, one.truth)
    assert ("outside" in truth) == (not points.min() <= share <= points.max())
    away = pl.concat([f.select("ci_low", "ci_high") for f in (one.periods, one.sources)])
    n_away = away.filter((pl.col("ci_low") > 0) | (pl.col("ci_high") < 0)).height
    assert ("alarm.**" in placebo) == (n_away > 0)
    assert ("holds zero" in broken) == (one.broken.sign == 0)
    unknown = replace(one, truth=None)
    assert "not a right one" in texts(unknown)[1]
    firm = replace(one, broken=replace(one.broken, sign=1, bound=report.MOST))
    assert "every bound" in texts(firm)[3]
    some = replace(one, broken=replace(one.broken, sign=1, bound=0.5))
    assert "0.5 times" in texts(some)[3]
    calm = one.periods.with_columns(ci_low=pl.lit(-1.0), ci_high=pl.lit(1.0))
    assert "No placebo raises" in texts(replace(one, periods=calm, sources=None))[2]


def test_a_panel_that_allows_nothing_says_so(whole, listed):
    data, _ = whole
    two = replace(data, income=data.income.filter(pl.col("period") == 2013), tier="yours")
    one = report.checks(two, "cooperative", listed)
    assert one.curve is None
    assert "fewer than two periods" in one.why["main"]
    for make in TABLES:
        assert make([one]).height >= (make not in (shown.drifts, shown.parts_shown))
    assert all(text.startswith("**") for text in texts(one))
    assert words.why_no_curve(one).startswith("Not possible")
    assert words.joint(one).is_empty()
    assert words.drift(one).is_empty()
    assert words.broken(one) is None


def test_a_panel_without_programmes_says_so(listed):
    assert words.lead([]) is None
    assert all(text.startswith("**") for text in texts(None))
    assert words.why_no_curve(None) == "The panel has no programme."
    assert words.subject(None) == "no programme"
    assert words.truth_percent(None) is None
    for make in TABLES:
        assert make([]).is_empty()
    assert shown.choice_rows(None, listed).is_empty()


def test_everybody_treated_leaves_the_rest_of_the_page(whole, listed):
    data, _ = whole
    everybody = data.villages.select(
        programme=pl.lit("dividend"),
        unit_level=pl.lit("village"),
        unit="village",
        first_period=pl.lit(2016, pl.Int32),
        dose=pl.lit(None, pl.Float64),
        dose_unit=pl.lit(None, pl.String),
    )
    one = report.checks(replace(data, participation=everybody), "dividend", listed)
    assert one.main is None
    assert one.why["main"]
    assert shown.overview([one])["estimate"].item() == one.why["main"]


def test_money_of_another_country_has_its_own_name(whole):
    data, _ = whole
    other = replace(data, currency_unit="poisha", price_year=1998)
    assert words.axis(other) == "hundred poisha a year, prices of 1998"
    assert words.axis(data) == "yuan a year, prices of each year"


def test_bounds_without_an_interval_are_shown_with_the_reason(whole, listed, monkeypatch):
    """Where a stratum has both arms in one village only, leaving that village out leaves nothing."""

    def refused(rows, *, by):
        raise FaultsError([Fault("leavers", "no stratum has both arms", "join strata")])

    monkeypatch.setattr(leavers, "errors", refused)
    one = report.checks(whole[0], "dividend", listed)
    assert one.leaving is not None and one.leaving_interval is None
    row = shown.leavers([one]).row(0, named=True)
    assert row["bounds"] and row["interval"] == "no stratum has both arms"


def test_errors_refuse_where_one_village_holds_all_that_compares():
    rows = pl.DataFrame(
        {
            "village": ["a"] * 4 + ["b"] * 2,
            "treated": [True, True, False, False, True, True],
            "seen": [True] * 6,
            "change": [5.0, 6.0, 1.0, 2.0, 5.0, 7.0],
            "weight": [1.0] * 6,
            "cohort": [2015] * 6,
        }
    )
    assert leavers.bounds(rows).low == pytest.approx(leavers.bounds(rows).high)
    with pytest.raises(FaultsError, match="no stratum has households of both arms"):
        leavers.errors(rows)


def test_a_placebo_without_an_interval_is_not_judged():
    """By hand: NaN is no number, so it lies neither away from zero nor around it."""
    ends = pl.DataFrame({"ci_low": [float("nan")] * 2, "ci_high": [float("nan")] * 2})
    one = report.Checks("training", periods=ends)
    assert "No placebo can be judged" in words.placebo_text(one)
    beside = pl.DataFrame({"ci_low": [-1.0], "ci_high": [2.0]})
    said = words.placebo_text(replace(one, sources=beside))
    assert "No placebo raises the alarm" in said and "(one)" in said
    assert "Two more have no interval." in said
    away = words.placebo_text(replace(one, sources=beside.with_columns(ci_low=pl.lit(1.0))))
    assert "One of one lie away from zero" in away or "One of one lies" in away
