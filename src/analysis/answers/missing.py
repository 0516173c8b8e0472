"""What cannot be said, with the reason: a value like any other, so that no page ever breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from analysis.faults import FaultsError

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Missing:
    """Something that these data cannot show.

    Attributes
    ----------
    reason : str
        Why, as a sentence.

    Examples
    --------
    >>> Missing("The panel has one period.")._repr_markdown_()
    'Not shown: the panel has one period.'
    """

    reason: str

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError("say why it is missing")

    @property
    def sentence(self) -> str:
        """The reason, said as a sentence."""
        first, rest = self.reason[0], self.reason[1:]
        return f"Not shown: {first.lower()}{rest.removesuffix('.')}."

    def _repr_markdown_(self) -> str:
        return self.sentence


def attempt(make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Missing:
    """Return what a function makes, or why it cannot.

    Only what the rooms refuse in words is caught. Anything else is a mistake and goes on.

    Examples
    --------
    >>> from analysis.money import load
    >>> attempt(load().factor, 2020, 2020)
    Fraction(1, 1)
    >>> attempt(load().line_fen, "none", 2020)
    Missing(reason='no such poverty line (none)')
    """
    try:
        return make(*args, **kwargs)
    except FaultsError as error:
        return Missing(said(error))


def said(error: FaultsError) -> str:
    """Return the first fault of an error in words, without its remedy.

    Examples
    --------
    >>> from analysis.faults import Fault
    >>> said(FaultsError([Fault("effects", "no control is left", "wait", column="controls")]))
    'no control is left'
    """
    first = error.faults[0]
    return f"{first.problem} ({first.value})" if first.value else first.problem
