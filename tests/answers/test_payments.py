"""Payments: the catalogue's, and sources of income added up with their joint error."""

import numpy as np
import polars as pl
import pytest

from analysis.answers import design, estimates, payments, truth
from analysis.answers.missing import Missing
from analysis.panels.model import read_truth


@pytest.fixture(scope="module")
def leases(panel):
    how = design.design_of(panel, "land_lease")
    return estimates.estimate(panel, how)


def test_the_four_payments_enter_three_sources():
    rows = payments.payments("land_lease")
    assert dict(rows.select("id", "channel").iter_rows()) == {
        "rent": "property",
        "orders": "business",
        "shares": "property",
        "wages": "wage",
    }
    assert payments.payments("training").is_empty()


def test_all_sources_together_are_the_total(leases):
    """The sum over all four has the total's estimate and the total's influence."""
    every = payments.net(leases.summed, "land_lease", ("wage", "business", "property", "transfer"))
    total = leases.summed.at(np.array([leases.one("total")]))
    assert every.points[0] == pytest.approx(total.points[0])
    np.testing.assert_allclose(every.influence, total.influence, atol=1e-9)


def test_rent_less_farm_income_is_the_sum_of_two_sources(leases):
    found = payments.net_of(leases)
    parts = [leases.summed.points[leases.one(name)] for name in payments.NET]
    assert found.points[0] == pytest.approx(sum(parts))


def test_a_source_without_an_estimate_is_said(leases):
    only = leases.summed.select(outcome="wage")
    assert isinstance(payments.net(only, "land_lease"), Missing)


def test_the_truth_adds_up(simulated, leases):
    known = truth.truth_of(read_truth(simulated), leases.design)
    values = known.values.filter(
        pl.col("aggregation") == "simple", pl.col("outcome").is_in(["property", "business"])
    )
    assert payments.true_net(known) == pytest.approx(values["att"].sum())
    assert payments.true_net(Missing("nobody knows")) is None
