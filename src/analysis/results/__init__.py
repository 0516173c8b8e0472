"""What every estimate is: numbers that know where they come from, tables, figures, files."""

from analysis.results.number import Effect, Number, Range, Recorded, Word, keep, number
from analysis.results.provenance import FrameDigest, Provenance
from analysis.results.result import Account, Comparison, Result
from analysis.results.table import ResultTable, table

__all__ = [
    "Account",
    "Comparison",
    "Effect",
    "FrameDigest",
    "Number",
    "Provenance",
    "Range",
    "Recorded",
    "Result",
    "ResultTable",
    "Word",
    "keep",
    "number",
    "table",
]
