"""Levels of imported surveys: units numbered inside strata, shares inside 0 and 1 (cases 08, 21)."""

import numpy as np
import polars as pl
import pytest

from analysis.inference.clusters import quantile
from analysis.panels import panel as panels
from analysis.panels.importing import import_survey
from analysis.welfare import inequality, people, poverty

ITEMS = "".join(
    f'[[income.items]]\nsource = "{source}"\ncolumn = "{column}"\nunit = "yuan"\nper = "year"\n'
    for source, column in (
        ("wage", "wage"),
        ("business", "farm"),
        ("property", "zero"),
        ("transfer", "zero"),
    )
)


def imported(folder, frame, *lines):
    """Import a survey of one file, as a user does."""
    frame.write_csv(folder / "s.csv")
    (folder / "map.toml").write_text(
        '[map]\nsurvey = "s"\nstatus = "unverified"\n[[files]]\nid = "h"\nfile = "s.csv"\n'
        'household = "hhid"\nperiod = "year"\n[household]\nvillage = "village"\n'
        + "\n".join(lines)
        + '\n[village]\n[income]\nmembers = "members"\n'
        + ITEMS
        + "[limits]\nmax_rejected_rows = 1.0\nmax_rejected_records = 1.0\n"
    )
    import_survey([folder / "s.csv"], folder / "map.toml", folder / "panel")
    return people.of_panel(panels.read(folder / "panel"))


def two_years(rows, **columns):
    frame = pl.DataFrame(rows, orient="row", schema=["hhid", "village", "members", "wage", "farm"])
    frame = frame.with_columns(zero=0, **columns)
    return pl.concat([frame.with_columns(year=pl.lit(year)) for year in (2012, 2014)])


@pytest.mark.parametrize("numbered", ["inside strata", "apart"])
def test_units_numbered_inside_strata_are_twelve_not_six(tmp_path, numbered):
    """Case 08. Independent: samplics' Taylor error of the headcount, 0.333 ± 0.1491, 10 degrees."""
    wages = (6000, 9000, 12000, 15000, 18000, 21000)
    rows = [
        (
            4 * (6 * s + u) + h + 1,
            f"{'AB'[s]}{u + 1}",
            3,
            (wages, wages[::-1])[s][u] + 200.0 * h,
            500.0,
        )
        for s in range(2)
        for u in range(6)
        for h in range(4)
    ]
    psu = pl.col("village") if numbered == "apart" else pl.col("village").str.slice(1)
    frame = two_years(rows, psu=psu, strat=pl.col("village").str.slice(0, 1))
    mine = imported(tmp_path, frame, 'primary_sampling_unit = "psu"', 'design_stratum = "strat"')
    assert len(mine.design.clusters) == 12 and mine.design.note == ""
    found = poverty.measure(mine, ("planning_2020",)).where(
        period=2014, measure="headcount", unit="person", group="all"
    )
    assert found.points.item() == pytest.approx(1 / 3, abs=1e-3)
    assert found.std_errors.item() == pytest.approx(0.1491, abs=1e-4)
    assert found.degrees.item() == 10


def test_intervals_of_shares_lie_inside_0_and_1(tmp_path):
    """Case 21: five villages, a quarter poor in two of them; the logit interval, by hand."""
    rows = [(i, f"v{i // 8}", 4, 4000.0 if i < 10 else 20000.0, 2000.0 + 50 * i) for i in range(40)]
    frame = two_years(rows).with_columns(
        farm=pl.when((pl.col("hhid") == 7) & (pl.col("year") == 2014))
        .then(-150_000.0)
        .otherwise("farm")
    )
    mine = imported(tmp_path, frame)
    found = poverty.measure(mine, ("planning_2020",)).where(unit="person", group="all")
    head = found.where(measure="headcount", period=2012)
    (row,) = head.to_frame().iter_rows(named=True)
    point, error = row["estimate"], row["std_error"]
    assert point == pytest.approx(0.25)
    step = quantile(0.975, np.array([4.0])).item() * error / (point * (1 - point))
    for name, sign in (("ci_low", -1), ("ci_high", 1)):
        odds = point / (1 - point) * np.exp(sign * step)
        assert row[name] == pytest.approx(odds / (1 + odds), rel=1e-9)
    assert 0 < row["ci_low"] < 0.25 < row["ci_high"] < 1
    # By the t interval the ends were −0.29 and 0.79.
    assert point - quantile(0.975, np.array([4.0])).item() * error < 0
    gini = inequality.measure(mine).where(index="gini", period=2012).to_frame()
    assert 0 < gini["ci_low"].item() < gini["estimate"].item() < gini["ci_high"].item() < 1
    # With a loss below zero the squared gap is above one: above zero is all that it must be.
    squared = found.where(measure="squared_gap", period=2014).to_frame()
    assert squared["estimate"].item() > 1 and squared["ci_low"].item() > 0


def test_nobody_poor_is_no_certainty(tmp_path):
    rows = [(i, f"v{i // 8}", 4, 40_000.0 + i, 2000.0) for i in range(40)]
    found = poverty.measure(imported(tmp_path, two_years(rows)), ("planning_2020",)).to_frame()
    head = found.filter(measure="headcount")
    assert (head["estimate"] == 0).all()
    assert head["std_error"].is_null().all() and head["ci_high"].is_null().all()


def test_changes_of_shares_are_not_transformed(tmp_path):
    """An effect or a difference may be of either sign: the plain t interval around it."""
    rows = [(i, f"v{i // 8}", 4, 4000.0 if i < 10 else 20000.0, 2000.0 + 50 * i) for i in range(40)]
    frame = two_years(rows).with_columns(
        wage=pl.when((pl.col("hhid") < 3) & (pl.col("year") == 2014))
        .then(30_000.0)
        .otherwise("wage")
    )
    change = poverty.changes(poverty.measure(imported(tmp_path, frame), ("planning_2020",)))
    (row,) = (
        change.where(unit="person", group="all", measure="headcount")
        .to_frame()
        .iter_rows(named=True)
    )
    assert row["ci_high"] - row["estimate"] == pytest.approx(row["estimate"] - row["ci_low"])
