"""What a simulated panel is asked to be: sizes, periods, seed, and which difficulties it has."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Final

import numpy as np

from analysis.faults import Fault, raise_if_any
from analysis.panels.model.draws import Integers

MOST_PER_VILLAGE: Final = 100_000
"""A village is simulated in one piece, so this bounds memory."""
MOST_HOUSEHOLDS: Final = 10**8
MOST_VILLAGES: Final = 10**6
"""Names have eight and six digits, so that their order as text is the order of the numbers."""
DEFAULT_CHUNK: Final = 20_000
"""Households per piece: large enough for vectors, small enough for a laptop."""


@dataclass(frozen=True)
class Switches:
    """The difficulties of a panel, each on or off.

    Attributes
    ----------
    selection_level : bool
        Who takes part depends on the level of income.
    selection_trend : bool
        Who takes part depends on the trend of income.
    dip : bool
        Wages of those who will be trained are low in the year before.
    anticipation : bool
        Some effects begin in the year before.
    spillover : bool
        Participation of others in the village moves a household's income.
    bundling : bool
        Programmes come together.
    coverage : bool
        Programmes said to reach everyone do.
    attrition : bool
        Households leave the survey, or leave the data with the register of the poor.
    missing : bool
        Single answers are missing.
    heaping : bool
        Answers are rounded.
    misreporting : bool
        Villages just below the floor of collective income report that they reach it.
    """

    selection_level: bool = False
    selection_trend: bool = False
    dip: bool = False
    anticipation: bool = False
    spillover: bool = False
    bundling: bool = False
    coverage: bool = False
    attrition: bool = False
    missing: bool = False
    heaping: bool = False
    misreporting: bool = False

    def as_dict(self) -> dict[str, bool]:
        """Return the switches by name."""
        return asdict(self)


VARIANTS: Final = {
    "clean": Switches(),
    "realistic": Switches(**{field.name: True for field in fields(Switches)}),
}
ALONE: Final = {field.name: Switches(**{field.name: True}) for field in fields(Switches)}
"""One difficulty each, by the name of its switch."""


@dataclass(frozen=True)
class Settings:
    """A simulation.

    Attributes
    ----------
    households, villages : int
        How many.
    periods : tuple of int
        First and last calendar year.
    seed : int
        Every number of the panel follows from it, whatever the chunks.
    variant : str
        ``clean``, ``realistic``, one of `ALONE`, or a name for other switches.
    switches : Switches
        Difficulties of the panel.
    chunk : int
        Households simulated at once, rounded up to whole villages.

    Examples
    --------
    >>> Settings(100, 10, (2012, 2014), 1).years.tolist()
    [2012, 2013, 2014]
    >>> Settings(5, 10, (2014, 2012), 1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    analysis.faults.FaultsError: simulate [households] '5': fewer households than villages; ...
    """

    households: int
    villages: int
    periods: tuple[int, int]
    seed: int
    variant: str = "clean"
    switches: Switches = Switches()
    chunk: int = DEFAULT_CHUNK

    def __post_init__(self) -> None:
        checks = [
            (
                "households",
                self.households,
                self.households < self.villages,
                "fewer households than villages",
                "ask for more households",
            ),
            (
                "villages",
                self.villages,
                self.villages < 2,
                "fewer than two villages",
                "ask for two or more",
            ),
            (
                "villages",
                self.villages,
                self.households > self.villages * MOST_PER_VILLAGE,
                "villages too large",
                f"ask for at most {MOST_PER_VILLAGE} households a village",
            ),
            (
                "households",
                self.households,
                self.households > MOST_HOUSEHOLDS,
                "too many households",
                f"ask for at most {MOST_HOUSEHOLDS}",
            ),
            (
                "villages",
                self.villages,
                self.villages > MOST_VILLAGES,
                "too many villages",
                f"ask for at most {MOST_VILLAGES}",
            ),
            (
                "periods",
                self.periods,
                self.periods[1] <= self.periods[0],
                "the last period is not after the first",
                "write first:last",
            ),
            (
                "seed",
                self.seed,
                not 0 <= self.seed < 2**63,
                "not a seed",
                "use a whole number of 0 or more, of less than 64 bits",
            ),
            ("chunk", self.chunk, self.chunk < 1, "not a number of households", "use 1 or more"),
        ]
        raise_if_any(
            Fault("simulate", problem, remedy, column=column, value=str(value))
            for column, value, wrong, problem, remedy in checks
            if wrong
        )

    @property
    def years(self) -> Integers:
        """Calendar years, shape (t,)."""
        return np.arange(self.periods[0], self.periods[1] + 1, dtype=np.int64)

    def as_dict(self) -> dict[str, object]:
        """Return what determines the panel, for JSON; chunks do not."""
        return {
            "households": self.households,
            "villages": self.villages,
            "periods": list(self.periods),
            "seed": self.seed,
            "variant": self.variant,
            "switches": self.switches.as_dict(),
        }


def of_variant(
    variant: str,
    households: int,
    villages: int,
    periods: tuple[int, int],
    seed: int,
    chunk: int | None = None,
) -> Settings:
    """Return the settings of a named variant: clean, realistic, or one difficulty alone.

    Raises
    ------
    FaultsError
        If there is no such variant, or a setting is not legal.
    """
    named = {**VARIANTS, **ALONE}
    raise_if_any(
        []
        if variant in named
        else [
            Fault(
                "simulate",
                "no such variant",
                f"use one of: {', '.join(named)}",
                column="variant",
                value=variant,
            )
        ]
    )
    return Settings(
        households, villages, periods, seed, variant, named[variant], chunk or DEFAULT_CHUNK
    )
