"""The front door: what village programmes do to household income, from any frame to an effect.

Everything public is in `__all__`; a name is imported when it is first used, so that
``import analysis`` is fast.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.cells.interface import INCOME as INCOME
    from analysis.cells.interface import cells as cells
    from analysis.claims.reported import claims as claims
    from analysis.designs.adjusted import adjust as adjust
    from analysis.designs.quantiles import quantiles as quantiles
    from analysis.designs.randomised import rct as rct
    from analysis.designs.regression_discontinuity import rdd as rdd
    from analysis.designs.synthetic import synthetic as synthetic
    from analysis.did.declared import estimate as estimate
    from analysis.did.estimate import did as did
    from analysis.did.packs import pack as pack
    from analysis.did.packs import read_pack as read_pack
    from analysis.household.budget import household as household
    from analysis.panels.dataset import data as data
    from analysis.panels.dataset import data_sets as data_sets
    from analysis.panels.interface import import_survey as import_survey
    from analysis.panels.interface import read_panel as read_panel
    from analysis.panels.interface import simulate as simulate
    from analysis.panels.table_files import read_table as read_table
    from analysis.power.interface import power as power
    from analysis.results.number import keep as keep
    from analysis.results.number import number as number
    from analysis.results.plot import plot as plot
    from analysis.results.table import table as table
    from analysis.studies.by_programme import rating_legend as rating_legend
    from analysis.studies.estimates import studies as studies
    from analysis.studies.meta_analysis import pool as pool
    from analysis.studies.rating import rate as rate
    from analysis.welfare.interface import inequality as inequality
    from analysis.welfare.interface import poverty as poverty

_PLACES = {
    "INCOME": "analysis.cells.interface",
    "cells": "analysis.cells.interface",
    "claims": "analysis.claims.reported",
    "data": "analysis.panels.dataset",
    "data_sets": "analysis.panels.dataset",
    "did": "analysis.did.estimate",
    "estimate": "analysis.did.declared",
    "household": "analysis.household.budget",
    "import_survey": "analysis.panels.interface",
    "adjust": "analysis.designs.adjusted",
    "keep": "analysis.results.number",
    "number": "analysis.results.number",
    "pack": "analysis.did.packs",
    "plot": "analysis.results.plot",
    "read_pack": "analysis.did.packs",
    "read_panel": "analysis.panels.interface",
    "read_table": "analysis.panels.table_files",
    "simulate": "analysis.panels.interface",
    "rating_legend": "analysis.studies.by_programme",
    "rct": "analysis.designs.randomised",
    "quantiles": "analysis.designs.quantiles",
    "poverty": "analysis.welfare.interface",
    "inequality": "analysis.welfare.interface",
    "power": "analysis.power.interface",
    "pool": "analysis.studies.meta_analysis",
    "rate": "analysis.studies.rating",
    "studies": "analysis.studies.estimates",
    "rdd": "analysis.designs.regression_discontinuity",
    "synthetic": "analysis.designs.synthetic",
    "table": "analysis.results.table",
}
"""Where each public name is defined."""

__all__ = sorted(_PLACES)


class _FrontDoor(ModuleType):
    """Functions of the front door win over the rooms of the same name.

    Importing the room ``analysis.cells`` would put that module where `analysis.cells`, the
    function, stands; rooms are reached by ``from analysis.cells import …``.
    """

    def __getattr__(self, name: str) -> Any:
        if name in _PLACES:
            function = getattr(import_module(_PLACES[name]), name)
            self.__dict__[name] = function
            return function
        if name == "__version__":
            from importlib.metadata import version

            return version("village-programmes")
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _PLACES and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return [*__all__, "__version__"]


sys.modules[__name__].__class__ = _FrontDoor
