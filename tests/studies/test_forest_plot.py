"""The forest plot of a pool: rows, groups and means from its frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib import pyplot as plt

from analysis.faults import FaultsError
from analysis.results.figure_svg import inline_svg
from analysis.results.number import Effect
from analysis.results.provenance import UNKNOWN, Provenance
from analysis.studies.forest_plot import forest_plot, printed

mpl.use("agg")
STUDIES = pl.DataFrame(
    {
        "study": ["a", "b", "c"],
        "short": ["First 2001", "Second 2002", "Third 2003"],
        "country": ["China", None, "Peru"],
        "effect": [10.0, 4.0, 1.0],
        "std_error": [2.0, 1.0, 0.5],
        "weight": [0.2, 0.3, 0.5],
        "setting": ["rural_china", "high_income", "high_income"],
    }
)


@dataclass
class Pool:
    """What the plot asks of pooled studies."""

    studies: pl.DataFrame = field(default_factory=lambda: STUDIES)
    scale: str = "percent"
    level: float = 0.95
    unit: str = "per cent of the comparison mean"
    provenance: Provenance = UNKNOWN
    mean: Effect = field(default_factory=lambda: Effect(value=5.0, low=-1.0, high=11.0, error=3.0))
    prediction: Effect = field(default_factory=lambda: Effect(value=5.0, low=-9.0, high=19.0))
    by_setting: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(
            {
                "setting": ["high_income", "rural_china"],
                "n_studies": [2, 1],
                "mean": [2.5, 10.0],
                "ci_low": [1.0, 6.0],
                "ci_high": [4.0, 14.0],
            }
        )
    )


def page(**options: str) -> str:
    """Return the plot as a page shows it."""
    figure = forest_plot(Pool(), **options).get_figure(root=True)  # type: ignore[arg-type]
    assert figure is not None
    plt.close(figure)
    return inline_svg(figure, "fig-a")


def test_intervals_are_of_the_level_and_logarithms_are_printed_as_per_cent() -> None:
    first = printed(STUDIES, "percent").row(0, named=True)
    assert first["label"] == "First 2001, China"
    assert (first["ci_low"], first["ci_high"]) == pytest.approx((6.080072, 13.919928))
    logs = pl.DataFrame({"study": ["a"], "effect": [0.2], "std_error": [0.1], "weight": [1.0]})
    row = printed(logs, "log", 0.9).row(0, named=True)
    # exp(0.2) - 1, and exp(0.0355146) - 1 to exp(0.3644854) - 1.
    assert row["estimate"] == pytest.approx(22.140276)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((3.61528, 43.97729), abs=1e-4)


def test_studies_mean_and_prediction_are_marks() -> None:
    marks = page()
    assert 'data-value="First 2001, China: 10.0 (6.1 to 13.9); weight 20 %"' in marks
    assert 'data-value="Second 2002: 4.0 (2.0 to 6.0); weight 30 %"' in marks
    assert 'data-value="Mean: 5.0 (−1.0 to 11.0); A new place: −9.0 to 19.0"' in marks
    assert "data-group" not in marks


def test_groups_have_a_mean_of_their_own_where_there_are_two_studies() -> None:
    marks = page(by="setting")
    assert 'data-value="Mean, High-income countries: 2.50 (1.00 to 4.00)"' in marks
    assert "Mean, Rural China" not in marks
    assert 'data-group="Rural China"' in marks
    assert "合并估计（高收入国家）" in page(by="setting", language="zh")


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(FaultsError, match="sub_type, setting"):
        page(by="year")
    with pytest.raises(FaultsError):
        page(by="sub_type")  # no such column in this pool


def test_two_samples_of_one_work_are_told_apart() -> None:
    """The men and the women of one programme; a work that occurs once keeps its label."""
    samples = pl.DataFrame(
        {
            "study": ["men", "women", "other"],
            "short": ["LaLonde (1986)", "LaLonde (1986)", "Other (2000)"],
            "country": ["United States"] * 3,
            "place": ["urban sites, men", "urban sites, women on welfare", "16 sites"],
            "effect": [1.0, 2.0, 3.0],
            "std_error": [1.0, 1.0, 1.0],
        }
    )
    assert printed(samples, "percent")["label"].to_list() == [
        "LaLonde (1986), United States, men",
        "LaLonde (1986), United States, women",
        "Other (2000), United States",
    ]
