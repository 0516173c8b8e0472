"""What a programme is assumed to cost, how long an effect lasts, and what a yuan must bring.

None of the costs is an observation: each stands in ``data/parameters/`` with its unit, year, source
and status, as a range. A return is computed only from a pooled estimate whose rating allows it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from analysis import contract, paths, programmes
from analysis.faults import Fault, raise_if_any
from analysis.household.inputs import Given, Input, fault, read

Floats = NDArray[np.float64]
STATUSES: Final = ["assumption", "unverified", "found", "derived"]
PAYERS: Final = ["government", "village collective", "household", "firm"]
RATED: Final = ("high", "moderate")
"""Ratings that allow a distribution or a return; below, only a break-even is shown."""


class Assumed(contract.Row):
    """An assumed range: a low, a central and a high value."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z_]*$", description="name")
    what = dy.String(min_length=10, description="what it is")
    low = dy.Float64(description="low end")
    central = dy.Float64(description="value between, the most likely one")
    high = dy.Float64(description="high end")
    unit = dy.String(description="unit, as in the ledger")
    year = dy.Int64(min=1990, max=2040, description="year of its prices, or that it refers to")
    source = dy.String(min_length=5, description="where it comes from")
    status = dy.Enum(STATUSES, description="assumption, remembered and unverified, or found")

    @dy.rule()
    def the_range_is_not_in_order(cls) -> pl.Expr:
        """Require low, central and high in this order."""
        return (pl.col("low") <= pl.col("central")) & (pl.col("central") <= pl.col("high"))


class UnitCost(Assumed):
    """What one unit of a programme is assumed to cost, and who would pay."""

    programme = dy.String(description="programme of the catalogue")
    recurrence = dy.Enum(["once", "yearly"], description="paid once, or every year it runs")
    payer = dy.Enum(PAYERS, description="who would pay")


@dataclass(frozen=True)
class Assumptions:
    """Every assumed range and unit cost.

    Attributes
    ----------
    ranges, unit_costs : polars.DataFrame
        As `Assumed` and `UnitCost` say.
    """

    ranges: pl.DataFrame
    unit_costs: pl.DataFrame

    def input(self, name: str) -> Input:
        """Return an assumed range by its id."""
        return _input(self.ranges, "id", name)

    def cost(self, programme: str) -> Input:
        """Return the assumed cost of one unit of a programme.

        Raises
        ------
        FaultsError
            If none is assumed.
        """
        return _input(self.unit_costs, "programme", programme)


def _input(frame: pl.DataFrame, column: str, value: str) -> Input:
    rows = frame.filter(pl.col(column) == value)
    if rows.is_empty():
        remedy = f"give a number, or one of {', '.join(frame[column])}"
        raise fault(
            "cost" if column == "programme" else column, "nothing is assumed", remedy, value
        )
    row = rows.row(0, named=True)
    unit = row["unit"].replace("yuan/persons", "yuan a person")
    unit = unit.replace("yuan/households", "yuan a household")
    return Input(
        row["id"],
        row["what"],
        row["low"],
        row["central"],
        row["high"],
        unit.replace("yuan/villages", "yuan a village"),
        f"{row['source']} ({row['year']})",
    )


def load(folder: Path | None = None) -> Assumptions:
    """Read the assumptions.

    Parameters
    ----------
    folder : path, optional
        Where the files are; ``data/parameters`` of the project if left out.

    Raises
    ------
    FaultsError
        With every cell that does not fit, and every cost of an unknown programme.
    """
    return _load(folder or paths.data() / "parameters")


@cache
def _load(folder: Path) -> Assumptions:
    assumptions = Assumptions(
        contract.read(folder / "assumed_ranges.csv", Assumed),
        contract.read(folder / "unit_costs.csv", UnitCost),
    )
    raise_if_any(_faults(assumptions.unit_costs, contract.project_name(folder / "unit_costs.csv")))
    return assumptions


