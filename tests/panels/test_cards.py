"""Cards of the public data sets: they fit the packages, and a broken one says all that is wrong."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.panels import cards, external
from analysis.panels.cards import Download, PackageFile

WHOLE = """
id = "example"
title = "An example"
place = "nowhere"
period = "never"
design = "none"
unit = "one thing"
origin = "observed"
rows = 3
file_columns = 2
currency = "yuan"
prices = "2019"
licence = "MIT"
citation = "Nobody (2000)"
says = "nothing"
does_not_say = "anything"
[source]
package = "nothing"
version = "1.0"
path = "data.csv"
sha256 = "0123456789012345678901234567890123456789012345678901234567890123"
[[columns]]
name = "income"
type = "Float64"
unit = "yuan a year"
about = "income"
"""

PRINTED = """
[[published]]
id = "a"
what = "effect"
estimate = 2.5
where = "table 1"
known = "MEMORY"
[source]"""


def write(folder: Path, text: str) -> Path:
    path = folder / "example.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_card_is_read(tmp_path: Path) -> None:
    card = cards.read(write(tmp_path, WHOLE))
    assert card.columns == (cards.Column("income", "Float64", "yuan a year", "income"),)
    assert card.columns[0].in_file == "income"
    assert card.origin_of_file == "package nothing 1.0"
    assert card.money == "yuan, prices: 2019"
    assert card.published == ()


def test_a_number_that_a_publication_prints_is_read(tmp_path: Path) -> None:
    text = WHOLE.replace("[source]", PRINTED.replace("MEMORY", "from memory"))
    (printed,) = cards.read(write(tmp_path, text)).published
    assert printed == cards.Published("a", "effect", 2.5, "table 1", "from memory")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "An example"\n', "", r"\[card\.title\]: the key is missing"),
        ('title = "An example"', 'title = ""', r"\[card\.title\]: the text is empty"),
        ("rows = 3", 'rows = "3"', r"\[card\.rows\] '3': the value has the wrong type"),
        ("rows = 3", "rows = true", r"\[card\.rows\] 'True': the value has the wrong type"),
        ("rows = 3", "rows = 3\nlines = 4", r"\[card\.lines\] '4': unknown key"),
        ('"observed"', '"invented"', "not in the vocabulary; use one of: observed"),
        ('id = "example"', 'id = "other"', "the id is not the file's name; write example"),
        ('"Float64"', '"Float16"', r"\[columns\.income\] 'Float16': unknown type"),
        ("file_columns = 2", "file_columns = 0", r"\[file_columns\] '0': 1 columns are described"),
        ('sha256 = "0123', 'sha256 = "x123', r"\[source\.sha256\].*not a checksum"),
        ('version = "1.0"\n', "", r"\[source\.version\]: the key is missing"),
        ('unit = "yuan a year"\n', "", r"\[columns\.1\.unit\]: the key is missing"),
        ("rows = 3", "rows = ", "not TOML: .*line 9"),
        (
            "[source]",
            '[[published]]\nid = "a"\n[source]',
            r"\[published\.1\.what\]: the key is missing",
        ),
        (
            "[source]",
            PRINTED.replace("MEMORY", "hearsay"),
            r"\[published\.a\] 'hearsay': not in the voc",
        ),
        (
            "[source]",
            PRINTED.replace("2.5", "2"),
            r"\[published\.1\.estimate\] '2': .* decimal point",
        ),
        (WHOLE[WHOLE.index("[[col") :], "", "the card has no columns"),
        (
            'about = "income"',
            'about = "income"\n[[columns]]\nname = "income"\ntype = "Int64"\n'
            'unit = "fen"\nabout = "twice"',
            "the column occurs more than once",
        ),
    ],
)
def test_a_broken_card_says_what_to_mend(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in WHOLE
    with pytest.raises(FaultsError, match=said):
        cards.read(write(tmp_path, WHOLE.replace(old, new, 1)))


def test_all_faults_of_all_cards_come_together(tmp_path: Path) -> None:
    write(tmp_path, WHOLE.replace("rows = 3", "rows = 3.5").replace("yuan a year", ""))
    (tmp_path / "second.toml").write_bytes(b"\xff")
    with pytest.raises(FaultsError) as caught:
        cards.load(tmp_path)
    assert [(fault.file, fault.column) for fault in caught.value.faults] == [
        ("example.toml", "columns.1.unit"),
        ("example.toml", "card.rows"),
        ("second.toml", ""),
    ]


def test_every_download_has_its_card_and_every_such_card_its_download() -> None:
    downloads = {c.id: c.source for c in cards.load().values() if isinstance(c.source, Download)}
    assert set(downloads) == set(external.catalogue())
    assert all(source.external == name for name, source in downloads.items())


@pytest.mark.parametrize(
    "card",
    [c for c in cards.load().values() if isinstance(c.source, PackageFile)],
    ids=lambda card: card.id,
)
def test_a_card_names_the_version_that_is_installed(card: cards.Card) -> None:
    assert isinstance(card.source, PackageFile)
    assert card.source.version == version(card.source.package)


def test_the_table_of_cards_has_every_card_and_no_gap() -> None:
    frame = cards.cards_frame()
    files = sorted(path.stem for path in (paths.data() / "public").glob("*.toml"))
    assert frame["id"].to_list() == files
    assert frame.null_count().row(0) == (0,) * frame.width
    assert frame.select(pl.col(pl.String).str.contains("\n").any()).row(0) == (False,) * 13


def test_data_that_were_partly_made_up_are_marked() -> None:
    frame = cards.cards_frame()
    assert frame.filter(pl.col("origin") != "observed")["id"].to_list() == ["jtrain98"]


def test_every_card_says_what_it_cannot_tell_about_income() -> None:
    for card in cards.load().values():
        assert len(card.does_not_say) > 20, card.id
        assert card.licence, card.id


MONEY = ("dollar", "peso", "rupee", "rupiah", "taka", "yuan", "franc", "money of the place")


def test_a_card_with_amounts_of_money_names_currency_and_prices() -> None:
    for card in cards.load().values():
        amounts = [c.name for c in card.columns if any(word in c.unit for word in MONEY)]
        assert bool(amounts) == (card.currency != "none"), (card.id, amounts)
        assert (card.currency == "none") == (card.prices == "none"), card.id
