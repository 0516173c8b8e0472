"""Agreement with independent packages: the same small panel, their stored estimates, and ours.

``benchmarks/parity/effects.py`` ran csdid, diff-diff and pyfixest in an environment of its own and
wrote ``data/validation/parity/effects.csv``. Here the panel goes the whole way, through cells, and
every estimate is compared. One comparison of two periods is also run by statsmodels on the spot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import polars as pl
import statsmodels.api as sm

from analysis import paths
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome
from analysis.did.estimators import aggregate, bacon, group_time, imputation, layout, two_way
from analysis.did.estimators.effect_set import EffectSet, stack
from analysis.did.estimators.table import Table
from analysis.inference import clusters
from analysis.inference.arrays import Floats
from analysis.money import FEN_PER_YUAN
from analysis.panels import schemas
from analysis.panels.account import Account
from analysis.panels.panel import Panel

POINT, ERROR = 1e-8, 1e-6
"""Largest differences: points relative to the largest of their design, errors to themselves."""
FACTORS: Final = {
    ("csdid", "group_time"): "1",
    ("diff-diff", "group_time"): "√(G/(G − 1)), influence centred",
    ("diff-diff", "imputation"): "1; weighted errors use another mean, not compared",
    ("diff-diff", "bacon"): "points and weights, no errors",
    ("pyfixest", "two_way"): "√(G/(G − 1) · (N − 1)/(N − k))",
    ("pyfixest", "static"): "√(G/(G − 1) · (N − 1)/(N − k))",
    ("statsmodels", "two_by_two"): "1",
}
"""What a package multiplies the influence of villages (CR0) by."""
LABELS: Final = {
    "group_time": "group-time effects and sums",
    "imputation": "imputation",
    "bacon": "decomposition",
    "two_way": "two-way event study",
    "static": "two-way static",
    "two_by_two": "one comparison",
}
VARIANTS: Final[Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "balanced": {"handling": ("balanced",)},
    "unbalanced": {"handling": ("pairs", "cross_sections")},
    "weighted": {"weighted": (True,)},
    "not yet treated as controls": {"controls": ("not_yet", "not_yet_all_treated")},
    "anticipation": {"anticipation": (1,)},
    "universal base": {"base": ("universal",)},
    "strata": {"strata": (True,)},
    "cohorts of households": {"level": ("household",)},
}
"""What a design must have to count under a variant; all errors are clustered by village."""
KEY: Final = ("aggregation", "at", "cohort", "period")
Design = Mapping[str, Any]


@dataclass(frozen=True)
class Own:
    """Estimates of this project, with the error in the package's convention."""

    found: EffectSet
    errors: Floats


def reference() -> pl.DataFrame:
    """Return the stored estimates of the packages, one row each."""
    file = paths.data() / "validation" / "parity" / "effects.csv"
    keys = dict.fromkeys(("at", "cohort", "period"), pl.Int64)
    return pl.read_csv(file, infer_schema_length=None).with_columns(
        peer=pl.col("package").str.split(" ").list.first(),
        version=pl.col("package").str.split(" ").list.last(),
        **{name: pl.col(name).cast(kind) for name, kind in keys.items()},
    )


def panel_of(design: Design) -> Panel:
    """Return the small panel as one of the contract; incomes stand as wages."""
    data = pl.read_parquet(paths.data() / "validation" / "parity" / "panel.parquet")
    level = design["level"]
    data = data.with_columns(first=pl.col(f"cohort_{level}"))
    if design["handling"] != "balanced":
        data = data.filter("seen")
    if design["controls"] == "not_yet_all_treated":
        data = data.filter(pl.col("first") > 0)
    number = pl.col("village").cast(pl.String).str.zfill(3)
    data = data.with_columns(
        village=pl.lit("v") + number,
        household=pl.lit("h") + pl.col("household").cast(pl.String).str.zfill(5),
    )
    nothing = dict.fromkeys(("business", "property", "transfer"), pl.lit(0))
    tables = {
        "households": data.unique("household").select(
            "household",
            "village",
            size_baseline=pl.lit(1),
            weight="weight" if design["weighted"] else pl.lit(1.0),
            weight_type=pl.lit("sampling" if design["weighted"] else "none"),
            stratum=pl.col("stratum").cast(pl.String) if design["strata"] else pl.lit("all"),
        ),
        "income": data.select(
            "household",
            "period",
            wage=pl.col("income") * FEN_PER_YUAN,
            complete=pl.lit(value=True),
            **nothing,
        ),
        "participation": data.filter(pl.col("first") > 0)
        .unique(level)
        .select(
            programme=pl.lit("programme"),
            unit_level=pl.lit(level),
            unit=level,
            first_period="first",
        ),
        "villages": data.select("village", county=pl.lit("c")).unique(),
    }
    by_name = {name: schemas.conform(frame.lazy(), name) for name, frame in tables.items()}
    return Panel(
        name="parity",
        tier="model",
        account=Account(data.height, data.height),
        households=by_name["households"],
        villages=by_name["villages"],
        income=by_name["income"],
        participation=by_name["participation"],
    )


