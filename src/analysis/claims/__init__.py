"""Reported claims: the ledger, exact interval arithmetic over it, and what it implies.

Read in this order: `printed` (a number phrase becomes an interval), `units`, `intervals`,
`rational` and `expressions` (arithmetic), `ledger` (the files), `narrowing` (claims of one article
together), `relations` (verdicts), `implied` (yuan per household), `check` (all of it, as one
report).
"""
