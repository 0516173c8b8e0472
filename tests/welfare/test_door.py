"""Poverty and inequality of frames: samplics' and R's conventions by hand, cases 08 and 21."""

import numpy as np
import polars as pl
import pytest

import analysis as va
from analysis.faults import FaultsError


def survey():
    """Case 08: sampling units numbered 1 to 6 in each of two strata, four households in each."""
    rows = [
        {"stratum": s, "psu": k, "income": 6500.0 + 3000 * place + 200 * i, "size": 3, "w": 1.0}
        for s, order in (("A", range(6)), ("B", range(5, -1, -1)))
        for k, place in enumerate(order, 1)
        for i in range(4)
    ]
    return pl.DataFrame(rows)


def by_hand(frame, line):
    """Variance of a share: Σ_h n/(n − 1) Σ (ψ − ψ̄)² over the units of each stratum."""
    poor = frame.with_columns(poor=(pl.col("income") / pl.col("size") < line).cast(pl.Float64))
    share = poor["poor"].mean()
    psi = poor.group_by("stratum", "psu").agg(((pl.col("poor") - share) / poor.height).sum())
    total = 0.0
    for _, part in psi.group_by("stratum"):
        values = part["poor"].to_numpy()
        total += len(values) / (len(values) - 1) * ((values - values.mean()) ** 2).sum()
    return share, np.sqrt(total)


def test_unit_ids_are_taken_together_with_their_stratum():
    """Case 08: twelve units in two strata: 0.333, error 0.1491 by samplics, ten degrees."""
    frame = survey()
    found = va.poverty(
        frame, "income", 4000, size="size", strata="stratum", psu="psu", per="households"
    )
    headcount = found.of("headcount")
    share, error = by_hand(frame, 4000)
    assert (headcount.value, headcount.std_error) == pytest.approx((share, error))
    assert round(headcount.value, 3) == 0.333
    assert round(headcount.std_error, 4) == 0.1491
    assert headcount.df == 10
    assert "6 ids of psu occur in several stratum" in found.account.decisions[0]


def test_shares_stay_inside_zero_and_one():
    """Case 21: a quarter of the rows in one of five villages."""
    incomes = [1500.0] * 10 + [6000.0] * 30
    frame = pl.DataFrame({"income": incomes, "village": np.repeat(np.arange(5), 8)})
    found = va.poverty(frame, "income", 2800, psu="village").of("headcount")
    assert found.value == 0.25
    assert 0 < found.ci_low < 0.25 < found.ci_high < 1
    half = found.ci_high / (1 - found.ci_high) * (1 - found.ci_low) / found.ci_low
    middle = 0.25 / 0.75
    # Symmetric on the logit scale: the product of both odds is the square of the odds.
    odds = [end / (1 - end) for end in (found.ci_low, found.ci_high)]
    assert odds[0] * odds[1] == pytest.approx(middle**2)
    assert half > 1
    gini = va.inequality(frame, "income", psu="village").of("gini")
    assert 0 < gini.ci_low < gini.ci_high < 1


def test_nobody_poor_is_no_certainty():
    frame = pl.DataFrame({"income": np.arange(40.0) + 100, "village": np.repeat(np.arange(5), 8)})
    found = va.poverty(frame, "income", 50, psu="village").of("headcount")
    assert found.value == 0
    assert np.isnan(found.ci_low)
    assert "no sampling unit varies" in found.note


def test_persons_weigh_by_size_and_sampling_weight():
    frame = pl.DataFrame(
        {"income": [4.0, 30, 9], "size": [4, 3, 1], "w": [1.0, 2, 0], "year": [1, 1, 1]}
    )
    found = va.poverty(frame, "income", 2, size="size", weight="w")
    assert found.of("headcount").value == pytest.approx(4 / 10)
    assert found.of("gap").value == pytest.approx(4 / 10 * 0.5)
    assert found.of("squared_gap").value == pytest.approx(4 / 10 * 0.25)
    assert found.account.left_out == {"weight is 0": 1}
    homes = va.poverty(frame, "income", 2, size="size", weight="w", per="households")
    assert homes.of("headcount").value == pytest.approx(1 / 3)


def test_a_line_of_each_row_and_several_lines():
    frame = pl.DataFrame({"income": [1.0, 2, 3, 4], "z": [2.0, 2, 3, 5], "g": list("aabb")})
    own = va.poverty(frame, "income", "z", by="g")
    assert own.of("headcount", "a").value == 0.5
    assert own.of("headcount", "b").value == 0.5
    two = va.poverty(frame, "income", {"low": 1.5, "high": 3.5})
    assert two.of("headcount", "high").value == 0.75


