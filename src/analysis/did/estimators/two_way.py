"""Two-way fixed effects from cells: the event study and the static coefficient, as cross-checks.

With household and period effects and F_g the dummies of cohort g: X′X = Σ F′(diag n − A)F and
X′Y = Σ F′(S − B1), so the regression of any number of households is one small matrix per village.
Where effects differ between cohorts or grow with time its coefficients mix them with weights that
can be negative (Goodman-Bacon 2021; Sun & Abraham 2021); that is what it is shown for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.did.estimators import projection
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.record import Key
from analysis.did.estimators.table import Table, check_constant, refuse
from analysis.inference.arrays import Booleans, Floats

EMPTY = 1e-10
"""Share of a dummy's weight below which it counts as not there."""
SINGULAR = 1e-9
"""Eigenvalue of the scaled X′X below which it is zero; the largest is of the order of one."""


@dataclass(frozen=True)
class Regression:
    """A two-way fixed effects regression, by village.

    Attributes
    ----------
    gram : array, shape (v, p, p)
        X′X of each village, household effects projected out.
    moment : array, shape (v, p, k)
        X′Y; `analysis.inference.wild.bootstrap` takes both, one outcome at a time.
    events : tuple of int or None
        Event time of each of the first columns; one None for the static dummy. Period dummies,
        without the first period, come after.
    kept : Table
        What was used.
    dummies : array, shape (c, t, p)
        Regressors of each row.
    """

    gram: Floats
    moment: Floats
    events: tuple[int | None, ...]
    kept: Table
    dummies: Floats

    @property
    def factor(self) -> float:
        """Small-sample factor of pyfixest's CRV1: G/(G − 1) · (N − 1)/(N − k).

        k are the dummies and the periods; household effects are nested in villages. One village,
        as in the totals of a pack, has no error.
        """
        villages = np.unique(self.kept.village).size
        if villages < 2:
            return float("nan")
        n = int(self.kept.n.sum())
        k = len(self.events) + self.kept.periods.size
        return villages / (villages - 1) * (n - 1) / (n - k)


def regression(
    table: Table, *, static: bool = False, reference: tuple[int, ...] = (-1,), anticipation: int = 0
) -> Regression:
    """Lay out the regression.

    Parameters
    ----------
    table : Table
        Balanced, or with inverse-count moments over all periods.
    static : bool
        One dummy for treated instead of one for each event time.
    reference : tuple of int
        Event times without a dummy; two are needed where nobody is never treated.
    anticipation : int
        Cohorts must have a period before cohort − anticipation.
    """
    kept = projection.with_a_period_before(table, anticipation)
    ever = np.ones(kept.n.shape, bool)
    moments = projection.moments(kept, "all", ever)
    dummies, events = _dummies(kept, static, reference)
    inner = np.einsum("ct,ts->cts", kept.weight, np.eye(kept.periods.size)) - moments.a
    gram = np.einsum("ctp,cts,csq->cpq", dummies, inner, dummies, optimize=True)
    # B[s, t] is summed over s: the mean of a household's incomes, at each period it is seen.
    moment = np.einsum("ctp,ctk->cpk", dummies, kept.total - moments.b.sum(axis=1))
    return Regression(
        projection.by_village(kept, gram),
        projection.by_village(kept, moment),
        events,
        kept,
        dummies,
    )


def _dummies(
    table: Table, static: bool, reference: tuple[int, ...]
) -> tuple[Floats, tuple[int | None, ...]]:
    """Return regressors (c, t, p) and the event times of the first of them."""
    event = table.periods - table.cohort[:, None]
    treated = (table.cohort > 0)[:, None] & (table.n > 0)
    times: list[int | None] = [None]
    columns = [(event >= 0) & treated]
    if not static:
        times = [int(e) for e in np.unique(event[treated]) if e not in reference]
        columns = [(event == e) & treated for e in times]
    for period in table.periods[1:]:
        columns.append(np.broadcast_to(table.periods == period, event.shape))
    return np.stack(columns, axis=-1).astype(np.float64), tuple(times)


