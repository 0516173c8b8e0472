"""What a pack must satisfy by itself: nothing undeclared, enough villages, no count of few."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from analysis.cells.declaration import Declaration, Rules, not_its_cells
from analysis.cells.outcome_rules import fault
from analysis.cells.pack_estimates import Covariance, Estimated
from analysis.cells.parameters import parameters
from analysis.cells.result import Cells
from analysis.faults import Fault


def not_declared(
    cells: Cells, declared: Declaration, estimated: Estimated | None
) -> Iterator[Fault]:
    """Yield what is in the pack and was not declared."""
    yield from not_its_cells(cells.design, declared)
    known = {(e.name, outcome) for e in declared.estimands for outcome in e.outcomes}
    points = estimated.points if estimated else ()
    for name in sorted({(p.estimand, p.outcome) for p in points} - known):
        yield Fault(
            "pack",
            "an estimate that was not declared",
            "declare it in a new file",
            column="estimand",
            value=" of ".join(name),
        )


def smallest_village(cells: Cells) -> int:
    """Return the households of the smallest village."""
    sizes = cells.ever.group_by("village").agg(pl.col("n_ever").sum())["n_ever"]
    return int(sizes.min() or 0)  # type: ignore[arg-type]


def too_few_villages(
    covariance: Covariance | None, rules: Rules, same: set[str], carried: int
) -> Iterator[Fault]:
    """Yield the estimates of too few villages, with what the matrix carries counted in.

    Parameters
    ----------
    covariance : Covariance or None
        What the pack carries; nothing is asked of a pack without one.
    rules : Rules
        The smallest numbers.
    same : set of str
        Estimands with controls of the same village: their points do not follow from totals.
    carried : int
        Rank of what earlier releases carry, and of such points.
    """
    for point in covariance.points if covariance else ():
        fewest = min(point.n_villages_treated, point.n_villages_control)
        alone = point.estimand in same
        least = carried + parameters().residual_degrees if alone else rules.min_villages
        if fewest < least:
            yield fault(
                "villages",
                f"fewer than {least} villages in an arm",
                "leave the estimate out",
                f"{point.estimand} of {point.outcome}",
            )


def account_of(cells: Cells, least: int) -> dict[str, object]:
    """Return the account; a small number of rows left out is not told."""
    left = {
        reason: n if n >= least else f"fewer than {least}"
        for reason, n in cells.account.left_out.items()
        if n
    }
    return {"rows_used": cells.account.rows_used, "left_out": left}
