"""Nothing is lost: laws of the account, for any input."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analysis.faults import FaultsError
from analysis.panels.importing import ImportReport, import_survey

MAP = """
[map]
survey = "any"
[limits]
max_rejected_rows = 1
max_rejected_records = 1
[[files]]
id = "f"
file = "f.csv"
household = "hh"
missing = [-9]
{layout}
[household]
village = "v"
[income]
members = "n{wave}"
absent = {{ property = "no", transfer = "no" }}
[[income.items]]
source = "wage"
column = "w{wave}"
unit = "yuan"
per = "year"
[[income.items]]
source = "business"
column = "b{wave}"
unit = "yuan"
per = "year"
empty = "zero"
"""
LONG = MAP.format(layout='period = "year"', wave="")
WIDE = MAP.format(layout='layout = "wide"\nwaves = { 1 = 2011, 2 = 2012 }', wave="{wave}")

KEYS = st.sampled_from(["1", "2", "3", "3.0", "", "-9"])
VILLAGES = st.sampled_from(["a", "b", ""])
YEARS = st.sampled_from(["2011", "2012", "2012.0", "1850", "x", ""])
MEMBERS = st.sampled_from(["1", "4", "0", "2.5", "", "-9", "999"])
AMOUNTS = st.sampled_from(["0", "10", "-5", "7.25", "x", "", "-9", "1e20", "NaN"])
LONG_ROWS = st.lists(st.tuples(KEYS, YEARS, VILLAGES, MEMBERS, AMOUNTS, AMOUNTS), max_size=12)
WIDE_ROWS = st.lists(
    st.tuples(KEYS, VILLAGES, MEMBERS, MEMBERS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), max_size=10
)
CUT = st.integers(0, 3)
"""Rows cut short by one cell where this is 0."""


def imported(
    folder: Path, text: str, header: str, rows: list[tuple[str, ...]], rows_at_once: int = 1000
) -> tuple[ImportReport, dict[str, pl.DataFrame]] | str:
    (folder / "map.toml").write_text(text)
    (folder / "f.csv").write_text(header + "\n" + "".join(",".join(r) + "\n" for r in rows))
    out = folder / f"panel-{rows_at_once}"
    try:
        report = import_survey(
            [folder / "f.csv"], folder / "map.toml", out, rows_at_once=rows_at_once
        )
    except FaultsError as error:
        # Nothing accepted is the one thing that stops an import whose limits are open.
        (fault,) = error.faults
        assert fault.problem.startswith("no record was accepted")
        return str(fault)
    tables = {}
    for name in ("households", "income", "rejected"):
        place = out / name if (out / name).is_dir() else out / f"{name}.parquet"
        tables[name] = pl.read_parquet(place / "*.parquet" if place.is_dir() else place)
    return report, tables


def check_laws(
    report: ImportReport,
    tables: dict[str, pl.DataFrame],
    rows: list[tuple[str, ...]],
    header: str,
    waves: int,
) -> None:
    blank = [row for row in rows if not any(row)]
    read = [row for row in rows if any(row)]
    total, rejected, income = report.total, tables["rejected"], tables["income"]
    # Source rows = accepted + rejected; records = accepted periods + rejected records.
    assert total.rows == len(rows) - len(blank) == total.rows_accepted + total.rows_rejected
    assert total.records == waves * total.rows == income.height + rejected.height
    assert total.records_accepted == income.height == report.n_periods
    assert Counter(rejected["reason"]) == Counter(dict(total.reasons))
    # Each rejected record is tied to one source row, and shows it as it stood.
    assert rejected["row"].is_between(1, max(total.rows, 1)).all()
    per_row = Counter(rejected["row"])
    assert all(n <= waves for n in per_row.values())
    assert sum(n == waves for n in per_row.values()) == total.rows_rejected
    names = header.split(",")
    for row, original in zip(rejected["row"], rejected["original"], strict=True):
        cells, found = read[row - 1], json.loads(original)
        if "cells" in found:
            assert found["cells"] == list(cells)
        else:
            expected = {n: c or None for n, c in zip(names, cells, strict=True)}
            assert found == {n: expected[n] for n in found}
    # A record cannot be accepted and rejected: what is in the panel comes from the other rows.
    assert income.select("household", "period").is_unique().all()
    assert report.account.rows_read == total.records
    assert report.account.rows_used == income.height


def broken(rows: list[tuple[str, ...]], cuts: list[int]) -> list[tuple[str, ...]]:
    return [row[:-1] if cut == 0 else row for row, cut in zip(rows, cuts, strict=False)]


@settings(max_examples=60)
@given(LONG_ROWS, st.lists(CUT, min_size=12, max_size=12))
def test_laws_of_a_long_file(rows: list[tuple[str, ...]], cuts: list[int]) -> None:
    rows = broken(rows, cuts)
    header = "hh,year,v,n,w,b"
    with tempfile.TemporaryDirectory() as name:
        found = imported(Path(name), LONG, header, rows)
        if not isinstance(found, str):
            check_laws(*found, rows, header, waves=1)


@settings(max_examples=60)
@given(WIDE_ROWS, st.lists(CUT, min_size=10, max_size=10))
def test_laws_of_a_wide_file(rows: list[tuple[str, ...]], cuts: list[int]) -> None:
    rows = broken(rows, cuts)
    header = "hh,v,n1,n2,w1,w2,b1,b2"
    with tempfile.TemporaryDirectory() as name:
        found = imported(Path(name), WIDE, header, rows)
        if not isinstance(found, str):
            check_laws(*found, rows, header, waves=2)


@settings(max_examples=20)
@given(LONG_ROWS)
def test_parts_change_nothing(rows: list[tuple[str, ...]]) -> None:
    # Enough rows that cutting by every hundredth key gives several parts.
    many = [(f"{i}{row[0]}", *row[1:]) for i in range(60) for row in rows]
    with tempfile.TemporaryDirectory() as name:
        whole = imported(Path(name), LONG, "hh,year,v,n,w,b", many)
        parts = imported(Path(name), LONG, "hh,year,v,n,w,b", many, rows_at_once=150)
    assert isinstance(whole, str) == isinstance(parts, str)
    if not isinstance(whole, str) and not isinstance(parts, str):
        for table, frame in whole[1].items():
            assert_frame_equal(frame, parts[1][table])
        assert whole[0].files == parts[0].files
