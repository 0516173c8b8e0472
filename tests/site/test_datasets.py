"""All data of the site as files: the same numbers in each form."""

from __future__ import annotations

import io
import json
import zipfile

import polars as pl
import pytest

from analysis import paths
from analysis.site import datasets

EXHIBIT = "year,income\n2019,12951\n2020,14598\n"
RECORD = {"id": "fig-a", "page": "01-first", "what": "Income by year"}


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """What a small site offers."""
    found = datasets.exhibits({"fig-a.csv": EXHIBIT, "fig-a.svg": "<svg/>"}, [RECORD])
    return datasets.files([*datasets.committed(paths.root()), *found], b"CC BY 4.0")


def test_an_exhibit_leads_to_its_page_wherever_that_stands() -> None:
    elsewhere = {"01-first": "notebooks/data/01-first.html"}
    for addresses, folder in ((None, "notebooks"), (elsewhere, "notebooks/data")):
        [found] = datasets.exhibits({"fig-a.csv": EXHIBIT}, [RECORD], addresses)
        assert found.source == f"{folder}/01-first.html#fig-a"


def test_csv_and_parquet_hold_the_same(made: dict[str, bytes]) -> None:
    names = [name for name in made if name.endswith(".csv")]
    assert len(names) > 15
    for name in names:
        typed = pl.read_parquet(io.BytesIO(made[name.replace(".csv", ".parquet")]))
        plain = pl.read_csv(made[name], schema=dict.fromkeys(typed.columns, pl.String()))
        assert typed.height == plain.height, name
        for column in typed.columns:
            given = plain[column].fill_null("")
            if typed[column].dtype == pl.String:
                assert typed[column].fill_null("").to_list() == given.to_list(), (name, column)
            elif typed[column].dtype.is_numeric():
                filled = [float(text) for text in given if text]
                # A measure that is not defined is "nan" in both; two of them are the same.
                assert typed[column].drop_nulls().cast(pl.Float64).equals(pl.Series(filled)), column


def test_a_committed_table_is_offered_as_it_is(made: dict[str, bytes]) -> None:
    source = paths.root() / "data" / "claims" / "official.csv"
    assert made["downloads/data/claims-official.csv"] == source.read_bytes()


def test_measurements_name_their_machine_and_command(made: dict[str, bytes]) -> None:
    frame = pl.read_csv(made["downloads/data/reports-benchmarks.csv"])
    assert {"machine", "command", "date"} <= set(frame.columns)
    assert frame["machine"].null_count() == frame["command"].null_count() == 0
    assert "downloads/data/reports-findings.csv" not in made


def test_every_group_is_listed_by_a_title(made: dict[str, bytes]) -> None:
    found = datasets.committed(paths.root())
    assert {one.group for one in found} <= set(datasets.GROUPS)
    page = datasets.listing(
        datasets.exhibits({"fig-a.csv": EXHIBIT}, [RECORD]), {"01-first": "The first page"}
    )
    assert "<td>The first page</td>" in page and ">01-first<" not in page


def test_the_archive_has_every_table_and_describes_it(made: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(made[datasets.ARCHIVE])) as packed:
        names = set(packed.namelist())
        about = json.loads(packed.read("datapackage.json"))
        assert packed.read("fig-a.csv").decode() == EXHIBIT
    described = {resource["path"] for resource in about["resources"]}
    assert described <= names and {"claims.csv", "fig-a.csv", "studies-estimates.csv"} <= described
    assert {"LICENSE-DATA", "fig-a.parquet"} <= names
    columns = {r["name"]: [f["name"] for f in r["schema"]["fields"]] for r in about["resources"]}
    assert columns["fig-a"] == ["year", "income"]


def test_the_same_data_give_the_same_bytes(made: dict[str, bytes]) -> None:
    found = datasets.exhibits({"fig-a.csv": EXHIBIT}, [RECORD])
    again = datasets.files([*datasets.committed(paths.root()), *found], b"CC BY 4.0")
    assert {name: made[name] == again[name] for name in made} == dict.fromkeys(made, True)


def test_the_listing_leads_to_each_table(made: dict[str, bytes]) -> None:
    page = made[datasets.LISTING].decode()
    assert 'href="../notebooks/01-first.html#fig-a"' in page and "Income by year" in page
    for name in made:
        if name.endswith((".csv", ".parquet")):
            assert f'href="../{name}"' in page
