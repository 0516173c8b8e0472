"""The simulated panel held against what it was calibrated to."""

from __future__ import annotations

import polars as pl

from analysis import money, printing
from analysis.panels import schemas
from analysis.panels.model import parameters
from analysis.panels.panel import Panel
from analysis.results import formatting
from analysis.results.badge import TIERS
from analysis.results.provenance import Provenance
from analysis.results.table import ResultTable


def targets(panel: Panel) -> pl.DataFrame:
    """Return realised against target figures of a simulated panel.

    Parameters
    ----------
    panel : Panel
        From `simulate`.

    Returns
    -------
    polars.DataFrame
        what, period (null for the baseline), unit, target, realised, difference (relative for
        means, absolute otherwise), tolerance, met, status of the target: that of its row in
        ``data/parameters``, for a share that of the weakest of the four sources.
    """
    known = parameters.load()
    rows = panel.income.filter("complete", pl.col("members_present").is_not_null())
    return pl.concat(
        [_means(rows, known), _shares(rows, known), _sizes(panel, known), _ginis(rows, known)]
    )


def target_table(panel: Panel, digest: str) -> ResultTable:
    """Return realised against target figures of a simulated panel as a table.

    Parameters
    ----------
    panel : Panel
        From `simulate`.
    digest : str
        ``name:digest`` of the panel, for the record.
    """
    data = targets(panel)

    def printed(column: str, decimals: int | None = None) -> pl.Expr:
        return pl.col(column).map_elements(
            lambda x: formatting.number(x, decimals), return_dtype=pl.String
        )

    shown = data.select(
        pl.col("what").alias("target"),
        pl.col("period").cast(pl.String).alias("year"),
        pl.col("unit").map_elements(printing.unit, return_dtype=pl.String),
        printed("target").alias("asked"),
        printed("realised"),
        printed("difference", 4),
        printed("tolerance").alias("allowed"),
        pl.when("met").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("met"),
        pl.col("status").replace({"from_memory": "unverified"}).alias("status of the target"),
    )
    provenance = Provenance.of(
        targets,
        evidence="model",
        rows_in=panel.account.rows_read,
        rows_used=panel.account.rows_used,
        method="realised less asked",
        inputs=("data/parameters", digest),
    )
    return ResultTable(shown=shown, data=data, provenance=provenance, notes=(TIERS["model"],))


def _table(what: str, unit: str, tolerance: float, frame: pl.DataFrame) -> pl.DataFrame:
    """Finish a block: difference, and whether it is within the tolerance."""
    gap = pl.col("realised") - pl.col("target")
    difference = gap / pl.col("target") if unit.startswith("yuan") else gap
    return frame.select(
        what=pl.lit(what),
        period=pl.col("period").cast(pl.Int32),
        unit=pl.lit(unit),
        target=pl.col("target").cast(pl.Float64),
        realised=pl.col("realised").cast(pl.Float64),
        difference=difference.cast(pl.Float64),
        tolerance=pl.lit(tolerance),
        met=difference.abs() <= tolerance,
        status=pl.col("status").cast(pl.String),
    )


def _means(rows: pl.LazyFrame, known: parameters.Parameters) -> pl.DataFrame:
    target = pl.DataFrame(
        [
            (year, yuan, known.path_status[year, s])
            for (year, s), yuan in known.path.items()
            if s == "total"
        ],
        schema={"period": pl.Int32, "target": pl.Float64, "status": pl.String},
        orient="row",
    )
    frame = (
        rows.group_by("period")
        .agg(realised=schemas.total().sum() / pl.col("members_present").sum() / money.FEN_PER_YUAN)
        .join(target.lazy(), on="period")
        .sort("period")
        .collect()
    )
    tolerance = known["targets"].number("tolerance_mean")
    return _table("mean disposable income per head", "yuan/persons/years", tolerance, frame)


def _shares(rows: pl.LazyFrame, known: parameters.Parameters) -> pl.DataFrame:
    """Compare shares in the years for which they are published; between them they are assumed."""
    sums = (
        rows.group_by("period")
        .agg(*(pl.col(name).sum() for name in schemas.SOURCES))
        .sort("period")
        .collect()
    )
    means = known.means(range(sums["period"][0], sums["period"][-1] + 1))
    shares = means / means.sum(axis=1, keepdims=True)
    published = {
        year: money.weakest(known.path_status[year, source] for source in schemas.SOURCES)
        for year in sorted({year for year, source in known.path if source != "total"})
    }
    frames = []
    for s, source in enumerate(schemas.SOURCES):
        frame = sums.select(
            "period",
            realised=pl.col(source) / schemas.total(),
            target=pl.Series(shares[:, s]),
            status=pl.col("period").replace_strict(published, default=None),
        ).filter(pl.col("status").is_not_null())
        tolerance = known["targets"].number("tolerance_share")
        frames.append(_table(f"share of {source} income", "share", tolerance, frame))
    return pl.concat(frames)


def _sizes(panel: Panel, known: parameters.Parameters) -> pl.DataFrame:
    registered = pl.col("registered_poor")
    blocks = {
        "household size": ("size_mean", pl.col("size_baseline").mean()),
        "household size, registered poor": (
            "size_mean_registered",
            pl.col("size_baseline").filter(registered).mean(),
        ),
        "households on the register": ("registered_share", registered.mean()),
    }
    frame = panel.households.select(**dict(blocks.values())).collect()
    return pl.concat(
        _table(
            what,
            "share" if key == "registered_share" else "persons/households",
            known["targets"].number(
                "tolerance_register" if key == "registered_share" else "tolerance_size"
            ),
            pl.DataFrame(
                {
                    "period": [None],
                    "target": [known["households"].number(key)],
                    "realised": [frame[key][0]],
                    "status": [str(known["households"].entries[key]["status"])],
                }
            ),
        )
        for what, (key, _) in blocks.items()
    )


def _ginis(rows: pl.LazyFrame, known: parameters.Parameters) -> pl.DataFrame:
    frame = rows.select("period", schemas.total(), "members_present").collect()
    target = known["targets"]
    table = pl.DataFrame(
        {
            "period": period,
            "target": target.number("gini"),
            "realised": gini(part, "total", "members_present"),
            "status": str(target.entries["gini"]["status"]),
        }
        for (period,), part in sorted(frame.group_by("period"), key=lambda item: str(item[0]))
    )
    return _table("Gini of income per head", "index", target.number("tolerance_gini"), table)


def gini(frame: pl.DataFrame, money_column: str, persons: str) -> float:
    """Return the Gini index of income per head over persons; losses count as they are.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per household.
    money_column, persons : str
        Household income, and members it is shared by.

    Examples
    --------
    >>> gini(pl.DataFrame({"y": [0, 10], "n": [1, 1]}), "y", "n")
    0.5
    >>> gini(pl.DataFrame({"y": [10, 20], "n": [1, 2]}), "y", "n")
    0.0
    """
    people, income = pl.col(persons), pl.col(money_column)
    ranked = frame.sort(income / people).with_columns(
        # Twice the persons before the household, and its own: the middle of its place in the queue.
        rank=2 * people.cum_sum() - people
    )
    both = ranked.select(
        (income * pl.col("rank")).cast(pl.Float64).sum() / people.sum() / income.sum() - 1
    )
    value = both.item()
    return round(float(value), 12) + 0.0
