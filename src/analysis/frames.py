"""Frames of Polars, pandas and Arrow, taken as Polars without another package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl

from analysis.columns import SHOWN
from analysis.faults import Fault, FaultsError


def to_polars(data: Any) -> pl.DataFrame:
    """Return a frame of Polars, pandas or Arrow as a Polars frame.

    Parameters
    ----------
    data : frame
        Eager or lazy.

    Raises
    ------
    FaultsError
        If it is none of these.

    Examples
    --------
    >>> import pandas as pd
    >>> to_polars(pd.DataFrame({"year": pd.array([2015, None], dtype="Int64")}))["year"].to_list()
    [2015, None]
    """
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, pl.DataFrame):
        return data
    try:
        frame = nw.from_native(data, eager_only=True)
    except TypeError:
        remedy = "give a frame of Polars, pandas or Arrow, a panel, cells or a pack"
        raise FaultsError(
            [Fault("data", "not a frame", remedy, value=type(data).__name__)]
        ) from None
    if not frame.implementation.is_pandas_like():
        rows: pl.DataFrame = frame.to_polars()
        return rows
    return pl.DataFrame([_column(frame[name]) for name in frame.columns])


def _column(column: Any) -> pl.Series:
    """Return a column of pandas; types of its own go value by value: pyarrow is no dependency."""
    try:
        series: pl.Series = column.to_polars()
    except ImportError:
        values = column.to_native()
        series = pl.Series(column.name, values.astype(object).where(values.notna(), None).tolist())
    return series


def near_equal(names: Sequence[object]) -> list[tuple[str, ...]]:
    """Return names that agree but for case and blanks.

    Examples
    --------
    >>> near_equal(["v00", "V00 ", "v01"])
    [('V00 ', 'v00')]
    """
    alike: dict[str, list[str]] = {}
    for name in map(str, names):
        alike.setdefault("".join(name.split()).casefold(), []).append(name)
    return [tuple(sorted(group)) for group in alike.values() if len(group) > 1]


def nearly_agree(names: Sequence[object], column: str) -> list[str]:
    """Return what is said of names of a column that nearly agree, none or one line.

    Examples
    --------
    >>> nearly_agree(["v00", "V00 ", "v01"], "village")
    ["1 names of village nearly agree and are kept apart: 'V00 ' and 'v00'"]
    """
    near = near_equal(names)
    if not near:
        return []
    listed = "; ".join(" and ".join(map(repr, group)) for group in near[:SHOWN])
    return [f"{len(near):,} names of {column} nearly agree and are kept apart: {listed}"]
