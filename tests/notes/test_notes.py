"""Notes: sentences and exhibits say what their tier allows, and a reason where nothing is known."""

from dataclasses import replace

import pytest

from analysis import findings, notes
from analysis.answers import page
from analysis.answers.missing import Missing
from analysis.panels import panel as panels
from analysis.panels.model import Settings, simulate_settings

FORBIDDEN = ("p value", "p-value", "significan")
FIGURES = ("events", "groups", "beside", "forest")
TABLES = ("overall", "cohorts", "differences", "mistakes", "claims")
MARGINS = ("margin_interval", "margin_band", "margin_before_after")
SENTENCES = (
    "short",
    "tier_note",
    "reported",
    "elsewhere",
    "naive",
    "sure",
    "whom",
    "change",
    "collect",
    "method",
    *MARGINS,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("notes") / "panel"
    simulate_settings(target, Settings(4800, 120, (2012, 2021), 3))
    return target


@pytest.fixture(autouse=True)
def empty():
    findings.forget()
    yield
    findings.forget()


@pytest.fixture
def simulated(folder, monkeypatch):
    monkeypatch.setenv("PANEL", str(folder))
    return notes.programme("05-x", page.page("training"))


def of_survey(folder, **parts):
    panel = replace(panels.read(folder), tier="yours", name="a survey")
    return notes.programme("05-x", replace(page.page("training", panel), **parts))


def test_a_simulated_panel_is_asked_what_would_have_been_found(simulated):
    said = " ".join(getattr(simulated, name).text for name in SENTENCES)
    assert simulated.short.text.startswith("The truth is")
    assert not any(word in said.lower() for word in FORBIDDEN)
    assert "p_value" not in simulated.differences("tbl-d").data.columns


def test_a_survey_speaks_of_effects_and_has_p_values(folder):
    made = of_survey(folder)
    assert "The effect on households in the programme is" in made.short.text
    assert "p_family" in made.differences("tbl-d").data.columns
    assert "truth" not in made.overall("tbl-o").markup.lower()
    assert "simulated" not in made.short.text + made.tier_note.text


def test_every_number_of_the_panel_has_its_rows_and_the_panel_s_digest(simulated):
    import json

    noted = {one["id"]: one for one in json.loads(findings.export_json())}
    total = noted["training_total"]
    assert 0 < total["rows_used"] <= total["rows_in"]
    assert simulated.book.answer.panel_digest in total["inputs"]
    assert all(one["tier"] in findings.TIERS for one in noted.values())


def test_figures_say_what_they_show(simulated):
    alt = simulated.events("fig-e").alt
    assert "Total:" in alt and "Transfer:" in alt and "truth" in alt
    assert "The truth:" in simulated.beside("fig-b").alt


def test_the_sum_in_other_prices_than_the_axis_says_so(simulated):
    drawn = simulated.beside("fig-b")
    unit = simulated.book.answer.design.unit
    first, *others = drawn.data["label"].to_list()
    assert unit.endswith("prices of 2020")
    assert first == "Before and after, prices of each year, not those of the axis"
    assert others and not any("axis" in label for label in others)


def test_what_is_missing_is_a_sentence_in_every_place(folder):
    gone = Missing("the panel has one period")
    made = of_survey(folder, design=gone, estimates=gone, truth=gone, naive=gone, groups=gone)
    for name in SENTENCES:
        assert getattr(made, name).text
    for name in ("short", "sure", "whom", "method"):
        assert "the panel has one period" in getattr(made, name).text
    for name in FIGURES[:3]:
        assert getattr(made, name)(f"fig-{name}").alt == gone.sentence
    for name in TABLES[:4]:
        assert gone.sentence in getattr(made, name)(f"tbl-{name}").data["why"].to_list()


def test_margin_notes_teach_with_the_numbers_of_the_page(simulated):
    from analysis.notes import margins

    said = {name: getattr(simulated, name).text for name in MARGINS}
    ends = margins.of_interval(simulated.book).text
    assert ends == said["margin_interval"] and "brackets" in ends
    assert "standard errors" in said["margin_band"]
    assert "times the truth" in said["margin_before_after"]
    assert all(margins.LESSONS + "#sec-" in text for text in said.values())


def test_margin_notes_of_a_survey_name_no_truth(folder):
    made = of_survey(folder)
    assert "times the truth" not in made.margin_before_after.text
    gone = Missing("the panel has one period")
    lacking = of_survey(folder, design=gone, estimates=gone, truth=gone, naive=gone, groups=gone)
    assert "standard errors" not in lacking.margin_band.text


@pytest.mark.parametrize(
    ("times", "off", "said"),
    [
        (-43.9, -59_698.0, "59,698 below the truth"),
        (float("inf"), 500.0, "500 above the truth"),
    ],
)
def test_a_ratio_that_says_nothing_is_a_distance(simulated, times, off, said):
    """By hand: of opposite signs, or beside a truth of nothing, times the truth means nothing."""
    import re

    import polars as pl

    from analysis.notes import margins, texts

    answer = simulated.book.answer
    here = pl.col("method") == "before_after"
    rows = answer.naive.rows.with_columns(
        times=pl.when(here).then(pl.lit(times)).otherwise("times"),
        off=pl.when(here).then(pl.lit(off)).otherwise("off"),
    )
    findings.forget()
    changed = replace(answer, naive=replace(answer.naive, rows=rows))
    book = replace(simulated.book, answer=changed)
    printed = re.sub(r"\[([^]]+)\]\([^)]+\)(\{[^}]+\})?", r"\1", texts.of_naive(book).text)
    assert said in printed
    assert "times the truth" not in margins.of_before_after(book).text


def test_the_lead_and_the_verdict_are_those_of_the_first_page(simulated):
    """By the rule of `analysis.answers.certainty`, whose words for training are read by hand."""
    from analysis.notes import glance, verdicts

    assert "Nobody knows." in simulated.lead.text
    assert "None is of Tibet or Diqing." in simulated.lead.text
    assert "one person's pay" in simulated.lead.text and verdicts.STUDIES in simulated.lead.text
    assert "no usable study" in simulated.verdict.text
    assert "not “none”" in simulated.verdict.text
    assert "simulated" in simulated.whose.text
    summary = glance.summary("00-x")
    for one in summary.all_of:
        book = replace(
            simulated.book,
            answer=replace(
                simulated.book.answer,
                name=one.name,
                programme=one.programme,
                elsewhere=one.elsewhere,
            ),
        )
        assert f"**[{one.certainty.said}]" in verdicts.of_verdict(book).text
        answer = verdicts.ANSWERS[one.certainty.of or one.certainty.word]
        assert f"{verdicts.QUESTION} {answer}**" in verdicts.of_lead(book).text


def test_a_survey_is_not_called_simulated_in_how_sure(folder):
    assert "simulated" not in of_survey(folder).whose.text


def test_the_margin_says_where_a_simulated_interval_misses(simulated, folder):
    """Where the truth is the estimate itself it is inside; a million yuan away it is not."""
    import polars as pl

    from analysis.answers.design import TOTAL
    from analysis.answers.estimates import OVERALL
    from analysis.answers.truth import Truth
    from analysis.notes import margins, texts

    book, words = simulated.book, "the interval leaves the truth out"
    one = texts.headline(book.answer.estimates)
    for away, missed in ((0.0, False), (1e6, True)):
        known = {
            "outcome": [TOTAL],
            "aggregation": [OVERALL],
            "at": [None],
            "att": [one.estimate + away],
        }
        truth = Truth(pl.DataFrame(known, schema_overrides={"at": pl.Int32}), None)
        moved = replace(book, answer=replace(book.answer, truth=truth))
        findings.forget()
        assert (words in margins.of_interval(moved).text) == missed
    findings.forget()
    assert words not in of_survey(folder).margin_interval.text