@cache
def _table(
    level: str, handling: str, controls: str, anticipation: int, *, weighted: bool, strata: bool
) -> Table:
    """Lay the cells of one design out."""
    design = CellsDesign(
        ("programme",),
        outcomes=(Outcome("wage"),),
        handling=handling,  # type: ignore[arg-type]
        anticipation=anticipation,
        inverse=() if handling != "pairs" else ("untreated", "all"),
    )
    source = panel_of(
        {
            "level": level,
            "handling": handling,
            "controls": controls,
            "weighted": weighted,
            "strata": strata,
        }
    )
    return layout.from_cells(build(source, design))


def table_of(design: Design) -> Table:
    """Return the cells of a design as arrays, in fen."""
    names = ("level", "handling", "controls", "anticipation")
    return _table(
        *(design[name] for name in names), weighted=design["weighted"], strata=design["strata"]
    )


def own(design: Design) -> Own:
    """Estimate a design with the estimator and the error convention of its package."""
    table = table_of(design)
    if design["estimator"] in ("two_way", "static"):
        effects = two_way.estimate(table, static=design["estimator"] == "static").under("parity")
        return Own(effects, effects.std_errors)
    how = group_time.Comparison(
        controls="never" if design["controls"] == "never" else "not_yet",
        where="anywhere",
        base=design["base"],
        anticipation=design["anticipation"],
    )
    effects = group_time.estimate(table, how).under("parity")
    if design["peer"] == "diff-diff":
        covariance = clusters.influence_covariance(effects.influence, centred=True)
        return Own(effects, np.sqrt(np.diag(covariance)))
    whole = stack(effects, aggregate.aggregate(effects, table))
    return Own(whole, whole.std_errors)


def _own_frame(design: Design, part: pl.DataFrame) -> pl.DataFrame:
    """Return key, own and own_error in yuan."""
    if design["estimator"] == "imputation":
        return _imputed(design, part)
    if design["estimator"] == "bacon":
        return _decomposed(design)
    mine = own(design)
    return pl.DataFrame(
        [
            {
                "aggregation": k.aggregation,
                "at": k.at,
                "cohort": k.cohort,
                "period": k.period,
                "own": float(p) / FEN_PER_YUAN,
                "own_error": float(e) / FEN_PER_YUAN,
            }
            for k, p, e in zip(mine.found.keys, mine.found.points, mine.errors, strict=True)
        ],
        schema_overrides=dict.fromkeys(("at", "cohort", "period"), pl.Int64),
        infer_schema_length=None,
    )


def _imputed(design: Design, part: pl.DataFrame) -> pl.DataFrame:
    """Add group-time effects up as diff-diff does: by the treated households seen in a horizon."""
    table = table_of(design)
    effects = imputation.estimate(table, design["anticipation"])
    event = np.array([(key.period or 0) - (key.cohort or 0) for key in effects.keys])
    used = table.imputed or table
    size = np.array(
        [
            used.weight[used.cohort == k.cohort, used.place(k.period or 0)].sum()
            for k in effects.keys
        ]
    )
    rows = []
    for row in part.iter_rows(named=True):
        chosen = event == row["at"] if row["at"] is not None else event >= -design["anticipation"]
        omega = np.where(chosen, size, 0) / size[chosen].sum()
        error = float(np.linalg.norm(effects.influence @ omega)) / FEN_PER_YUAN
        own_error = None if design["weighted"] else error
        rows.append(
            {
                **{name: row[name] for name in KEY},
                "own": float(effects.points @ omega) / FEN_PER_YUAN,
                "own_error": own_error,
            }
        )
    kinds = dict.fromkeys(("at", "cohort", "period"), pl.Int64) | {"own_error": pl.Float64}
    return pl.DataFrame(rows, schema_overrides=kinds, infer_schema_length=None)


def _decomposed(design: Design) -> pl.DataFrame:
    """Return the comparisons of the decomposition under the names of diff-diff."""
    kinds = {
        bacon.NEVER: "treated_vs_never",
        bacon.LATER: "earlier_vs_later",
        bacon.EARLIER: "later_vs_earlier",
    }
    return bacon.decompose(table_of(design)).select(
        aggregation=pl.col("kind").replace_strict(kinds, return_dtype=pl.String),
        at=pl.lit(None, pl.Int64),
        cohort=pl.col("treated").cast(pl.Int64),
        period=pl.col("control").cast(pl.Int64),
        own=pl.col("estimate") / FEN_PER_YUAN,
        own_error="weight",
    )


