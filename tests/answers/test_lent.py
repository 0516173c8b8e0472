"""Loans: income a year over what was lent; the principal is nowhere in it."""

from dataclasses import replace

import polars as pl
import pytest

from analysis.answers import estimates
from analysis.answers.design import design_of
from analysis.answers.lent import lent
from analysis.answers.missing import Missing
from analysis.faults import FaultsError

from .conftest import made

UNKNOWN = Missing("nobody knows")


def borrowing(unit):
    """Loans of 500 and 700 yuan from 2017 on; income rises by 160, 100 and that of others by 70."""
    flat = {2015: 100_000, 2016: 100_000}
    incomes = {"a1": {**flat, 2017: 116_000}, "b1": {**flat, 2017: 110_000}}
    other = {**flat, 2017: 107_000}
    incomes |= {"d1": other, "e1": other, "f1": other}
    panel = made(incomes, {"a1": 2017, "b1": 2017}, price_year=2020)
    loans = panel.participation.with_columns(
        programme=pl.lit("microcredit"), dose=pl.Series([500.0, 700.0]), dose_unit=pl.lit(unit)
    )
    return replace(panel, participation=loans)


def test_income_a_year_over_the_mean_loan():
    """((160 + 100)/2 − 70) over 600 yuan is a tenth."""
    panel = borrowing("yuan lent")
    design = design_of(panel, "microcredit")
    found = lent(panel, "microcredit", estimates.estimate(panel, design), UNKNOWN)
    assert found.loan == pytest.approx(600)
    assert found.n_borrowers == 2
    assert found.per_yuan == pytest.approx(60 / 600)
    assert found.truth is None


def test_a_dose_that_is_no_loan_is_refused():
    panel = borrowing("visits")
    found = estimates.estimate(panel, design_of(panel, "microcredit"))
    with pytest.raises(FaultsError, match="no loans"):
        lent(panel, "microcredit", found, UNKNOWN)
