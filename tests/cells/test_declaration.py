"""The estimands file: read, and every fault of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.cells import declaration
from analysis.cells.outcomes import Outcome, gap, headcount, threshold
from analysis.faults import FaultsError

GOOD = """
name = "training, first release"

[design]
programmes = ["training"]
level = "household"
handling = "balanced"
stratum = ""
periods = [2012, 2020]

[[outcome]]
name = "total"
real = 2020

[[outcome]]
name = "poor"
headcount = "national"

[[outcome]]
name = "gap"
gap = "national"

[[outcome]]
name = "under_20k"
threshold = 2000000

[[estimand]]
name = "dynamic"
aggregation = "event_time"
controls = "not_yet"

[[estimand]]
name = "headline"
aggregation = "cohort_overall"
outcomes = ["total"]

[disclosure]
min_households = 12
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "estimands.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_a_file_says_what_will_be_made_and_estimated(file: Path) -> None:
    found = declaration.read(file)
    assert found.design.outcomes == (
        Outcome("total", real=2020),
        Outcome("poor", transform=headcount("national")),
        Outcome("gap", transform=gap("national")),
        Outcome("under_20k", transform=threshold(2_000_000)),
    )
    assert found.design.periods == (2012, 2020)
    assert found.design.disclosure
    assert found.estimands[0].outcomes == ("total", "poor", "gap", "under_20k")
    assert (found.estimands[0].controls, found.estimands[1].outcomes) == ("not_yet", ("total",))
    assert (found.rules.min_households, found.rules.two_largest) == (12, 0.85)
    assert found.text == GOOD
    assert len(found.digest) == 64


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ('name = "training, first release"', "", ["[name]: missing"]),
        ('stratum = ""', 'colour = "red"', ["[design.colour] 'red': unknown key"]),
        (
            'handling = "balanced"',
            'handling = "pooled"',
            ["[design]: handling 'pooled' is none of"],
        ),
        ("real = 2020", 'headcount = 5\nsource = "gifts"', ["source 'gifts' is none of the four"]),
        ("real = 2020", "headcount = 5\ngap = 5", ["two transforms"]),
        ('aggregation = "event_time"', 'aggregation = "mean"', ["no such choice", "group_time"]),
        ('outcomes = ["total"]', 'outcomes = ["wealth"]', ["no such outcome", "'wealth'"]),
        (
            "min_households = 12",
            "min_households = 1\ntwo_largest = 0.9",
            ["[disclosure.min_households] '1': too loose", "[disclosure.two_largest] '0.9'"],
        ),
        ("min_households = 12", 'min_households = "ten"', ["wrong type; write a int"]),
    ],
)
def test_what_does_not_fit_is_named(file: Path, old: str, new: str, messages: list[str]) -> None:
    file.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FaultsError) as caught:
        declaration.read(file)
    for message in messages:
        assert message in str(caught.value)
