"""Accounts that need no study, by hand from the published figures."""

import pytest

from analysis.faults import FaultsError
from analysis.household.budget import household


def test_ngari_by_hand():
    """276.6万 reported with placements and 304.86万 of funds, over 80,919 rural people."""
    accounts = household("ngari", 2019).accounts()
    reported = accounts.entry("A01").added
    assert (reported.low, reported.high) == pytest.approx((2765500 / 80919, 2767000 / 80919))
    funds = accounts.entry("paired_assistance").added
    assert (funds.low, funds.high) == pytest.approx((3048550 / 80919, 3048700 / 80919))
    placed = accounts.entry("A02").added
    assert placed.low == pytest.approx(1357 * 3.475e9 / 570000 / 80919)


def test_growth_of_tibet_2012_to_2021_is_as_published():
    accounts = household("tibet", 2021).accounts(since=2012)
    assert accounts.growth("wage").value == pytest.approx(6086 - 1522)
    assert accounts.growth("property").value == pytest.approx(768 - 154)
    assert accounts.growth().value == pytest.approx(16935 - 5702)
    parts = [accounts.growth_share(s).value for s in ("wage", "business", "property", "transfer")]
    assert sum(parts) == pytest.approx(100)
    labour = accounts.entry("job_placement").added
    assert labour.value == pytest.approx((5.81e9 - 1.85e9) / 2344700)
    assert accounts.entry("job_placement").share.value == pytest.approx(
        100 * (5.81e9 - 1.85e9) / 2344700 / (6086 - 1522)
    )


def test_what_is_open_above_stays_open():
    """More than 16,000 first secretaries in three batches: more villages than 5,333."""
    fund = household("tibet", 2021).accounts().entry("village_fund")
    assert fund.added.high == float("inf")
    assert fund.added.low == pytest.approx(195000 * 16000 / 3 / 2344700)


def test_dividends_and_rents_cannot_exceed_property_income():
    accounts = household("tibet", 2021).accounts()
    assert accounts.property_ceiling.value == pytest.approx(100 * 768 / 16935)


def test_the_ceiling_of_the_package():
    """10.9 per cent of what income would be without it: 10.9 / 110.9 of what it is."""
    accounts = household("tibet", 2021).accounts()
    assert accounts.package.value == 10.9
    assert accounts.package_yuan.value == pytest.approx(16935 * 10.9 / 110.9)
    assert accounts.package.provenance.evidence == "published"


def test_a_later_first_year_is_refused_and_places_without_entries_have_growth():
    with pytest.raises(FaultsError, match="earlier year"):
        household("ngari", 2019).accounts(since=2019)
    diqing = household("diqing", 2019).accounts(since=2016)
    assert diqing.entries == ()
    assert diqing.growth().value > 0


def test_labour_income_is_left_out_where_a_year_has_none():
    with pytest.raises(FaultsError, match="none or several"):
        household("tibet", 2018).accounts().entry("job_placement")
