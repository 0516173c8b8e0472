"""The evidence map: one mark a study, programme and outcome; sign, size and link by hand."""

from __future__ import annotations

import matplotlib as mpl
import polars as pl
from matplotlib import pyplot as plt

from analysis.results.figure_svg import inline_svg
from analysis.results.plot import exhibit_of
from analysis.studies.evidence_map import SIZES, evidence_map, printed, shown, study

mpl.use("agg")


def row(
    study: str = "a",
    percent: float | None = 10.0,
    error: float | None = 2.0,
    *,
    risk: str = "randomised",
    family: str = "earnings",
    kind: str = "estimate",
    direction: str | None = None,
    primary: str = "yes",
) -> dict[str, object]:
    """Return one row of the library; its interval is two errors to either side."""
    wide = None if error is None or percent is None else 2 * error
    return {
        "programme": "training",
        "outcome_family": family,
        "outcome": "monthly earnings",
        "study": study,
        "short": f"Author {study}",
        "country": "China",
        "kind": kind,
        "risk_of_bias": risk,
        "direction": direction,
        "primary": primary,
        "percent": percent,
        "percent_se": error,
        "percent_low": None if wide is None or percent is None else percent - wide,
        "percent_high": None if wide is None or percent is None else percent + wide,
        "unit": "percent",
        "range_low": None,
        "range_high": None,
    }


SUMMARY = pl.DataFrame(
    {
        "programme": ["training", "land"],
        "programme_en": ["Skills training", "Land"],
        "programme_zh": ["技能培训", "土地"],
        "rating_en": ["low", "none"],
        "rating_zh": ["低", "无"],
    }
)


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    """Return rows as a frame."""
    return pl.DataFrame(list(rows), infer_schema_length=None)


def test_one_mark_a_study_the_primary_row_then_one_with_an_error() -> None:
    found = shown(
        frame(
            row("a", 1.0, None, primary="no"),
            row("a", 2.0, 1.0, primary="yes"),
            row("b", 3.0, None, primary="no"),
            row("b", 4.0, 1.0, primary="no"),
            row("c", 5.0, kind="review"),
            row("d", None, None, direction="not_seen"),
            row("e", None, None, direction="null"),
        )
    )
    assert dict(found.select("study", "percent").iter_rows()) == {"a": 2.0, "b": 4.0, "e": None}


def test_earnings_of_persons_and_households_share_a_column() -> None:
    found = shown(frame(row("a"), row("b", family="household_earnings")))
    assert found["column"].to_list() == ["earnings", "earnings"]
    assert shown(frame(row("a", family="labour"))).is_empty()


def test_sign_size_and_shape_of_a_mark() -> None:
    precise = study(row(percent=10.0, error=5.0))
    assert (precise.sign, precise.filled, precise.size) == ("unclear", False, SIZES[0])
    assert precise.text == "Author a, China: monthly earnings, 10.0 % (0.0 to 20.0)"
    middle = study(row(percent=-30.0, error=10.0, risk="cut_off"))
    assert (middle.sign, middle.filled, middle.size, middle.shape) == (
        "negative",
        True,
        SIZES[1],
        "s",
    )
    silent = study(row(percent=7.0, error=None, risk="association"))
    assert (silent.sign, silent.filled, silent.size, silent.shape) == (
        "positive",
        False,
        SIZES[2],
        "^",
    )
    assert silent.text.endswith("7 % (no error known)")
    assert study(row(percent=None, error=None, direction="null"), "zh").text.endswith(
        "报告无效应，未见数值"
    )


def test_a_direction_that_was_not_read_is_not_called_mixed() -> None:
    unread = row(percent=None, error=None, direction="not_seen")
    assert printed(unread) == "direction not read"
    assert printed(unread, "zh") == "方向未读到"
    assert printed(row(percent=None, error=None, direction="mixed")).startswith("reports mixed")


def test_a_range_is_printed_and_not_its_middle() -> None:
    """Park and Wang: 6.1 to 9.2 per cent over two outcomes; 7.65 is no number of theirs."""
    ranged = row(percent=7.65, error=None) | {"range_low": 6.1, "range_high": 9.2}
    assert printed(ranged) == "6.10 to 9.20 % (no error known)"
    assert printed(ranged | {"unit": "currency"}) == "7.65 % (no error known)"


def test_marks_lead_to_the_filtered_list_and_the_text_counts_them() -> None:
    estimates = frame(row("a"), row("b", -9.0, 1.0), row("c", 1.0, 9.0), row("d", family="profit"))
    figure = evidence_map(estimates, SUMMARY, page="/list.html").get_figure(root=True)
    assert figure is not None
    plt.close(figure)
    page = inline_svg(figure, "fig-map")
    assert page.count('href="/list.html?programme=training&amp;outcome=earnings"') == 3
    assert page.count('href="/list.html?programme=training&amp;outcome=profit"') == 1
    exhibit = exhibit_of(figure)
    assert exhibit is not None
    assert exhibit.alt == (
        "Evidence map: studies of each programme by outcome. "
        "Skills training: Earnings 3 (raises 1, lowers 1, unclear 1), "
        "Profit 1 (raises 1, lowers 0, unclear 0); Land: No study with a number."
    )
