"""The digest of the data of a figure or table."""

from __future__ import annotations

import hashlib

import polars as pl

DIGITS = 9
"""Significant digits of a table's numbers that enter its digest: sums differ in the last ones."""


def frame_digest(data: pl.DataFrame) -> str:
    """Return 12 digits of the sha256 of a table, its floats at nine significant digits."""
    floats = [name for name, kind in data.schema.items() if kind.is_float()]
    rounded = data.with_columns(pl.col(floats).round_sig_figs(DIGITS)) if floats else data
    return hashlib.sha256(rounded.write_csv().encode()).hexdigest()[:12]
