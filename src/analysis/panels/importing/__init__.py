"""Import of a household survey: files and a map in, a panel and its rejected rows out.

Read in this order: `mapping` (what a map can say), `mapfile` (reading it), `sources` and `text`
(reading files), `convert` (cells to values), `records` (rows to records), `assemble` (records to
tables), `staging` (bounded memory), `run` (the whole), `report` (the account), `starter` (a map to
start from).
"""

from analysis.panels.importing.report import ImportReport
from analysis.panels.importing.run import import_survey
from analysis.panels.importing.starter import init_map

__all__ = ["ImportReport", "import_survey", "init_map"]
