"""`analysis did`, `rct`, `pool`, `poverty` from files: what is said, asked, refused and written.

Expected values are those of the same rows as a frame in Python, or counts by hand.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import analysis as va
from analysis.cli import app, main
from analysis.faults import FaultsError

ARGUMENTS = [
    "--y",
    "income",
    "--unit",
    "hh",
    "--time",
    "year",
    "--first",
    "first",
    "--cluster",
    "village",
]


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    rows = [
        (f"h{v}_{h}", f"v{v}", t, 2004 if v < 10 else None, 1500 + 100 * rng.normal())
        for v in range(20)
        for h in range(4)
        for t in (2002, 2003, 2004, 2005)
    ]
    data = pl.DataFrame(rows, schema=["hh", "village", "year", "first", "income"], orient="row")
    return data.with_columns(pl.col("income").round(2))


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def overall(text: str) -> str:
    return re.search(r"overall .*", text)[0].split()[1]


def european(frame: pl.DataFrame, path: Path) -> Path:
    """Thousands by full stops, decimals by commas, semicolons between cells, GB18030."""
    told = pl.format(
        "{}.{},{}",
        pl.col("income").cast(pl.Int64) // 1000,
        (pl.col("income").cast(pl.Int64) % 1000).cast(pl.String).str.zfill(3),
        ((pl.col("income") * 100).round().cast(pl.Int64) % 100).cast(pl.String).str.zfill(2),
    )
    text = frame.with_columns(income=told).write_csv(separator=";")
    path.write_bytes(text.replace("v1;", "村1;").encode("gb18030"))
    return path


def test_a_file_as_europe_writes_it(frame, tmp_path):
    right = str(va.did(frame, "income", "hh", "year", "first", "village").overall)
    said = run("did", european(frame, tmp_path / "a.csv"), *ARGUMENTS)
    assert overall(said) == right
    assert "encoding gb18030, delimiter ';'" in said
    assert "decimal mark ',', thousands mark '.' in income" in said


def test_options_say_the_same(frame, tmp_path):
    path = european(frame, tmp_path / "a.csv")
    options = ["--decimal", ",", "--thousands", ".", "--delimiter", ";", "--encoding", "gb18030"]
    said = run("did", path, *ARGUMENTS, *options)
    assert overall(said) == str(va.did(frame, "income", "hh", "year", "first", "village").overall)
    assert "as far as can be told" not in said


def test_a_refusal_names_the_file_and_where_the_remedy_starts(frame, tmp_path):
    path = tmp_path / "b.csv"
    frame.with_columns(year=pl.date("year", 6, 1).cast(pl.String)).write_csv(path)
    with pytest.raises(FaultsError, match=r"b\.csv \[year\] '2002-06-01'") as refused:
        run("did", path, *ARGUMENTS)
    assert 'where data = va.read_table("b.csv")' in str(refused.value)


def test_out_writes_outcome_rows_and_clusters(frame, tmp_path):
    frame.write_parquet(tmp_path / "c.parquet")
    run("did", tmp_path / "c.parquet", *ARGUMENTS, "--out", tmp_path / "out")
    for name in ("table.md", "table.tex", "figure.svg"):
        text = (tmp_path / "out" / name).read_text()
        assert "Effect on income" in text, name
        assert "320 in, 320 used" in text, name
        assert "10 treated, 10 not treated" in text, name
    made = json.loads((tmp_path / "out" / "result.json").read_text())["provenance"]
    assert (made["rows_in"], made["rows_used"]) == (320, 320)


def test_out_that_cannot_be_a_folder_is_a_fault(frame, tmp_path):
    frame.write_parquet(tmp_path / "c.parquet")
    (tmp_path / "file").write_text("x")
    for to in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(FaultsError, match="file"):
            run("did", tmp_path / "c.parquet", *ARGUMENTS, "--out", to)


def test_a_missing_file_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["analysis", "did", str(tmp_path / "no.csv"), *ARGUMENTS])
    with pytest.raises(SystemExit):
        main()
    assert "no.csv: the file is missing" in capsys.readouterr().err


def test_a_missing_file_is_said_before_the_libraries_are_loaded(tmp_path):
    """They take longer to load than anyone waits for a typing error."""
    words = ["analysis", "did", str(tmp_path / "no.csv"), *ARGUMENTS]
    code = (
        f"import sys; sys.argv = {words!r}\nfrom analysis.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n"
        "    print([m for m in ('numpy', 'polars', 'scipy', 'statsmodels') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "no.csv: the file is missing" in done.stderr
    assert done.stdout.strip() == "[]"


def test_python_reads_a_path_as_the_command_does(frame, tmp_path):
    frame.write_csv(tmp_path / "d.csv")
    names = ("income", "hh", "year", "first", "village")
    read, given = va.did(tmp_path / "d.csv", *names), va.did(frame, *names)
    assert read.overall.value == pytest.approx(given.overall.value, rel=1e-12)
    trial = frame.filter(pl.col("year") == 2005).with_columns(t=pl.col("first").is_not_null())
    trial.write_csv(tmp_path / "e.csv")
    assert va.rct(tmp_path / "e.csv", "income", "t").effect.value == pytest.approx(
        va.rct(trial, "income", "t").effect.value
    )
    with pytest.raises(FaultsError, match="no such file or folder"):
        va.did(tmp_path / "none.dta", *names)


def test_an_experiment_says_what_is_odd(frame, tmp_path):
    """By hand: 20 villages of four; every village has both arms; one household is given twice."""
    trial = frame.filter(pl.col("year") == 2005).with_columns(
        t=pl.when(pl.col("hh").str.contains("_[01]$")).then(pl.lit("Yes")).otherwise(pl.lit("no")),
        income=pl.when(pl.col("hh").str.ends_with("_0")).then(None).otherwise("income"),
    )
    twice = pl.concat([trial, trial.filter(pl.col("hh") == "h3_1")])
    twice.write_csv(tmp_path / "f.csv")
    said = run(
        "rct", tmp_path / "f.csv", "--y", "income", "--treatment", "t", "--cluster", "village"
    )
    assert "t says yes and no" in said
    assert "20 of 20 clusters (village) hold treated and controls" in said
    assert "randomised inside village" in said
    assert "1 rows repeat another one in every column" in said
    assert "no income: 20 of 41 treated (48.8 %) and 0 of 40 controls (0.0 %)" in said
    with pytest.raises(FaultsError, match=r"h3_1 \(rows 14, 81\)"):
        run("rct", tmp_path / "f.csv", "--y", "income", "--treatment", "t", "--unit", "hh")


def test_poverty_and_pooling_of_files(frame, tmp_path):
    frame.write_csv(tmp_path / "g.csv")
    right = va.poverty(frame, "income", 1500.0, by="year", psu="village")
    said = run(
        *("poverty", tmp_path / "g.csv", "--income", "income", "--line", "1500"),
        *("--by", "year", "--psu", "village"),
    )
    assert repr(right) in said
    studies = pl.DataFrame(
        {"study": ["a", "b", "c"], "estimate": [1.0, 2.0, 1.5], "std_error": [0.5, 0.4, 0.6]}
    )
    studies.write_csv(tmp_path / "h.csv")
    assert repr(va.pool(studies)) in run("pool", tmp_path / "h.csv")