def _one_by_statsmodels() -> Iterator[dict[str, Any]]:
    """Yield one comparison of each cohort: least squares of the change, clustered by village."""
    design = {
        "estimator": "two_by_two",
        "level": "village",
        "handling": "balanced",
        "controls": "never",
        "base": "varying",
        "anticipation": 0,
        "weighted": False,
        "strata": False,
        "peer": "csdid",
    }
    mine = own(design)
    data = pl.read_parquet(paths.data() / "validation" / "parity" / "panel.parquet")
    wide = data.pivot("period", index=["household", "village", "cohort_village"], values="income")
    for k, key in enumerate(mine.found.keys):
        if key.aggregation != "group_time" or key.period != key.cohort:
            continue
        part = wide.filter(pl.col("cohort_village").is_in([0, key.cohort]))
        change = (part[str(key.period)] - part[str(key.base)]).to_numpy()
        treated = (part["cohort_village"] > 0).to_numpy().astype(np.float64)
        fit = sm.OLS(change, sm.add_constant(treated)).fit(
            cov_type="cluster",
            cov_kwds={"groups": part["village"].to_numpy(), "use_correction": False},
        )
        yield {
            **design,
            "peer": "statsmodels",
            "version": version("statsmodels"),
            "design": -1,
            "aggregation": "group_time",
            "at": None,
            "cohort": key.cohort,
            "period": key.period,
            "estimate": float(fit.params[1]),
            "std_error": float(fit.bse[1]),
            "own": mine.found.points[k] / FEN_PER_YUAN,
            "own_error": mine.errors[k] / FEN_PER_YUAN,
        }


def compare(stored: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return every estimate of every package beside ours.

    Parameters
    ----------
    stored : polars.DataFrame, optional
        Estimates of packages, `reference` by default.

    Returns
    -------
    polars.DataFrame
        The columns of `reference`, own, own_error (null where the conventions differ),
        point_difference (relative to the largest of the design), error_difference (relative).
    """
    frames = []
    # What stands in other columns than an estimate, or is zero by construction, is left out.
    kept = (reference() if stored is None else stored).filter(
        pl.col("aggregation") != "pretrend",
        (pl.col("estimate") != 0) | pl.col("std_error").is_not_null(),
    )
    for _, part in kept.group_by("design", maintain_order=True):
        design = part.row(0, named=True)
        mine = _own_frame(design, part)
        frames.append(part.join(mine, on=KEY, how="left", nulls_equal=True))
    frames.append(
        pl.DataFrame(list(_one_by_statsmodels()), infer_schema_length=None).select(
            *(
                pl.col(name).cast(kind)
                for name, kind in frames[0].schema.items()
                if name != "package"
            )
        )
    )
    both = pl.concat([frame.select(frames[-1].columns) for frame in frames])
    largest = pl.col("estimate").abs().max().over("peer", "design", "estimator")
    return both.with_columns(
        point_difference=(pl.col("own") - pl.col("estimate")).abs() / largest,
        error_difference=(pl.col("own_error") / pl.col("std_error") - 1).abs(),
    )


def summary(every: pl.DataFrame) -> pl.DataFrame:
    """Return the largest differences by variant, estimator and package.

    Parameters
    ----------
    every : polars.DataFrame
        From `compare`.

    Returns
    -------
    polars.DataFrame
        variant, estimator, peer, version, estimates, errors (how many could be compared),
        point_difference, error_difference, factor, agrees.
    """
    rows = []
    for variant, needed in VARIANTS.items():
        inside = every.filter(*(pl.col(name).is_in(list(v)) for name, v in needed.items()))
        grouped = inside.group_by("estimator", "peer", "version", maintain_order=True).agg(
            estimates=pl.len(),
            errors=pl.col("error_difference").count(),
            found=pl.col("own").count(),
            point_difference=pl.col("point_difference").max(),
            error_difference=pl.col("error_difference").max(),
        )
        rows.append(grouped.select(pl.lit(variant).alias("variant"), pl.all()))
    factor = {f"{peer}/{name}": text for (peer, name), text in FACTORS.items()}
    return (
        pl.concat(rows)
        .with_columns(
            agrees=(pl.col("found") == pl.col("estimates"))
            & (pl.col("point_difference") <= POINT)
            & (pl.col("error_difference").fill_null(0.0) <= ERROR),
            factor=pl.concat_str("peer", pl.lit("/"), "estimator").replace_strict(factor),
        )
        .drop("found")
    )
