"""Reports of village collectives near the floor they are to reach: how many too many just above.

Counts of reports in equal bins of log income are set against a smooth curve drawn through the bins
away from the floor (Chetty et al. 2011). The curve is a Poisson regression on powers of log income.
What lies above it just over the floor is either real effort to get there or a report bent up to it:
the counts alone cannot tell which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import statsmodels.api as sm
from scipy import stats  # type: ignore[import-untyped]

from analysis.answers import choices
from analysis.answers.money_rules import Rules, rules
from analysis.faults import Fault, FaultsError
from analysis.inference.arrays import Booleans, Floats
from analysis.money import FEN_PER_YUAN
from analysis.panels.panel import Panel
from analysis.panels.views import FEN

LEAST = 30
"""Villages under which no curve is drawn: bins would hold one report or none."""


@dataclass(frozen=True)
class Near:
    """Reports near the floor.

    Attributes
    ----------
    bins : polars.DataFrame
        low, high (yuan a year), n (reports), curve (expected), left_out (of the curve).
    just_above, expected : float
        Reports from the floor to just above it, and what the curve has there.
    excess, std_error, ci_low, ci_high : float
        Reports too many just above; the error is a jackknife over villages.
    missing : float
        Reports too few below, in the bins left out of the curve.
    reach, reach_last : float
        Share of reports that reach the floor, per cent: of all periods, and of the last one.
    paid : float
        Yuan paid out to households per village and year.
    reported : float
        Mean net income as reported, yuan per village and year.
    n_villages, rows_in, rows_used : int
        Villages; village-years in the books, and in the bins.
    last : int
        Last period.
    """

    bins: pl.DataFrame
    just_above: float
    expected: float
    excess: float
    std_error: float
    ci_low: float
    ci_high: float
    missing: float
    reach: float
    reach_last: float
    paid: float
    reported: float
    n_villages: int
    rows_in: int
    rows_used: int
    last: int


@dataclass(frozen=True)
class Bent:
    """What the simulation knows of its own books.

    Attributes
    ----------
    raised : int
        Village-years that report the floor though they took in less.
    reach, reach_last : float
        Share that truly reach the floor, per cent: of all periods, and of the last one.
    """

    raised: int
    reach: float
    reach_last: float


def near_floor(panel: Panel, how: Rules | None = None) -> Near:
    """Set the reports near the floor against a smooth curve.

    Parameters
    ----------
    panel : Panel
        With books of village collectives in yuan.
    how : Rules, optional
        Those of ``data/parameters/money_rules.toml`` by default.

    Raises
    ------
    FaultsError
        If there are no books in yuan, or of too few villages, or none near the floor.
    """
    how = how or rules()
    books = panel.collective.collect().drop_nulls("net_income")
    if books.is_empty():
        _refuse("the panel has no books of village collectives")
    if panel.currency_unit != FEN:
        _refuse("the floor is in yuan, and the books are not")
    income = books["net_income"].to_numpy() / FEN_PER_YUAN
    edges, left_out = _edges(how)
    inside = (income >= edges[0]) & (income < edges[-1])
    villages, which = np.unique(books["village"].to_numpy()[inside], return_inverse=True)
    if villages.size < LEAST:
        _refuse(f"fewer than {LEAST} villages have books near the floor")
    place = np.searchsorted(edges, income[inside], side="right") - 1
    counts = np.zeros((villages.size, edges.size - 1))
    np.add.at(counts, (which, place), 1)
    at = int(np.argmin(np.abs(edges - how.floor)))
    total = counts.sum(axis=0)
    curve, start = _curve(total, edges, left_out, how)
    without = np.array([_curve(total - own, edges, left_out, how, start)[0] for own in counts])
    excess = total[at] - curve[at]
    each = (total[at] - counts[:, at]) - without[:, at]
    g = villages.size
    error = float(np.sqrt((g - 1) / g * ((each - excess) ** 2).sum()))
    half = float(stats.t.ppf((1 + choices.load().level) / 2, g - 1)) * error
    below = left_out.copy()
    below[at] = False
    last = int(books["period"].max())  # type: ignore[arg-type]
    return Near(
        bins=pl.DataFrame(
            {
                "low": edges[:-1],
                "high": edges[1:],
                "n": total.astype(np.int64),
                "curve": curve,
                "left_out": left_out,
            }
        ),
        just_above=float(total[at]),
        expected=float(curve[at]),
        excess=float(excess),
        std_error=error,
        ci_low=float(excess) - half,
        ci_high=float(excess) + half,
        missing=float((curve - total)[below].sum()),
        reach=_reach(income, how),
        reach_last=_reach(income[books["period"].to_numpy() == last], how),
        paid=float(books["paid_out"].fill_null(0).mean()) / FEN_PER_YUAN,  # type: ignore[arg-type]
        reported=float(income.mean()),
        n_villages=books["village"].n_unique(),
        rows_in=panel.collective.select(pl.len()).collect().item(),
        rows_used=int(inside.sum()),
        last=last,
    )


def bent(panel: Panel, true_books: pl.DataFrame, how: Rules | None = None) -> Bent:
    """Count the reports that a simulation bent up to the floor.

    Parameters
    ----------
    panel : Panel
        The simulated panel.
    true_books : polars.DataFrame
        village, period, true_net_income (fen), as `analysis.panels.current.true_books` gives it.
    how : Rules, optional
        Those of ``data/parameters/money_rules.toml`` by default.
    """
    how = how or rules()
    both = panel.collective.collect().join(
        true_books.select("village", "period", "true_net_income"), on=("village", "period")
    )
    floor = how.floor * FEN_PER_YUAN
    last = both.filter(pl.col("period") == pl.col("period").max())
    raised = both.filter(pl.col("true_net_income") < floor, pl.col("net_income") >= floor)
    return Bent(
        raised.height,
        _reach(both["true_net_income"].to_numpy() / FEN_PER_YUAN, how),
        _reach(last["true_net_income"].to_numpy() / FEN_PER_YUAN, how),
    )


def _edges(how: Rules) -> tuple[Floats, Booleans]:
    """Return the edges of the bins, yuan, the floor among them, and which bins are left out."""
    width = np.log1p(how.above)
    half = int(how.span / width)
    steps = np.arange(-half, half + 1)
    edges: Floats = how.floor * np.exp(steps * width)
    first = np.floor(np.log(how.below) / width)
    left_out: Booleans = (steps[:-1] >= first) & (steps[:-1] <= 0)
    return edges, left_out


def _curve(
    counts: Floats, edges: Floats, left_out: Booleans, how: Rules, start: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return expected counts of all bins from those not left out, and the coefficients."""
    middle = np.log(edges[:-1] * edges[1:]) / 2 - np.log(how.floor)
    x = np.vander(middle / how.span, int(how.degree) + 1)
    fit = sm.GLM(counts[~left_out], x[~left_out], family=sm.families.Poisson())
    found = fit.fit(start_params=start).params
    return np.exp(x @ found), found


def _reach(income: Floats, how: Rules) -> float:
    return float(100 * (income >= how.floor).mean())


def _refuse(problem: str) -> None:
    raise FaultsError([Fault("collective", problem, "add the books of the villages")])
