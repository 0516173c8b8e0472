"""The designs of the Monte Carlo: which villages, which programme, which difficulty."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import dataframely as dy

from analysis import contract, paths
from analysis.faults import Fault, raise_if_any
from analysis.panels.model import Switches

KINDS = {
    "lot": "a village programme randomised to a fixed number of villages in each arm",
    "offered": "a programme as the model panel offers it, with the difficulty switched on",
}


class Designs(contract.Row):
    """One design."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name")
    kind = dy.Enum(list(KINDS), description="how treatment is given")
    required = dy.Enum(["yes", "no"], description="whether `reported` must keep its promise here")
    programme = dy.String(description="programme of the model panel")
    never = dy.Int64(min=1, nullable=True, description="never treated villages; kind lot")
    cohorts = dy.String(
        nullable=True,
        regex=r"^\d{4}:\d+(;\d{4}:\d+)*$",
        description="first treated period:villages, for each treated arm; kind lot",
    )
    switches = dy.String(nullable=True, description="difficulties; `all` for every one")
    villages = dy.Int64(min=2, description="villages of a draw")
    draws = dy.Int64(min=2, description="draws of a full run")
    what = dy.String(description="in words")


@dataclass(frozen=True)
class Design:
    """One design.

    Attributes
    ----------
    id, kind, programme, what : str
        Name; one of `KINDS`; programme of the model panel; in words.
    required : bool
        Whether `reported` intervals must keep their promise here.
    arms : tuple of (int, int)
        Cohort (0: never treated) and villages; empty unless treatment is randomised.
    switches : Switches
        Difficulties.
    villages, draws : int
        Villages of a draw, draws of a full run.
    """

    id: str
    kind: str
    programme: str
    what: str
    required: bool
    arms: tuple[tuple[int, int], ...]
    switches: Switches
    villages: int
    draws: int

    @property
    def smallest_arm(self) -> int:
        """Villages of the smallest arm; 0 unless treatment is randomised."""
        return min((n for _, n in self.arms), default=0)

    @property
    def switch(self) -> str:
        """Name of the difficulty, ``none`` or ``all``."""
        on = [name for name, there in self.switches.as_dict().items() if there]
        return "none" if not on else on[0] if len(on) == 1 else "all"


def load(file: Path | None = None) -> tuple[Design, ...]:
    """Read the designs, ``data/validation/designs.csv`` of the project by default.

    Raises
    ------
    FaultsError
        If a cell does not fit, arms do not add up to the villages, or a switch is unknown.
    """
    file = file or paths.data() / "validation" / "designs.csv"
    frame = contract.read(file, Designs)
    known = [field.name for field in fields(Switches)]
    designs, faults = [], []
    for row in frame.iter_rows(named=True):
        treated = [part.split(":") for part in (row["cohorts"] or "").split(";") if part]
        arms = ((0, row["never"]), *((int(g), int(n)) for g, n in treated)) if treated else ()
        names = known if row["switches"] == "all" else (row["switches"] or "").split(";")
        unknown = sorted(set(names) - {*known, ""})
        name = contract.project_name(file)
        if unknown:
            faults.append(
                Fault(
                    name,
                    "unknown switch",
                    f"use {', '.join(known)}",
                    row["line"],
                    "switches",
                    ", ".join(unknown),
                )
            )
            continue
        if (row["kind"] == "lot") != bool(arms) or sum(n for _, n in arms) not in (
            0,
            row["villages"],
        ):
            faults.append(
                Fault(
                    name,
                    "the arms do not add up to the villages",
                    "give never and cohorts for kind lot, and only there",
                    row["line"],
                    "cohorts",
                    row["cohorts"] or "",
                )
            )
        switches = Switches(**{switch: True for switch in names if switch})
        designs.append(
            Design(
                row["id"],
                row["kind"],
                row["programme"],
                row["what"],
                row["required"] == "yes",
                arms,
                switches,
                row["villages"],
                row["draws"],
            )
        )
    raise_if_any(faults)
    return tuple(designs)
