"""Figures of places and of money: what is drawn is what they are given."""

from __future__ import annotations

import polars as pl

from analysis.figures import places

TILES = pl.DataFrame(
    {"tile": ["West", "East"], "column": [1, 2], "row": [1, 1], "n_places": [1, 3], "n": [4, 1200]}
)
FLOW = pl.DataFrame(
    {
        "programme": ["a", "a", "b"],
        "name": ["Training", "Training", "Shares"],
        "source": ["wage", "business", "property"],
        "low": [None, None, 100.4],
        "high": [None, None, None],
        "measures": [None, None, "payment"],
    },
    schema_overrides={"low": pl.Float64, "high": pl.Float64, "measures": pl.String},
)


def test_tiles_say_place_and_number_in_drawing_data_and_words() -> None:
    figure = places.tiles("fig-places", TILES)
    for drawing in (figure.light, figure.dark):
        assert "<!-- 1,200 -->" in drawing and "<!-- East (3) -->" in drawing
        assert "<!-- West -->" in drawing
    assert figure.data.equals(TILES)
    assert figure.alt.endswith("West 4, East 1200.")


def test_money_is_a_band_and_its_absence_a_dotted_line() -> None:
    figure = places.money_flow("fig-money", FLOW)
    assert "<!-- 100 or more (payment) -->" in figure.light
    assert figure.light.count("<!-- no money per household printed -->") == 1
    assert figure.light.count("stroke-dasharray") == 2
    assert "1 of 3 channels: Shares to property, 100 or more (payment)" in figure.alt