def estimate(
    table: Table, *, static: bool = False, reference: tuple[int, ...] = (-1,), anticipation: int = 0
) -> EffectSet:
    """Estimate the event study, or the static coefficient.

    Parameters
    ----------
    table, static, reference, anticipation
        As in `regression`.

    Returns
    -------
    EffectSet
        In the order outcome, event time; aggregation ``event_time`` or ``static``. These are
        coefficients of a regression, equal to averages of effects only where effects are alike.

    Raises
    ------
    FaultsError
        If dummies cannot be told apart, an outcome is constant, or the cells lack the moments.
    """
    check_constant(table)
    result = regression(table, static=static, reference=reference, anticipation=anticipation)
    gram, moment = result.gram.sum(axis=0), result.moment.sum(axis=0)
    if np.linalg.matrix_rank(_scaled(gram), tol=SINGULAR, hermitian=True) < gram.shape[0]:
        refuse(
            "event times and periods cannot be told apart",
            "use two reference event times where nobody is never treated, or fewer periods",
            column="reference",
            value=reference,
        )
    theta = np.linalg.solve(gram, moment)
    p = len(result.events)
    score = result.moment - result.gram @ theta
    influence = np.einsum("pq,vqk->vpk", np.linalg.inv(gram)[:p], score)
    kept, k = result.kept, len(table.outcomes)
    treated, control, sizes, households = _arms(result)
    return EffectSet(
        keys=tuple(
            Key(o, "static" if static else "event_time", at=e, programme=table.programme)
            for o in table.outcomes
            for e in result.events
        ),
        points=theta[:p].T.ravel(),
        influence=np.swapaxes(influence, 1, 2).reshape(len(kept.villages), -1),
        without=np.swapaxes(_without(result, gram, moment), 1, 2).reshape(len(kept.villages), -1),
        treated=np.tile(treated, (1, k)),
        control=np.tile(control, (1, k)),
        used=np.tile(treated | control, (1, k)),
        treated_weight=np.tile(sizes[0], (1, k)),
        control_weight=np.tile(sizes[1], (1, k)),
        treated_size=np.tile(sizes[0], (1, k)),
        control_size=np.tile(sizes[1], (1, k)),
        n_treated=np.tile(households[0], k),
        n_control=np.tile(households[1], k),
        n_left_out=np.zeros(p * k, np.int64),
        villages=kept.villages,
        about=projection.about(
            table, table, kept, "two_way", anticipation, parity_factor=result.factor
        ),
    )


def _scaled(gram: Floats) -> Floats:
    """Return a matrix with ones on its diagonal, so that its rank does not depend on sizes."""
    scale = np.sqrt(np.maximum(np.diagonal(gram, axis1=-2, axis2=-1), 1e-300))
    return gram / scale[..., :, None] / scale[..., None, :]


def _without(regression: Regression, gram: Floats, moment: Floats) -> Floats:
    """Return the first coefficients without each village, shape (v, p, k)."""
    p, own = len(regression.events), np.diagonal(gram)
    rest = gram - regression.gram
    gone = np.diagonal(rest, axis1=1, axis2=2) <= EMPTY * own
    scale = np.where(gone, 0.0, 1 / np.sqrt(own))
    balanced = rest * scale[:, :, None] * scale[:, None, :]
    # One eigendecomposition serves both the rank and the inverse.
    values, vectors = np.linalg.eigh(balanced)
    there = values > SINGULAR
    rank = there.sum(axis=1)
    right = np.swapaxes(vectors, 1, 2) @ ((moment - regression.moment) * scale[..., None])
    theta = vectors @ (right * np.where(there, 1 / np.where(there, values, 1.0), 0.0)[..., None])
    theta = theta * scale[..., None]
    lost = gone | (rank < gone.shape[1] - gone.sum(axis=1))[:, None]
    return np.where(lost[:, :p, None], np.nan, theta[:, :p])


def _arms(
    regression: Regression,
) -> tuple[Booleans, Booleans, tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return villages with and without the dummy on, households by village, (v, p), and in all."""
    p, table = len(regression.events), regression.kept
    on = regression.dummies[:, :, :p].any(axis=1)
    off = (
        ~on if p > 1 else (table.cohort == 0)[:, None] | (table.cohort > table.periods[0])[:, None]
    )
    seen = table.n_ever > 0
    arms = [
        projection.by_village(table, (side & seen[:, None]).astype(float)) > 0 for side in (on, off)
    ]
    sizes = [
        projection.by_village(table, side * table.n_ever[:, None].astype(float))
        for side in (on, off)
    ]
    households = [np.einsum("cp,c->p", side, table.n_ever) for side in (on, off)]
    return arms[0], arms[1], (sizes[0], sizes[1]), (households[0], households[1])
