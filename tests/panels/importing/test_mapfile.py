"""Every fault of a map is told at once, each with its TOML key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.faults import FaultsError
from analysis.panels.importing.mapfile import read_map

# What is replaced in the good map, by what, the TOML key of the fault, and what it says.
CASES = (
    ('survey = "small"', "", "map.survey", 'missing; add survey = "…"'),
    ('survey = "small"', 'survey = "FILL"', "map.survey", "still to be filled in"),
    (
        'survey = "small"',
        'survey = "small"\nstatus = "good"',
        "map.status",
        "not in the vocabulary",
    ),
    ('survey = "small"', 'survey = "small"\ncolour = 1', "map.colour", "unknown key"),
    ("max_rejected_rows = 1", "max_rejected_rows = 7", "limits.max_rejected_rows", "out of range"),
    (
        "max_rejected_rows = 1",
        "first_year = 2050\nlast_year = 2020",
        "limits.first_year",
        "later than last_year",
    ),
    ('file = "survey.csv"', 'file = "/elsewhere/x.csv"', "files[0].file", "an absolute path"),
    ('file = "survey.csv"', 'file = "C:\\\\x.csv"', "files[0].file", "an absolute path"),
    (
        'file = "survey.csv"',
        'file = "a/../../x.csv"',
        "files[0].file",
        "the path leaves the folder",
    ),
    ('file = "survey.csv"', 'file = "..\\\\x.csv"', "files[0].file", "the path leaves the folder"),
    ('household = "hh"', "", "files[0].household", "missing"),
    ('household = "hh"', 'household = "FILL"', "files[0].household", "still to be filled in"),
    ('household = "hh"', "household = 3", "files[0].household", "not a column"),
    ('period = "year"', "", "files[0].period", "missing"),
    ('period = "year"', 'layout = "wide"', "files[0].waves", "missing; list them"),
    (
        'period = "year"',
        'layout = "wide"\nwaves = { a = "x" }',
        "files[0].waves.a",
        "not a year; write 2012",
    ),
    (
        'period = "year"',
        'layout = "wide"\nwaves = { a = 2010, b = 2010 }',
        "files[0].waves",
        "two words for one period",
    ),
    (
        'period = "year"',
        'period = "year"\nlayout = "fixed"',
        "files[0].period",
        "a fixed file has none",
    ),
    (
        'period = "year"',
        'period = "year"\ndelimiter = "::"',
        "files[0].delimiter",
        "not one character",
    ),
    (
        'period = "year"',
        'period = "year"\nthousands = "."',
        "files[0].thousands",
        "the same as decimal",
    ),
    ('missing = [-8, "NA"]', "missing = -8", "files[0].missing", "not a list of codes"),
    ('village = "village"', "", "household.village", "missing"),
    (
        'village = "village"',
        'village = { column = "v", constant = "w" }',
        "household.village",
        "needs a column or a constant",
    ),
    (
        'village = "village"',
        'village = { column = "v", from = "other" }',
        "household.village.from",
        "no file has this id; use one of: main",
    ),
    (
        'village = "village"',
        'village = { column = "v", typo = 1 }',
        "household.village.typo",
        "unknown key",
    ),
    (
        'weight_type = "sampling"',
        "",
        "household.weight_type",
        "weight and weight_type come together",
    ),
    ('members = "members"', "", "income.members", "missing"),
    (
        'members = "members"',
        'count_persons = "main"',
        "income.count_persons",
        "not a person file with periods",
    ),
    ('source = "property"', 'source = "rent"', "income.items[3].source", "not in the vocabulary"),
    ('unit = "fen"', 'unit = "dollar"', "income.items[3].unit", "not in the vocabulary"),
    ('per = "quarter"', 'per = "FILL"', "income.items[3].per", "still to be filled in"),
    ('sign = "-"', 'sign = "minus"', "income.items[1].sign", "not in the vocabulary"),
    ("per_head = true", 'per_head = "yes"', "income.items[4].per_head", "not true or false"),
    (
        'members = "members"',
        'members = "members"\nabsent = { wage = "no" }',
        "income.wage",
        "needs items or a reason why it is absent, one of the two",
    ),
    (
        'programme = "training"',
        'programme = "Outer space"',
        "participation[0].programme",
        "not an id",
    ),
    ('first_year = "joined"', "", "participation[0]", "needs first_year or indicator"),
    (
        'first_year = "joined"',
        'first_year = "joined"\ndose = "d"',
        "participation[0].dose_unit",
        "dose and dose_unit come together",
    ),
    (
        'column = "rent"',
        'column = "rent{wave}"',
        "income.items[3]",
        "{wave} in a file that is not wide",
    ),
    (
        'period = "year"',
        'period = "year"\nthousands = "  "',
        "files[0].thousands",
        "not one character",
    ),
)


@pytest.mark.parametrize(
    ("old", "new", "key", "message"), CASES, ids=[f"{c[2]}: {c[3]}" for c in CASES]
)
def test_each_fault_of_a_map_names_its_key(
    old: str, new: str, key: str, message: str, small: Any
) -> None:
    path = small.write_map()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FaultsError) as caught:
        read_map(path)
    assert [f for f in caught.value.faults if f.column == key and message in str(f)]


def test_all_faults_come_together(small: Any) -> None:
    path = small.write_map()
    text = path.read_text()
    for old, new, _, _ in (CASES[0], CASES[6], CASES[11], CASES[21], CASES[29]):
        text = text.replace(old, new, 1)
    path.write_text(text)
    with pytest.raises(FaultsError) as caught:
        read_map(path)
    assert {fault.column for fault in caught.value.faults} == {
        "map.survey",
        "files[0].file",
        "files[0].household",
        "household.village",
        "income.items[3].unit",
    }


def _keys(path: Path) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        read_map(path)
    return sorted(fault.column for fault in caught.value.faults)


def test_a_fault_in_one_part_hides_none_between_the_others(small: Any) -> None:
    # Without its block, transfer income has neither items nor a reason; a period is misspelt; a
    # weight has no type; a column has a wave in a long file: four faults, told together.
    path = small.write_map()
    text = path.read_text().replace('per = "month"', 'per = "yearly"')
    start, end = (
        text.index('[[income.items]]\nsource = "transfer"'),
        text.index("[[participation]]"),
    )
    text = (text[:start] + text[end:]).replace('weight_type = "sampling"\n', "")
    path.write_text(text.replace('column = "rent"', 'column = "rent{wave}"'))
    assert _keys(path) == [
        "household.weight_type",
        "income.items[0].per",
        "income.items[3]",
        "income.transfer",
    ]


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        # Which source it is cannot be said, so none is said to be missing.
        ('source = "property"', 'source = "rent"', ["income.items[3].source"]),
        # What stands in which file cannot be said.
        ('column = "rent"', 'column = "rent"\nfrom = "other"', ["income.items[3].from"]),
        ('period = "year"', 'layout = "broad"\nperiod = "year"', ["files[0].layout"]),
        ('weight = "weight"', "weight = 3", ["household.weight"]),
        ("[income]\n", "[incomes]\n", None),
    ],
)
def test_no_fault_is_told_of_what_could_not_be_read(
    old: str, new: str, keys: list[str] | None, small: Any
) -> None:
    path = small.write_map()
    path.write_text(path.read_text().replace(old, new, 1))
    found = _keys(path)
    assert "income.wage" not in found
    assert keys is None or found == keys


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"[map", "not TOML"), (b"\xff", "not UTF-8"), (None, "the file is missing")],
)
def test_what_is_no_map_at_all(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FaultsError, match=message):
        read_map(path)
