"""The record of each number, figure and table that a page shows.

A notebook notes a result on its `Page`; the `Finding` it gets back prints itself inline, with a
link to its record. When a notebook has run, the pipeline asks `export_json` for the records; they
end up in ``reports/findings.csv`` and on the findings page, and `compare` says what moved.
"""

from analysis.findings.digests import file_digest, frame_digest
from analysis.findings.page import Page, export_json, forget
from analysis.findings.record import Finding
from analysis.findings.table import COLUMNS, Moved, compare, read_csv, write_csv
from analysis.results.badge import TIERS

__all__ = [
    "COLUMNS",
    "TIERS",
    "Finding",
    "Moved",
    "Page",
    "compare",
    "export_json",
    "file_digest",
    "forget",
    "frame_digest",
    "read_csv",
    "write_csv",
]
