"""The record of each number, figure and table that a page shows.

`recorder` notes them while a notebook runs for the site; they end up in ``reports/findings.csv``
and on the findings page, and `compare` says what moved.
"""

from analysis.findings.digests import frame_digest
from analysis.findings.record import Finding
from analysis.findings.table import COLUMNS, Moved, compare, read_csv, write_csv
from analysis.results.badge import TIERS

__all__ = [
    "COLUMNS",
    "TIERS",
    "Finding",
    "Moved",
    "compare",
    "frame_digest",
    "read_csv",
    "write_csv",
]
