"""Figures: same input, same bytes; alt text and data from the result; both themes."""

import polars as pl
import pytest

from analysis.claims import implied, ledger, relations, summary
from analysis.figures import claims as figures
from analysis.figures.style import DARK, LIGHT, SMALL, WIDTH


@pytest.fixture(scope="module")
def reported():
    return ledger.load()


@pytest.fixture(scope="module")
def drawn(reported):
    return figures.implied_income(
        "fig-implied", summary.implied_per_head(implied.implied(reported))
    )


def test_same_input_same_bytes(reported, drawn):
    again = figures.implied_income(
        "fig-implied", summary.implied_per_head(implied.implied(reported))
    )
    assert (again.light, again.dark) == (drawn.light, drawn.dark)


def test_light_and_dark_differ_only_in_colour_and_ids(drawn):
    assert drawn.light != drawn.dark
    assert LIGHT.ink in drawn.light
    assert DARK.ink in drawn.dark
    assert LIGHT.ink not in drawn.dark


def test_no_date_and_no_address_of_a_host_but_the_vocabularies(drawn):
    assert "<dc:date>" not in drawn.light


def test_alt_text_holds_the_numbers_drawn(drawn):
    for row in drawn.data.iter_rows(named=True):
        assert row["label"] in drawn.alt
        assert f"{row['official']:,.0f}" in drawn.alt


def test_an_unbounded_figure_is_said_as_open():
    data = pl.DataFrame(
        {
            "label": ["a job"],
            "low": [42000.0],
            "high": [None],
            "official": [16935.0],
            "frequency": ["per_year"],
            "measures": ["income"],
            "printed": ["more than 42,000"],
        },
        schema_overrides={"high": pl.Float64},
    )
    assert "a job: more than 42,000, against 16,935" in figures.implied_income("fig-x", data).alt


def test_counts_drawn_are_the_counts_given(reported):
    counts = summary.by_programme_and_kind(reported)
    figure = figures.stacked_counts(
        "fig-n",
        counts,
        row="programme",
        segment="kind",
        order=["count", "amount"],
        axis="n",
        intro="Bars.",
    )
    largest = counts.group_by("programme").agg(pl.col("n").sum()).sort("n").tail(1)
    assert f"{largest['programme'].item()} {largest['n'].item()}" in figure.alt


def test_verdict_bars_say_every_count(reported):
    counts = summary.verdict_counts(relations.judge(reported))
    figure = figures.verdict_bars("fig-v", counts)
    for role, verdict, n in counts.iter_rows():
        assert f"{role}, {verdict}: {n}" in figure.alt


def test_letters_stay_readable_on_a_phone():
    """At 350 of 390 px, the width of the text on a phone, the smallest letter keeps 8 px."""
    assert SMALL * 350 / (WIDTH * 72) >= 8


def contrast(one, other):
    """WCAG 2.1 contrast ratio of two #rrggbb colours (definition of relative luminance)."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("theme", "paper"), [(LIGHT, "#ffffff"), (DARK, "#14181d")])
def test_ink_has_enough_contrast(theme, paper):
    assert contrast(theme.ink, paper) >= 7
    assert contrast(theme.faint, paper) >= 4.5
