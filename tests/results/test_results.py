"""The results room: numbers, their arithmetic, printing, tables, files."""

from __future__ import annotations

import json
import math

import polars as pl
import pytest

import analysis as va
from analysis.faults import FaultsError
from analysis.results import (
    Account,
    Comparison,
    Effect,
    Number,
    Provenance,
    Result,
    Word,
    saving,
    table,
)
from analysis.results.number import kept
from analysis.results.result import frame_of


def result(estimate: float = 1129.7, **row: object) -> Result:
    rows = [
        {
            "term": "offer",
            "outcome": "earnings",
            "estimate": estimate,
            "std_error": 353.0,
            "ci_low": 437.9,
            "ci_high": 1821.5,
            "p_value": 0.0014,
            "n": 9872,
            "unit": "dollars",
            **row,
        }
    ]
    return Result(
        frame=frame_of(rows),
        comparison=Comparison(estimator="difference in means", estimand="effect of the offer"),
        account=Account(rows_in=9900, rows_used=9872, left_out={"earnings missing": 28}),
        provenance=Provenance(evidence="public", function="m.f", inputs=("jtpa:abc",)),
        title="Effect of the offer on earnings",
    )


def test_an_effect_prints_by_the_size_of_its_error() -> None:
    effect = result().effect
    assert (str(effect), str(effect.interval)) == ("1,130", "440 to 1,820")


def test_arithmetic_by_hand() -> None:
    effect = result().effect
    mean = Number(value=17191.0, provenance=Provenance(evidence="reported", inputs=("x:1",)))
    ratio = 100 * effect / mean
    assert math.isclose(ratio.value, 100 * 1129.7 / 17191.0)
    assert math.isnan(ratio.low)  # the two may depend on each other
    assert ratio.provenance.evidence == "reported"  # the weaker of the two kinds
    assert ratio.provenance.inputs == ("jtpa:abc", "x:1")
    halved = effect / 2
    assert (halved.low, halved.high, halved.error) == (437.9 / 2, 1821.5 / 2, 353.0 / 2)
    turned = -effect
    assert (turned.low, turned.high) == (-1821.5, -437.9)
    assert (1000 - effect).value == pytest.approx(-129.7)


@pytest.mark.parametrize("value", [3.5, "about ten", None])
def test_a_literal_is_no_number_of_a_page(value: object) -> None:
    with pytest.raises(FaultsError, match="where it comes from"):
        va.number(value, "dollars")
    with pytest.raises(FaultsError, match="where it comes from"):
        va.keep(value, "name")


def test_kept_names() -> None:
    value = va.keep(result().effect, "training-offer")
    assert kept()["training-offer"] is value
    with pytest.raises(FaultsError, match="not a name"):
        va.keep(value, "Training offer")


def test_a_word_is_no_text() -> None:
    assert str(Word(word="very low")) == "very low"
    with pytest.raises(ValueError, match="not a word"):
        Word(word="this is a sentence that somebody put together in code")


def test_a_result_prints_who_was_left_out() -> None:
    text = repr(result())
    for part in ("9,900 in, 9,872 used", "28: earnings missing", "440 to 1,820", "0.001"):
        assert part in text


def test_no_interval_says_why() -> None:
    found = result(std_error=None, ci_low=None, ci_high=None, note="no village varies")
    assert "no village varies" in repr(found)
    assert "no village varies" in found.to_markdown()


def test_one_estimate_by_name() -> None:
    both = Result(**{**vars(result()), "frame": pl.concat([result().frame] * 2)})
    with pytest.raises(FaultsError, match="several estimates fit"):
        _ = both.effect
    with pytest.raises(FaultsError, match="no estimate of that name"):
        both.effect_of("takeup")
    assert isinstance(result().effect_of("offer"), Effect)


def test_side_by_side() -> None:
    shown = table(result(), result(900.0), names=["all", "women"]).shown
    assert shown.columns == ["term", "all", "women"]
    assert shown.row(0) == ("offer", "1,130 (350)", "900 (350)")
    with pytest.raises(FaultsError, match="2 results, 1 names"):
        table(result(), result(), names=["all"])


def test_saved_files(tmp_path) -> None:
    folder = result().save(tmp_path / "out")
    names = {path.name for path in folder.iterdir()}
    assert names == {"estimates.csv", "result.json", "table.md", "table.tex", "figure.svg"}
    saved = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert saved["account"]["left_out"] == {"earnings missing": 28}
    assert saved["disclosure"] == saving.INSIDE
    for name in ("table.md", "table.tex", "figure.svg"):  # each may be passed on by itself
        assert saving.INSIDE in (folder / name).read_text(encoding="utf-8")
    first = (folder / "figure.svg").read_bytes()
    assert b"<text" in first  # text as text
    result().save(folder)
    assert (folder / "figure.svg").read_bytes() == first  # the same bytes twice
    assert pl.read_csv(folder / "estimates.csv")["estimate"][0] == 1129.7


def test_names_of_columns_are_apart() -> None:
    for names in (["a", "a"], ["term", "b"]):
        with pytest.raises(FaultsError, match="not apart"):
            table(result(), result(900.0), names=names)


def test_a_file_is_no_folder(tmp_path) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")
    with pytest.raises(FaultsError, match="a file of this name"):
        result().save(tmp_path / "out")
