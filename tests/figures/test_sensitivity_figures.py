"""Figures of sensitivity: data, words and drawings."""

import polars as pl

from analysis.figures import sensitivity

OPTIONS = [
    ("controls", "never", "never treated"),
    ("controls", "not_yet", "not yet treated"),
    ("where", "anywhere", "anywhere"),
]


def curve_rows():
    return pl.DataFrame(
        {
            "controls": ["never", "not_yet", "never"],
            "where": ["anywhere"] * 3,
            "estimate": [1.0, 2.0, 6.0],
            "std_error": [1.0] * 3,
            "ci_low": [-1.0, 0.0, 4.0],
            "ci_high": [3.0, 4.0, 8.0],
            "band_low": [-2.0, -1.0, 3.0],
            "band_high": [4.0, 5.0, 9.0],
            "main": [False, True, False],
        }
    )


def test_the_curve_says_its_range_and_each_option():
    figure = sensitivity.curve(
        "fig-curve", "model", curve_rows(), OPTIONS, truth=3.0, subject="training"
    )
    assert "training: 3 estimates from 1.0 to 6.0 per cent, median 2.0" in figure.alt
    assert "never treated median 3.5" in figure.alt
    assert figure.alt.endswith("Put into the panel: 3.0 per cent.")
    assert figure.light != figure.dark
    assert figure.data.equals(curve_rows())
    again = sensitivity.curve(
        "fig-curve", "model", curve_rows(), OPTIONS, truth=3.0, subject="training"
    )
    assert again.light == figure.light


def test_a_curve_of_nothing_says_why():
    figure = sensitivity.curve("fig-curve", "yours", pl.DataFrame(), OPTIONS, empty="No period.")
    assert figure.alt == "No period."


def test_the_breakdown_says_its_intervals():
    rows = pl.DataFrame(
        {
            "bound": [0.0, 0.5, 1.0],
            "set_low": [5.0, 3.0, 1.0],
            "set_high": [5.0, 7.0, 9.0],
            "ci_low": [4.0, 1.0, -2.0],
            "ci_high": [6.0, 9.0, 12.0],
        }
    )
    figure = sensitivity.breakdown(
        "fig-breakdown",
        "model",
        rows,
        money="yuan a year, prices of each year",
        truth=2.0,
        broken=0.7,
        subject="training",
    )
    assert "1.00: −2 to 12" in figure.alt
    assert "yuan a year, prices of each year" in figure.alt
    empty = sensitivity.breakdown(
        "fig-breakdown", "yours", pl.DataFrame(), money="yuan", empty="No period before."
    )
    assert empty.alt == "No period before."


def test_ticks_of_the_curve_lie_inside_it():
    place, ticks = sensitivity._scale(curve_rows(), None)
    assert 3 <= len(ticks) <= 7
    assert all(0 <= place(t) <= sensitivity.TOP for t in ticks)
    assert place(9.0) == sensitivity.TOP
