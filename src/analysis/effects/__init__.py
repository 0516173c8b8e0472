"""Effects on income from cells: group-time effects and their sums, and two cross-checks.

Read in this order: `table` (cells as arrays), `contrast` (one comparison of two periods),
`group_time`, `aggregate`, `result`; then `projection` (household effects taken out of cells),
`imputation`, `two_way`, `bacon`.
"""
