"""The simulated panel as a whole: same for any chunks, legal, on target, with what was asked."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.faults import FaultsError
from analysis.panels import model, panel
from analysis.panels.model import parameters
from analysis.panels.model.assignment import NEVER
from analysis.panels.model.settings import Settings, Switches, of_variant
from analysis.panels.model.simulate import pieces
from analysis.panels.model.targets import gini
from analysis.panels.model.world import build, run

YEARS = (2012, 2021)


@pytest.fixture(scope="module", params=["clean", "realistic"])
def default(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / str(request.param)
    model.simulate(folder, variant=request.param)
    return folder


def test_it_keeps_the_contract(default: Path) -> None:
    found = panel.read(default)
    assert found.tier == "model"
    assert "simulated" in found.name
    assert panel.check(found) == ()


def test_it_is_on_target(default: Path) -> None:
    table = model.targets(panel.read(default))
    assert table.filter(~pl.col("met")).rows() == []
    means = table.filter(pl.col("what").str.starts_with("mean"))
    assert means.height == 10 and (means["tolerance"] == 0.02).all()
    assert table.height == 10 + 8 + 3 + 10


def test_a_target_is_called_what_its_row_is_called(default: Path) -> None:
    # By hand from income_path.csv: 2015 from memory; 2012, 2013 and 2016 derived; the rest found.
    table = model.targets(panel.read(default))
    means = table.filter(pl.col("what").str.starts_with("mean")).sort("period")
    assert dict(means.select("period", "status").iter_rows()) == {
        2012: "derived",
        2013: "derived",
        2014: "found",
        2015: "from_memory",
        2016: "derived",
        2017: "found",
        2018: "found",
        2019: "found",
        2020: "found",
        2021: "found",
    }
    shares = table.filter(pl.col("what").str.starts_with("share of"))
    assert set(shares.select("period", "status").iter_rows()) == {
        (2012, "derived"),
        (2021, "found"),
    }
    gini = table.filter(pl.col("what").str.starts_with("Gini"))
    assert set(gini["status"]) == {"from_memory"}


def test_the_account_is_the_table(default: Path) -> None:
    account = panel.read(default).account
    assert account.rows_read == 108_000
    assert (account.share_used == 1) == (default.name == "clean")


@pytest.mark.parametrize("variant", ["clean", "realistic"])
def test_chunks_change_nothing(tmp_path: Path, variant: str) -> None:
    sizes = {"households": 701, "villages": 23, "seed": 5, "variant": variant}
    whole = model.simulate(tmp_path / "whole", **sizes)  # type: ignore[arg-type]
    assert whole.chunks == 1
    for chunk in (1, 60, 333):
        parts = model.simulate(tmp_path / "parts", **sizes, chunk=chunk)  # type: ignore[arg-type]
        assert parts.chunks > 1
        assert parts.digests == whole.digests
    for table in ("households", "income", "participation"):
        one, many = (
            panel.read(tmp_path / name).table(table).collect() for name in ("whole", "parts")
        )
        assert one.equals(many)
    assert model.read_truth(tmp_path / "whole").equals(model.read_truth(tmp_path / "parts"))


def test_another_seed_is_another_panel(tmp_path: Path) -> None:
    a, b = (model.simulate(tmp_path / "p", households=60, villages=4, seed=s) for s in (1, 2))
    assert not set(a.digests.values()) & set(b.digests.values())


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(0, 3000), st.integers(0, 2**62), st.integers(1, 500))
def test_villages_are_whole_and_never_empty(
    villages: int, more: int, seed: int, chunk: int
) -> None:
    shared = build(Settings(villages + more, villages, (2012, 2013), seed), parameters.load())
    start = shared.places.start
    assert start[0] == 0 and start[-1] == villages + more
    assert (np.diff(start) >= 1).all()
    cuts = list(pieces(shared.places, chunk))
    assert [first for first, _ in cuts] == [0, *(last for _, last in cuts[:-1])]
    assert cuts[-1][1] == villages


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**62), st.sampled_from(["clean", "realistic"]))
def test_incomes_are_legal_for_every_seed(seed: int, variant: str) -> None:
    shared = build(of_variant(variant, 300, 8, YEARS, seed), parameters.load())
    found = run(0, 8, shared)
    wage, business, prop, transfer = found.income
    assert wage.min() >= 0 and prop.min() >= 0 and transfer.min() >= 0
    assert business.min() < 0
    assert found.homes.members.min() >= 1
    assert (found.homes.workers <= found.homes.size).all()
    for one in found.effects:
        assert ((one.takers.cohort == NEVER) | (one.takers.cohort <= YEARS[1])).all()


def of(switches: Switches, tmp_path: Path, name: str) -> panel.Panel:
    model.simulate_settings(tmp_path / name, Settings(6000, 150, YEARS, 3, name, switches))
    return panel.read(tmp_path / name)


def test_each_switch_does_what_it_says(tmp_path: Path) -> None:
    clean = of(Switches(), tmp_path, "clean")

    def with_one(name: str) -> panel.Panel:
        return of(replace(Switches(), **{name: True}), tmp_path, name)

    def income_of_trained(found: panel.Panel) -> float:
        trained = found.participation.filter(programme="training").select(household="unit")
        mean = pl.col("income_baseline_fen").mean()
        return (
            found.households.join(trained, on="household").select(mean).collect().item()
            / found.households.select(mean).collect().item()
        )

    def share(found: panel.Panel, programme: str) -> float:
        return found.participation.filter(programme=programme).collect().height / 150

    def complete(found: panel.Panel) -> float:
        return found.income.select(pl.col("complete").mean()).collect().item()

    def round_wages(found: panel.Panel) -> float:
        wages = pl.col("wage").filter(pl.col("wage") > 0)
        return found.income.select((wages % 10_000 == 0).mean()).collect().item()

    def near_floor(found: panel.Panel) -> float:
        yuan = pl.col("net_income") / 100
        return found.collective.select(yuan.is_between(50_000, 52_500).mean()).collect().item()

    assert abs(income_of_trained(clean) - 1) < 0.04
    assert income_of_trained(with_one("selection_level")) > 1.15
    assert share(with_one("coverage"), "village_fund") > 0.95 > share(clean, "village_fund")
    assert with_one("attrition").account.share_used < 0.95 < clean.account.share_used == 1
    assert complete(with_one("missing")) < 1 == complete(clean)
    assert round_wages(with_one("heaping")) > 0.4 > 0.01 > round_wages(clean)
    assert near_floor(with_one("misreporting")) > near_floor(clean) + 0.05

    def together(found: panel.Panel) -> float:
        both = found.participation.filter(pl.col("programme").is_in(["training", "microcredit"]))
        return both.group_by("unit").len().filter(pl.col("len") == 2).collect().height

    assert together(with_one("bundling")) > 1.3 * together(clean)

    def training(name: str, effect: str) -> pl.DataFrame:
        return model.read_truth(tmp_path / name).filter(
            programme="job_placement" if name == "spillover" else "microcredit",
            aggregation="event_time",
            sample="all",
            outcome="total",
            effect=effect,
        )

    with_one("spillover")
    assert training("spillover", "spillover").filter(who="untreated", at=2)["att"].item() < -1
    with_one("anticipation")
    ahead = training("anticipation", "total")
    assert ahead.filter(at=-1)["att"].item() < -10
    assert (
        ahead.filter(at=-2)["att"].item()
        == 0
        == training("clean", "total").filter(at=-1)["att"].item()
    )


def test_selection_on_trend_and_the_dip_act_on_what_would_come_anyway() -> None:
    def without_effects(switches: Switches) -> tuple[np.ndarray, np.ndarray]:
        """Return trends of the trained, and their wages two years and one year before."""
        shared = build(Settings(6000, 150, YEARS, 3, "one", switches), parameters.load())
        found = run(0, 150, shared)
        wage = found.income[0].copy()
        for one in found.effects:
            if 0 in one.direct:
                wage[one.rows] -= one.direct[0]
        training = next(one for one in found.effects if one.rule.name == "training")
        rows = training.rows
        start = training.takers.cohort[rows] - YEARS[0]
        sums = np.array([wage[rows, start - before].sum() for before in (2, 1)])
        return found.homes.trend_score[rows], sums

    trend, before = without_effects(Switches())
    assert abs(trend.mean()) < 0.1
    assert without_effects(replace(Switches(), selection_trend=True))[0].mean() > 0.2
    _, dipped = without_effects(replace(Switches(), dip=True))
    # The scale meets the same official mean, so the ratio is only near 0.85.
    ratio = (dipped[1] / dipped[0]) / (before[1] / before[0])
    assert 0.83 < ratio < 0.87


def test_a_clean_panel_lets_a_plain_design_find_the_truth(tmp_path: Path) -> None:
    """Difference in differences of a village programme is within four standard errors."""
    model.simulate(tmp_path / "p", households=12_000, villages=600, seed=9)
    found = panel.read(tmp_path / "p")
    truth = model.read_truth(tmp_path / "p").filter(
        programme="industry_support",
        aggregation="group_time",
        sample="all",
        outcome="business",
        effect="total",
    )
    sums = (
        found.income.join(found.households, on="household")
        .group_by("village", "period")
        .agg(pl.col("business").sum() / 100, n=pl.len())
        .collect()
        .pivot("period", index=("village", "n"), values="business")
        .join(
            found.participation.filter(programme="industry_support").collect(),
            left_on="village",
            right_on="unit",
            how="left",
        )
    )
    scores = []
    for g, t, att in (
        truth.filter(pl.col("period") >= pl.col("cohort"))
        .select("cohort", "period", "att")
        .iter_rows()
    ):
        change = sums[str(t)] - sums[str(g - 1)]
        arms = [sums["first_period"].is_null(), (sums["first_period"] == g).fill_null(False)]
        means, variances = [], []
        for arm in arms:
            n, d = sums["n"].filter(arm), change.filter(arm)
            mean = d.sum() / n.sum()
            means.append(mean)
            variances.append(float(((d - mean * n) ** 2).sum()) / n.sum() ** 2)
        scores.append((means[1] - means[0] - att) / sum(variances) ** 0.5)
    assert len(scores) > 20
    assert max(map(abs, scores)) < 4


def test_the_village_fund_is_the_same_sum_for_every_village(default: Path) -> None:
    found = panel.read(default)
    fund = found.participation.filter(programme="village_fund").rename({"unit": "village"})
    sums = fund.join(found.villages, on="village").select(
        pl.col("dose") * pl.col("n_households") * 4.657
    )
    assert (sums.collect()["dose"] / 200_000 - 1).abs().max() < 0.001  # doses are whole fen


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"households": 3}, "households"),
        ({"households": 10**9, "villages": 10**5}, "households"),
        ({"villages": 1}, "villages"),
        ({"households": 10**6, "villages": 2}, "villages"),
        ({"periods": (2015, 2015)}, "periods"),
        ({"periods": (2008, 2012)}, "year"),
        ({"seed": -1}, "seed"),
        ({"variant": "messy"}, "variant"),
    ],
)
def test_what_cannot_be_simulated_is_a_fault(
    tmp_path: Path, change: dict[str, object], column: str
) -> None:
    asked: dict[str, object] = {"households": 50, "villages": 5, **change}
    with pytest.raises(FaultsError) as caught:
        model.simulate(tmp_path / "p", **asked)  # type: ignore[arg-type]
    assert column in {fault.column for fault in caught.value.faults}
    assert not list(tmp_path.iterdir())


def test_the_default_builds_in_three_seconds(tmp_path: Path) -> None:
    # Time of the processor, so that a busy machine does not fail the test.
    begun = time.process_time()
    model.simulate(tmp_path / "p", variant="realistic")
    assert time.process_time() - begun < 3


def test_every_parameter_says_where_it_comes_from(tmp_path: Path) -> None:
    table = parameters.table()
    assert table.height > 200
    assert not table.select(pl.any_horizontal(pl.all().str.len_chars() == 0)).to_series().any()
    for name in ("model.toml", "model_programmes.toml", "income_path.csv"):
        source = parameters.paths.data() / "parameters" / name
        (tmp_path / name).write_bytes(source.read_bytes())
    text = (tmp_path / "model.toml").read_text().replace('status = "found"', 'status = "sure"', 1)
    (tmp_path / "model.toml").write_text(text.replace(', unit = "villages"', "", 1))
    with pytest.raises(FaultsError) as caught:
        parameters.load(tmp_path)
    assert {fault.problem for fault in caught.value.faults} == {"not a parameter", "unknown status"}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 5)), min_size=1, max_size=12))
def test_gini_is_half_the_mean_difference_over_the_mean(homes: list[tuple[int, int]]) -> None:
    people = [income / n for income, n in homes for _ in range(n)]
    if sum(people) == 0:
        return
    pairs = sum(abs(a - b) for a in people for b in people) / len(people) ** 2
    expected = pairs / 2 / (sum(people) / len(people))
    frame = pl.DataFrame(homes, schema=["y", "n"], orient="row")
    assert gini(frame, "y", "n") == pytest.approx(expected, abs=1e-9)
