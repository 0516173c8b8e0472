"""Aggregations of group-time effects. Expected values by hand, and by a plain loop in fractions."""

from fractions import Fraction

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.panels import estimands

ATT = {(2014, 2014): 8, (2014, 2015): 16, (2014, 2016): 24, (2015, 2015): 4, (2015, 2016): 40}


def cohorts(sizes: dict[int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        {"cohort": list(sizes), "size": list(sizes.values())}, schema_overrides={"cohort": pl.Int32}
    )


def att(values: dict[tuple[int, int], float]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"cohort": g, "period": t, "att": float(value)} for (g, t), value in values.items()],
        schema_overrides={"cohort": pl.Int32, "period": pl.Int32},
    )


def found(values: dict[tuple[int, int], float]) -> dict[tuple[str, int | None], float]:
    weighting = estimands.weights(cohorts({2014: 3, 2015: 1}), 2013, 2016)
    table = estimands.aggregate(att(values), weighting)
    return {(row["aggregation"], row["at"]): row["att"] for row in table.iter_rows(named=True)}


def test_every_aggregation_by_hand() -> None:
    by_hand = {
        ("event_time", 0): 7,  # (3×8 + 4) / 4
        ("event_time", 1): 22,  # (3×16 + 40) / 4
        ("event_time", 2): 24,  # only the first cohort is seen so long
        ("cohort", 2014): 16,
        ("cohort", 2015): 22,
        ("calendar", 2014): 8,
        ("calendar", 2015): 13,  # (3×16 + 4) / 4
        ("calendar", 2016): 28,  # (3×24 + 40) / 4
        ("simple", None): (3 * 48 + 44) / (3 * 3 + 2),
        ("event_time_overall", None): (7 + 22 + 24) / 3,
        ("cohort_overall", None): (3 * 16 + 22) / 4,
        ("calendar_overall", None): (8 + 13 + 28) / 3,
    }
    result = found(ATT)
    assert result.keys() == by_hand.keys()
    for key, value in by_hand.items():
        assert abs(result[key] - value) < 1e-12, key


def test_a_missing_effect_leaves_its_aggregates_open() -> None:
    result = found({key: value for key, value in ATT.items() if key != (2015, 2016)})
    assert result["event_time", 1] is None
    assert result["simple", None] is None
    assert result["event_time", 2] == 24


def test_cohorts_without_a_before_or_an_after_have_no_weight() -> None:
    table = estimands.weights(cohorts({2013: 5, 2014: 3, 2017: 2}), 2013, 2016)
    assert table["cohort"].unique().to_list() == [2014]


def test_leads_are_weighted_like_lags() -> None:
    table = estimands.weights(cohorts({2014: 3, 2015: 1}), 2012, 2016, leads=3)
    before = table.filter(aggregation="event_time", at=-2).sort("cohort")
    assert before["weight"].to_list() == [0.75, 0.25]
    assert table.filter(aggregation="event_time", at=-3)["cohort"].to_list() == [2015]
    assert (table.filter(pl.col("aggregation") != "event_time")["period"] >= 2014).all()


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(2011, 2017), st.integers(1, 50), min_size=1))
def test_weights_are_those_of_a_plain_loop(sizes: dict[int, int]) -> None:
    first, last = 2010, 2017
    table = estimands.weights(cohorts(dict(sorted(sizes.items()))), first, last)
    sums = table.group_by("aggregation", "at").agg(pl.col("weight").sum())
    assert ((sums["weight"] - 1).abs() < 1e-12).all()
    cells = [(g, t) for g in sizes for t in range(g, last + 1)]
    events = {t - g for g, t in cells}
    expected: dict[tuple[int, int], Fraction] = {}
    for g, t in cells:
        same = sum(sizes[h] for h, u in cells if u - h == t - g)
        expected[g, t] = Fraction(sizes[g], same * len(events))
    overall = table.filter(aggregation="event_time_overall")
    for g, t, weight in overall.select("cohort", "period", "weight").iter_rows():
        assert abs(weight - float(expected[g, t])) < 1e-12
    assert overall.height == len(cells)


def test_exactly_on_the_line_is_not_poor() -> None:
    frame = pl.DataFrame(
        {
            "wage": [999, 1000, 1001],
            "business": 0,
            "property": 0,
            "transfer": 0,
            "size_baseline": 4,
            "line_fen": 250,
        }
    )
    out = frame.select(estimands.is_poor(), estimands.gap_fen())
    assert out.rows() == [(True, 1), (False, 0), (False, 0)]
