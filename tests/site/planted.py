"""A small survey with planted households and hostile text, for the tests of privacy.

A few households have ids and incomes that occur nowhere else, and labels are what an attacker
would write. Nothing of either may be found in what a report or a pack publishes.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

YEARS = range(2016, 2021)
VILLAGES = 24
PLANTED = ("PLANTEDNOMAD7Q", "PLANTEDFARMER8Q", "PLANTEDELDER9Q")
"""Ids of the planted households."""
INCOMES = (8_642_197, 9_173_553, 7_391_846)
"""Their yearly wages in yuan: no sum of others comes near by chance."""
SCRIPT = "<script>window.stolen=1</script>"
HOSTILE = (
    SCRIPT,
    "=cmd|'/c calc'!A1",
    "[x](javascript:alert(1))",
    "*b* <b>c</b> $d$ `e` |f| ~g~",
)
MAP = """[map]
survey = "planted <img src=x onerror=alert(1)> *survey*"
[[files]]
id = "main"
file = "survey.csv"
household = "hh"
period = "year"
[household]
village = "village"
stratum = "group"
[village]
county = "county"
[income]
members = "size"
[[income.items]]
source = "wage"
column = "wage"
unit = "yuan"
per = "year"
[[income.items]]
source = "business"
column = "farm"
unit = "yuan"
per = "year"
[[income.items]]
source = "property"
column = "rent"
unit = "yuan"
per = "year"
[[income.items]]
source = "transfer"
column = "gift"
unit = "yuan"
per = "year"
[[participation]]
programme = "training"
first_year = "joined"
"""


def write_survey(folder: Path) -> tuple[Path, Path]:
    """Write survey and map into a folder and return both."""
    draw = random.Random(1)
    rows = ["hh,year,village,county,group,size,wage,farm,rent,gift,joined"]
    for village in range(VILLAGES):
        county = HOSTILE[village % 4].replace('"', '""')
        for number in range(12):
            name = f"h{village:02}{number:02}"
            plant = village % 8 == 0 and number == 0
            if plant:
                name = PLANTED[village // 8]
            joined = 2018 if village % 2 and number < 8 else ""
            group = HOSTILE[number % 2].replace('"', '""')
            for year in YEARS:
                wage = draw.randrange(4_000, 30_000)
                wage = INCOMES[village // 8] if plant else wage
                farm = draw.randrange(-2_000, 20_000)
                rows.append(
                    f'{name},{year},v{village:02},"{county}","{group}",'
                    f"{1 + number % 5},{wage},{farm},"
                    f"{draw.randrange(2_000)},{draw.randrange(5_000)},{joined}"
                )
    survey, map_file = folder / "survey.csv", folder / "map.toml"
    survey.write_text("\n".join(rows) + "\n", encoding="utf-8")
    map_file.write_text(MAP, encoding="utf-8")
    return survey, map_file


def sentinels() -> list[bytes]:
    """Return what must not be found: ids, and incomes as digits (fen begin with them) and as printed."""
    found = [name.encode() for name in PLANTED]
    for income in INCOMES:
        found += [f"{income}".encode(), f"{income:,}".encode()]
    return found


def leaks(folder: Path) -> dict[str, list[str]]:
    """Return the files below a folder, or a file, in which something planted is found."""
    hits = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
        if not path.is_file():
            continue
        content = path.read_bytes()
        # Coordinates of drawings have any digits; text in an attribute or element does not.
        if path.suffix == ".svg":
            content = re.sub(rb' (?:d|transform|points|x|y)="[^"]*"', b"", content)
        found = sorted({s.decode() for s in sentinels() if s in content})
        if found:
            hits[path.relative_to(folder).as_posix()] = found
    return hits
