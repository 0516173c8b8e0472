"""What the stored validation says of a method: coverage, agreement, printed numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis.methods.registry import Method
from analysis.validation.coverage import LEAST

MONTECARLO: Final = Path("reports") / "validation" / "montecarlo.csv"
PARITY: Final = Path("data") / "validation" / "parity"
PUBLISHED: Final = Path("data") / "validation" / "published.csv"
DESIGNS: Final = Path("data") / "validation" / "designs.csv"
RULE: Final = "reported"
MEASURES: Final = {
    "coverage_simple": "95 % intervals of the overall effect",
    "band_event_time": "95 % bands over event times",
}
"""What the Monte Carlo says of a method: of an estimator, or of the bands."""


@dataclass(frozen=True)
class Stored:
    """The stored validation; a table that is not there yet is empty.

    Attributes
    ----------
    coverage : polars.DataFrame
        design, what, kind, estimator, measure (of `MEASURES`), coverage, error (per cent), bias,
        bias_error, truth (of the overall effect, yuan a year), draws.
    parity : polars.DataFrame
        file, estimator, package, estimates.
    published : polars.DataFrame
        case, source, estimator, estimate.
    """

    coverage: pl.DataFrame
    parity: pl.DataFrame
    published: pl.DataFrame


def read(root: Path) -> Stored:
    """Read what is stored of the validation of a project."""
    return Stored(_coverage(root), _parity(root), _published(root))


def _coverage(root: Path) -> pl.DataFrame:
    columns = {
        "design": pl.String,
        "what": pl.String,
        "kind": pl.String,
        "estimator": pl.String,
        "measure": pl.String,
        "coverage": pl.Float64,
        "error": pl.Float64,
        "bias": pl.Float64,
        "bias_error": pl.Float64,
        "truth": pl.Float64,
        "draws": pl.Int64,
    }
    if not (root / MONTECARLO).is_file():
        return pl.DataFrame(schema=columns)
    table = pl.read_csv(root / MONTECARLO, infer_schema_length=None)
    key = ["design", "estimator"]
    held = table.filter(pl.col("rule") == RULE, pl.col("measure").is_in([*MEASURES])).select(
        *key, "measure", "draws", coverage=100 * pl.col("value"), error=100 * pl.col("mc_error")
    )
    for name in ("bias", "truth"):
        frame = table.filter(pl.col("measure") == name).select(
            *key, pl.col("value").alias(name), pl.col("mc_error").alias(f"{name}_error")
        )
        held = held.join(frame, on=key, how="left", maintain_order="left")
    known = pl.read_csv(root / DESIGNS).select(design="id", what="what", kind="kind")
    return held.join(known, on="design", how="inner", maintain_order="left").select(*columns)


def _parity(root: Path) -> pl.DataFrame:
    frames = [
        pl.read_csv(path, infer_schema_length=None)
        .group_by("estimator", "package", maintain_order=True)
        .agg(estimates=pl.len())
        .select(
            pl.lit(path.stem).alias("file"),
            "estimator",
            "package",
            pl.col("estimates").cast(pl.Int64),
        )
        for path in sorted((root / PARITY).glob("*.csv"))
    ]
    empty = pl.DataFrame(
        schema={
            "file": pl.String,
            "estimator": pl.String,
            "package": pl.String,
            "estimates": pl.Int64,
        }
    )
    return pl.concat([empty, *frames])


def _published(root: Path) -> pl.DataFrame:
    columns = ("case", "source", "estimator", "estimate")
    if not (root / PUBLISHED).is_file():
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return pl.read_csv(root / PUBLISHED, infer_schema=False).select(columns)


def n_published(method: Method, stored: Stored) -> int:
    """Return how many printed numbers of published tables a method is held to."""
    cases = [pl.col("case").str.starts_with(text) for text in method.published]
    return stored.published.filter(pl.any_horizontal(cases)).height if cases else 0


def packages(method: Method, stored: Stored) -> list[dict[str, Any]]:
    """Return the independent packages a method is compared with: package, estimates."""
    rows = stored.parity.filter(
        (pl.col("file") == "effects") & pl.col("estimator").is_in(method.parity)
        | pl.col("file").is_in(method.stored)
    )
    return rows.group_by("package").agg(pl.col("estimates").sum()).sort("package").to_dicts()


def coverage(method: Method, stored: Stored) -> pl.DataFrame:
    """Return the rows of the Monte Carlo on a method, the worst coverage first."""
    own = pl.col("estimator").is_in(method.montecarlo), pl.col("measure") == method.measure
    return stored.coverage.filter(*own).sort("coverage", "design", "estimator")


def failures(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows in which intervals hold the truth too rarely, beyond simulation error."""
    return rows.filter(pl.col("coverage") + 2 * pl.col("error") < 100 * LEAST)
