"""The Monte Carlo: stored results against draws made again, coverage by hand, interrupted runs."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis import paths
from analysis.faults import FaultsError
from analysis.validation import coverage, designs, draws, montecarlo, published, stored

DESIGNS = {design.id: design for design in designs.load()}
QUICK = [design.id for design in DESIGNS.values() if design.kind == "lot" and design.villages < 40]
SLOW = ["lot_40", "training_all"]


@pytest.mark.parametrize(("name", "number"), [*((q, None) for q in QUICK), *((s, 3) for s in SLOW)])
def test_the_first_draws_made_again_are_those_stored(name, number):
    """The first 60 of each small design, three of larger ones: equal to nine digits.

    If code changed so that they are not, run `make validate`, or mend the code.
    """
    design, results = DESIGNS[name], stored.read()
    number = number or stored.KEPT[design.kind]
    again = stored.first_draws(design, montecarlo.block(design, 0, number))
    kept = results.first.filter(pl.col("design") == name, pl.col("draw") < number)
    assert kept["draw"].n_unique() == number
    numbers = pl.selectors.float()
    assert_frame_equal(
        kept.with_columns(pl.col("draw", "at").cast(pl.Int32), numbers.cast(pl.Float64)),
        again,
        rel_tol=1e-9,
        abs_tol=1e-9,
        check_dtypes=False,
    )


def test_every_design_has_been_run_as_often_as_it_says():
    """No design without a full run, and none stored that is no longer a design."""
    results = stored.read()
    assert list(results.runs) == list(DESIGNS)
    for name, run in results.runs.items():
        assert run.draws == DESIGNS[name].draws and run.seed == draws.SEED
        assert results.summary.filter(design=name)["draws"].unique().to_list() == [run.draws]


def test_reported_intervals_keep_their_promise():
    """Required: 93 per cent, and 98 at most from ten villages an arm on; two Monte Carlo errors."""
    results = stored.read()
    required = [name for name, design in DESIGNS.items() if design.required]
    assert {DESIGNS[name].smallest_arm for name in required} >= {6, 8, 36}
    rows = results.summary.filter(
        pl.col("design").is_in(required),
        pl.col("measure").str.contains("^(coverage|band)_"),
        estimator="group_time",
        rule="reported",
    )
    assert rows.height == 5 * len(required)
    wrong = [
        row
        for row in rows.iter_rows(named=True)
        if not coverage.keeps_promise(
            coverage.Share(row["value"], row["mc_error"]), DESIGNS[row["design"]].smallest_arm
        )
    ]
    assert not wrong


def test_the_rule_before_did_not():
    """Degrees of all villages less one, Bonferroni: bands with three villages in an arm."""
    few = stored.read().summary.filter(
        pl.col("design").is_in(["lot_9_3", "lot_3_9"]),
        estimator="group_time",
        rule="villages",
        measure="band_event_time",
    )
    assert few.height == 2
    for row in few.iter_rows(named=True):
        assert not coverage.keeps_promise(coverage.Share(row["value"], row["mc_error"]))


def by_hand():
    """Three draws of one cohort in two periods: truth 10 in the second; two villages of evidence."""
    rows = []
    for number, (estimate, error, band) in enumerate([(10.0, 1.0, 3.0), (14, 1, 3), (7, 1, 2)]):
        plain = {
            "draw": number,
            "degrees": np.inf,
            "degrees_villages": np.inf,
            "parity_error": error,
            "band": band,
            "band_villages": band,
            "band_parity": 5.0,
            "std_error": error,
            "estimate": estimate,
        }
        truth = {
            **plain,
            "estimator": "truth",
            "outcome": "income",
            "aggregation": "group_time",
            "at": None,
            "cohort": 2015,
            "std_error": 2.0,
        }
        rows += [
            {**truth, "period": 2014, "estimate": 0.0},
            {**truth, "period": 2015, "estimate": (18.0, 20.0, 22.0)[number]},
        ]
        own = {**plain, "estimator": "group_time", "cohort": None, "period": None}
        rows += [
            {**own, "outcome": "income", "aggregation": "simple", "at": None},
            {
                **own,
                "outcome": "without",
                "aggregation": "simple",
                "at": None,
                "estimate": estimate - 10,
            },
            {**own, "outcome": "income", "aggregation": "event_time", "at": 0},
        ]
    kinds = dict.fromkeys(("draw", "at", "cohort", "period"), pl.Int32)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col(name).cast(kind) for name, kind in kinds.items()
    )


def test_the_summary_by_hand():
    """Truth 60/6 = 10; estimates 10, 14, 7: bias 1/3; errors 0, 4, 3 against 1.96 and the bands."""
    found = coverage.summary("x", by_hand())

    def value(measure, rule="reported"):
        row = found.filter(measure=measure, rule=rule)
        return row["value"].item(), row["mc_error"].item()

    assert value("truth", "any")[0] == pytest.approx(10)
    assert value("bias", "any") == pytest.approx((1 / 3, np.std([0, 4, -3], ddof=1) / 3**0.5))
    assert value("spread", "any")[0] == pytest.approx(np.std([10, 14, 7], ddof=1))
    assert value("coverage_simple") == pytest.approx((1 / 3, 1 / 3))
    assert value("coverage_event_time")[0] == pytest.approx(1 / 3)
    assert value("band_event_time")[0] == pytest.approx(1 / 3)
    assert value("band_event_time", "parity")[0] == 1
    assert value("size")[0] == pytest.approx(2 / 3)
    assert value("power")[0] == 1


def test_a_draw_does_not_depend_on_those_before_it():
    design = DESIGNS["lot_6_6"]
    several = montecarlo.block(design, 0, 3)
    assert_frame_equal(several.filter(draw=2), montecarlo.one_draw(design, 2))


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    """A block that is there is not drawn again, and what a killed process left is not read."""
    monkeypatch.setattr(montecarlo, "BLOCK", 2)
    design = DESIGNS["lot_6_6"]
    whole = montecarlo.run(design, tmp_path / "a", number=4, processes=1)
    own = tmp_path / "b" / design.id
    own.mkdir(parents=True)
    montecarlo.block(design, 0, 2).write_parquet(own / "00000-00002.parquet")
    (own / "00002-00004.99.part").write_bytes(b"half a block")
    drawn = []
    real = montecarlo.one_draw

    def counted(design, number, **more):
        drawn.append(number)
        return real(design, number, **more)

    monkeypatch.setattr(montecarlo, "one_draw", counted)
    assert_frame_equal(montecarlo.run(design, tmp_path / "b", number=4, processes=1), whole)
    assert drawn == [2, 3]


def test_a_run_of_some_designs_leaves_the_others(tmp_path, monkeypatch):
    before = stored.read()
    monkeypatch.setattr(stored, "code_digest", lambda: "0" * 64)
    monkeypatch.setattr(stored.published, "reproduce", lambda: before.published)
    stored.validate(("published",), to=tmp_path / "r")
    stored._store(
        tmp_path / "r",
        list(DESIGNS),
        DESIGNS["lot_9_3"],
        by_hand(),
        stored.Run(3, 1, "2026-01-02", "a"),
    )
    results = stored.validate(
        ("lot_6_6",), number=2, processes=1, to=tmp_path / "r", work=tmp_path / "w"
    )
    assert list(results.runs) == ["lot_6_6", "lot_9_3"]
    assert results.runs["lot_9_3"] == stored.Run(3, 1, "2026-01-02", "a")
    assert results.oldest == "2026-01-02" and not results.same_code
    assert results.summary["design"].unique(maintain_order=True).to_list() == ["lot_6_6", "lot_9_3"]
    with pytest.raises(FaultsError, match="no such design"):
        stored.validate(("lottery",), to=tmp_path / "r")


def test_the_digest_covers_what_the_draws_import():
    """What is left out lays files out, reads schemas, prints, counts rows or says faults."""
    plumbing = {
        "contract",
        "datapackage",
        "faults",
        "folders",
        "paths",
        "printing",
        "results",
        "results/badge",
        "results/formatting",
        "results/number",
        "results/provenance",
        "results/result",
        "results/table",
        "results/table_html",
        "did",
        "did/estimators",
        "did/estimators/rows_used",
        "panels/calendar",
        "panels/checks",
        "panels/outcomes",
        "inference",
        "panels",
        "cells",
        "validation",
        "panels/model",
        "panels/account",
        "panels/digest",
        "panels/package",
        "panels/panel",
        "panels/schemas",
        "panels/model/collective",
        "panels/model/simulate",
        "panels/model/tables",
        "panels/model/targets",
        "panels/model/truth",
        "inference/wald",
    }
    code = (
        "import sys, analysis.validation.montecarlo;"
        "print(*[m for m in sys.modules if m.startswith('analysis.')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {name.removeprefix("analysis.").replace(".", "/") for name in said.stdout.split()}
    assert imported == plumbing | set(stored.MODULES)
    for name in stored.CODE:
        assert (paths.root() / name).is_file()


def test_stored_published_cases_are_those_computed_here():
    """Those whose data and packages this environment has; the others stay as stored."""
    now = published.reproduce().filter(pl.col("ours").is_not_null())
    kept = stored.read().published
    both = kept.join(now.select("case", "ours", "our_se"), on="case", suffix="_now")
    assert both.height == now.height >= 20
    for name in ("ours", "our_se"):
        assert np.allclose(both[name].cast(pl.Float64), both[f"{name}_now"], rtol=1e-6)
