"""Surveys in the shapes that users have, from ``--init`` to an effect and the page of it.

Each file is made here so that the effect is known by hand: six villages are treated with effects
75, 85, … 125, whose mean is 100, and six are not; noise adds up to zero in each arm and period.
The commands are those that a new user types; what a person decides is written into the map's
``FILL``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest
import xlsxwriter
from tests.did.test_declared import page
from typer.testing import CliRunner

import analysis as va
from analysis.cli import app

EFFECT = 100.0
Filled = Callable[[str], str]


def rows(periods: tuple[Any, ...], start: int) -> Iterator[dict[str, Any]]:
    """Yield four households in each of twelve villages; the number of the first treated period."""
    for village in range(12):
        treated = village < 6
        after = 75 + 10 * village if treated else village - 8.5
        for home in range(4):
            for number, period in enumerate(periods):
                yield {
                    "id": 100 * village + home,
                    "village": f"v{village}",
                    "period": period,
                    "y": 1_000
                    + 50 * home
                    + 20 * number
                    + (village % 6 - 2.5) * (-1) ** number
                    + (after if number >= start else 0),
                    "first": periods[start] if treated else None,
                    "size": 2 + home % 2,
                }


def command(*words: object) -> str:
    run = CliRunner().invoke(app, [str(word) for word in words])
    assert run.exit_code == 0, run.output
    return run.output


def effect(
    folder: Path, files: list[Path], fill: Filled, monkeypatch: pytest.MonkeyPatch, **asked: Any
) -> Any:
    """Import by a map that ``--init`` wrote and a person filled in; estimate; make the page."""
    start, panel = folder / "map.toml", folder / "panel"
    command("import", "--init", *files, "--map", start)
    start.write_text(fill(start.read_text(encoding="utf-8")), encoding="utf-8")
    command("import", *files, "--map", start, "--out", panel)
    printed = command("did", panel, "--out", folder / "out", *asked.get("options", ()))
    saved = pl.read_csv(folder / "out" / "estimates.csv", infer_schema_length=None)
    shown = page(panel, None, monkeypatch, folder)
    overall = shown["effects"].overall
    # The command and the page run one design and print one number.
    assert overall.value == pytest.approx(saved["estimate"][0], rel=1e-12)
    assert str(overall) in printed
    assert not re.search(r"\b(Tibet|yuan|fen)\b", printed)
    return shown["effects"]


def participation(column: str) -> str:
    return f'\n[[participation]]\nprogramme = "training"\nfirst_year = "{column}"\n'


def test_a_wide_csv_as_r_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consumption only, three waves with gaps, an unnamed first column, NA for the untreated."""
    long = pl.DataFrame(list(rows((2015, 2018, 2021), 1)))
    wide = long.pivot(on="period", index=["id", "village", "first"], values=["y", "size"])
    text = wide.rename(
        {f"y_{t}": f"consumption_{t}" for t in (2015, 2018, 2021)}
        | {f"size_{t}": f"hhsize_{t}" for t in (2015, 2018, 2021)}
        | {"id": "hhid"}
    ).write_csv(null_value="NA", quote_style="non_numeric")
    head, *lines = text.splitlines()
    numbered = [f'"{i}",{line}' for i, line in enumerate(lines, 1)]
    (tmp_path / "r.csv").write_text("\n".join(['"",' + head, *numbered]) + "\n")

    def fill(text: str) -> str:
        text = text.replace('currency = "FILL"', 'currency = "pesos"')
        text = text.replace('unit = "FILL"\nper = "FILL"', 'unit = "unit"\nper = "year"')
        return text.replace("missing = []", 'missing = ["NA"]') + participation("first")

    found = effect(tmp_path, [tmp_path / "r.csv"], fill, monkeypatch)
    assert found.overall.value == pytest.approx(EFFECT, abs=1e-9)
    assert found.overall.unit == "pesos/households/years, prices of each year"
    assert found.outcomes == ("consumption",)


