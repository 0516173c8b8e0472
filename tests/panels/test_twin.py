"""A twin has the shape of its survey and no row of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.faults import FaultsError
from analysis.panels import panel, schemas
from analysis.panels.account import Account
from analysis.panels.description import Description
from analysis.panels.twin import twin

N, PERIODS = 400, range(2012, 2016)


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """A panel with heaped incomes, many zeros, attrition and every table."""
    rng = np.random.default_rng(5)
    household = [f"H{i}" for i in range(N)]
    rows = [(h, p) for h in household for p in PERIODS if rng.random() < 0.9]
    n = len(rows)
    heaped = rng.integers(0, 40, (4, n)) * 100_000 * (rng.random((4, n)) < 0.5)
    income = pl.DataFrame(rows, schema={"household": pl.String, "period": pl.Int32}, orient="row")
    income = (
        income.with_columns(
            *(pl.Series(s, heaped[i], dtype=pl.Int64) for i, s in enumerate(schemas.SOURCES)),
            members_present=pl.Series(rng.integers(1, 7, n), dtype=pl.Int32),
        )
        .with_columns(
            wage=pl.when(pl.int_range(n) % 50 != 0).then("wage"),
        )
        .with_columns(complete=pl.col("wage").is_not_null())
    )
    households = pl.DataFrame(
        {
            "household": household,
            "village": [f"V{i % 20}" for i in range(N)],
            "size_baseline": pl.Series(rng.integers(1, 7, N), dtype=pl.Int32),
            "weight": rng.uniform(0.5, 3, N),
            "weight_type": pl.Series(
                ["sampling"] * N, dtype=pl.Enum(["none", "frequency", "sampling"])
            ),
            "stratum": [f"s{i % 3}" for i in range(N)],
            "registered_poor": [bool(i % 3) for i in range(N)],
            "x_land": rng.exponential(5, N),
            "x_tongue": ["one", "two"] * (N // 2),
        }
    )
    villages = pl.DataFrame(
        {"village": [f"V{i}" for i in range(20)], "county": ["Yun", "Fang"] * 10}
    )
    participation = pl.DataFrame(
        {
            "programme": ["training"] * 100,
            "unit_level": ["household"] * 100,
            "unit": household[:100],
            "first_period": [2013, 2014] * 50,
            "dose": rng.uniform(1, 30, 100),
            "dose_unit": ["days"] * 100,
        },
        schema_overrides=schemas.polars_schema("participation"),
    )
    collective = pl.DataFrame(
        {
            "village": ["V0", "V1"],
            "period": [2013, 2013],
            "net_income": [5_000_000, 6_000_000],
            "paid_out": [0, 100],
        },
        schema_overrides=schemas.polars_schema("collective"),
    )
    made = panel.Panel(
        "survey",
        "yours",
        households.lazy(),
        villages.lazy(),
        income.lazy(),
        participation.lazy(),
        Account(n, n),
        collective.lazy(),
    )
    panel.write(made, tmp_path / "survey")
    return tmp_path / "survey"


def test_a_twin_has_the_shape_of_its_survey(survey: Path, tmp_path: Path) -> None:
    real, copy = panel.read(survey), twin(survey, tmp_path / "twin", seed=1)
    assert panel.check(copy) == ()
    assert (copy.tier, copy.twin, real.twin) == ("model", True, False)
    for name in schemas.TABLES:
        old, new = real.table(name).collect(), copy.table(name).collect()
        assert new.schema == old.schema
        assert new.height == old.height
    count = pl.col("household").count()
    old, new = (
        p.income.group_by("period").agg(count).sort("period").collect() for p in (real, copy)
    )
    assert new.equals(old)


def test_no_row_of_the_survey_is_in_its_twin(survey: Path, tmp_path: Path) -> None:
    real, copy = panel.read(survey), twin(survey, tmp_path / "twin", seed=1)
    for table, key in (("households", "household"), ("villages", "village")):
        old, new = real.table(table).collect(), copy.table(table).collect()
        assert new.join(old, on=key).is_empty()
        assert new.join(old, on=old.columns, nulls_equal=True).is_empty()
    # Nor, names apart, the numbers of a household (weight and land are measured finely) ...
    numbers = ["size_baseline", "weight", "registered_poor", "x_land"]
    assert copy.households.join(real.households, on=numbers).collect().is_empty()
    # ... or the amounts of a household in a year, unless all of them are zero or missing.
    amounts = ["period", *schemas.SOURCES]
    tells = pl.any_horizontal(pl.col(s).fill_null(0) != 0 for s in schemas.SOURCES)
    told = copy.income.filter(tells)
    assert told.join(real.income, on=amounts, how="semi", nulls_equal=True).collect().is_empty()


def test_words_of_the_survey_are_not_in_its_twin(survey: Path, tmp_path: Path) -> None:
    copy = twin(survey, tmp_path / "twin", seed=1)
    words = set(copy.households.select("stratum", "x_tongue").collect().unpivot()["value"])
    assert not words & {"one", "two", "s0", "s1", "s2"}
    assert not set(copy.villages.collect()["county"]) & {"Yun", "Fang"}


def test_marginals_are_about_right_and_the_largest_is_cut(survey: Path, tmp_path: Path) -> None:
    real, copy = panel.read(survey), twin(survey, tmp_path / "twin", seed=1)
    old, new = real.income.collect()["business"], copy.income.collect()["business"]
    # About 1,440 draws, half of them zero: three standard errors of a share are 0.04.
    assert (new == 0).mean() == pytest.approx((old == 0).mean(), abs=0.04)
    assert new.mean() == pytest.approx(old.mean(), rel=0.15)
    land = [p.households.collect()["x_land"] for p in (real, copy)]
    assert land[1].max() <= land[0].quantile(0.99, "linear")


def test_a_seed_fixes_the_twin(survey: Path, tmp_path: Path) -> None:
    frames = [
        twin(survey, tmp_path / f"twin{i}", seed).income.collect()
        for i, seed in enumerate((3, 3, 4))
    ]
    assert frames[0].equals(frames[1])
    assert not frames[0].equals(frames[2])


def test_a_twin_is_never_shown_as_a_panel_with_known_truth(survey: Path, tmp_path: Path) -> None:
    twin(survey, tmp_path / "twin", seed=1)
    # A twin of a twin, and a twin that is read and written again, are twins still.
    again = twin(tmp_path / "twin", tmp_path / "second", seed=2)
    panel.write(again, tmp_path / "third")
    for name in ("twin", "second", "third"):
        copy = panel.read(tmp_path / name)
        assert (copy.twin, copy.evidence) == (True, "twin")
        about = Description(copy, {})
        assert "no truth known" in about.badge._repr_markdown_()
        assert (about.kind.text, about.rows.provenance.evidence) == ("synthetic", "twin")
    assert panel.read(survey).evidence == "yours"


def test_a_twin_replaces_a_twin_of_the_same_survey_only(survey: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        twin(survey, tmp_path / "twin", seed)
    panel.write(dataclasses.replace(panel.read(survey), name="other"), tmp_path / "other")
    with pytest.raises(FaultsError, match="holds 'twin of survey'"):
        twin(tmp_path / "other", tmp_path / "twin", seed=1)
    with pytest.raises(FaultsError, match="holds 'other'"):
        twin(survey, tmp_path / "other", seed=1)
    assert twin(survey, tmp_path / "other", seed=1, replace=True).twin


def test_a_twin_may_not_replace_its_survey(survey: Path) -> None:
    with pytest.raises(FaultsError, match="the twin would replace the survey; name a new folder"):
        twin(survey, survey, seed=1)
