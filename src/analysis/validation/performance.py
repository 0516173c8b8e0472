"""How designs do over many simulated draws: bias, root mean square error, coverage, power."""

from __future__ import annotations

import math
from typing import Final

import polars as pl

from analysis import paths
from analysis.files import digest_files
from analysis.results import formatting
from analysis.results.provenance import Provenance
from analysis.results.table import ResultTable

DRAWN: Final = "reports/validation/montecarlo.csv"
DESIGNS: Final = "data/validation/designs.csv"


def performance(kind: str = "lot", estimator: str = "group_time") -> ResultTable:
    """Return how the overall effect does in every simulated design.

    Parameters
    ----------
    kind : str
        ``lot``: villages randomised; ``offered``: households choose, one difficulty at a time.
    estimator : str
        ``group_time``, ``imputation``, ``two_way``, ``before_after``, ``with_without``, …

    Returns
    -------
    ResultTable
        One row per design: true effect, bias and root mean square error (simulated yuan of each
        year, per household), coverage of the 95 per cent interval, of the joint band by event
        time, and how often the effect is found, in per cent.

    Examples
    --------
    >>> performance("lot").shown.columns[:3]
    ['simulated design', 'true effect', 'bias']
    """
    drawn = pl.read_csv(paths.root() / DRAWN, infer_schema_length=None)
    known = pl.read_csv(paths.root() / DESIGNS, infer_schema_length=None).filter(kind=kind)
    rows = []
    for design in known.iter_rows(named=True):
        mine = drawn.filter(
            pl.col("design") == design["id"],
            pl.col("estimator") == estimator,
            pl.col("rule").is_in(["any", "reported"]),
        )
        value = dict(zip(mine["measure"], mine["value"], strict=True))
        if not value:
            continue
        rows.append(
            {
                "simulated design": design["what"],
                "truth": value["truth"],
                "bias": value["bias"],
                "rmse": math.hypot(value["bias"], value["spread"]),
                "coverage": value.get("coverage_simple"),
                "band": value.get("band_event_time"),
                "power": value.get("power"),
                "draws": int(mine["draws"].max() or 0),  # type: ignore[arg-type]
            }
        )
    data = pl.DataFrame(rows, infer_schema_length=None)
    shown = data.select(
        "simulated design",
        _printed("truth", 0).alias("true effect"),
        _printed("bias", 0),
        _printed("rmse", 0).alias("root mean square error"),
        _per_cent("coverage").alias("interval holds it, %"),
        _per_cent("power").alias("effect found, %"),
    )
    return _table(shown, data, DRAWN)


def _table(shown: pl.DataFrame, data: pl.DataFrame, source: str) -> ResultTable:
    digest = digest_files(paths.root(), [paths.root() / source])[:12]
    provenance = Provenance(
        evidence="model",
        rows_in=data.height,
        rows_used=data.height,
        method="simulated draws, stored",
        function=f"{__name__}.performance",
        inputs=(f"{source}:{digest}",),
    )
    return ResultTable(shown=shown, data=data, provenance=provenance)


def _printed(column: str, decimals: int) -> pl.Expr:
    return pl.col(column).map_elements(
        lambda x: formatting.number(x, decimals), return_dtype=pl.String
    )


def _per_cent(column: str) -> pl.Expr:
    return (100 * pl.col(column)).map_elements(
        lambda x: formatting.number(x, 1), return_dtype=pl.String
    )
