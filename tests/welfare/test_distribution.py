"""Quantiles, growth incidence and decomposition: hand cases, known distributions, other ways."""

import numpy as np
import pytest
from scipy import stats

from analysis import money
from analysis.panels import panel as panels
from analysis.welfare import distribution as d
from analysis.welfare import people as lay
from analysis.welfare import poverty


def two_years(make_people, before, after, **more):
    n = len(before)
    more.setdefault("cluster", list(range(n)))
    return make_people(
        [*before, *after],
        period=[2015] * n + [2016] * n,
        cluster=more["cluster"] * 2,
        household=[f"h{i}" for i in range(n)] * 2,
        size=more["size"] * 2 if "size" in more else None,
    )


@pytest.mark.parametrize(("share", "value"), [(0.1, 1), (0.25, 1), (0.26, 2), (0.5, 2), (0.99, 9)])
def test_quantiles_by_hand(make_people, share, value):
    people = make_people([9, 2, 1, 4])
    assert d.at_share(d.sample(people, 2015), share) == value


def test_weights_count(make_people):
    """Three persons at 1, one at 4: the third quartile is 1."""
    people = make_people([1, 4], size=[3, 1])
    assert d.at_share(d.sample(people, 2015), 0.75) == 1
    assert d.at_share(d.sample(people, 2015), 0.76) == 4


def test_the_error_of_a_median_is_the_textbook_one(make_people):
    """Uniform on (0, 1000), 4,000 households alone in their villages: √(p(1 − p)/n) / f."""
    rng = np.random.default_rng(1)
    people = make_people(rng.uniform(0, 1000, 4000).tolist())
    found = d.quantiles(d.sample(people, 2015), (0.5,))
    exact = 1000 * np.sqrt(0.25 / 4000)
    assert found.std_errors.item() == pytest.approx(exact, rel=0.1)


def test_the_error_of_a_quantile_counts_villages(make_people):
    """40 villages of one income each, ten households: as 40 households, not as 400."""
    incomes = stats.norm.ppf((np.arange(40) + 0.5) / 40, 500, 100)
    alone = d.quantiles(d.sample(make_people(incomes.tolist()), 2015), (0.5,))
    tens = make_people(np.repeat(incomes, 10).tolist(), cluster=np.repeat(range(40), 10).tolist())
    together = d.quantiles(d.sample(tens, 2015), (0.5,))
    assert together.std_errors.item() == pytest.approx(alone.std_errors.item(), rel=1e-9)


def test_an_interval_beyond_the_data_is_not_made_up(make_people):
    found = d.quantiles(d.sample(make_people([1, 2, 3, 4]), 2015), (0.05,))
    assert found.points.item() == 1 and np.isnan(found.std_errors.item())


def test_all_grow_alike(make_people):
    people = two_years(make_people, [1, 2, 5, 9, 11], [2, 4, 10, 18, 22])
    for curve in (d.incidence(people, 2015, 2016), d.incidence_of_the_same(people, 2015, 2016, 5)):
        assert curve.points.tolist() == pytest.approx([1.0] * len(curve))
    assert d.growth_of(people, 2015, 2016).points.tolist() == pytest.approx([1, 1, 0])


def test_anonymous_and_same_differ_where_places_change(make_people):
    """Two swap places: nobody grows, yet the poor one does and the rich one shrinks."""
    people = two_years(make_people, [1, 4], [4, 1])
    assert d.incidence(people, 2015, 2016).points.tolist() == [0.0] * 19
    assert d.incidence_of_the_same(people, 2015, 2016, 2).points.tolist() == [3.0, -0.75]


def test_who_is_seen_once_is_not_among_the_same(make_people):
    people = make_people(
        [1, 3, 2, 5, 7],
        period=[2015, 2015, 2016, 2016, 2016],
        cluster=[0, 1, 0, 1, 2],
        household=["a", "b", "a", "b", "c"],
    )
    found = d.incidence_of_the_same(people, 2015, 2016, 2)
    assert found.n_rows.tolist() == [1, 1]
    assert found.points.tolist() == pytest.approx([1.0, 2 / 3])


def test_the_poorest_by_hand(make_people):
    """Two fifths of five are the two lowest; of four, one and six tenths."""
    assert d.poorest_mean(d.sample(make_people([5, 1, 3, 9, 7]), 2015)).points.item() == 2
    found = d.poorest_mean(d.sample(make_people([5, 1, 3, 9]), 2015)).points.item()
    assert found == pytest.approx((1 + 0.6 * 3) / 1.6)


def test_errors_of_the_poorest_are_those_of_leaving_villages_out(weighted, without_each):
    people = lay.of_panel(weighted)
    found = d.growth_of(people, 2014, 2019)
    jackknife = without_each(people, lambda p: d.growth_of(p, 2014, 2019).points)
    np.testing.assert_allclose(found.std_errors, jackknife, rtol=0.06)


def lines(*years):
    return [money.load().line_fen("planning_2020", t) / 100 for t in years]


def test_growth_alone_and_redistribution_alone(make_people):
    """In units of the line: all doubled is growth only; spread at one mean is redistribution."""
    a, b = lines(2015, 2016)
    relative = [0.4, 0.8, 1.5, 2.0, 3.0]
    grown = two_years(make_people, [a * y for y in relative], [b * 2 * y for y in relative])
    parts = dict(d.decompose(grown, "planning_2020", 2015, 2016).select("part", "estimate").rows())
    assert parts["change"] == pytest.approx(-0.2) and parts["growth"] == pytest.approx(-0.2)
    assert parts["redistribution"] == 0 and parts["residual"] == pytest.approx(0)
    apart = [0.8, 1.4, 1.5, 2.0, 2.0]
    spread = two_years(make_people, [a * y for y in relative], [b * y for y in apart])
    parts = dict(d.decompose(spread, "planning_2020", 2015, 2016).select("part", "estimate").rows())
    assert parts["growth"] == 0 and parts["redistribution"] == pytest.approx(-0.2)


@pytest.mark.parametrize("alpha", [0, 1, 2])
def test_the_parts_add_up_and_errors_are_those_of_leaving_villages_out(
    weighted, without_each, alpha
):
    """Exactly: the errors are a jackknife, done in one pass."""
    people = lay.of_panel(weighted)
    found = d.decompose(people, "planning_2020", 2014, 2019, alpha)
    parts = dict(found.select("part", "estimate").rows())
    measured = poverty.changes(
        poverty.measure(people, ("planning_2020",)).where(
            group="all", unit="person", measure=poverty.MEASURES[alpha]
        )
    )
    assert parts["change"] == pytest.approx(measured.points.item(), rel=1e-9)
    assert parts["growth"] + parts["redistribution"] + parts["residual"] == pytest.approx(
        parts["change"]
    )
    assert parts["growth_shapley"] + parts["redistribution_shapley"] == pytest.approx(
        parts["change"]
    )
    each = without_each(
        people, lambda p: d.decompose(p, "planning_2020", 2014, 2019, alpha)["estimate"].to_numpy()
    )
    np.testing.assert_allclose(found["std_error"], each, rtol=1e-7)


def test_one_period_has_no_ends(make_people):
    assert d.ends(make_people([1, 2, 3])) is None


def test_incidence_has_intervals_in_the_middle(gappy):
    people = lay.of_panel(panels.read(gappy))
    found = d.incidence(people, 2014, 2019).to_frame()
    inner = found.filter(found["share"].is_between(0.2, 0.8))
    assert inner["ci_low"].null_count() == 0 and (inner["ci_low"] < inner["estimate"]).all()
