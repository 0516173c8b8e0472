"""Uncertainty from the influence of villages: standard errors, bands, tests for few villages.

Everything here works on arrays with one row per village, the cluster of all inference. Who made
the arrays does not matter; `analysis.did.estimators` does.
"""