def test_rates_and_population_weights_of_fifty_units_in_stata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Staggered over fifty units; the same numbers as from the frame itself."""
    frame = pl.DataFrame(
        [
            {
                "state": f"s{s:02d}",
                "year": year,
                "rate": 10 + 0.1 * s + 0.013 * ((s * 7 + year * 3) % 11) + (year >= first) * 0.75,
                "population": float(1_000 + 37 * s),
                "adopted": float(first) if first < 2100 else None,
            }
            for s in range(50)
            for first in [(2012, 2014, 2100)[s % 3]]
            for year in range(2009, 2017)
        ]
    )
    pyreadstat.write_dta(frame, tmp_path / "states.dta")

    def fill(text: str) -> str:
        text = text.replace('currency = "FILL"', "")
        text = re.sub(r'household = "FILL"', 'household = "state"', text)
        text = re.sub(r'village = "FILL"', 'village = "state"', text)
        text = re.sub(r'members = "FILL"', "members = { constant = 1 }", text)
        text = text.replace('# weight = "…"', 'weight = "population"\nweight_type = "sampling"  #')
        own = (
            '\n[[outcomes]]\nname = "rate"\nkind = "number"\nunit = "per 1,000"\ncolumn = "rate"\n'
        )
        return text + own + participation("adopted")

    found = effect(tmp_path, [tmp_path / "states.dta"], fill, monkeypatch)
    peer = va.did(
        frame,
        y="rate",
        unit="state",
        time="year",
        first="adopted",
        cluster="state",
        weight="population",
        where="other_villages",
    )
    assert found.overall.value == pytest.approx(peer.overall.value, rel=1e-12)
    assert found.overall.error == pytest.approx(peer.overall.error, rel=1e-9)
    assert found.overall.unit == "per 1,000"


def test_files_by_wave_with_roster_items_weights_and_strata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As living standards surveys come: household, roster and item files for each wave."""
    waves = {"w1": 2016, "w2": 2019}
    for name, year in waves.items():
        homes = [r for r in rows((2016, 2019), 1) if r["period"] == year]
        cover = [
            f"{r['id']},{r['village']},{int(r['village'][1:]) % 2},{1 + r['id'] % 3}" for r in homes
        ]
        (tmp_path / f"{name}_cover.csv").write_text("\n".join(["hhid,ea,stratum,hhweight", *cover]))
        roster = [f"{r['id']},{p},{20 + p}" for r in homes for p in range(r["size"])]
        (tmp_path / f"{name}_roster.csv").write_text("\n".join(["hhid,pid,age", *roster]))
        items = [f"{r['id']},{i},{r['y'] / 2}" for r in homes for i in ("food", "other")]
        (tmp_path / f"{name}_items.csv").write_text("\n".join(["hhid,item,value", *items]))
    places = [f"v{v},{2019 if v < 6 else ''}" for v in range(12)]
    (tmp_path / "communities.csv").write_text("\n".join(["ea,road", *places]))
    files = sorted(tmp_path.glob("*.csv"))

    def fill(text: str) -> str:
        """The year of each wave, units and the programme: all else is guessed."""
        for w, year in waves.items():
            for part in ("cover", "items", "roster"):
                open_place = rf'(?s)(file = "{w}_{part}.csv".*?constant = )"FILL"'
                text = re.sub(open_place, rf"\g<1>{year}", text, count=1)
        text = text.replace('currency = "FILL"', 'currency = "shillings"')
        text = text.replace('name = "value"', 'name = "consumption"')
        text = text.replace('unit = "FILL"\nper = "FILL"', 'unit = "unit"\nper = "year"')
        road = '\n[[participation]]\nprogramme = "road"\nlevel = "village"\n'
        return text + road + 'first_year = { column = "road", from = "communities" }\n'

    found = effect(tmp_path, files, fill, monkeypatch)
    assert found.fit.comparison.weights
    (tmp_path / "e.toml").write_text(
        'name = "road"\n[design]\nprogrammes = ["road"]\nstratum = ""\n[[outcome]]\n'
        'name = "consumption"\n[[estimand]]\nname = "of the sample"\naggregation = "simple"\n'
        'strata = "design_stratum"\npsu = "village"\n'
    )
    sampled = va.estimate(tmp_path / "panel", tmp_path / "e.toml")
    assert sampled.overall.value == pytest.approx(found.overall.value, rel=1e-9)
    assert "stratum" in sampled.comparison.errors
    # Weights by hand: village v weighs 1 + id mod 3 summed over its four households.
    weight = {v: sum(1 + (100 * v + h) % 3 for h in range(4)) for v in range(12)}
    treated = sum(weight[v] * (75 + 10 * v) for v in range(6)) / sum(weight[v] for v in range(6))
    control = sum(weight[v] * (v - 8.5) for v in range(6, 12)) / sum(
        weight[v] for v in range(6, 12)
    )
    assert found.overall.value == pytest.approx(treated - control, rel=1e-9)


