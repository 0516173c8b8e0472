"""How sure one is of a programme's effect on household income: one word, by stated rules."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from analysis.answers.choices import Choices
from analysis.studies.comparison import span
from analysis.studies.library import Library
from analysis.studies.pooling import Pooled
from analysis.studies.summary import TIBETAN

WORDS = ("no usable study", "very low", "low", "moderate", "high")
"""From no number known, which is not "no effect", to as sure as such evidence makes one."""


@dataclass(frozen=True)
class Certainty:
    """How sure, and of what.

    Attributes
    ----------
    word : str
        One of `WORDS`.
    of : str
        What one is sure of: ``a gain``, ``a loss``, ``little or nothing``; empty below moderate.
    n_lot : int
        Samples of people drawn by lot with a comparable estimate.
    n_samples : int
        Samples with a comparable estimate, however drawn.
    """

    word: str
    of: str
    n_lot: int
    n_samples: int

    @property
    def said(self) -> str:
        """The word, with what it is about.

        Examples
        --------
        >>> Certainty("moderate", "a gain", 3, 4).said, Certainty("low", "", 1, 4).said
        ('moderate: a gain', 'low')
        """
        return f"{self.word}: {self.of}" if self.of else self.word


def needs(least: str, small: str) -> dict[str, str]:
    """Return what each word of `WORDS` needs, as a sentence without its stop.

    Parameters
    ----------
    least, small : str
        `Choices.pooled_least` and `Choices.small` as printed.

    Examples
    --------
    >>> list(needs("3", "5")) == list(WORDS)
    True
    """
    return {
        "no usable study": "no study has a verified number on household income or spending of "
        "those whom the programme reaches; how large an effect is nobody knows, which is not "
        "“none”",
        "very low": "there are studies with a verified number on it, but none drew its people by "
        "lot",
        "low": "at least one study drew its people by lot, but no mean over studies is firm",
        "moderate": f"a mean over studies is firm: over {least} samples or more that were drawn by "
        f"lot, its interval leaving zero out, or within {small} per cent on both sides of it",
        "high": "a mean over studies is firm, and one of the studies is of Tibet or Diqing",
    }


def certainty(
    library: Library, pools: dict[str, Pooled], programme: str, chosen: Choices
) -> Certainty:
    """Say how sure one is of a programme's effect on household income or spending.

    The first rule that holds decides. *no usable study*: no comparable estimate. *very low*: no
    sample drawn by lot. *low*: one or more, but no pooled mean that is firm. *moderate*: a firm
    mean, of at least `Choices.pooled_least` samples drawn by lot, whose interval leaves zero out or
    lies within `Choices.small` per cent of it. *high*: that, and a comparable study of Tibet or
    Diqing. Nothing reported by the articles enters, and nothing simulated.

    Parameters
    ----------
    library : Library
        The studies.
    pools : dict of str to Pooled
        As `analysis.studies.pooling.all_pools` gives them.
    programme : str
        An id of the catalogue.
    chosen : Choices
        The thresholds.
    """
    near = span(library, programme)
    lot = near.filter(pl.col("design") == "randomised")["people"].n_unique()
    samples = near["people"].n_unique()
    mine = library.pools.filter(pl.col("programme") == programme)["id"]
    firm = [
        of
        for name in mine
        if name in pools and (of := finding(pools[name], chosen.pooled_least, chosen.small))
    ]
    local = near.filter(pl.col("place").str.contains(TIBETAN)).height > 0
    if firm:
        return Certainty("high" if local else "moderate", firm[0], lot, samples)
    word = WORDS[0] if near.is_empty() else "low" if lot else "very low"
    return Certainty(word, "", lot, samples)


def finding(pool: Pooled, least: int, small: float) -> str:
    """Say what a pooled mean settles; nothing if it settles nothing.

    Parameters
    ----------
    pool : Pooled
        A mean over samples drawn by lot, in per cent.
    least : int
        Samples that a firm mean needs.
    small : float
        Per cent within which an interval says that little happens.

    Examples
    --------
    >>> few = Pooled(2, 8.6, 2.8, -26.8, 44.1, 0.0, 0.2, 0.0, 0.2, None, None, ())
    >>> many = Pooled(6, 1.1, 1.1, -1.8, 4.0, 0.0, 0.2, 0.0, 0.2, None, None, ())
    >>> finding(few, 3, 5.0), finding(many, 3, 5.0)
    ('', 'little or nothing')
    """
    if pool.k < least:
        return ""
    if -small <= pool.ci_low and pool.ci_high <= small:
        return "little or nothing"
    if pool.ci_low > 0 or pool.ci_high < 0:
        return "a gain" if pool.ci_low > 0 else "a loss"
    return ""
