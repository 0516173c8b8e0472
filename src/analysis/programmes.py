"""The programmes as data: level, channels, dose, and what each article describes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dataframely as dy
import polars as pl

from analysis import contract, paths
from analysis.faults import Fault, raise_if_any

LEVELS = ["household", "village", "household or village", "context"]


class Programmes(contract.Row):
    """A programme, or a context that moderates programmes."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z_]*$", description="name in the code")
    name_en = dy.String(description="name in English")
    name_zh = dy.String(description="name in Chinese")
    level = dy.Enum(LEVELS, description="the unit that is treated")
    is_programme = dy.Enum(["yes", "no"], description="no: context or moderator")
    channels = dy.String(nullable=True, description="sources of income it can reach")
    dose_unit = dy.String(nullable=True, description="what more of it means")
    identification = dy.String(description="what would be needed to identify an effect")
    hard = dy.String(nullable=True, description="what makes that hard")


class Systems(contract.Row):
    """A system or procedure that an article describes."""

    id = dy.String(primary_key=True, regex=r"^SYS\d{2}$", description="name")
    source = dy.String(regex=r"^S\d$", description="the article")
    paragraph = dy.Int64(nullable=True, min=1, description="non-blank line of the article")
    programme = dy.String(description="programme or context it belongs to")
    name_zh = dy.String(description="name as printed")
    name_en = dy.String(description="name in English")
    description = dy.String(nullable=True, description="rule or procedure")
    numeric_parameter = dy.String(nullable=True, description="numbers it names")
    channel = dy.String(description="source of income it could touch")


class Designs(contract.Row):
    """How the effect of a programme is looked for in a household panel, fixed beforehand."""

    programme = dy.String(primary_key=True, regex=r"^[a-z][a-z_]*$", description="programme")
    controls = dy.Enum(["never", "not_yet"], description="never treated, or not yet treated too")
    where = dy.Enum(
        ["other_villages", "same_village", "anywhere"], description="where controls live"
    )
    anticipation = dy.Int64(
        min=0, max=5, description="years before the first in which incomes may already move"
    )
    handling = dy.Enum(
        ["balanced", "pairs", "cross_sections"], description="of households not always seen"
    )
    stratum = dy.String(description="baseline column within which households are compared")
    why = dy.String(description="why so")
    source = dy.String(description="where the reasons are from")
    status = dy.Enum(["found", "assumption"], description="found in a document, or chosen")


class Payments(contract.Row):
    """A payment that a programme makes to households, and the source of income it enters."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z_]*$", description="name in the code")
    name_zh = dy.String(description="name as printed")
    name_en = dy.String(description="name in English")
    programme = dy.String(description="programme it belongs to")
    channel = dy.Enum(
        ["wage", "business", "property", "transfer"], description="source of income it enters"
    )
    paid_for = dy.String(description="what it is paid for")
    replaces = dy.String(description="income that it may take the place of")
    source = dy.String(description="where this is from")
    status = dy.Enum(["found", "from_memory", "assumption"], description="how well it is known")


@dataclass(frozen=True)
class Catalogue:
    """Every programme, system and payment, and the design for each programme's effect."""

    programmes: pl.DataFrame
    systems: pl.DataFrame
    designs: pl.DataFrame
    payments: pl.DataFrame


def load(folder: Path | None = None) -> Catalogue:
    """Read the catalogue and check that systems and designs belong to programmes in it.

    Parameters
    ----------
    folder : Path, optional
        Where the files are; ``data/programmes`` of the project by default.

    Raises
    ------
    FaultsError
        With every cell or reference that does not fit.
    """
    folder = folder or paths.data() / "programmes"
    catalogue = Catalogue(
        contract.read(folder / "programmes.csv", Programmes),
        contract.read(folder / "systems.csv", Systems),
        contract.read(folder / "designs.csv", Designs),
        contract.read(folder / "payments.csv", Payments),
    )
    known = set(catalogue.programmes["id"])
    raise_if_any(
        Fault(
            contract.project_name(folder / file),
            "unknown programme",
            "use an id of programmes.csv",
            line,
            "programme",
            programme,
        )
        for file, table in (
            ("systems.csv", catalogue.systems),
            ("designs.csv", catalogue.designs),
            ("payments.csv", catalogue.payments),
        )
        for line, programme in table.select("line", "programme").iter_rows()
        if programme not in known
    )
    return catalogue
