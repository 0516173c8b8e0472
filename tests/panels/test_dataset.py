"""Public data by name: the frame, its card, and what is said where a file has not been fetched."""

from __future__ import annotations

import pickle
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analysis.faults import FaultsError
from analysis.panels import cards, external, public
from analysis.panels.dataset import Dataset, data, data_sets


def test_a_data_set_is_a_polars_frame_with_its_card() -> None:
    nsw = data("nsw")
    assert isinstance(nsw, pl.DataFrame)
    assert_frame_equal(pl.DataFrame(nsw), public.load("nsw").frame)
    assert nsw.card == cards.get("nsw")
    assert nsw.sha256 == public.sha256("nsw")
    assert nw.from_native(nsw).shape == nsw.shape


def test_chosen_rows_and_added_columns_keep_the_card() -> None:
    nsw = data("nsw")
    young = nsw.filter(pl.col("age") < 25).with_columns(rise=pl.col("re78") - pl.col("re75"))
    assert isinstance(young, Dataset)
    assert (young.card, young.sha256) == (nsw.card, nsw.sha256)
    assert 0 < young.height < nsw.height
    assert_frame_equal(pl.DataFrame(nsw).filter(age=25), pl.DataFrame(nsw.filter(age=25)))
    assert nsw.drop_nulls().height == 445


def test_what_is_made_otherwise_is_a_plain_frame() -> None:
    nsw = data("nsw")
    for frame in (nsw.select("re78"), nsw.group_by("treat").len(), nsw.join(nsw, on="treat")):
        assert type(frame) is pl.DataFrame
    assert "shape" in repr(nsw.head(2))


def test_a_data_set_prints_its_card_and_never_a_row() -> None:
    lines = str(data("nsw")).splitlines()
    assert lines[0] == "data:     nsw: National Supported Work: men of the Dehejia-Wahba subset"
    assert "rows:     445, one row is one man" in lines
    assert "money:    US dollars, prices: 1982" in lines
    for text in (str(data("nsw")), repr(data("nsw")), data("nsw")._repr_html_()):
        assert "9930" not in text  # earnings of the first man
        assert "GPL-3.0" in text


def test_a_printed_number_is_a_result_of_published_evidence() -> None:
    """Dehejia and Wahba 1999, table 3: 1,794 (633)."""
    printed = data("nsw").printed("difference")
    effect = printed.effect
    assert (effect.estimate, effect.std_error, effect.n) == (1794.0, 633.0, 445)
    assert (effect.term, effect.outcome, effect.unit) == ("effect", "re78", "1982 dollars a year")
    assert effect.ci_low == pytest.approx(1794 - 1.959964 * 633)
    assert printed.provenance.evidence == "published"
    assert "Dehejia and Wahba (1999), table 3" in printed.provenance.method
    with pytest.raises(FaultsError, match=r"no such printed number; it has: difference, adjusted"):
        data("nsw").printed("difference", "means")
    with pytest.raises(FaultsError, match="no such printed number; it has: none"):
        data("jtrain2").printed()


def test_a_printed_number_says_how_it_is_known() -> None:
    """Quoted elsewhere, from memory, or computed by the authors' programs: not all are printed."""
    held = data("nsw")
    assert held.printed("difference").comparison.estimator == "as printed, quoted elsewhere"
    memory = "as printed, from memory (not checked)"
    for name in ("panes", "jiangxi_insurance", "nsw_lalonde"):
        assert data(name).printed().comparison.estimator == memory
    assert held.printed("adjusted").comparison.estimator == memory
    [migration] = cards.get("seasonal_migration").published
    assert cards.KNOWN[migration.known] == "authors' programs"


def test_a_data_set_can_be_passed_to_another_process() -> None:
    assert_frame_equal(pickle.loads(pickle.dumps(data("nsw"))), data("nsw"))


def test_the_first_period_of_the_law_is_a_column() -> None:
    """Cheng and Hoekstra 2013: 21 states, 2005 to 2009; one in 2005 by law, three by this file."""
    states = data("castle").group_by("state").agg(pl.col("first_year").first())
    by_year = states.group_by("first_year").len().sort("first_year", nulls_last=True)
    assert by_year.rows() == [(2005, 3), (2006, 11), (2007, 4), (2008, 2), (2009, 1), (None, 29)]


def test_a_set_that_is_not_fetched_names_the_command_and_its_terms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(external, "available", lambda name: None)
    with pytest.raises(FaultsError, match=r'run: make data ARGS="lottery_winners"$'):
        data("lottery_winners")
    with pytest.raises(FaultsError, match=r'ARGS="jtpa" \(terms: no licence stated'):
        data("jtpa")
    here = data_sets().filter(pl.col("here"))["name"]
    assert set(here) == set(public.names())


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(FaultsError, match=r"'nws': no data set of that name; use one of: .*nsw"):
        data("nws")


def test_every_data_set_is_listed_with_how_to_get_it() -> None:
    listed = data_sets()
    assert listed["name"].to_list() == sorted(cards.load())
    fetched = set(listed.filter(pl.col("command") != "")["name"])
    assert fetched == set(external.catalogue())


@pytest.mark.parametrize("name", sorted(external.catalogue()))
def test_a_fetched_file_is_as_its_card_says(name: str) -> None:
    if external.available(name) is None:
        pytest.skip(f'{name} has not been fetched: make data ARGS="{name}"')
    found, card = data(name), cards.get(name)
    assert isinstance(found, Dataset)
    assert found.height == card.rows
    assert found.schema == {column.name: cards.TYPES[column.type] for column in card.columns}
    assert all(found[column].null_count() < found.height for column in found.columns)


def test_no_fetched_file_is_committed() -> None:
    files = {entry.file for entry in external.catalogue().values()}
    root = Path(__file__).resolve().parents[2]
    tracked = (root / ".gitignore").read_text(encoding="utf-8")
    assert "data/external/" in tracked
    for folder in ("src", "tests", "reports", "notebooks", "data/public"):
        assert not files & {path.name for path in (root / folder).rglob("*")}
