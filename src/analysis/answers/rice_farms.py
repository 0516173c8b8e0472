"""Rice farms of West Java: what a support programme and new seed go with, as comparisons tighten.

Stored, as the data come with an optional package: ``python -m analysis.answers.rice_farms`` makes
``reports/public/rice_farms.csv`` and ``rice_seasons.csv`` again (a second). Pages read the stored
numbers, so that they are the same on a machine without the package; a test makes them again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from statsmodels.api import OLS

from analysis import stored_tables
from analysis.answers import choices
from analysis.inference.arrays import Floats
from analysis.panels import public

FOLDER: Final = Path("reports") / "public"
FARMS: Final = FOLDER / "rice_farms.csv"
SEASONS: Final = FOLDER / "rice_seasons.csv"

REGRESSORS: Final = {"bimas": "BIMAS support", "new_seed": "High-yielding seed"}
"""Any land in the programme; any land under high-yielding rice. Both enter at once."""
OUTCOMES: Final = {
    "yield": "Rice per hectare, per cent",
    "costs": "Paid-out costs per hectare, per cent",
    "margin": "Rice kept after paid-out costs, kg per hectare",
}
COMPARED: Final = {
    "season": "farms of one season",
    "village": "farms of one village and season",
    "farm": "the same farm over time, beside its village",
}
"""Who is compared: effects that are taken out, each row tighter than the one before."""
INPUTS: Final = ("size", "seed", "urea", "totlabor")
"""Inputs of the production function; phosphate and pesticide are zero on many farms."""
DECIMALS: Final = 4


def farms() -> pl.DataFrame:
    """Return farm-seasons with what is compared.

    Returns
    -------
    polars.DataFrame
        farm, season (1 to 6, in the order of the file, wet first), region, bimas and new_seed
        (0 or 1), yield and costs (log of kg and of rupiah per hectare), margin (kg of rice per
        hectare: output less the harvesters' share, less paid-out costs at the price of rice), log
        output, and logs of `INPUTS`.

    Raises
    ------
    FaultsError
        If the optional package with the data is not installed.

    Notes
    -----
    Paid out are seed and fertiliser at their prices, pesticide, and hired hours at the wage. Family
    labour and land have no price in the file, so the margin is theirs too.
    """
    rows = public.load("rice_farms").frame
    paid = (
        pl.col("seed") * pl.col("pseed")
        + pl.col("urea") * pl.col("purea")
        + pl.col("phosphate") * pl.col("pphosph")
        + pl.col("pesticide")
        + pl.col("hiredlabor") * pl.col("wage")
    )
    return rows.select(
        "farm",
        "region",
        season=pl.int_range(1, pl.len() + 1).over("farm"),
        bimas=(pl.col("bimas") != "no").cast(pl.Float64),
        new_seed=(pl.col("varieties") != "trad").cast(pl.Float64),
        output=pl.col("goutput").log(),
        margin=(pl.col("noutput") - paid / pl.col("price")) / pl.col("size"),
        costs=(paid / pl.col("size")).log(),
        **{"yield": (pl.col("goutput") / pl.col("size")).log()},
        **{name: pl.col(name).log() for name in INPUTS},
    )


def compared(rows: pl.DataFrame) -> pl.DataFrame:
    """Regress each outcome on both regressors, within ever closer groups.

    Parameters
    ----------
    rows : polars.DataFrame
        As `farms` returns them.

    Returns
    -------
    polars.DataFrame
        outcome, regressor, compared (keys of `COMPARED`), estimate, ci_low, ci_high (per cent for
        logs, 100 (exp b − 1); kg per hectare for the margin), n_rows, n_farms, n_changed (farms
        whose regressor ever changes: all that the last comparison rests on), n_left (farms that
        have it in the first season and not in the last).

    Notes
    -----
    Least squares with indicators; intervals from errors clustered by farm, t with farms − 1 degrees
    (statsmodels). Changes are within village and season, so that weather and prices drop out.
    """
    found = []
    level = choices.load().level
    ordered = rows.sort("season").group_by("farm")
    changed = {
        name: ordered.agg(
            changed=pl.col(name).n_unique() > 1,
            left=(pl.col(name).first() == 1) & (pl.col(name).last() == 0),
        )
        .select(pl.col("changed", "left").sum())
        .row(0)
        for name in REGRESSORS
    }
    for outcome in OUTCOMES:
        for name, effects in _effects(rows).items():
            design = np.column_stack([rows.select(*REGRESSORS).to_numpy(), effects])
            fit = OLS(rows[outcome].to_numpy(), design).fit(
                cov_type="cluster", cov_kwds={"groups": rows["farm"].to_numpy()}, use_t=True
            )
            ends = fit.conf_int(1 - level)
            for place, regressor in enumerate(REGRESSORS):
                values = np.array([fit.params[place], *ends[place]])
                shown = values if outcome == "margin" else 100 * np.expm1(values)
                found.append(
                    (
                        outcome,
                        regressor,
                        name,
                        *(float(x) for x in shown),
                        rows.height,
                        rows["farm"].n_unique(),
                        *changed[regressor],
                    )
                )
    columns = (
        "outcome",
        "regressor",
        "compared",
        "estimate",
        "ci_low",
        "ci_high",
        "n_rows",
        "n_farms",
        "n_changed",
        "n_left",
    )
    return pl.DataFrame(found, schema=columns, orient="row").with_columns(
        pl.col(pl.Float64).round(DECIMALS)
    )


def _effects(rows: pl.DataFrame) -> dict[str, Floats]:
    """Return indicators of the groups inside which farms are compared."""
    cell = rows.select(pl.concat_str(pl.col("region"), pl.col("season").cast(pl.String)))
    # A village's indicators over all seasons add up to its farms': the first season's are left out.
    later = rows.select(pl.when(pl.col("season") > pl.col("season").min()).then(cell.to_series()))
    return {
        "season": _indicators(rows["season"]),
        "village": _indicators(cell.to_series()),
        "farm": np.column_stack([_indicators(later.to_series()), _indicators(rows["farm"])]),
    }


def _indicators(values: pl.Series) -> Floats:
    names = values.unique().drop_nulls().sort()
    return np.asarray(values.to_numpy()[:, None] == names.to_numpy()[None, :], np.float64)


def seasons(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each season's output at the same inputs, over the first season of its kind.

    Returns
    -------
    polars.DataFrame
        season, kind (``wet`` or ``dry``), bimas and new_seed (per cent of farms), output (per cent
        over the first season of the kind, same farm, same inputs; null for the first).

    Notes
    -----
    Log output on logs of `INPUTS`, farm and season effects. There is one weather a season, shared
    by all farms: such a difference has no interval, and better methods cannot be told from rain.
    """
    numbers = sorted(rows["season"].unique().to_list())
    later = _indicators(rows["season"])[:, 1:]
    design = np.column_stack([later, _indicators(rows["farm"]), rows.select(*INPUTS).to_numpy()])
    fit = OLS(rows["output"].to_numpy(), design).fit()
    level = dict(
        zip(numbers, [0.0, *(float(x) for x in fit.params[: later.shape[1]])], strict=True)
    )
    shares = (
        rows.group_by("season")
        .agg(*(pl.col(name).mean() * 100 for name in REGRESSORS))
        .sort("season")
    )
    first = {kind: number for number in reversed(numbers) for kind in [_kind(number)]}
    return (
        shares.with_columns(
            kind=pl.Series([_kind(number) for number in numbers]),
            output=pl.Series(
                [
                    None
                    if number in first.values()
                    else float(100 * np.expm1(level[number] - level[first[_kind(number)]]))
                    for number in numbers
                ],
                dtype=pl.Float64,
            ),
        )
        .select("season", "kind", *REGRESSORS, "output")
        .with_columns(pl.col(pl.Float64).round(DECIMALS))
    )


def _kind(season: int) -> str:
    return "wet" if season % 2 else "dry"


def stored() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the stored tables; see `compared` and `seasons`.

    Raises
    ------
    FaultsError
        If one is not there.
    """
    module = "analysis.answers.rice_farms"
    return stored_tables.read(FARMS, module), stored_tables.read(SEASONS, module)


def main() -> None:
    """Make both tables again and write them."""
    rows = farms()
    stored_tables.write(FARMS, compared(rows))
    stored_tables.write(SEASONS, seasons(rows))


if __name__ == "__main__":
    main()
