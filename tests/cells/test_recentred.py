"""Recentred influence at a frozen reference: by hand, by brute force, and its label everywhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analysis.cells import recentred, result
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, Transform
from analysis.cells.reference import APPROXIMATE, Reference
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels.panel import Panel

Make = Callable[..., Panel]


def five(make: Make) -> Panel:
    """Five households of one village with 0, 10, 20, 30 and 140 in 2012, ten more in 2013."""
    rows = [
        {"household": h, "period": t, "business": y + 10 * (t - 2012)}
        for h, y in zip("abcde", (0, 10, 20, 30, 140), strict=True)
        for t in (2012, 2013)
    ]
    return make(
        [{"household": h, "village": "v"} for h in "abcde"],
        rows,
        [{"unit": "e", "first_period": 2013}],
    )


def of_cells(panel: Panel, frozen: Reference, **options: object) -> pl.DataFrame:
    design = CellsDesign(("training",), outcomes=recentred.outcomes(frozen), **options)  # type: ignore[arg-type]
    return build(panel, design).totals


def test_by_hand(make: Make) -> None:
    """μ = 40, Σ|y − y'| over pairs: 10·4 + 10·6 + 10·6 + 110·4 = 600, G = 600/(25·40) = 0.6.

    H: at 0, 10, 20, 30, 140 it is 0, 2, 6, 12, 100. RIF = 1 + 0.4 y/40 − 0.05 (y − H): 1, 0.7, 0.5,
    0.4, 0.4, mean 0.6. The median is 20, the spread √2440, the IQR 20, so the bandwidth is
    0.9 · 20/1.349 · 5^(−1/5).
    """
    frozen = recentred.reference(five(make), periods=(2012,), per="household", shares=(0.5,))
    assert (frozen.mean, frozen.n) == (40, 5)
    assert frozen.gini == pytest.approx(0.6, rel=1e-12)
    assert frozen.bandwidth == pytest.approx(0.9 * 20 / 1.349 * 5**-0.2, rel=1e-12)
    h = frozen.bandwidth
    density = sum(np.exp(-((y - 20) ** 2) / (2 * h * h)) for y in (0, 10, 20, 30, 140))
    density /= 5 * h * np.sqrt(2 * np.pi)
    ((share, median, f),) = frozen.quantiles
    assert (share, median) == (0.5, 20)
    assert f == pytest.approx(density, rel=1e-12)
    first = of_cells(five(make), frozen).filter(period=2012).sort("cohort")
    np.testing.assert_allclose(first["sum_total_gini"], [1 + 0.7 + 0.5 + 0.4, 0.4], rtol=1e-12)
    # Three of five are at or below 20, so 20 + (0.5 − 1)/f; the others 20 + 0.5/f.
    low, high = 20 - 0.5 / density, 20 + 0.5 / density
    np.testing.assert_allclose(first["sum_total_q50"], [3 * low + high, high], rtol=1e-12)


def gini_of(y: np.ndarray, w: np.ndarray) -> float:
    """Σ_i Σ_j w_i w_j |y_i − y_j| / (2 W² μ), pair by pair."""
    pairs = np.abs(y[:, None] - y[None, :])
    return float(w @ pairs @ w / (2 * w.sum() * (w @ y)))


def incomes(folder: Path, period: int) -> tuple[np.ndarray, np.ndarray]:
    opened = panels.read(folder)
    rows = opened.income.filter(pl.col("complete"), pl.col("period") == period).join(
        opened.households, on="household"
    )
    total = pl.sum_horizontal("wage", "business", "property", "transfer")
    found = rows.select(y=total / pl.col("size_baseline"), w="size_baseline").collect()
    return found["y"].to_numpy(), found["w"].to_numpy().astype(float)


def test_the_gini_is_the_derivative_by_brute_force(clean: Path) -> None:
    """Weight ε on an income of v moves the Gini by ε (RIF(v) − G): every knot, all pairs."""
    y, w = incomes(clean, 2012)
    frozen = recentred.reference(panels.read(clean), periods=(2012,), unit="person", knots=10**6)
    assert frozen.gini == pytest.approx(gini_of(y, w), rel=1e-10)
    share, epsilon = w / w.sum(), 1e-6
    for v in (0.5 * y.min(), float(np.median(y)), 3 * y.max()):
        moved = gini_of(np.append(y, v), np.append((1 - epsilon) * share, epsilon))
        slope = (moved - frozen.gini) / epsilon
        hinges = sum(change * max(v - at, 0) for at, change in frozen.hinges)
        rif = 1 + (1 - frozen.gini) * v / frozen.mean - 2 / frozen.mean * (v - hinges)
        assert rif - frozen.gini == pytest.approx(slope, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_means_over_the_reference_are_the_statistics(clean: Path, engine: str) -> None:
    """Quantiles to the last person's weight; the Gini to what is lost between fifty knots."""
    y, w = incomes(clean, 2012)
    frozen = recentred.reference(panels.read(clean), periods=(2012,), unit="person")
    design = CellsDesign(("training",), outcomes=recentred.outcomes(frozen), unit="person")
    cells = build(clean, design, engine)  # type: ignore[arg-type]
    first = cells.totals.filter(period=2012)
    size = first["weight"].sum()
    assert size == w.sum()
    for share, value, density in frozen.quantiles:
        below = w[y <= value].sum() / size
        assert w[y < value].sum() / size < share <= below + 1e-12
        mean = first[f"wsum_total_q{100 * share:g}"].sum() / size
        assert mean == pytest.approx(value + (share - below) / density, rel=1e-10)
    mean = first["wsum_total_gini"].sum() / size
    assert frozen.gini <= mean <= frozen.gini + 0.002
    exact = recentred.reference(panels.read(clean), periods=(2012,), unit="person", knots=10**6)
    whole = of_cells(panels.read(clean), exact, unit="person").filter(period=2012)
    assert whole["wsum_total_gini"].sum() / size == pytest.approx(gini_of(y, w), rel=1e-9)


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_engines_agree(realistic: Path, engine: Any) -> None:
    package, command = {"duckdb": ("duckdb", "test"), "spark": ("pyspark", "spark")}[engine]
    pytest.importorskip(package, reason=f"{package} is not installed: make {command}")
    if engine == "spark" and shutil.which("java") is None:
        pytest.skip("no Java on this machine: install the Debian package default-jre-headless")
    frozen = recentred.reference(
        panels.read(realistic), periods=(2012, 2013), real=2015, programme="training"
    )
    design = CellsDesign(("training",), outcomes=recentred.outcomes(frozen), handling="pairs")
    one, other = build(realistic, design), build(realistic, design, engine)
    for table in ("totals", "pairs"):
        left, right = getattr(one, table), getattr(other, table)
        assert left.schema == right.schema
        for name, kind in left.schema.items():
            if kind == pl.Float64:
                assert ((left[name] - right[name]).abs() <= 1e-12 * left[name].abs().max()).all()


