"""Take a reference distribution from a panel, and make outcomes of recentred influence at it.

It needs a reading of the incomes of its own, so cells of such outcomes come in a second pass::

    frozen = recentred.reference(panel, programme="training", periods=(2012, 2013))
    build(panel, CellsDesign(("training",), outcomes=recentred.outcomes(frozen)))
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from analysis.cells.design import Unit
from analysis.cells.engines import affinity
from analysis.cells.outcomes import Outcome, Per, Transform
from analysis.cells.reference import Reference
from analysis.faults import Fault, FaultsError
from analysis.panels import schemas
from analysis.panels.panel import Panel
from analysis.panels.prices import Prices

SHARES = (0.1, 0.5, 0.9)
KNOTS = 50
"""Incomes at which the Gini's H is kept; the tests measure what is lost between them."""
Floats = npt.NDArray[np.float64]


def reference(
    panel: Panel,
    *,
    periods: tuple[int, ...],
    programme: str = "",
    source: str = "total",
    per: Per = "head",
    real: int | None = None,
    unit: Unit = "household",
    shares: tuple[float, ...] = SHARES,
    knots: int = KNOTS,
    price_series: str = "",
) -> Reference:
    """Freeze the distribution of an income.

    Parameters
    ----------
    panel : Panel
        Read by Polars; one column of the rows that count is held in memory.
    periods : tuple of int
        Periods whose incomes count, such as those before any treatment.
    programme : str
        Only households that never have it count; empty: every household.
    source, per, real
        Income, as of an outcome.
    unit : str
        ``person``: a household counts as its members at baseline, as in a design whose unit is
        person.
    shares : tuple of float
        Quantiles, in (0, 1).
    knots : int
        At most so many incomes at which the Gini's H is exact.
    price_series : str
        As of a design.

    Raises
    ------
    FaultsError
        If no row counts, or the mean is not above zero.
    ValueError
        If a share is not inside (0, 1), or there are fewer than two knots.
    """
    if not all(0 < share < 1 for share in shares) or knots < 2:
        raise ValueError("shares lie between 0 and 1, and two knots at least")
    income, weight = _incomes(panel, periods, programme, source, per, real, unit, price_series)
    if not income.size or not float(weight @ income) > 0:
        problem = "no income counts" if not income.size else "the mean income is not above zero"
        raise FaultsError(
            [
                Fault(
                    "income.parquet",
                    problem,
                    "take other periods or households",
                    column=source,
                    value=", ".join(map(str, periods)),
                )
            ]
        )
    order = np.argsort(income, kind="stable")
    y, w = income[order], weight[order] / weight.sum()
    reached = np.cumsum(w)
    at = [
        float(y[min(int(np.searchsorted(reached, share * (1 - 1e-12))), y.size - 1)])
        for share in (*shares, 0.25, 0.75)
    ]
    mean = float(w @ y)
    spread = float(np.sqrt(w @ (y - mean) ** 2))
    size = 1 / float(w @ w)
    width = 0.9 * min(spread, (at[-1] - at[-2]) / 1.349 or spread) * size**-0.2
    if width <= 0:
        raise FaultsError(
            [
                Fault(
                    "income.parquet",
                    "every income is the same",
                    "take other periods",
                    column=source,
                )
            ]
        )
    quantiles = tuple(
        (share, q, _density(y, w, q, width)) for share, q in zip(shares, at, strict=False)
    )
    who = f"households never in {programme}" if programme else "every household"
    hinges, gini = _hinges(y, w, mean, knots)
    return Reference(
        source, per, real, unit, who, tuple(periods), y.size, width, quantiles, mean, gini, hinges
    )


def outcomes(frozen: Reference, *, gini: bool = True) -> tuple[Outcome, ...]:
    """Return an outcome for each quantile of a reference, and for the Gini index.

    Examples
    --------
    >>> frozen = Reference("total", "head", 2020, "household", "every household", (2012,), 9, 1.0,
    ...                    ((0.5, 100.0, 0.01),), 120.0, 0.3, ((0.0, 1.0),))
    >>> [(outcome.name, outcome.unit.split(",")[0]) for outcome in outcomes(frozen)]
    [('total_q50', 'fen/heads/years'), ('total_gini', 'index')]
    """
    names = [(f"q{100 * share:g}".replace(".", "_"), share) for share, *_ in frozen.quantiles]
    entries = [
        (name, Transform("rif_quantile", reference=frozen, share=share)) for name, share in names
    ]
    if gini:
        entries.append(("gini", Transform("rif_gini", reference=frozen)))
    return tuple(
        Outcome(f"{frozen.source}_{name}", frozen.source, frozen.per, frozen.real, transform)  # type: ignore[arg-type]
        for name, transform in entries
    )


def _incomes(
    panel: Panel,
    periods: tuple[int, ...],
    programme: str,
    source: str,
    per: str,
    real: int | None,
    unit: str,
    price_series: str,
) -> tuple[Floats, Floats]:
    """Return incomes and weights of the rows that count."""
    prices = Prices.of(panel, price_series)
    homes = panel.households.select("household", "village", "size_baseline", "weight")
    treated = panel.participation.filter(pl.col("programme") == programme)
    for level in ("household", "village"):
        those = treated.filter(pl.col("unit_level").cast(pl.String) == level)
        homes = homes.join(those.select(pl.col("unit").alias(level)), on=level, how="anti")
    income = schemas.total() if source == "total" else pl.col(source)
    value = income.cast(pl.Float64)
    if real is not None:
        factors = {t: float(prices.factor(t, real)) for t in periods}
        value = value * pl.col("period").replace_strict(factors, return_dtype=pl.Float64)
    if per == "head":
        value = value / pl.col("size_baseline")
    weight = pl.col("weight") * (pl.col("size_baseline") if unit == "person" else 1)
    rows = panel.income.filter(pl.col("complete"), pl.col("period").is_in(list(periods)))
    frame = rows.join(homes, on="household").select(y=value, w=weight).collect(engine=affinity())
    return frame["y"].to_numpy(), frame["w"].cast(pl.Float64).to_numpy()


def _density(y: Floats, w: Floats, at: float, width: float) -> float:
    z = (y - at) / width
    return float(w @ np.exp(-(z**2) / 2) / (width * np.sqrt(2 * np.pi)))


def _hinges(
    y: Floats, w: Floats, mean: float, knots: int
) -> tuple[tuple[tuple[float, float], ...], float]:
    """Return H as hinges, and the Gini index: the mean of the exact H over the mean income."""
    reached, held = np.cumsum(w), np.cumsum(w * y)
    level = y * reached - held
    gini = float(w @ level) / mean
    distinct = np.flatnonzero(np.append(np.diff(y) > 0, True))
    if distinct.size > knots:
        # Equally many incomes between knots; the smallest and the largest are always there.
        distinct = distinct[np.linspace(0, distinct.size - 1, knots).round().astype(int)]
    at, height = y[distinct], level[distinct]
    slopes = np.append(np.diff(height) / np.diff(at), 1.0)
    changes = np.diff(slopes, prepend=0.0)
    return tuple(zip(at.tolist(), changes.tolist(), strict=True)), gini