def test_a_difference_of_years_keeps_the_villages_covariance():
    """Two years of the same villages: the error is that of the villages' changes, by hand."""
    rng = np.random.default_rng(4)
    level = rng.normal(size=12)
    rows = [
        {"village": v, "year": t, "income": float(10 + level[v] - 0.5 * t + rng.normal())}
        for v in range(12)
        for t in (0, 1)
        for _ in range(10)
    ]
    frame = pl.DataFrame(rows)
    found = va.poverty(frame, "income", 10, by="year", psu="village")
    poor = frame.with_columns(poor=(pl.col("income") < 10).cast(pl.Float64))
    means = (
        poor.group_by("village", "year")
        .agg(pl.col("poor").mean())
        .pivot("year", index="village", values="poor")
    )
    change = (means["1"] - means["0"]).to_numpy()
    difference = found.difference(1, 0).of("headcount", "1 less 0")
    assert difference.value == pytest.approx(change.mean())
    assert difference.std_error == pytest.approx(change.std(ddof=1) / np.sqrt(12))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"income": "nothing"}, "no such column"),
        ({"line": -1}, "not above zero"),
        ({"strata": "psu", "psu": "stratum"}, None),
        ({"weight": "odd"}, "negative"),
        ({"size": "zero"}, "size is not above zero"),
    ],
)
def test_refused(change, words):
    frame = survey().with_columns(odd=pl.lit(-1.0), zero=pl.lit(0))
    arguments = {"income": "income", "line": 4000, "strata": "stratum", "psu": "psu"} | change
    if words is None:
        # Six strata of two units each: allowed.
        assert va.poverty(frame, **arguments).of("headcount").df == 6
        return
    with pytest.raises(FaultsError, match=words):
        va.poverty(frame, **arguments)


def test_a_stratum_of_one_unit_is_refused():
    frame = survey().filter((pl.col("stratum") == "A") | (pl.col("psu") == 1))
    with pytest.raises(FaultsError, match="1 strata have one sampling unit"):
        va.inequality(frame, "income", strata="stratum", psu="psu")


def test_a_hand_case_of_persons_and_households():
    """A line of 2: incomes per head of none, half and all of it, and twice; sizes 2, 4, 1, 3.

    Per household 2/4, gap (1 + 1/2)/4, squared (1 + 1/4)/4; per person 6/10, (2 + 2)/10, (2 + 1)/10.
    """
    size = [2, 4, 1, 3]
    heads = [0.0, 1.0, 2.0, 4.0]
    income = [y * s for y, s in zip(heads, size, strict=True)]
    frame = pl.DataFrame({"income": income, "size": size})
    for per, expected in (("households", [2 / 4, 1.5 / 4, 1.25 / 4]), ("persons", [0.6, 0.4, 0.3])):
        found = va.poverty(frame, "income", 2.0, size="size", per=per)
        assert found.frame["estimate"].to_list() == pytest.approx(expected)


def test_the_error_of_a_share_of_villages_is_the_textbook_one():
    """One household a village: s/√n with n − 1 degrees of freedom."""
    frame = pl.DataFrame({"income": [0.0] * 3 + [9.0] * 7, "village": range(10)})
    found = va.poverty(frame, "income", 5.0, psu="village").of("headcount")
    assert found.std_error == pytest.approx(np.std([1] * 3 + [0] * 7, ddof=1) / 10**0.5)
    assert found.df == 9


def survey_of_villages():
    """Forty villages of different size, with weights."""
    rng = np.random.default_rng(7)
    village = np.repeat(np.arange(40), rng.integers(5, 15, 40))
    level = rng.normal(size=40)[village]
    income = np.exp(8 + 0.4 * level + 0.5 * rng.normal(size=village.size))
    return pl.DataFrame(
        {"income": income, "village": village, "w": rng.uniform(0.5, 2, village.size)}
    )


@pytest.mark.parametrize("measure", ["poverty", "inequality"])
def test_errors_are_those_of_leaving_villages_out(measure):
    """The jackknife is another way to the same error: closer than 5 % with 40 villages."""

    def levels(part):
        if measure == "poverty":
            return va.poverty(part, "income", 2500.0, weight="w", psu="village").frame
        return va.inequality(part, "income", weight="w", psu="village").frame

    frame = survey_of_villages()
    whole = levels(frame)
    each = np.array(
        [levels(frame.filter(pl.col("village") != v))["estimate"].to_list() for v in range(40)]
    )
    jackknife = np.sqrt(39 / 40 * ((each - whole["estimate"].to_numpy()) ** 2).sum(axis=0))
    np.testing.assert_allclose(whole["std_error"], jackknife, rtol=0.05)


def test_who_an_index_is_not_defined_for_is_counted():
    """Incomes −5, 0, 1, 3, 10: Theil T leaves out one, Theil L two; L = ln(14/3) − ln(30)/3."""
    found = va.inequality(pl.DataFrame({"income": [-5.0, 0, 1, 3, 10]}), "income")
    assert found.of("theil_l").value == pytest.approx(np.log(14 / 3) - np.log(30) / 3)
    said = " ".join(found.account.decisions)
    assert "Theil T: 1 rows" in said and "Theil L: 2 rows" in said
