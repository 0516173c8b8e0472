"""An average household: official figures as published, the others by hand."""

import csv

import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.household import calibration
from analysis.household.budget import household


def test_tibet_in_2021_is_as_published():
    """Press conference of 7 October 2022: 6,086, 7,374, 768 and 2,707 make 16,935."""
    budget = household("tibet", 2021)
    found = [budget.source_per_head(s).value for s in ("wage", "business", "property", "transfer")]
    assert found == pytest.approx([6086, 7374, 768, 2707], abs=1e-9)
    assert budget.per_head.value == 16935
    assert budget.wage_share.value == pytest.approx(100 * 6086 / 16935)


def test_a_year_between_two_splits_is_interpolated_and_flagged():
    """Wages were 1,522 of 5,702 in 2012 and 6,086 of 16,935 in 2021; 2019 is seven ninths on."""
    budget = household("tibet", 2019)
    first, last = 1522 / 5702, 6086 / 16935
    assert budget.wage_share.value == pytest.approx(100 * (first + (last - first) * 7 / 9))
    assert (budget.wage_share.low, budget.wage_share.high) == pytest.approx(
        (100 * first, 100 * last)
    )
    assert any("wage" in line for line in budget.computed)


def test_ngari_moves_with_the_region():
    """10,868 in 2018 times 12,951 over 11,450; a household has 22,900 / 6,285 members."""
    budget = household("Ngari", 2019)
    assert budget.per_head.value == pytest.approx(10868 * 12951 / 11450)
    assert budget.size.value == pytest.approx(22900 / 6285, abs=0.005)
    assert budget.income.value == pytest.approx(10868 * 12951 / 11450 * 3.64)
    assert "moved with the growth" in budget.per_head.provenance.method


def test_a_year_between_two_totals_grows_at_a_constant_rate():
    """Diqing: 7,088 in 2016 and 12,303 in 2022; 2019 is half way, so their geometric mean."""
    assert household("diqing", 2019).per_head.value == pytest.approx((7088 * 12303) ** 0.5)


@pytest.mark.parametrize("place", ["tibet", "ngari", "lhasa", "diqing", "poor_areas"])
@pytest.mark.parametrize("year", range(2013, 2022))
def test_every_place_and_year_adds_up(place, year):
    budget = household(place, year)
    sources = [budget.source_per_head(s).value for s in calibration.SOURCES]
    assert sum(sources) == pytest.approx(budget.per_head.value, rel=1e-12)
    of_household = [budget.of_household(s).value for s in calibration.SOURCES]
    assert sum(of_household) == pytest.approx(budget.income.value, rel=1e-12)
    assert budget.provenance.evidence == "reported"
    assert budget.provenance.inputs[0].startswith("data/household/facts.csv:")


def test_names_in_both_languages():
    assert household("阿里", 2019).place == household("NGARI", 2019).place == "ngari"


@pytest.mark.parametrize(
    ("place", "year", "said"),
    [("mars", 2019, "ask for one of tibet, ngari"), ("tibet", 2030, "2012 to 2021")],
)
def test_what_is_not_there_is_refused_with_a_remedy(place, year, said):
    with pytest.raises(FaultsError, match=said):
        household(place, year)


def test_a_year_that_only_tibet_has_is_refused_elsewhere():
    assert household("tibet", 2012).per_head.value == 5702
    with pytest.raises(FaultsError, match="from 2013 on"):
        household("poor_areas", 2012)


def test_incomes_at_quantiles_have_the_mean_of_the_budget():
    """A lognormal with mean one: the average over quantiles is one, within the grid's error."""
    budget = household("ngari", 2019)
    grid = [(k + 0.5) / 20000 for k in range(20000)]
    mean = sum(budget.relative_income(p) for p in grid) / len(grid)
    assert mean == pytest.approx(1, abs=2e-3)
    assert budget.income_at(0.1).value < budget.income_at(0.5).value < budget.income.value


def test_one_figure_one_value_across_files():
    """Totals that data/parameters and data/claims hold too are the same number there."""
    known = calibration.load()
    with (paths.data() / "parameters" / "income_path.csv").open(encoding="utf-8") as handle:
        path = [r for r in csv.DictReader(handle) if r["source_of_income"] == "total"]
    for row in path:
        assert known.total("Tibet AR", int(row["year"])).value == float(row["value"]), row["year"]
    with (paths.data() / "claims" / "official.csv").open(encoding="utf-8") as handle:
        official = [
            r
            for r in csv.DictReader(handle)
            if r["place"] == "Tibet AR" and r["series"].startswith("rural disposable")
        ]
    assert official
    for row in official:
        assert known.total("Tibet AR", int(row["year"])).value == float(row["value"])


def test_what_is_computed_from_other_rows_is_what_it_says():
    """Labour income over workers, and Lhasa's 2019 from 2020 and its growth."""
    known = calibration.load()
    for year, yuan, workers in (
        (2012, 1.85e9, 450000),
        (2019, 3.48e9, 570000),
        (2020, 4.7e9, 610000),
        (2021, 5.81e9, 693000),
    ):
        assert known.earnings(year).value == pytest.approx(yuan / workers, abs=0.5)
    assert known.total("Lhasa", 2019).value == pytest.approx(18268 / 1.127, abs=0.6)
    ngari = household("ngari", 2015)
    assert ngari.rural_people.value == pytest.approx(22900 / 0.283, abs=1)


def test_sources_that_do_not_add_up_are_refused(tmp_path):
    folder = paths.data() / "household"
    text = (folder / "facts.csv").read_text(encoding="utf-8")
    broken = text.replace(",2021,,year,6086,", ",2021,,year,6186,")
    assert broken != text
    (tmp_path / "facts.csv").write_text(broken, encoding="utf-8")
    (tmp_path / "places.csv").write_bytes((folder / "places.csv").read_bytes())
    with pytest.raises(FaultsError, match="differ from their total by 100"):
        calibration.load(tmp_path)


def test_it_prints_and_tabulates():
    budget = household("ngari", 2019)
    assert "An average rural household, Ngari 2019" in repr(budget)
    assert budget.table().shown.height == 5
    assert budget.plot().get_xlabel() == "yuan of 2019 a household a year"
