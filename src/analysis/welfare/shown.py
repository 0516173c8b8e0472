"""The tables of the page on poverty and inequality, in words and printed numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl

from analysis import money, printing
from analysis.claims.ledger import Ledger
from analysis.panels.views import LINES as LINE_NAMES
from analysis.studies.comparison import between
from analysis.welfare import distribution, grid, inequality, poverty
from analysis.welfare.overview import LINES, Overview
from analysis.welfare.people import per_head, weights
from analysis.welfare.views import UNITS, programme_names

INDEX_NAMES = {name: index.title for name, index in inequality.INDICES.items()}
PART_NAMES = {
    "change": "change",
    "growth": "growth, at the first distribution",
    "redistribution": "redistribution, at the first mean",
    "residual": "residual",
    "growth_shapley": "growth, mean of both orders",
    "redistribution_shapley": "redistribution, mean of both orders",
}
EXITS = ("S0_048", "S0_049", "S2_005", "S2_004")
"""Claims that count who is poor or no longer so."""


def _cell(values: list[float | None], digits: int) -> str:
    """Print an estimate with its interval, if it has one."""
    value, low, high = values
    if value is None or not np.isfinite(value):
        return "not defined"
    text = printing.number(value, digits)
    if low is None or high is None:
        return text
    return f"{text} ({_ends(low, high, digits)})"


def _ends(low: float, high: float, digits: int) -> str:
    """Print an interval as findings do: rounded outward."""
    return printing.interval(between(low, high), digits)


def _cells(factor: float, digits: int) -> pl.Expr:
    """Print estimate and interval in one cell."""
    names = ("estimate", "ci_low", "ci_high")

    def one(row: dict[str, float | None]) -> str:
        scaled = [None if row[n] is None else factor * float(row[n] or 0.0) for n in names]
        return _cell(scaled, digits)

    return pl.struct(*(pl.col(n) for n in names)).map_elements(one, return_dtype=pl.String)


def poverty_table(shown: Overview) -> pl.DataFrame:
    """Return poverty in the first and last period by line and unit, printed with intervals."""
    schema = ("line", "period", "unit", *poverty.MEASURES)
    frame = shown.poverty.to_frame().filter(group="all")
    if frame.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(schema, pl.String))
    ends = {frame["period"].min(), frame["period"].max()}
    frame = frame.filter(pl.col("period").is_in(list(ends))).with_columns(text=_cells(100, 1))
    wide = frame.pivot(
        "measure", index=["line_name", "period", "line_status", "unit"], values="text"
    ).sort("line_name", "unit", "period", descending=[False, True, False])
    amount = [
        f"{LINE_NAMES.get(name, name)}: {yuan}{' (unverified)' if status == 'from_memory' else ''}"
        for name, t, status in wide.select("line_name", "period", "line_status").iter_rows()
        for yuan in [printing.number(shown.people.line_fen(name, t) / money.FEN_PER_YUAN, 0)]
    ]
    return wide.select(
        line=pl.Series(amount),
        period=pl.col("period").cast(pl.String),
        unit=pl.col("unit").replace(UNITS),
        headcount="headcount",
        gap="gap",
        squared_gap="squared_gap",
    )


def inequality_table(shown: Overview) -> pl.DataFrame:
    """Return the indices in the first and last period, and their change."""
    frame = shown.inequality.to_frame()
    parts = [
        frame.filter(pl.col("period") == t).select(
            "index", when=pl.lit(str(t)), text=_cells(1, 3), left_out="left_out", n_rows="n_rows"
        )
        for t in dict.fromkeys((*shown.people.periods[:1], *shown.people.periods[-1:]))
    ]
    if shown.ends is not None:
        moved = inequality.change(shown.inequality).to_frame()
        nothing = pl.lit(None, pl.Int64)
        parts.append(
            moved.select(
                "index", when=pl.lit("change"), text=_cells(1, 3), left_out=nothing, n_rows=nothing
            )
        )
    if not parts:
        return pl.DataFrame(
            schema=dict.fromkeys(("index", "when", "text", "left_out", "n_rows"), pl.String)
        )
    return pl.concat(parts).with_columns(pl.col("index").replace(INDEX_NAMES))


def grid_table(shown: Overview) -> pl.DataFrame:
    """Return bounds of the Gini index of the last period from sums on coarser and finer grids."""
    schema = {"amounts": pl.String, "bounds": pl.String, "interval": pl.String, "exact": pl.String}
    exact = shown.inequality.to_frame().filter(index="gini").sort("period")
    if exact.is_empty() or exact["estimate"][-1] is None:
        return pl.DataFrame(schema=schema)
    rows = shown.people.rows(shown.people.periods[-1])
    income, weight = per_head(rows, "total_fen"), weights(rows)
    made = []
    for count in (4, 9, 19, 49):
        edges = np.unique(np.quantile(income, np.arange(1, count + 1) / (count + 1)))
        one = grid.bounds(grid.of_incomes(income, weight, rows["cluster"].to_numpy(), edges)).row(
            0, named=True
        )
        text = {
            key: "none: too few villages" if one[a] is None else _ends(one[a], one[b], 3)
            for key, a, b in (("bounds", "low", "high"), ("interval", "ci_low", "ci_high"))
        }
        made.append(
            (
                printing.number(edges.size),
                text["bounds"],
                text["interval"],
                printing.number(exact["estimate"][-1], 3),
            )
        )
    return pl.DataFrame(made, schema=schema, orient="row")


def curves(shown: Overview) -> tuple[pl.DataFrame, float | None]:
    """Return both growth incidence curves, and growth of the mean."""
    schema = {
        "curve": pl.String,
        "share": pl.Float64,
        "estimate": pl.Float64,
        "ci_low": pl.Float64,
        "ci_high": pl.Float64,
    }
    if shown.ends is None:
        return pl.DataFrame(schema=schema), None
    found = {
        "places": distribution.incidence(shown.people, *shown.ends),
        "same households": distribution.incidence_of_the_same(shown.people, *shown.ends),
    }
    mean = float(distribution.growth_of(shown.people, *shown.ends).points[1])
    frames = [
        one.to_frame().select(pl.lit(name).alias("curve"), *list(schema)[1:])
        for name, one in found.items()
    ]
    return pl.concat(frames), mean if np.isfinite(mean) else None


def decomposition_table(shown: Overview) -> pl.DataFrame:
    """Return growth and redistribution in the change of headcount and gap, per cent points."""
    schema = dict.fromkeys(("part", "headcount", "gap"), pl.String)
    if shown.ends is None or not shown.people.has_lines:
        return pl.DataFrame(schema=schema)
    both = [
        distribution.decompose(shown.people, LINES[0], *shown.ends, alpha).select(
            "part", text=_cells(100, 1)
        )
        for alpha in (0, 1)
    ]
    return (
        both[0]
        .rename({"text": "headcount"})
        .join(both[1].rename({"text": "gap"}), on="part")
        .with_columns(pl.col("part").replace(PART_NAMES))
    )


def sources_table(shown: Overview) -> pl.DataFrame:
    """Return what the poor and the others lived on in the last period: per cent of income."""
    schema = {"source": pl.String, "poor": pl.String, "others": pl.String}
    found = poverty.sources_of_the_poor(shown.people, LINES[0])
    if found.is_empty():
        return pl.DataFrame(schema=schema)
    last = found.filter(pl.col("period") == pl.col("period").max())
    text = pl.struct("per_head", "share").map_elements(
        lambda r: (
            printing.number(r["per_head"], 0)
            + (f" ({printing.number(100 * r['share'], 1)} %)" if r["share"] is not None else "")
        ),
        return_dtype=pl.String,
    )
    wide = last.with_columns(text=text).pivot("group", index="source", values="text")
    for name in ("below the line", "others"):
        if name not in wide.columns:
            wide = wide.with_columns(pl.lit("nobody").alias(name))
    return wide.select("source", poor="below the line", others="others")


def programmes_table(shown: Overview) -> pl.DataFrame:
    """Return effects on the headcount and the gap at the national line, with the truth."""
    names = programme_names()
    points = pl.col("measure") == "headcount"

    def printed(row: dict[str, object]) -> str:
        factor, digits = (100, 1) if row["measure"] == "headcount" else (1, 0)
        values = [
            None if row[k] is None else factor * float(str(row[k]))
            for k in ("estimate", "ci_low", "ci_high")
        ]
        if values[0] is None:
            return str(row["note"])
        return _cell(values, digits) + (" no interval" if values[1] is None else "")

    def plain(column: str) -> pl.Expr:
        scaled = pl.when(points).then(100 * pl.col(column)).otherwise(pl.col(column))
        return scaled.map_elements(
            lambda x: printing.number(x, 1 if abs(x) < 100 else 0),
            return_dtype=pl.String,
        )

    kept = shown.programmes.filter(
        pl.col("measure").is_null()
        | (pl.col("measure").is_in(["headcount", "gap"]) & (pl.col("line_name") == LINES[0]))
    )
    text = pl.struct("measure", "estimate", "ci_low", "ci_high", "note").map_elements(
        printed, return_dtype=pl.String
    )
    return kept.sort("measure", "unit", "programme", descending=[True, True, False]).select(
        programme=pl.col("programme").replace(names),
        measure=pl.col("measure").replace(
            {"headcount": "headcount, points", "gap": "gap, yuan per head"}
        ),
        unit=pl.col("unit").replace(UNITS),
        text=text,
        alike=plain("all_alike"),
        truth=plain("truth"),
        villages=pl.format("{} / {}", "n_villages_treated", "n_villages_control"),
    )


def deciles_table(shown: Overview) -> pl.DataFrame:
    """Return the deciles of one programme: levels, estimate, grid, band and truth, printed."""
    columns = ("share", "treated", "counterfactual", "estimate", "grid", "band", "truth")
    if shown.distributed is None:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))

    def whole(name: str) -> pl.Expr:
        return (
            pl.col(name)
            .map_elements(lambda x: printing.number(x, 0), return_dtype=pl.String)
            .fill_null("open")
        )

    def ends(name: str) -> pl.Expr:
        names = [f"{name}_low", f"{name}_high"]

        def one(row: dict[str, float | None]) -> str:
            low, high = (row[key] for key in names)
            if low is not None and high is not None:
                return _ends(low, high, 0)
            said = ("open" if end is None else printing.number(end, 0) for end in (low, high))
            return " to ".join(said)

        return pl.struct(names).map_elements(one, return_dtype=pl.String)

    return shown.distributed.deciles.select(
        share=pl.format("{} %", (100 * pl.col("share")).round().cast(pl.Int64)),
        treated=whole("treated"),
        counterfactual=whole("counterfactual"),
        estimate=whole("estimate"),
        grid=ends("grid"),
        band=ends("band"),
        truth=whole("truth").replace("open", "not known"),
    )


def thirds_table(shown: Overview) -> pl.DataFrame:
    """Return who gains: the total and each source by third of baseline income, yuan per head."""
    columns = ("third", "outcome", "text", "band", "truth")
    if shown.distributed is None or shown.distributed.thirds.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    band = pl.struct("band_low", "band_high").map_elements(
        lambda r: "" if r["band_low"] is None else _ends(r["band_low"], r["band_high"], 0),
        return_dtype=pl.String,
    )
    return shown.distributed.thirds.select(
        third=pl.col("third").str.replace(r"^\d ", ""),
        outcome="outcome",
        text=_cells(1, 0),
        band=band,
        truth=pl.col("truth")
        .map_elements(lambda x: printing.number(x, 0), return_dtype=pl.String)
        .fill_null(""),
    )


def exits_table(ledger: Ledger) -> pl.DataFrame:
    """Return what the articles report on who is poor and who no longer is."""
    sources = ledger.sources.select("id", "publisher")
    rows = ledger.claims.filter(pl.col("id").is_in(EXITS)).join(
        sources, left_on="source", right_on="id", how="left"
    )
    return rows.select(
        "id",
        "place",
        "counted",
        value=pl.col("value")
        .cast(pl.String)
        .map_elements(lambda x: printing.number(Fraction(x)), return_dtype=pl.String),
        unit=pl.col("unit").map_elements(printing.unit, return_dtype=pl.String),
        printed="printed",
        publisher="publisher",
    )
