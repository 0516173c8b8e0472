"""The kinds of evidence as badges, printed in the text of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TIERS: Final[Mapping[str, str]] = {
    "reported": "Reported claim",
    "published": "Published study",
    "public": "Public microdata",
    "model": "Model panel (simulated, truth known)",
    "twin": "Synthetic twin (drawn from a survey, no truth known)",
    "yours": "Your data",
}
"""Kinds of evidence and what their badges say."""


@dataclass(frozen=True)
class Badge:
    """The badge of a kind of evidence, printed inline.

    Attributes
    ----------
    tier : str
        A key of `TIERS`.

    Examples
    --------
    >>> print(Badge("yours")._repr_markdown_())
    [Your data]{.badge .tier-yours}
    """

    tier: str

    def __repr__(self) -> str:
        return TIERS[self.tier]

    def _repr_markdown_(self) -> str:
        return f"[{TIERS[self.tier]}]{{.badge .tier-{self.tier}}}"
