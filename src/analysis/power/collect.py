"""What to collect for a study, and what makes each programme hard to study."""

from __future__ import annotations

from typing import Final

import polars as pl

from analysis import programmes
from analysis.panels import schemas

COLLECT: Final = (
    ("Who was offered, asked for and got the programme, and when", "participation", "first_period"),
    ("How much each got", "participation", "dose"),
    ("Wages of each year, before and after", "income", "wage"),
    ("Own farm, herd and trade, costs taken off", "income", "business"),
    ("Rent, shares and payouts", "income", "property"),
    ("Transfers, remittances apart from wages", "income", "transfer"),
    ("Who lived on the income that year", "income", "members_present"),
    ("Members before the programme", "households", "size_baseline"),
    ("Income before the programme", "households", "income_baseline_fen"),
    ("Whether on the register before the programme", "households", "registered_poor"),
    ("Stratum of the lot or of the comparison", "households", "stratum"),
    ("Village before the programme, kept if the household moves", "households", "village"),
    ("County of the village", "villages", "county"),
    ("Net income of the collective, from its books", "collective", "net_income"),
    ("What the collective paid out to households", "collective", "paid_out"),
)
"""What to collect, and the table and column of the contract that takes it."""


def checklist() -> pl.DataFrame:
    """Return what to collect, mapped to the contract's columns.

    Returns
    -------
    polars.DataFrame
        collect, column (``table.column``), unit, description.
    """
    rows = []
    for what, table, name in COLLECT:
        column = schemas.TABLES[table].columns()[name]
        rows.append(
            {
                "collect": what,
                "column": f"{table}.{name}",
                "unit": (column.metadata or {})["unit"],
                "description": column.description,
            }
        )
    return pl.DataFrame(rows)


def difficulties() -> pl.DataFrame:
    """Return per programme what makes it hard and the design that answers it."""
    catalogue = programmes.load().programmes.filter(pl.col("is_programme") == "yes")
    return catalogue.select("id", name="name_en", hard="hard", answer="identification")
