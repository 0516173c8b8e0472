"""A synthetic twin: a panel of the same tables, columns and sizes as a survey, and no row of it.

Code can be written and debugged on the twin before one enters the room where the survey lies. Each
column is drawn by itself, so its distribution is about right and nothing else is: no estimate from
a twin means anything.

A twin is no guarantee of privacy. Numbers of rows, ranges between the 1st and 99th percentile,
shares of missing cells, the years covered and the counts of participants are those of the survey.
Whoever guards the survey must agree before a twin leaves the room.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.panels import panel, schemas
from analysis.panels.account import Account
from analysis.panels.panel import Panel

LOW, HIGH = 0.01, 0.99
"""Quantiles at which the tails are cut: the largest landowner of a county is one household."""

FEW: Final = 20
"""A column of at most so many different numbers, each there `OFTEN` times, is drawn as it is."""

OFTEN: Final = 5
"""Rows behind each number of such a column, on average; with fewer it might name a household."""

SPREAD: Final = 0.5
"""How far, as a share, an amount or measure moves where there are too few others to hide among."""


def twin(source: Path, out: Path, seed: int, *, replace: bool = False) -> Panel:
    """Make a synthetic twin of a panel and write it.

    Parameters
    ----------
    source : Path
        Folder of the panel to be like.
    out : Path
        Folder of the twin; replaced when the twin is complete.
    seed : int
        Seed; the same seed and panel give the same twin.
    replace : bool
        Whether the twin may take the place of a panel that is no twin of this survey.

    Returns
    -------
    Panel
        The twin: of the tier ``model``, and marked as a twin, since no truth of it is known.

    Raises
    ------
    FaultsError
        If the source is no panel, is empty, or is the folder to write to; or if that folder
        holds another panel.
    """
    if source.resolve() == out.resolve():
        raise FaultsError(
            [Fault(out.name, "the twin would replace the survey", "name a new folder")]
        )
    real = panel.read(source)
    name = f"twin of {real.name}"
    if not replace:
        panel.keep_another(out, name=name, tier="model", twin=True)
    rng = np.random.default_rng(seed)
    villages_old = real.villages.collect()
    households_old = real.households.collect()
    if households_old.is_empty():
        raise FaultsError([Fault(source.name, "the panel has no households", "name another panel")])
    villages = _villages(villages_old, rng)
    households = _households(households_old, villages, rng)
    names = households["household"]
    drawn = ("members_present", *schemas.SOURCES, *(o.name for o in real.outcomes))
    income = _income(real.income.collect(), names, drawn, rng)
    households = _with_baseline_income(households, income)
    participation = _participation(real.participation.collect(), names, villages["village"], rng)
    collective = _collective(real.collective.collect(), villages["village"], rng)
    result = dataclasses.replace(
        real,
        name=name,
        tier="model",
        twin=True,
        households=households.lazy(),
        villages=villages.lazy(),
        income=income.lazy(),
        participation=participation.lazy(),
        collective=collective.lazy(),
        account=Account(income.height, income.height),
    )
    panel.write(result, out, more={panel.TWIN: {"of": real.name, "seed": seed}}, replace=replace)
    return panel.read(out)


def _names(prefix: str, n: int, series: pl.Series) -> pl.Series:
    """Return n new names, none of which the survey uses."""
    known = set(series.to_list())
    letters = prefix
    while any(name.startswith(letters) for name in known):
        letters += prefix[-1]
    width = len(str(n))
    return pl.Series([f"{letters}{i:0{width}d}" for i in range(1, n + 1)], dtype=pl.String)


def _relabelled(column: pl.Series, prefix: str, rng: np.random.Generator) -> pl.Series:
    """Shuffle a column of words and give each word a new name; missing cells stay as many."""
    words = column.drop_nulls().unique(maintain_order=True).sort()
    new = dict(zip(words, _names(prefix, words.len(), words), strict=True))
    shuffled = column.gather(rng.permutation(column.len()))
    return shuffled.replace_strict(new, default=None, return_dtype=pl.String)


def _drawn(column: pl.Series, n: int, rng: np.random.Generator) -> pl.Series:
    """Draw n values like those of a column: the same share missing, the same share zero."""
    values = column.drop_nulls()
    if values.is_empty():
        return pl.Series(column.name, [None] * n, dtype=column.dtype)
    drawn = values.gather(rng.integers(0, values.len(), n))
    if column.dtype.is_numeric() and values.n_unique() > min(FEW, values.len() / OFTEN):
        drawn = _smoothed(values, drawn, rng)
    missing = rng.random(n) < column.null_count() / column.len()
    return (
        pl.select(pl.when(~pl.Series(missing)).then(drawn))
        .to_series()
        .cast(column.dtype)
        .alias(column.name)
    )


def _smoothed(values: pl.Series, drawn: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Move every number but zero between its neighbours, inside the quantiles `LOW` and `HIGH`."""
    other = values.filter(values != 0).cast(pl.Float64).to_numpy()
    if other.size == 0:
        return drawn  # zeros only: nothing of anybody's to move
    at: npt.NDArray[np.float64] = rng.uniform(LOW, HIGH, drawn.len())
    # Interpolated between two neighbours, a draw is hardly ever one of the survey's own numbers.
    smooth = pl.Series(np.quantile(other, at))
    if np.unique(other).size < FEW and values.dtype in (pl.Int64, pl.Float64):
        # Between so few numbers a draw may well be one of them: the only pension of a year.
        smooth = smooth * pl.Series(rng.uniform(1 - SPREAD, 1 + SPREAD, drawn.len()))
    if values.dtype.is_integer():
        smooth = smooth.round(0)
    return pl.select(pl.when(drawn == 0).then(0.0).otherwise(smooth)).to_series()


