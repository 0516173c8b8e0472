"""What is told of stored draws: counts, coverages and biases by hand, and their figures."""

import polars as pl
import pytest

from analysis.results.plot import exhibit_of
from analysis.validation import designs, stored
from analysis.validation.agreement import package_comparison, published_cases
from analysis.validation.difficulties import SWITCHES, difficulties
from analysis.validation.performance import draws, overall, performance
from analysis.validation.randomised import randomised_coverage

DESIGNS = {design.id: design for design in designs.load()}


def row(design, estimator, rule, measure, value, error=0.005):
    return {
        "design": design,
        "estimator": estimator,
        "rule": rule,
        "measure": measure,
        "value": value,
        "mc_error": error,
        "draws": 2000,
        "estimates": 1,
    }


def results(*rows):
    names = list(dict.fromkeys(one["design"] for one in rows))
    runs = {name: stored.Run(2000, 1, f"2026-01-0{i + 1}", "x") for i, name in enumerate(names)}
    return stored.Results(pl.DataFrame(list(rows)), pl.DataFrame(), runs, pl.DataFrame())


@pytest.fixture
def lots():
    values = {
        "coverage_simple": 0.95,
        "coverage_event_time": 0.94,
        "coverage_group_time": 0.96,
        "band_event_time": 0.935,
        "band_group_time": 0.91,
    }
    return results(
        *(
            row("lot_6_6", "group_time", rule, measure, value - less)
            for rule, less in (("reported", 0), ("villages", 0.02), ("parity", 0.3))
            for measure, value in {**values, "size": 0.05, "power": 0.4}.items()
        ),
        *(row("lot_10_2", "group_time", "reported", measure, 0.8) for measure in values),
        row("lot_9_3", "group_time", "parity", "coverage_simple", 0.6),
    )


def test_coverage_is_asked_of_designs_in_which_an_interval_is_printed(lots):
    """0.91 is below 0.93 − 2 × 0.005; the design with two villages does not count."""
    found = randomised_coverage(lots)
    assert (found.n_asked.value, found.n_within.value) == (5, 4)
    assert (str(found.lowest()), str(found.highest())) == ("94.0", "96.0")
    assert (str(found.lowest("band")), str(found.highest("band"))) == ("91.0", "93.5")
    assert str(found.lowest("band", "villages")) == "89.0"
    assert str(found.lowest("band", "parity")) == "61.0"


def test_other_rules_print_an_interval_with_three_villages_too(lots):
    assert str(randomised_coverage(lots).lowest(rule="parity")) == "60.0"


def test_coverage_by_villages_as_a_table_and_as_a_figure(lots):
    found = randomised_coverage(lots)
    shown = found.table().shown
    assert shown.row(0)[:2] == ("6 never, 6 treated", "as reported")
    assert shown.row(0)[2:] == ("94.0", "93.5", "5.0", "40.0")
    noted = exhibit_of(found.plot().figure)
    assert noted is not None
    assert "6 never, 6 treated, interval, as reported: 94.0 per cent" in noted.alt


@pytest.fixture
def offered():
    rows = []
    for design, estimator, bias, held in [
        ("training_none", "group_time", -12.0, 0.95),
        ("training_all", "group_time", 9000, 0.0),
        ("training_all", "imputation", 9900, 0.01),
        ("training_all", "before_after", 24000, 0),
        ("microcredit_none", "group_time", 40.0, 0.94),
    ]:
        rows += [
            row(design, estimator, "any", "truth", 1800.0, 0.0),
            row(design, estimator, "any", "bias", bias, 20.0),
            row(design, estimator, "any", "spread", 5.0, 0.1),
            row(design, estimator, "reported", "coverage_simple", held),
            row(design, estimator, "reported", "size", 1 - held),
            row(design, estimator, "reported", "power", 0.5),
        ]
    return results(*rows)


def test_bias_by_difficulty(offered):
    found = difficulties(offered)
    bias = found.bias("training_all", "imputation")
    assert (str(bias), str(bias.interval)) == ("9,900", "9,860 to 9,940")
    assert str(found.truth("training_none")) == "1,800"
    assert str(found.coverage("training_none")) == "95.0"
    assert str(found.power("training_none")) == "50.0"
    worst = found.table().shown.row(0)
    assert worst == ("all at once", "before and after", "1,800", "24,000", "0.0", "100.0")
    assert found.rows["label"].to_list()[-1] == "no difficulty (microcredit)"


def test_the_figure_of_bias_leaves_out_comparisons_without_a_design(offered):
    ax = difficulties(offered).plot()
    noted = exhibit_of(ax.figure)
    assert noted is not None
    assert "all at once, group-time: 9,000 yuan; all at once, imputation: 9,900 yuan" in noted.alt
    assert "before_after" not in noted.data["estimator"].to_list()
    assert ax.get_xlim() == (-4500, 4500)


def test_root_mean_square_error_by_hand(offered):
    """√(12² + 5²) = 13."""
    first = overall(offered).filter(design="training_none").row(0, named=True)
    assert first["rmse"] == pytest.approx(13)
    assert (first["coverage"], first["draws"]) == (0.95, 2000)


def test_every_difficulty_has_words():
    switches = {design.switch for design in DESIGNS.values() if design.kind == "offered"}
    assert switches == set(SWITCHES)


def test_stored_draws_are_told_of_every_design():
    assert performance("offered").shown.height == sum(d.kind == "offered" for d in DESIGNS.values())
    assert draws().data["how many"].sum() == len(DESIGNS)


def test_printed_estimates_are_counted_and_printed_with_their_digits():
    cases = pl.DataFrame(
        {
            "case": ["a", "b", "c"],
            "source": "book",
            "estimator": "difference",
            "provenance": "seen",
            "printed": ["1794", "-0.25", "3.1"],
            "printed_se": ["633", None, "1.0"],
            "ours": [1794.34, -0.2612, None],
            "our_se": [632.85, None, None],
            "within": [True, False, None],
            "why_not": ["", "cut off", "not here"],
        }
    )
    found = published_cases(cases)
    numbers = (found.n, found.n_computed, found.n_exact, found.n_different)
    assert [x.value for x in numbers] == [3, 2, 1, 1]
    shown = found.table().shown
    assert shown["printed"].to_list() == ["−0.25", "3.1 (1.0)", "1794 (633)"]
    assert shown["ours"].to_list() == ["−0.26", "", "1794 (633)"]
    assert shown["every digit"].to_list() == ["no", "not computed", "yes"]
    assert shown["remarks"].to_list() == ["cut off; seen", "not here; seen", "seen"]


def test_packages_are_counted_and_their_differences_printed_as_limits():
    found = package_comparison()
    assert found.n_packages.value == 4
    assert found.n_rows.value == found.table().shown.height
    assert set(found.table().shown["points differ by"]) <= {"0", "< 10⁻¹²", "< 10⁻¹⁰", "< 10⁻⁸"}
