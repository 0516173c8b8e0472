"""Digests of what a finding rests on: files, folders, and the data of a figure or table."""

from __future__ import annotations

import hashlib

import polars as pl

from analysis import paths

DIGITS = 9
"""Significant digits of a table's numbers that enter its digest, for the same reason."""


def file_digest(name: str) -> str:
    """Return 12 digits of the sha256 of a file, or of a folder: its files' names and content."""
    target = paths.root() / name
    files = sorted(p for p in target.rglob("*") if p.is_file()) if target.is_dir() else [target]
    total = hashlib.sha256()
    for file in files:
        total.update(file.relative_to(paths.root()).as_posix().encode())
        total.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()[:12]


def frame_digest(data: pl.DataFrame) -> str:
    """Return 12 digits of the sha256 of a table, its floats at nine significant digits."""
    floats = [name for name, kind in data.schema.items() if kind.is_float()]
    rounded = data.with_columns(pl.col(floats).round_sig_figs(DIGITS)) if floats else data
    return hashlib.sha256(rounded.write_csv().encode()).hexdigest()[:12]
