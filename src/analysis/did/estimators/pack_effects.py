"""Estimates of a pack: points, how they vary together, villages by arm, and no village row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.did.estimators.estimates import Convention, Estimates
from analysis.did.estimators.record import About, Key
from analysis.faults import Fault, FaultsError
from analysis.inference.arrays import Booleans, Floats, Integers

NO_ERROR = "no interval: the pack tells no error of it"
COMBINED = "combination"
DIGITS = "errors, intervals and bands have the digits of the rounded covariance that the pack tells"


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
    reported : array, shape (k, k)
        Jackknife over villages (CV3), as its three digits say; NaN where it is not told.
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
    untold_errors : str
        Why an error or the covariance is not told.
    about, convention, level, missing
        As in `Estimates`.
    """

    names: tuple[str, ...]
    keys: tuple[Key, ...]
    points: Floats
    reported: Floats
    villages: Integers
    carried_degrees: Floats
    effective: Floats
    households: tuple[tuple[int | None, ...], tuple[int | None, ...]]
    abouts: Mapping[str, About]
    about: About
    pack: str
    untold: tuple[str, ...] = ()
    untold_errors: str = ""
    convention: Convention = "reported"
    level: float = 0.95
    missing: tuple[tuple[Key, str], ...] = ()
    unasked: tuple[tuple[Key, str], ...] = ()

    def __post_init__(self) -> None:
        k = len(self.keys)
        shapes = {"points": (k,), "reported": (k, k), "villages": (3, k), "carried_degrees": (k,)}
        shapes |= {"effective": (2, k)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, not {shape}")

    def under(self, convention: Convention) -> PackEffects:
        """Return the same estimates: a pack tells errors of one convention.

        Raises
        ------
        FaultsError
            If another is asked for.
        """
        if convention != "reported":
            problem = "a pack tells one covariance, that of the jackknife"
            remedy = "leave the convention out, or estimate from the cells"
            raise FaultsError([Fault("pack", problem, remedy, column="convention")])
        return self

    @property
    def covariance(self) -> Floats:
        """Joint covariance by the convention, shape (k, k); NaN where there is no interval."""
        values = self.reported.copy()
        values[self.too_few, :] = np.nan
        values[:, self.too_few] = np.nan
        return values

    @property
    def no_village_varies(self) -> Booleans:
        """Nowhere, shape (k,): an estimate that does not vary has no error in a pack."""
        return np.zeros(len(self), bool)

    @property
    def effective_clusters(self) -> Floats:
        """Effective clusters treated and control, shape (2, k)."""
        return self.effective

    @property
    def village_covariance(self) -> Floats:
        """The one that a pack has, that of the jackknife, shape (k, k)."""
        return self.reported

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
        why = f"{NO_ERROR}: {self.untold_errors}" if self.untold_errors else NO_ERROR
        return self.reasons(alone, np.zeros(len(self), bool), why)

    def scaled(self, scale: Floats, about: About) -> PackEffects:
        """Return the estimates times a number each, shape (k,), in other units."""
        both = np.outer(scale, scale)
        abouts = {name: replace(item, units=about.units) for name, item in self.abouts.items()}
        return replace(
            self,
            points=self.points * scale,
            about=about,
            reported=self.reported * both,
            abouts=abouts,
        )

    def at(self, index: Booleans | Integers) -> PackEffects:
        """Return some of the estimates, by number or mask."""
        chosen = np.arange(len(self))[index]
        square = np.ix_(chosen, chosen)
        return replace(
            self,
            points=self.points[chosen],
            names=tuple(self.names[k] for k in chosen),
            keys=tuple(self.keys[k] for k in chosen),
            reported=self.reported[square],
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

        Points are those of the same combination made from cells. Errors follow from the rounded
        covariance, so they are less exact where estimates nearly cancel, and there are none where
        the pack tells errors only. The factor (G − 1)/G is that of the estimate with most villages,
        which is at most the combination's own, because a pack does not tell which villages two
        estimates share. Degrees of freedom are the fewest of any estimate that enters. That weights
        were estimated, as shares of cohorts are, does not count.

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
        # What is not told must only spoil the combinations that it enters.
        own, scale = _factor(self.villages[2]), _factor(most[2])
        plain = np.nan_to_num(self.reported / np.outer(own, own))
        reported = (weights @ plain @ weights.T) * np.outer(scale, scale)
        untold = inside.astype(float) @ np.isnan(self.reported) @ inside.T.astype(float) > 0
        reported[untold] = np.nan
        fewest = [[row[own].min(initial=np.inf) for own in inside] for row in self.effective]
        degrees = [self.carried_degrees[own].min(initial=np.inf) for own in inside]
        households = (None,) * len(keys)
        return replace(
            self,
            names=(COMBINED,) * len(keys),
            keys=tuple(keys),
            points=weights @ self.points,
            reported=reported,
            villages=most.astype(np.int64),
            carried_degrees=np.array(degrees),
            effective=np.array(fewest),
            households=(households, households),
            missing=(),
            abouts={COMBINED: self.about},
        )

    def describe(self) -> str:
        """Return in a sentence or two what was compared."""
        few = [f"left out, too few to be told: {reason}" for reason in self.untold]
        few += [self.untold_errors] if self.untold_errors else []
        return "; ".join([f"pack {self.pack!r}: {super().describe()}", DIGITS, *few])


def _factor(villages: Integers) -> Floats:
    """Return √((G − 1)/G), the factor of CV3 on each side; NaN for less than two villages."""
    many = np.where(villages < 2, np.nan, villages)
    values: Floats = np.sqrt((many - 1) / many)
    return values
