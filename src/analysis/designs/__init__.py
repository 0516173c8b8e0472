"""Designs other than differences over time, from microdata: experiments, adjustment, cut-offs.

`frames` and `sample` (rows checked and counted), `joint` (coefficients with their joint
covariance), then `randomised`, `adjusted`, and the estimators behind them.
"""