def _villages(old: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    columns = {"village": _names("V", old.height, old["village"])}
    for name, prefix in (("county", "C"), ("prefecture", "P")):
        columns[name] = _relabelled(old[name], prefix, rng)
    return _others(old, columns, rng)


def _others(
    old: pl.DataFrame, by_name: dict[str, pl.Series], rng: np.random.Generator
) -> pl.DataFrame:
    """Add the columns not made yet, each drawn by itself, and keep the order of the table."""
    for name in old.columns:
        if name in by_name:
            continue
        column = old[name]
        word = column.dtype == pl.String
        by_name[name] = (
            _relabelled(column, f"{name}_", rng) if word else _drawn(column, old.height, rng)
        )
    return pl.DataFrame({name: by_name[name] for name in old.columns})


def _households(
    old: pl.DataFrame, villages: pl.DataFrame, rng: np.random.Generator
) -> pl.DataFrame:
    # As many households a village as in the survey, in villages of other names.
    sizes = old.group_by("village").len().sort("village")["len"].to_numpy()
    chosen = rng.permutation(villages.height)[: len(sizes)]
    columns = {
        "household": _names("H", old.height, old["household"]),
        "village": villages["village"].gather(np.repeat(chosen, sizes)),
        "weight_type": old["weight_type"],
        "income_baseline_fen": pl.Series([None] * old.height, dtype=pl.Int64),
    }
    frame = _others(old, columns, rng)
    smallest = old["weight"].min()
    assert isinstance(smallest, float)  # noqa: S101  # there are households
    return frame.with_columns(
        pl.col("weight").clip(lower_bound=smallest),
        pl.min_horizontal("workers_baseline", "size_baseline")
        .cast(pl.Int32)
        .pipe(lambda fewest: pl.when(pl.col("workers_baseline").is_not_null()).then(fewest))
        .alias("workers_baseline"),
    )


def _income(
    old: pl.DataFrame, names: pl.Series, amounts: tuple[str, ...], rng: np.random.Generator
) -> pl.DataFrame:
    """Draw as many rows a period as the survey has, each outcome by itself."""
    parts = []
    for (period,), rows in sorted(old.group_by("period"), key=lambda pair: str(pair[0])):
        chosen = np.sort(rng.choice(names.len(), rows.height, replace=False))
        columns = {
            "household": names.gather(chosen),
            "period": pl.Series([period] * rows.height, dtype=pl.Int32),
        }
        columns |= {name: _drawn(rows[name], rows.height, rng) for name in amounts}
        parts.append(_unlike(pl.DataFrame(columns), rows))
    seen = pl.all_horizontal(pl.col(s).is_not_null() for s in schemas.SOURCES)
    frame = pl.concat(parts) if parts else schemas.empty("income").drop("complete")
    return frame.with_columns(seen.alias("complete")).select(old.columns)


def _unlike(frame: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Move amounts that together are those of a row of the survey, until none are.

    A row of zeros or of nothing tells nothing and stays.
    """
    amounts = list(schemas.SOURCES)
    known = rows.select(amounts).unique().with_columns(_known=pl.lit(value=True))
    step = 100
    while True:
        is_known = frame.join(
            known, on=amounts, how="left", nulls_equal=True, maintain_order="left"
        )["_known"].fill_null(value=False)
        tells = pl.any_horizontal(pl.col(name).fill_null(0) != 0 for name in amounts)
        move = tells & pl.Series(is_known)
        if not frame.select(move.any()).item():
            return frame
        # Upwards, so that no wage falls below zero; a whole yuan keeps heaped amounts heaped.
        frame = frame.with_columns(
            pl.when(move & (pl.col(name) != 0))
            .then(pl.col(name) + step)
            .otherwise(pl.col(name))
            .alias(name)
            for name in amounts
        )


def _with_baseline_income(households: pl.DataFrame, income: pl.DataFrame) -> pl.DataFrame:
    first = (
        income.sort("household", "period")
        .group_by("household", maintain_order=True)
        .agg(schemas.total().first().alias("income_baseline_fen"))
    )
    return (
        households.drop("income_baseline_fen")
        .join(first, on="household", how="left", maintain_order="left")
        .select(households.columns)
    )


def _participation(
    old: pl.DataFrame, names: pl.Series, villages: pl.Series, rng: np.random.Generator
) -> pl.DataFrame:
    """Draw as many participants of each programme, among all units, in years of the survey's."""
    parts = [schemas.empty("participation")]
    groups = old.group_by("programme", "unit_level", maintain_order=True)
    for (_, level), rows in groups:
        units = names if level == "household" else villages
        chosen = np.sort(rng.choice(units.len(), rows.height, replace=False))
        dose = _drawn(rows["dose"], rows.height, rng)
        word = rows["dose_unit"].drop_nulls().first()
        parts.append(
            rows.with_columns(
                units.gather(chosen).alias("unit"),
                _drawn(rows["first_period"], rows.height, rng),
                dose,
                pl.when(dose.is_not_null()).then(pl.lit(word, dtype=pl.String)).alias("dose_unit"),
            )
        )
    return pl.concat(parts)


def _collective(old: pl.DataFrame, villages: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    parts = [schemas.empty("collective")]
    for (_,), rows in sorted(old.group_by("period"), key=lambda pair: str(pair[0])):
        chosen = np.sort(rng.choice(villages.len(), rows.height, replace=False))
        parts.append(
            rows.with_columns(
                villages.gather(chosen).alias("village"),
                _drawn(rows["net_income"], rows.height, rng),
                _drawn(rows["paid_out"], rows.height, rng),
            )
        )
    return pl.concat(parts)
