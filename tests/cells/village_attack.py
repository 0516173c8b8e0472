"""The attack that gave village sums back: two Gram matrices of what the same villages add.

With Ψ the influence of villages on k estimates, CR0 is Ψ′Ψ and CV3 is (G − 1)/G Ψ′DΨ with
D = diag(1/(1 − a)²) from the shares a of villages in their group: those of a cohort, or those never
treated. In the basis in which CR0 is the unit matrix, the eigenvectors of CV3 are those of D between
the vectors that add up to zero in each group, and these are known: so Ψ is known up to one sign a
vector. Sizes are taken as known, as a register would tell them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from analysis.cells import pack as packs
from analysis.cells import pack_estimates
from analysis.cells.pack_estimates import Covariance, Estimated
from analysis.did.estimators.declared import DeclaredEffects
from analysis.did.estimators.effect_set import EffectSet
from analysis.inference.arrays import Floats, Integers

RANK = 1e-9
"""Eigenvalues up to which a direction is none."""
CLOSE = 1e-2
"""How closely what a village adds must come out to count as got."""


def parts(
    parity: Floats, reported: Floats, size: Floats, group: Integers
) -> list[tuple[int, Floats]]:
    """Return the group and the part of Ψ, shape (v, k), of each known direction, up to its sign.

    Parameters
    ----------
    parity, reported : array, shape (k, k)
        CR0 and CV3.
    size : array, shape (v,)
        Households of each village.
    group : array, shape (v,)
        Which villages are averaged together.
    """
    values, vectors = np.linalg.eigh(parity)
    there = values > RANK * values.max()
    root, inverse = np.sqrt(values[there]), 1 / np.sqrt(values[there])
    basis = vectors[:, there]
    whitened = (basis * inverse).T @ reported @ (basis * inverse) * size.size / (size.size - 1)
    own, turn = np.linalg.eigh(whitened)
    rows = turn.T @ (basis * root).T
    found = []
    for number in np.unique(group):
        inside = np.flatnonzero(group == number)
        if inside.size < 2:
            continue
        share = size[inside] / size[inside].sum()
        flat = np.linalg.svd(np.ones((1, inside.size)))[2][1:].T
        known, turned = np.linalg.eigh(flat.T @ (flat / (1 - share)[:, None] ** 2))
        for value, direction in zip(known, (flat @ turned).T, strict=True):
            full = np.zeros(size.size)
            full[inside] = direction
            nearest = int(np.abs(own - value).argmin())
            found.append((int(number), np.outer(full, rows[nearest])))
    return found


def recovered(
    parity: Floats, reported: Floats, size: Floats, group: Integers, influence: Floats
) -> int:
    """Count the villages of which the attack gets all that they add, with every sign given to it.

    The signs are more than any attacker has: whole fen fix them only where the rest is exact.
    """
    found = np.zeros_like(influence)
    for _, part in parts(parity, reported, size, group):
        found += part if (part * influence).sum() > 0 else -part
    length = np.linalg.norm(influence, axis=1)
    apart = np.linalg.norm(found - influence, axis=1)
    return int(((length > 0) & (apart <= CLOSE * length)).sum())


def on_effects(effects: EffectSet, told: Floats) -> tuple[int, int]:
    """Attack effects of villages as one matrix tells them: villages that are got, and all.

    Parameters
    ----------
    effects : EffectSet
        Whose CR0 is given to the attacker at full precision, which no pack does.
    told : array, shape (k, k)
        CV3, NaN beside an estimate without an error.
    """
    there = np.isfinite(np.diag(told))
    some = np.linalg.norm(effects.influence[:, there], axis=1) > 0
    influence = effects.influence[some][:, there]
    size = (effects.treated_size + effects.control_size)[some][:, there].max(axis=1)
    arms = np.concatenate([effects.treated[some][:, there], effects.control[some][:, there]], 1)
    group = np.unique(arms, axis=0, return_inverse=True)[1].reshape(-1)
    square = told[np.ix_(there, there)]
    return recovered(influence.T @ influence, square, size, group, influence), int(some.sum())


@pytest.fixture(scope="session", autouse=True)
def attack_every_pack() -> Iterator[None]:
    """Attack every pack of effects that a test makes."""
    inside: dict[int, tuple[Estimated, EffectSet]] = {}
    estimated, published = DeclaredEffects.estimated, pack_estimates.published

    def noted(self: DeclaredEffects) -> Estimated:
        found = estimated(self)
        inside[id(found)] = (found, self.effects)
        return found

    def attacked(given: Estimated, **limits: int) -> Covariance:
        told = published(given, **limits)
        if id(given) in inside and told.correlations is not None:
            assert on_effects(inside[id(given)][1], told.matrix)[0] == 0
        return told

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DeclaredEffects, "estimated", noted)
        patch.setattr(packs, "published", attacked)
        yield
