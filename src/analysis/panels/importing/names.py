"""Names of households, villages and strata that an import would merge: refused, not merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import polars as pl

from analysis.columns import refuse_merged
from analysis.faults import Fault, FaultsError
from analysis.panels.importing import convert
from analysis.panels.importing.mapping import Cell, SurveyMap

if TYPE_CHECKING:
    from analysis.panels.importing.staging import Staged

OF_HOUSEHOLDS: Final = ("village", "stratum", "primary_sampling_unit", "design_stratum")
OF_VILLAGES: Final = ("county", "prefecture")
SINGLE: Final = ("float", "Float32")
"""Types of numbers with few digits, as Stata and Parquet call them."""
DOUBLE: Final = ("double", "Float64")


def cells_of(survey: SurveyMap, file: str) -> tuple[Cell, ...]:
    """Return the cells of a file that tell units apart."""
    keys = [c for f in survey.files if f.id == file for c in (f.keys, f.person) if c is not None]
    fields = [c for name in OF_HOUSEHOLDS for c in survey.household.get(name, ())]
    fields += [c for name in OF_VILLAGES for c in survey.village.get(name, ())]
    return (*keys, *(c for c in fields if file in c.files))


def too_few_digits(survey: SurveyMap, staged: Staged) -> Iterator[Fault]:
    """Yield a fault for each column of names with more digits than its type holds."""
    types = {c.name: c.type for c in staged.source.columns}
    waves = staged.file.waves or ("",)
    columns = {
        name
        for cell in cells_of(survey, staged.file.id)
        for wave in waves
        for name in convert.columns_of(cell, wave)
    }
    for name in sorted(columns):
        kind = types.get(name, "")
        if kind not in (*SINGLE, *DOUBLE):
            continue
        dtype = pl.Float32 if kind in SINGLE else pl.Float64
        number = pl.col(name).cast(pl.Float64, strict=False)
        widest = staged.frame.select(number.abs().max()).collect(engine="streaming")[name]
        try:
            refuse_merged(widest.cast(dtype), staged.source.path.name)
        except FaultsError as error:
            yield from error.faults


def of_one_label(survey: SurveyMap, staged: Staged) -> Iterator[Fault]:
    """Yield a fault for each label that two codes of the file have, where labels tell units apart.

    Codes for no answer do not count, nor do codes that no row has.
    """
    for cell in cells_of(survey, staged.file.id):
        waves = (staged.file.waves or ("",)) if cell.labels else ()
        for name in {c for wave in waves for c in convert.columns_of(cell, wave)}:
            labels = staged.context.labels.get(name, {})
            shared = _shared(labels)
            if not shared:
                continue
            none = {*staged.file.missing, *cell.missing}
            seen = set(staged.frame.select(pl.col(name).unique()).collect()[name]) - none
            for label, codes in shared.items():
                here = [code for code in codes if code in seen]
                if len(here) > 1:
                    yield Fault(
                        staged.source.path.name,
                        f"codes {' and '.join(here)} have one label and would become one",
                        f"read the codes: take labels = true out of {cell.key} in the map",
                        column=name,
                        value=label,
                    )


def _shared(labels: Mapping[str, str]) -> dict[str, list[str]]:
    codes: dict[str, list[str]] = {}
    for code, label in labels.items():
        codes.setdefault(label, []).append(code)
    return {label: found for label, found in codes.items() if len(found) > 1}
