"""How designs do over many simulated draws: bias, root mean square error, coverage, power."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from analysis.results import formatting
from analysis.results.number import Number
from analysis.results.stored import of_files
from analysis.results.table import ResultTable
from analysis.validation import designs, stored
from analysis.validation.estimators import LABELS
from analysis.validation.stored import Results

DRAWN: Final = "reports/validation/montecarlo.csv"
DESIGNS: Final = "data/validation/designs.csv"
MANIFEST: Final = "reports/validation/montecarlo.json"
KINDS: Final = {"lot": "villages randomised", "offered": "households choose"}


@dataclass(frozen=True, eq=False, kw_only=True)
class DrawShare(Number):
    """Per cent of simulated draws, printed with one decimal as in the tables."""

    @property
    def decimals(self) -> int:
        """One."""
        return 1


def overall(results: Results) -> pl.DataFrame:
    """Return how the overall effect does, one row for each design and estimator.

    Parameters
    ----------
    results : Results
        As `analysis.validation.stored.read`.

    Returns
    -------
    polars.DataFrame
        design, kind, what, programme, switch, estimator; truth, bias, bias_error, rmse (yuan a
        year per household at constant prices, simulated); coverage, coverage_error, band, size,
        power (shares of the draws, reported intervals); draws.

    Examples
    --------
    >>> overall(stored.read()).columns[:3]
    ['design', 'kind', 'what']
    """
    measured = {
        key: dict(zip(part["measure"], part.select("value", "mc_error").rows(), strict=True))
        for key, part in results.summary.filter(pl.col("rule").is_in(["any", "reported"])).group_by(
            "design", "estimator"
        )
    }
    nothing = (None, None)
    rows = []
    for design in designs.load():
        for estimator in LABELS:
            by_key = measured.get((design.id, estimator))
            if by_key is None:
                continue
            bias, error = by_key["bias"]
            coverage, coverage_error = by_key.get("coverage_simple", nothing)
            rows.append(
                {
                    "design": design.id,
                    "kind": design.kind,
                    "what": design.what,
                    "programme": design.programme,
                    "switch": design.switch,
                    "estimator": estimator,
                    "truth": by_key["truth"][0],
                    "bias": bias,
                    "bias_error": error,
                    "rmse": math.hypot(bias, by_key.get("spread", (math.nan,))[0]),
                    "coverage": coverage,
                    "coverage_error": coverage_error,
                    "band": by_key.get("band_event_time", nothing)[0],
                    "size": by_key.get("size", nothing)[0],
                    "power": by_key.get("power", nothing)[0],
                    "draws": results.runs[design.id].draws,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


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
        One row per design: true effect, bias and root mean square error (yuan a year per household
        at constant prices, simulated), coverage of the 95 per cent interval, of the joint band by
        event time, and how often the effect is found, in per cent.

    Examples
    --------
    >>> performance("lot").shown.columns[:3]
    ['simulated design', 'true effect', 'bias']
    """
    data = overall(stored.read()).filter(kind=kind, estimator=estimator)
    shown = data.select(
        pl.col("what").alias("simulated design"),
        _printed("truth", 0).alias("true effect"),
        by_error("bias", "bias_error"),
        _printed("rmse", 0).alias("root mean square error"),
        share("coverage").alias("interval holds it, %"),
        share("power").alias("effect found, %"),
    )
    n = int(data["draws"].sum())
    provenance = of_files(
        performance,
        DRAWN,
        DESIGNS,
        evidence="model",
        rows_in=n,
        rows_used=n,
        method="simulated draws, stored",
    )
    return ResultTable(shown=shown, data=data, provenance=provenance)


def draws() -> ResultTable:
    """Return when the stored draws were made, and whether of the code that is here now.

    Examples
    --------
    >>> draws().shown.columns[:3]
    ['simulated designs', 'how many', 'draws in all']
    """
    results, now = stored.read(), stored.code_digest()
    rows = []
    for kind, name in KINDS.items():
        own = [
            results.runs[d.id] for d in designs.load() if d.kind == kind and d.id in results.runs
        ]
        if own:
            rows.append(
                {
                    "simulated designs": name,
                    "how many": len(own),
                    "draws in all": sum(run.draws for run in own),
                    "first made": min(run.date for run in own),
                    "last made": max(run.date for run in own),
                    "code unchanged since": "yes" if all(run.code == now for run in own) else "no",
                }
            )
    data = pl.DataFrame(rows, infer_schema_length=None)
    shown = data.with_columns(
        pl.col("how many", "draws in all").map_elements(formatting.number, pl.String)
    )
    n = data["draws in all"].sum() if rows else 0
    provenance = of_files(draws, MANIFEST, evidence="model", rows_in=n, rows_used=n, method="count")
    return ResultTable(shown=shown, data=data, provenance=provenance)


def by_error(column: str, error: str) -> pl.Expr:
    """Print a column by the size of its Monte Carlo error."""

    def printed(row: Mapping[str, Any]) -> str:
        value = row[column]
        return "" if value is None else formatting.number(value, formatting.places(row[error]))

    return pl.struct(column, error).map_elements(printed, pl.String).alias(column)


def share(column: str) -> pl.Expr:
    """Print a share of the draws in per cent."""
    return (100 * pl.col(column)).map_elements(per_cent, pl.String)


def per_cent(value: float) -> str:
    """Print per cent of draws.

    Examples
    --------
    >>> per_cent(97.0), per_cent(54.900001), per_cent(0.0)
    ('97.0', '54.9', '0.0')
    """
    return formatting.number(value, 1)


def _printed(column: str, decimals: int) -> pl.Expr:
    return pl.col(column).map_elements(
        lambda x: formatting.number(x, decimals), return_dtype=pl.String
    )