def _faults(costs: pl.DataFrame, file: str) -> Iterator[Fault]:
    known = set(programmes.load().programmes.filter(pl.col("is_programme") == "yes")["id"])
    seen: set[str] = set()
    for line, programme in costs.select("line", "programme").iter_rows():
        if programme not in known or programme in seen:
            problem = "unknown programme" if programme not in known else "a second cost"
            remedy = "write one row for a programme of the catalogue"
            yield Fault(file, problem, remedy, line, "programme", programme)
        seen.add(programme)


def cost_of(given: Given | str) -> Input:
    """Read a cost: a number or range in yuan, or a programme whose assumed cost is taken.

    Examples
    --------
    >>> cost_of("training").evidence, cost_of(2000).central
    ('assumed', 2000.0)
    """
    if isinstance(given, str):
        return load().cost(given)
    return read("cost", "cost of the programme", given, "yuan", least=0)


def times(years: Given | None, fading: Given | None, discount: Given | None) -> tuple[Input, ...]:
    """Return how long an effect is counted, how fast it fades, and the discount rate.

    What is not given is taken from ``data/parameters/assumed_ranges.csv``.
    """
    assumed = load()
    quantities = []
    for name, key, given, unit, most in (
        ("years", "lasting", years, "years", 100.0),
        ("fading", "fading", fading, "share a year", 1.0),
        ("discount", "discount", discount, "share a year", 1.0),
    ):
        default = assumed.input(key)
        if given is None:
            quantities.append(
                Input(
                    name,
                    default.what,
                    default.low,
                    default.central,
                    default.high,
                    unit,
                    default.source,
                )
            )
        else:
            quantities.append(read(name, default.what, given, unit, least=0, most=most))
    return tuple(quantities)


def annuity(years: Floats | float, fading: Floats | float, discount: Floats | float) -> Floats:
    r"""Return the present value of an effect of one yuan a year.

    Parameters
    ----------
    years : float or array
        Years in which the effect is counted, N.
    fading : float or array
        Part of the effect that is lost from one year to the next, f, 0 to 1.
    discount : float or array
        Real discount rate a year, r, above −1.

    Notes
    -----
    The cost falls at the start and the effect at the end of each year:
    :math:`\sum_{k=1}^{N} (1-f)^{k-1}/(1+r)^k = \frac{1}{1+r}\,\frac{1-q^N}{1-q}`,
    :math:`q=(1-f)/(1+r)`.

    Examples
    --------
    >>> float(annuity(2, 0, 0)), float(annuity(3, 1, 0.25)), float(annuity(2, 0.5, 0))
    (2.0, 0.8, 1.5)
    """
    years, fading, discount = (np.asarray(x, dtype=float) for x in (years, fading, discount))
    q = (1 - fading) / (1 + discount)
    flat = np.isclose(q, 1)
    below = np.where(flat, 0.5, q)
    series = np.where(flat, years, (1 - below**years) / (1 - below))
    return np.asarray(series / (1 + discount))


def corners(inputs: Sequence[Input]) -> dict[str, Floats]:
    """Return every combination of ends of inputs, by name, as arrays of one length."""
    grid = np.array(list(itertools.product(*(quantity.ends for quantity in inputs)))).T
    return {quantity.name: grid[k] for k, quantity in enumerate(inputs)}


def over_corners(
    formula: Callable[..., Any], inputs: Sequence[Input]
) -> tuple[float, float, float]:
    """Return a formula at every input's central value, with its least and largest corner.

    Parameters
    ----------
    formula : callable
        Of arrays named as the inputs; in each it only rises or only falls, whatever the others
        are, so that its extremes lie at combinations of ends.
    inputs : sequence of Input
        Independent of each other.

    Returns
    -------
    tuple of float
        Low, central, high.

    Examples
    --------
    >>> a, b = Input("a", "", 1, 2, 3, ""), Input("b", "", 1, 2, 4, "")
    >>> over_corners(lambda a, b: a / b, [a, b])
    (0.25, 1.0, 3.0)
    """
    ends = np.asarray(formula(**corners(inputs)), dtype=float)
    central = float(formula(**{quantity.name: np.asarray(quantity.central) for quantity in inputs}))
    return float(ends.min()), central, float(ends.max())
