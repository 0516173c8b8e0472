"""Where the claims are from: the places they name, in both languages."""

from __future__ import annotations

import dataframely as dy

from analysis import contract

FILE = "places.csv"


class Places(contract.Row):
    """A place that claims name."""

    place = dy.String(primary_key=True, description="place as claims name it")
    name_zh = dy.String(nullable=False, description="name in Chinese")
