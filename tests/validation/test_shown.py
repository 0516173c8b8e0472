"""What the page shows of stored proof: by hand, and a figure of each sort."""

import polars as pl
import pytest

from analysis.figures import validation as figures
from analysis.validation import designs, shown, stored

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
    published = pl.DataFrame(
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
    return stored.Results(
        pl.DataFrame(list(rows)),
        pl.DataFrame(),
        {name: stored.Run(2000, 1, f"2026-01-0{i + 1}", "x") for i, name in enumerate(names)},
        published,
    )


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
    )


def test_promises_are_counted_over_required_designs_only(lots):
    """0.91 is below 0.93 − 2 × 0.005; the design with two villages does not count."""
    found = shown.promise(lots)
    assert (found.asked, found.kept, found.draws) == (5, 4, 2000)
    assert (found.interval_low, found.interval_high) == pytest.approx((94, 96))
    assert (found.band_low, found.band_high) == pytest.approx((91, 93.5))
    assert found.villages_band_low == pytest.approx(89)
    assert (found.parity_band_low, found.parity_interval_low) == pytest.approx((61, 64))


def test_coverage_by_villages_and_by_rule(lots):
    rows = shown.by_villages(lots)
    assert rows.filter(design="lot_6_6")["percent"].to_list() == pytest.approx([94, 93.5, 64, 63.5])
    assert rows["arms"].unique(maintain_order=True).to_list() == [
        "6 never, 6 treated",
        "10 never, 2 treated",
    ]
    printed = shown.rules(lots).row(0, named=True)
    assert (printed["reported_band"], printed["villages_band"], printed["power"]) == (
        "93.5",
        "91.5",
        "40.0",
    )
    figure = figures.coverage("fig-x", rows, (93, 97))
    assert "6 never, 6 treated: interval, reported 94.0" in figure.alt


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
            row(design, estimator, "reported", "coverage_simple", held),
            row(design, estimator, "reported", "size", 1 - held),
            row(design, estimator, "reported", "power", 0.5),
        ]
    return results(*rows)


def test_bias_by_difficulty(offered):
    switches = shown.by_switch(offered)
    assert shown.one(switches, "training_all", "imputation")["bias"] == 9900
    assert switches["row"].to_list()[-1] == "no difficulty\n(microcredit)"
    worst = shown.failures(switches).row(0, named=True)
    assert (worst["bias"], worst["coverage"]) == ("24,000 ± 40", "0.0")
    designed = shown.designed(switches)
    assert designed["estimator"].unique(maintain_order=True).to_list() == [
        "group_time",
        "imputation",
    ]
    bias = figures.bias("fig-x", designed, 2020)
    assert "all at once: group-time 9,000, imputation 9,900" in bias.alt
    assert "no difficulty: group-time 95" in figures.broken("fig-y", designed, (93, 97)).alt


def test_published_cases_as_listed(lots):
    listed = shown.published(lots)
    assert listed["printed"].to_list() == ["1794 (633)", "−0.25", "3.1 (1.0)"]
    assert listed["ours"].to_list() == ["1,794 (633)", "−0.26", ""]
    assert listed["state"].to_list() == ["every digit", "not every digit", "data absent"]
    assert shown.published_counts(lots) == {
        "cases": 3,
        "computed": 2,
        "every_digit": 1,
        "not_every_digit": 1,
        "absent": 1,
    }


def test_age_says_when_and_whether_the_code_is_the_same(lots, monkeypatch):
    assert "2026-01-01" in shown.age(lots) and "have changed since" in shown.age(lots)
    monkeypatch.setattr(stored, "code_digest", lambda: "x")
    assert "have not changed since" in shown.age(lots)
    assert shown.runs(lots)["draws"].to_list() == [4000]


def test_every_difficulty_has_words():
    switches = {design.switch for design in DESIGNS.values() if design.kind == "offered"}
    assert switches == set(shown.SWITCHES)
