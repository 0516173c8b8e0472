"""Limits of an import: how many rows of a file may be rejected before it is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from analysis.columns import COUNTED, SHOWN, day_counts
from analysis.faults import Fault, FaultsError
from analysis.panels.importing.mapping import SurveyMap
from analysis.panels.importing.report import FileCount, ImportReport

REJECTED = "rejected.parquet"


def check_limits(report: ImportReport, survey: SurveyMap, folder: Path, out: Path) -> None:
    """Stop if too much is lost; what was rejected is put where it can be read."""
    total, limits = report.total, survey.limits
    faults = [
        Fault(
            survey.survey,
            f"{share:.1%} of the {words} are rejected: {_why(total)} ({_first(folder)})",
            f"analysis rejected {out.name} shows them; correct the map, or raise limits.{name} if"
            " they must go",
            column=f"limits.{name}",
            value=f"{limit:.1%}",
        )
        for name, words, share, limit in (
            (
                "max_rejected_rows",
                "source rows",
                total.share_of_rows_lost(),
                limits.max_rejected_rows,
            ),
            (
                "max_rejected_records",
                "records",
                total.share_of_records_lost(),
                limits.max_rejected_records,
            ),
        )
        if share > limit
    ]
    if report.n_periods == 0:
        faults.append(
            Fault(
                survey.survey,
                f"no record was accepted: {_why(total)} ({_first(folder)})",
                f"analysis rejected {out.name} shows them; correct the map",
            )
        )
    if faults:
        faults += _dates(folder, survey)
        beside = out.parent / f"{out.name}.{REJECTED}"
        shutil.copyfile(folder / REJECTED, folder / f".{REJECTED}")
        (folder / f".{REJECTED}").replace(beside)
        raise FaultsError(faults)


def _first(folder: Path) -> str:
    return "; ".join(places(pl.scan_parquet(folder / REJECTED).head(SHOWN).collect())) or "no row"


def _dates(folder: Path, survey: SurveyMap) -> Iterator[Fault]:
    """Yield a fault if periods that could not be read count days or seconds, with what to write."""
    lost = (
        pl.scan_parquet(folder / REJECTED)
        .filter(pl.col("reason").is_in(["impossible_year", "impossible_period"]))
        .select(
            pl.col("detail").str.extract(r"^(.*?) = (\d+)(?:;|$)", 1).alias("column"),
            pl.col("detail").str.extract(r"^(.*?) = (\d+)(?:;|$)", 2).cast(pl.Int64).alias("n"),
        )
        .drop_nulls()
        .collect()
    )
    for (column,), rows in lost.group_by("column", maintain_order=True):
        found = day_counts(rows["n"].alias(str(column)))
        words = {told: word for word, told in COUNTED.items() if word != "sas"}
        told = [
            f'date = "{words[name]}" if they are {shown}'
            for shown in found
            for name in [shown.rpartition(" (")[0]]
            if name in words
        ]
        if told:
            how = " or ".join(told)
            remedy = f'say how they are counted: {{ column = "{column}", date = … }} with {how}'
            problem = "periods are counts of days or seconds"
            yield Fault(survey.survey, problem, remedy, column=str(column), value=str(rows["n"][0]))


def places(rejected: pl.DataFrame) -> list[str]:
    """Return file, row and what stood there, of the first rejected records."""
    first = rejected.select("file", "row", "detail").head(SHOWN)
    return [f"{file}, row {row}: {what.split(';')[0]}" for file, row, what in first.iter_rows()]


def _why(count: FileCount) -> str:
    reasons = count.most_frequent()
    return ", ".join(f"{reason} {n:,}" for reason, n in reasons[:4]) or "the files have no rows"