def test_who_and_when_count(make: Make) -> None:
    """Without the trained household the mean is 15; in 2013 it is ten more; weights count."""
    panel = five(make)
    never = recentred.reference(panel, periods=(2012,), per="household", programme="training")
    assert (never.mean, never.n, never.who) == (15, 4, "households never in training")
    assert recentred.reference(panel, periods=(2012, 2013), per="household").mean == 45
    heavy = replace(
        panel,
        households=panel.households.with_columns(
            weight=pl.when(pl.col("household") == "e").then(4.0).otherwise(1.0)
        ),
    )
    assert recentred.reference(heavy, periods=(2012,), per="household").mean == 620 / 8


def test_every_output_says_approximate_and_names_the_reference(clean: Path, tmp_path: Path) -> None:
    frozen = recentred.reference(panels.read(clean), periods=(2012,), real=2015)
    cells = build(clean, CellsDesign(("training",), outcomes=recentred.outcomes(frozen)))
    assert all(APPROXIMATE in outcome.unit for outcome in cells.design.outcomes)
    kept = cells.meta["references"][frozen.digest]
    assert kept["kernel"].startswith("normal kernel") and kept["periods"] == (2012,)
    result.write(cells, tmp_path / "cells")
    again = result.read(tmp_path / "cells")
    assert again.design == cells.design
    made = again.design.outcomes[0].transform
    assert made is not None and made.reference == frozen
    assert made.reference.digest == frozen.digest
    assert set(again.meta["references"]) == {frozen.digest}


def test_what_has_no_reference_is_refused(make: Make) -> None:
    panel = five(make)
    frozen = recentred.reference(panel, periods=(2012,), per="household")
    with pytest.raises(ValueError, match="between 0 and 1"):
        recentred.reference(panel, periods=(2012,), shares=(1.0,))
    with pytest.raises(FaultsError, match="no income counts"):
        recentred.reference(panel, periods=(1999,))
    poor = replace(panel, income=panel.income.with_columns(business=-pl.col("business")))
    with pytest.raises(FaultsError, match="not above zero"):
        recentred.reference(poor, periods=(2012,))
    alike = replace(panel, income=panel.income.with_columns(business=pl.lit(5, pl.Int64)))
    with pytest.raises(FaultsError, match="every income is the same"):
        recentred.reference(alike, periods=(2012,))
    with pytest.raises(ValueError, match="has no quantile"):
        Transform("rif_quantile", reference=frozen, share=0.3)
    with pytest.raises(ValueError, match="has a reference, nothing else"):
        Transform("rif_gini")
    with pytest.raises(ValueError, match="the Gini index has none"):
        Transform("rif_gini", reference=frozen, share=0.5)
    with pytest.raises(ValueError, match="of another income"):
        Outcome("total_gini", per="head", transform=Transform("rif_gini", reference=frozen))