def test_a_gbk_csv_with_semicolons_and_decimal_commas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "户编码;年份;村名;家庭人口;消费支出;培训年"
    lines = [
        f"{r['id']};{r['period']};村{r['village'][1:]};{r['size']};{r['y']:.2f}".replace(".", ",")
        + f";{r['first'] or ''}"
        for r in rows((2019, 2020, 2021), 1)
    ]
    (tmp_path / "g.csv").write_bytes("\n".join([head, *lines]).encode("gb18030"))

    def fill(text: str) -> str:
        assert 'decimal = ","' in text
        text = text.replace('currency = "FILL"', 'currency = "元"')
        text = text.replace('name = "消费支出"', 'name = "consumption"')
        text = text.replace('unit = "FILL"\nper = "FILL"', 'unit = "unit"\nper = "year"')
        return text + participation("培训年")

    found = effect(tmp_path, [tmp_path / "g.csv"], fill, monkeypatch)
    assert found.overall.value == pytest.approx(EFFECT, abs=1e-9)


def test_a_workbook_of_two_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Households on one sheet, their hours of work by year on the other."""
    every = list(rows((2019, 2020), 1))
    once = [row for row in every if row["period"] == 2019]
    with xlsxwriter.Workbook(tmp_path / "b.xlsx") as book:
        homes, years = (book.add_worksheet(name) for name in ("households", "by year"))
        homes.write_row(0, 0, ["hhid", "village", "hhsize", "began"])
        years.write_row(0, 0, ["hhid", "year", "hours"])
        for i, row in enumerate(once, 1):
            homes.write_row(i, 0, [row["id"], row["village"], row["size"], row["first"] or ""])
        for i, row in enumerate(every, 1):
            years.write_row(i, 0, [row["id"], row["period"], row["y"] / 100])
    own = """
[[outcomes]]
name = "hours"
kind = "number"
unit = "hours a week"
column = "hours"
from = "by_year"
[[participation]]
programme = "training"
first_year = { column = "began", from = "households" }
"""

    def fill(text: str) -> str:
        text = text.replace('currency = "FILL"', "")
        text = re.sub(
            r'layout = "long".*\nperiod = { constant = "FILL" }.*', 'layout = "fixed"', text
        )
        size = 'size = { column = "hhsize", from = "households" }\n[village]'
        return re.sub(r"(?m)^members = .*$", "", text).replace("[village]", size) + own

    found = effect(tmp_path, [tmp_path / "b.xlsx"], fill, monkeypatch)
    assert found.overall.value == pytest.approx(EFFECT / 100, abs=1e-12)
    assert found.overall.unit == "hours a week"


def test_a_register_by_quarter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quarters as registers write them; periods follow each other over the turn of the year."""
    quarters = ("2019Q3", "2019Q4", "2020Q1", "2020Q2")
    lines = [
        f"{r['id']},{r['village']},{r['period']},{r['y'] / 10_000},{r['first'] or ''}"
        for r in rows(quarters, 2)
    ]
    (tmp_path / "q.csv").write_text("\n".join(["person_no,village,period,employed,start", *lines]))

    def fill(text: str) -> str:
        text = text.replace('currency = "FILL"', "")
        text = text.replace('calendar = "year"', 'calendar = "quarter"')
        text = re.sub(r'household = "FILL"', 'household = "person_no"', text)
        text = re.sub(r'members = "FILL"', "members = { constant = 1 }", text)
        share = '\n[[outcomes]]\nname = "employed"\nkind = "share"\ncolumn = "employed"\n'
        return text + share + participation("start")

    found = effect(tmp_path, [tmp_path / "q.csv"], fill, monkeypatch)
    assert found.overall.value == pytest.approx(EFFECT / 10_000, rel=1e-9)
    assert found.fit.by_cohort.frame["term"].to_list() == ["cohort 2020 Q1"]
    times = found.fit.event_study.frame["event_time"].to_list()
    assert times == [-1, 0, 1]
