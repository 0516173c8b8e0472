"""Effects on income from cells: group-time effects and their sums, and two cross-checks.

Read in this order: `layout` (cells to arrays), `table` (the arrays), `contrast` (one comparison of
two periods), `group_time`, `aggregate`, `record`, `result`; `few_villages` (tests that hold with
few), `families` (many estimates), `relative` (per cent), `exposure` (dose bins, neighbours), `dose`
(effect per unit of dose), `survey` (errors by sampling unit); then `projection` (household effects
taken out of cells), `imputation`, `two_way`, `bacon`.
"""
