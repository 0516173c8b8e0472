"""Outcomes of any kind, calendars and prices through the import; values counted by hand."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from analysis.faults import FaultsError
from analysis.panels import panel
from analysis.panels.importing import import_survey
from analysis.panels.outcomes import PanelOutcome
from analysis.panels.panel import Panel

HEAD = """
[map]
survey = "small"
currency = "pesos"
{more}
[[files]]
id = "f"
file = "f.csv"
household = "id"
{file}
[household]
village = "v"
size = {{ constant = 1 }}
"""


def run(folder: Path, text: str, csv: str, *, more: str = "", file: str = "") -> Panel:
    (folder / "f.csv").write_text(csv, encoding="utf-8")
    period = file or 'period = "t"'
    (folder / "map.toml").write_text(HEAD.format(more=more, file=period) + text, encoding="utf-8")
    import_survey([folder / "f.csv"], folder / "map.toml", folder / "p", replace=True)
    return panel.read(folder / "p")


OUTCOMES = """
[[outcomes]]
name = "food"
kind = "money"
column = "food"
unit = "unit"
per = "month"
[[outcomes]]
name = "assets"
kind = "stock"
column = "assets"
unit = "thousand"
[[outcomes]]
name = "hours"
kind = "number"
unit = "hours a week"
column = "hours"
[[outcomes]]
name = "attending"
kind = "share"
unit = "per_cent"
column = "attending"
[[outcomes]]
name = "owns"
kind = "yes_no"
column = "owns"
"""
CSV = """id,v,t,food,assets,hours,attending,owns
1,a,2019,1.005,2,0.000387,12.5,yes
1,a,2020,2,2,,100,no
2,b,2019,0,0,40,0,1
2,b,2020,0,0,40,0,
"""


def test_each_kind_is_kept_as_it_is(tmp_path: Path) -> None:
    """Food 1.005 a month is 12.06 a year, 1206 hundredths; 0.000387 hours stay so."""
    found = run(tmp_path, OUTCOMES, CSV)
    assert panel.check(found) == ()
    rows = found.income.select("food", "assets", "hours", "attending", "owns").collect().rows()
    assert rows == [
        (1_206, 200_000, 0.000387, 0.125, 1.0),
        (2_400, 200_000, None, 1.0, 0.0),
        (0, 0, 40.0, 0.0, 1.0),
        (0, 0, 40.0, 0.0, None),
    ]
    assert found.outcomes[2] == PanelOutcome("hours", "number", "hours a week")
    assert (found.currency, found.absent[0], found.outcome_names[0]) == ("pesos", "wage", "food")


def test_what_a_kind_does_not_allow_is_rejected(tmp_path: Path) -> None:
    bad = CSV.replace("12.5", "112.5").replace("40,0,1", "forty,0,1").replace("100,no", "100,maybe")
    with pytest.raises(FaultsError, match="not_a_number 1, not_yes_or_no 1, out_of_range 1"):
        run(tmp_path, OUTCOMES, bad)


@pytest.mark.parametrize(
    ("calendar", "words", "numbers"),
    [
        ("quarter", ("2019Q4", "2020-Q1"), [8079, 8080]),
        ("quarter", ("20194", "2020-02-14"), [8079, 8080]),
        ("half_year", ("2019H2", "2020-01-01"), [4039, 4040]),
        ("month", ("2019-12", "202001"), [24_239, 24_240]),
        ("number", ("3", "7"), [3, 7]),
    ],
)
def test_periods_of_any_calendar_follow_each_other(
    tmp_path: Path, calendar: str, words: tuple[str, str], numbers: list[int]
) -> None:
    csv = "id,v,t,h\n" + "".join(f"1,a,{word},{i}\n" for i, word in enumerate(words))
    hours = '[[outcomes]]\nname = "h"\nkind = "number"\nunit = "hours"\ncolumn = "h"\n'
    found = run(tmp_path, hours, csv, more=f'calendar = "{calendar}"')
    assert found.income.collect()["period"].to_list() == numbers
    assert found.calendar == calendar


def test_a_year_in_a_calendar_of_quarters_is_refused_by_name(tmp_path: Path) -> None:
    hours = '[[outcomes]]\nname = "h"\nkind = "number"\nunit = "hours"\ncolumn = "h"\n'
    with pytest.raises(FaultsError, match="impossible_period 2"):
        run(tmp_path, hours, "id,v,t,h\n1,a,2019,1\n1,a,2019Q5,1\n", more='calendar = "quarter"')


def test_waves_of_a_wide_file_may_be_quarters(tmp_path: Path) -> None:
    hours = '[[outcomes]]\nname = "h"\nkind = "number"\nunit = "hours"\ncolumn = "h_{wave}"\n'
    file = 'layout = "wide"\nwaves = { a = "2019Q4", b = "2020Q1" }'
    found = run(tmp_path, hours, "id,v,h_a,h_b\n1,x,5,6\n", more='calendar = "quarter"', file=file)
    assert found.income.select("period", "h").collect().rows() == [(8079, 5.0), (8080, 6.0)]


def test_prices_are_the_panels_own_or_of_a_series(tmp_path: Path) -> None:
    found = run(tmp_path, OUTCOMES, CSV, more="prices = { 2019 = 100, 2020 = 102.5 }")
    assert found.prices == {2019: "100", 2020: "102.5"}
    with pytest.raises(FaultsError, match="no such series"):
        run(tmp_path, OUTCOMES, CSV, more='prices = "cpi_of_nowhere"')


def test_money_without_a_currency_and_names_of_the_contract_are_refused(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(CSV)
    text = HEAD.replace('currency = "pesos"\n', "").format(more="", file='period = "t"')
    (tmp_path / "map.toml").write_text(text + OUTCOMES.replace('"hours"\nkind', '"wage"\nkind'))
    with pytest.raises(FaultsError) as caught:
        import_survey([tmp_path / "f.csv"], tmp_path / "map.toml", tmp_path / "p")
    assert {fault.column for fault in caught.value.faults} == {"map.currency", "outcomes[2].name"}


def test_persons_are_added_up_averaged_or_any(tmp_path: Path) -> None:
    """Hours 10 and 20 are 30, shares 0.5 and 1 are 0.75, one yes is a yes."""
    csv = "id,p,v,t,hours,attending,owns\n1,1,a,2019,10,50,no\n1,2,a,2019,20,100,yes\n"
    text = OUTCOMES[OUTCOMES.index('[[outcomes]]\nname = "hours"') :]
    file = 'period = "t"\nunit = "person"\nperson = "p"'
    found = run(tmp_path, text, csv, file=file)
    assert found.income.select("hours", "attending", "owns").collect().row(0) == (30.0, 0.75, 1.0)
    assert pl.Series(found.income.collect()["complete"]).to_list() == [False]
