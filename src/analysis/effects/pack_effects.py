"""Estimates of a pack: points, how they vary together, villages by arm, and no village row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.effects.estimates import CONVENTIONS, Convention, Estimates
from analysis.effects.record import About, Key
from analysis.inference import clusters
from analysis.inference.arrays import Booleans, Floats, Integers

NO_ERROR = "no interval: the pack carries no jackknife covariance of it"
COMBINED = "combination"


@dataclass(frozen=True, eq=False, repr=False)
class PackEffects(Estimates):
    """Estimates of a pack: k of them, with their joint covariance.

    Attributes
    ----------
    names : tuple of str
        The declared estimand behind each estimate; ``combination`` for what was added up here.
    keys : tuple of Key
        What each estimate is of.
    points : array, shape (k,)
        Estimates.
    parity : array, shape (k, k)
        Ψ′Ψ (CR0).
    reported : array, shape (k, k), or None
        Jackknife over villages (CV3); NaN for an estimate without, None if the pack has none.
    villages : array, shape (3, k)
        Villages treated, control, and used in any way.
    carried_degrees : array, shape (k,)
        Degrees of freedom of `reported` intervals.
    effective : array, shape (2, k)
        Effective clusters treated and control.
    households : tuple of two tuples
        Households treated and control; None where the totals do not tell.
    abouts : mapping of str to About
        What each declared estimand compares; `about` is that of the first.
    pack : str
        Name of the pack.
    untold : tuple of str
        Reasons for which too few rows were left out to be counted.
    about, convention, level, missing
        As in `Estimates`.
    """

    names: tuple[str, ...]
    keys: tuple[Key, ...]
    points: Floats
    parity: Floats
    reported: Floats | None
    villages: Integers
    carried_degrees: Floats
    effective: Floats
    households: tuple[tuple[int | None, ...], tuple[int | None, ...]]
    abouts: Mapping[str, About]
    about: About
    pack: str
    untold: tuple[str, ...] = ()
    convention: Convention = "reported"
    level: float = 0.95
    missing: tuple[tuple[Key, str], ...] = ()
    unasked: tuple[tuple[Key, str], ...] = ()

    def __post_init__(self) -> None:
        k = len(self.keys)
        shapes = {"points": (k,), "parity": (k, k), "villages": (3, k), "carried_degrees": (k,)}
        shapes |= {"effective": (2, k)}
        shapes |= {} if self.reported is None else {"reported": (k, k)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, not {shape}")

    def under(self, convention: Convention) -> PackEffects:
        """Return the same estimates with the intervals of another convention."""
        if convention not in CONVENTIONS:
            raise ValueError(f"convention {convention!r} is none of {', '.join(CONVENTIONS)}")
        return replace(self, convention=convention)

    @property
    def covariance(self) -> Floats:
        """Joint covariance by the convention, shape (k, k); NaN where there is no interval."""
        found = self._variances.copy()
        lost = self.no_village_varies
        if self.convention == "reported":
            lost = lost | self.too_few
        found[lost, :] = np.nan
        found[:, lost] = np.nan
        return found

    @property
    def _variances(self) -> Floats:
        if self.convention == "parity":
            return self.parity
        if self.reported is None:
            return np.full((len(self), len(self)), np.nan)
        return self.reported

    @property
    def no_village_varies(self) -> Booleans:
        """Where the variance is none but for rounding, shape (k,)."""
        return clusters.no_variance(np.diag(self.parity), np.abs(self.points))

    @property
    def effective_clusters(self) -> Floats:
        """Effective clusters treated and control, shape (2, k)."""
        return self.effective

    @property
    def village_covariance(self) -> Floats:
        """Ψ′Ψ, shape (k, k)."""
        return self.parity

    @property
    def max_leverage(self) -> Floats:
        """Not told, shape (k,): it would say how much of an arm the largest village is."""
        return np.full(len(self), np.nan)

    @property
    def reported_degrees(self) -> Floats:
        """Degrees of freedom of `reported` intervals, shape (k,)."""
        return self.carried_degrees

    @property
    def n_villages(self) -> tuple[Integers, Integers, Integers]:
        """Villages treated, control, and used in any way, shape (k,) each."""
        return self.villages[0], self.villages[1], self.villages[2]

    @property
    def n_households(self) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Households treated and control of each estimate; None where it is not told."""
        return self.households

    @property
    def notes(self) -> tuple[str, ...]:
        """Why an estimate has no interval; empty where it has one."""
        alone = np.isnan(np.diag(self.covariance))
        return self.reasons(alone, np.zeros(len(self), bool), NO_ERROR)

    def scaled(self, scale: Floats, about: About) -> PackEffects:
        """Return the estimates times a number each, shape (k,), in other units."""
        both = np.outer(scale, scale)
        abouts = {name: replace(one, units=about.units) for name, one in self.abouts.items()}
        return replace(
            self,
            points=self.points * scale,
            parity=self.parity * both,
            about=about,
            reported=None if self.reported is None else self.reported * both,
            abouts=abouts,
        )

    def at(self, index: Booleans | Integers) -> PackEffects:
        """Return some of the estimates, by number or mask."""
        chosen = np.arange(len(self))[index]
        square = np.ix_(chosen, chosen)
        return replace(
            self,
            points=self.points[chosen],
            parity=self.parity[square],
            names=tuple(self.names[k] for k in chosen),
            keys=tuple(self.keys[k] for k in chosen),
            reported=None if self.reported is None else self.reported[square],
            villages=self.villages[:, chosen],
            carried_degrees=self.carried_degrees[chosen],
            effective=self.effective[:, chosen],
            households=(
                tuple(self.households[0][k] for k in chosen),
                tuple(self.households[1][k] for k in chosen),
            ),
        )

    def estimand(self, name: str) -> PackEffects:
        """Return the estimates of one declared estimand, with what it compares.

        Raises
        ------
        KeyError
            If the pack has none of that name.
        """
        if name not in self.names:
            raise KeyError(f"no estimand {name}; there are {', '.join(dict.fromkeys(self.names))}")
        part = self.at(np.array([own == name for own in self.names], bool))
        return replace(part, about=self.abouts[name])

    def combine(self, weights: Floats, keys: Sequence[Key]) -> PackEffects:
        """Add estimates up with fixed weights.

        Points and the CR0 covariance are exact: those of the same combination made from cells. So
        is CV3 where one estimate uses all the villages of its combination; else its factor
        (G − 1)/G is that of the estimate with most villages, which is at most the combination's
        own, because a pack does not tell which villages two estimates share. Its degrees of
        freedom are the fewest of any estimate that enters. That weights were estimated, as shares
        of cohorts are, does not count.

        Parameters
        ----------
        weights : array, shape (m, k)
            Of each estimate in each combination.
        keys : sequence of Key, length m
            What the combinations are of.

        Returns
        -------
        PackEffects
            m estimates; households are not told, and villages by arm are the most of any estimate
            that enters.
        """
        inside = weights != 0
        most = np.array([[row[own].max(initial=0) for own in inside] for row in self.villages])
        reported = None
        if self.reported is not None:
            # An estimate without CV3 must only spoil the combinations that it enters.
            lost = np.isnan(np.diag(self.reported))
            own = _factor(self.villages[2])
            plain = np.where(np.outer(~lost, ~lost), self.reported / np.outer(own, own), 0.0)
            scale = _factor(most[2])
            reported = (weights @ plain @ weights.T) * np.outer(scale, scale)
            spoilt = (inside & lost).any(axis=1)
            reported[spoilt, :] = np.nan
            reported[:, spoilt] = np.nan
        fewest = [[row[own].min(initial=np.inf) for own in inside] for row in self.effective]
        degrees = [self.carried_degrees[own].min(initial=np.inf) for own in inside]
        untold = (None,) * len(keys)
        return replace(
            self,
            names=(COMBINED,) * len(keys),
            keys=tuple(keys),
            points=weights @ self.points,
            parity=weights @ self.parity @ weights.T,
            reported=reported,
            villages=most.astype(np.int64),
            carried_degrees=np.array(degrees),
            effective=np.array(fewest),
            households=(untold, untold),
            missing=(),
            abouts={COMBINED: self.about},
        )

    def describe(self) -> str:
        """Return in a sentence or two what was compared."""
        few = [f"left out, too few to be told: {reason}" for reason in self.untold]
        return "; ".join([f"pack {self.pack!r}: {super().describe()}", *few])


def _factor(villages: Integers) -> Floats:
    """Return √((G − 1)/G), the factor of CV3 on each side; NaN for less than two villages."""
    many = np.where(villages < 2, np.nan, villages)
    found: Floats = np.sqrt((many - 1) / many)
    return found
