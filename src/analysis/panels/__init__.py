"""Household panels: the contract, the simulated model panel, public data, import of a survey.

Read in this order: `schemas` (columns, units, rules), `account` (rows read, used, left out),
`panel` (a folder of Parquet files that fits the schemas), `dictionary` (the printed contract),
`estimands` (how group-time effects are added up), `model` (simulated data, truth known).
"""
