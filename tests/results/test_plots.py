"""Coefficient, event-study and distribution plots: marks and texts from numbers by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import NormalDist

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from analysis.results.distribution import DOTS, distribution
from analysis.results.event_plot import event_study
from analysis.results.figure_svg import inline_svg
from analysis.results.plot import exhibit_of, plot
from analysis.results.provenance import UNKNOWN
from analysis.results.result import Account, Comparison, Result, frame_of

mpl.use("agg")


@dataclass(frozen=True, eq=False, kw_only=True)
class EventStudy(Result):
    """As differences in differences return it."""

    reference: int | None = -1


def effects(*outcomes: str) -> EventStudy:
    """Return effects of two periods, one before and one after."""
    rows = [
        {
            "term": f"event time {time}",
            "outcome": outcome,
            "estimate": estimate,
            "std_error": 1.0,
            "ci_low": estimate - 2.0,
            "ci_high": estimate + 2.0,
            "band_low": estimate - 3.0,
            "band_high": estimate + 3.0,
            "event_time": time,
            "unit": "yuan",
        }
        for outcome in outcomes
        for time, estimate in ((-2, 0.5), (0, 4.0))
    ]
    return EventStudy(
        frame=frame_of(rows),
        comparison=Comparison(),
        account=Account(1, 1),
        provenance=UNKNOWN,
        title="Effects",
    )


def page(ax: Axes) -> str:
    """Return the figure of axes as a page shows it."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    plt.close(figure)
    return inline_svg(figure, "fig-a")


def values(svg: str) -> list[str]:
    """Return what the marks say."""
    return re.findall(r'data-value="([^"]*)"', svg)


def test_event_times_have_interval_band_and_a_hollow_base() -> None:
    svg = page(event_study(effects("income")))
    assert values(svg) == [
        "event time −2: 0.5 (−1.5 to 2.5); joint band −2.5 to 3.5",
        "event time 0: 4.0 (2.0 to 6.0); joint band 1.0 to 7.0",
        "Base period",
    ]
    assert svg.count('class="fill-page stroke-muted"') == 1
    chinese = page(event_study(effects("income"), language="zh"))
    assert "事件时间 0：4.0 (2.0 至 6.0)；联合置信带 1.0 至 7.0" in values(chinese)


def test_several_outcomes_stand_below_each_other_or_in_colours_with_their_names() -> None:
    below = event_study(effects("wage", "business"))
    figure = below.get_figure(root=True)
    assert figure is not None
    assert len(figure.axes) == 2
    assert "wage, event time 0: 4.0 (2.0 to 6.0); joint band 1.0 to 7.0" in values(page(below))
    together = event_study(effects("wage", "business"), panels=False)
    svg = page(together)
    assert re.search(r'class="fill-blue"[^>]*>wage<', svg)
    assert re.search(r'class="fill-vermilion"[^>]*>business<', svg)


def test_estimates_of_two_results_have_two_colours_and_their_names() -> None:
    ax = plot(effects("income"), effects("income"), names=["A", "B"])
    figure = ax.get_figure(root=True)
    assert figure is not None
    exhibit = exhibit_of(figure)
    assert exhibit is not None
    assert exhibit.data["result"].to_list() == ["A", "A", "B", "B"]
    assert exhibit.alt.startswith(
        "Estimates with intervals, yuan. A, event time -2: 0.5 (−1.5 to 2.5)"
    )
    svg = page(ax)
    assert values(svg)[3] == "B, event time 0: 4.0 (2.0 to 6.0)"
    assert 'class="fill-blue stroke-blue"' in svg
    assert 'class="fill-vermilion stroke-vermilion"' in svg


def test_dots_count_cases_and_those_below_zero_have_a_colour_of_their_own() -> None:
    # Uniform from -20 to 80: a fifth of the cases, four dots, is below zero.
    ax = distribution(lambda p: 100 * p - 20, "yuan", what="Gain", decimals=0)
    svg = page(ax)
    marks = values(svg)
    assert marks[:2] == ["5 of 100 cases are below −15", "10 of 100 cases are below −10"]
    assert svg.count('class="fill-vermilion stroke-vermilion"') == 4
    assert svg.count('class="fill-blue stroke-blue"') == DOTS - 4
    assert marks[-2:] == ["Half of the cases: 5 to 55", "95 of 100 cases: −18 to 78"]
    figure = ax.get_figure(root=True)
    assert figure is not None
    exhibit = exhibit_of(figure)
    assert exhibit is not None
    assert exhibit.alt.startswith("Gain; yuan: Middle: 30; Half of the cases: 5 to 55")


def test_digits_of_a_distribution_follow_its_spread() -> None:
    ax = distribution(NormalDist(900, 800).inv_cdf, "yuan", outer=(-1500.0, 4000.0))
    assert values(page(ax))[-3:] == [
        "Half of the cases: 360 to 1,440",
        "95 of 100 cases: −670 to 2,470",
        "With every assumption at its ends: −1,500 to 4,000",
    ]


def test_letters_left_of_the_axes_keep_their_distance() -> None:
    """Axes from the second of eight inches: 96 CSS pixels of margin, its middle half the rest."""
    figure = plt.figure(figsize=(8, 2))
    ax = figure.add_axes((0.125, 0, 0.875, 1))
    ax.axis("off")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.text(-1 / 14, 0.5, "left")  # half an inch
    ax.text(0.5, 0.5, "middle")
    plt.close(figure)
    svg = inline_svg(figure, "fig-a")
    assert "margin-left:96px;width:calc(100% - 96px);height:192px" in svg
    places = dict(re.findall(r'<text x="([^"]+)"[^>]*>(\w+)<', svg))
    assert {word: place for place, word in places.items()} == {"left": "-48", "middle": "50%"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_same_plot_is_the_same_text(language: str) -> None:
    assert page(event_study(effects("income"), language=language)) == page(
        event_study(effects("income"), language=language)
    )
