"""What cells are to be made: programme, outcomes, handling of households not always seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from analysis.cells.outcomes import Measured, Outcome, Transform, standard

Level = Literal["household", "village", "auto"]
Handling = Literal["balanced", "pairs", "cross_sections"]
Unit = Literal["household", "person"]
HANDLINGS: Final = {
    "balanced": "households seen in every period",
    "pairs": "each comparison of two periods uses the households seen in both",
    "cross_sections": "every household seen in a period, whoever they are",
}
MOST_PROGRAMMES: Final = 2
"""Programmes that cells tell apart at once."""
MOMENTS: Final = ("untreated", "all")
SECOND: Final = {
    "change": "squares of incomes and of their changes between every two periods",
    "dose": "the dose of participation, its square, its products with incomes and changes",
    "lin": "baseline covariates, their products with each other, with incomes and with changes",
}
"""Second moments that cells can carry; see `analysis.cells.second_moments`."""


@dataclass(frozen=True)
class CellsDesign:
    """What cells are to be made.

    Attributes
    ----------
    programmes : tuple of str
        One programme; or two, and the key is the pair of cohorts (column `cohort_2`).
    level : str
        Whose first period makes the cohort: ``household`` or ``village``; ``auto`` takes the one
        level at which the panel has the programme.
    outcomes : tuple of Outcome
        What is added up.
    handling : str
        One of `HANDLINGS`.
    stratum : str
        Baseline column of the households that is the stratum; empty: one stratum, ``all``.
    unit : str
        ``household``, or ``person``: every household counts as its baseline members.
    anticipation : int
        Periods before the first one in which the programme may already act, for `pairs` and
        `inverse`: the base is cohort − 1 − anticipation.
    inverse : tuple of str
        Inverse-count pair moments: ``untreated`` (imputation), ``all`` (two-way fixed effects).
    moments : tuple of str
        Second moments, of `SECOND`; none by default. They stay with the cells: no pack has them.
    covariates : tuple of str
        Baseline columns of the households, numbers, for the moments ``lin``.
    periods : tuple of int or None
        First and last period to use; None for all.
    price_series : str
        Price index of ``prices.csv`` for real outcomes and lines, in place of the panel's own.
    control_villages : str
        Of a pack, never declared: villages are told apart by whether (``never``) or when
        (``not_yet``) anybody in them is first treated, so that controls in other villages follow.
    disclosure : bool
        Whether to note the absolute values and largest households that a pack is checked by.

    Examples
    --------
    >>> design = CellsDesign(("training",))
    >>> [outcome.name for outcome in design.outcomes], design.handling
    (['wage', 'business', 'property', 'transfer', 'total'], 'balanced')
    """

    programmes: tuple[str, ...]
    level: Level = "auto"
    outcomes: tuple[Outcome, ...] = field(default_factory=standard)
    handling: Handling = "balanced"
    stratum: str = "stratum"
    unit: Unit = "household"
    anticipation: int = 0
    inverse: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    periods: tuple[int, int] | None = None
    price_series: str = ""
    control_villages: Literal["", "never", "not_yet"] = ""
    disclosure: bool = False

    def __post_init__(self) -> None:
        names = [outcome.name for outcome in self.outcomes]
        for wrong, problem in (
            (
                not 1 <= len(set(self.programmes)) == len(self.programmes) <= MOST_PROGRAMMES,
                "name one programme, or two different ones",
            ),
            (not names, "name at least one outcome"),
            (len(set(names)) < len(names), f"two outcomes have one name: {', '.join(names)}"),
            (self.level not in ("household", "village", "auto"), f"no level {self.level!r}"),
            (
                self.handling not in HANDLINGS,
                f"handling {self.handling!r} is none of {', '.join(HANDLINGS)}",
            ),
            (self.unit not in ("household", "person"), f"no unit {self.unit!r}"),
            (self.anticipation < 0, "anticipation is less than no period"),
            (
                not set(self.inverse) <= set(MOMENTS),
                f"inverse-count moments are {', '.join(MOMENTS)}",
            ),
            (not set(self.moments) <= set(SECOND), f"second moments are {', '.join(SECOND)}"),
            (
                ("lin" in self.moments) != bool(self.covariates),
                "the moments lin and covariates are named together or not at all",
            ),
            (
                "dose" in self.moments and len(self.programmes) > 1,
                "the moments dose are of one programme",
            ),
            (
                self.periods is not None and self.periods[0] >= self.periods[1],
                "the last period is not after the first",
            ),
        ):
            if wrong:
                raise ValueError(problem)

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that make a cell, without the period."""
        return ("village", "cohort", *(["cohort_2"] if len(self.programmes) > 1 else []), "stratum")

    def outcome(self, name: str) -> Outcome:
        """Return an outcome by its name.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        for outcome in self.outcomes:
            if outcome.name == name:
                return outcome
        raise KeyError(f"no outcome {name}; there are {', '.join(o.name for o in self.outcomes)}")

    def as_dict(self) -> dict[str, Any]:
        """Return the design as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CellsDesign:
        """Read what `as_dict` wrote, through JSON or not.

        Examples
        --------
        >>> design = CellsDesign(("training",), periods=(2012, 2015))
        >>> CellsDesign.from_dict(design.as_dict()) == design
        True
        """
        outcomes = tuple(
            Outcome(
                **{
                    **o,
                    "transform": Transform.from_dict(o["transform"]) if o["transform"] else None,
                    "measured": Measured(
                        **{**o["measured"], "bounds": tuple(o["measured"]["bounds"])}
                    ),
                }
            )
            for o in values["outcomes"]
        )
        periods = tuple(values["periods"]) if values["periods"] else None
        return cls(
            **{
                **values,
                "outcomes": outcomes,
                "periods": periods,
                "programmes": tuple(values["programmes"]),
                **{
                    name: tuple(values.get(name, ()))
                    for name in ("inverse", "moments", "covariates")
                },
            }
        )
