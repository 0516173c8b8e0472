"""Families of estimates, survey design, and laws that hold for every table."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.did.estimators import aggregate, families, group_time
from analysis.did.estimators.group_time import Comparison
from analysis.inference import clusters


def test_few_villages_get_holm(panel, make_table):
    found = group_time.estimate(make_table(panel("village")))
    frame = families.adjust(found)
    assert frame["rule"].unique().to_list() == ["holm"] and frame.height == len(found)
    assert (frame["p_family"] >= frame["p_value"]).all()
    assert (frame["p_family"] >= frame["p_discovery"] - 1e-12).all()


def test_many_villages_get_romano_wolf_between_one_by_one_and_holm(panel, make_table):
    found = group_time.estimate(make_table(panel("household")), Comparison("not_yet", "anywhere"))
    part = found.at(found.smaller_effective >= 20)
    frame = families.adjust(part, draws=9999)
    assert frame["rule"].unique().to_list() == ["romano_wolf"]
    p, family = frame["p_value"].to_numpy(), frame["p_family"].to_numpy()
    assert (family >= p - 0.01).all() and (family <= families.holm(p) + 0.01).all()


def test_survey_design_with_one_stratum_is_the_centred_covariance(panel, make_table):
    found = group_time.estimate(make_table(panel("village")))
    own = found.design_covariance(dict.fromkeys(found.villages, "all"))
    np.testing.assert_allclose(own, clusters.influence_covariance(found.influence, centred=True))
    with pytest.raises(ValueError, match="no design stratum"):
        found.design_covariance({})


@pytest.mark.parametrize("handling", ["balanced", "cross_sections"])
def test_order_of_rows_and_scale_of_money_and_weights_do_not_matter(panel, make_table, handling):
    """Laws: shuffled rows give the same; income × 7 gives effects × 7; weights × 3 the same."""
    table = make_table(panel("household", handling, weighted=True, strata=True), handling)
    how = Comparison("not_yet", "anywhere")

    def both(one):
        first = group_time.estimate(one, how)
        return first, aggregate.aggregate(first, one)

    order = np.random.default_rng(3).permutation(table.village.size)
    shuffled = replace(
        table,
        **{
            name: getattr(table, name)[order]
            for name in (
                "village",
                "cohort",
                "stratum",
                "n",
                "weight",
                "total",
                "n_ever",
                "weight_ever",
            )
        },
    )
    heavier = replace(
        table, weight=table.weight * 3, total=table.total * 3, weight_ever=table.weight_ever * 3
    )
    for changed, factor in (
        (shuffled, 1),
        (replace(table, total=table.total * 7), 7),
        (heavier, 1),
    ):
        for own, other in zip(both(table), both(changed), strict=True):
            scale = np.abs(own.points).max()
            for name in ("points", "influence", "without"):
                np.testing.assert_allclose(
                    getattr(other, name),
                    factor * getattr(own, name),
                    rtol=0,
                    atol=1e-10 * factor * scale,
                )
