"""A frozen distribution of income, and the recentred influence of an income at it.

The recentred influence of an income y on a statistic θ is θ + what a little more weight on y does to
θ (Firpo, Fortin & Lemieux 2009). Its mean over the reference is θ, and its mean over others says
what θ would be after a *small* move of the distribution towards theirs. So effects on it are those on
quantiles or the Gini index to first order at the reference, and no more: every output says
approximate. The reference is taken once, before any effect, and kept with the cells.

* Quantile τ: q + (τ − 1{y ≤ q}) / f(q), with the density f by a normal kernel (their equation 2).
* Gini G with mean μ: 1 + (1 − G) y/μ − (2/μ)(y − H(y)), H(y) = E max(y − Y, 0), the integral of the
  distribution function (Firpo, Fortin & Lemieux 2018, equation 8, written with H). H is convex; it is
  kept at some incomes of the reference and straight between them, so slightly too large there.
"""  # noqa: E501

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import narwhals as nw

KERNEL: Final = "normal kernel, bandwidth 0.9 min(sd, IQR / 1.349) n^(-1/5) (Silverman 1986)"
APPROXIMATE: Final = "approximate (recentred influence at a frozen reference)"


@dataclass(frozen=True)
class Reference:
    """A distribution of income.

    Attributes
    ----------
    source, per : str
        Income, as of an outcome.
    real : int or None
        Year of its prices.
    unit : str
        Whether households or persons are counted.
    who : str
        Whose incomes they are, in words.
    periods : tuple of int
        Periods they are of.
    n : int
        Incomes.
    bandwidth : float
        Of the kernel, fen.
    quantiles : tuple of (share, quantile, density)
        Share in (0, 1), quantile in fen, density per fen.
    mean : float
        μ, fen.
    gini : float
        G.
    hinges : tuple of (income, change of slope)
        H(y) = Σ change · max(y − income, 0), fen.
    """

    source: str
    per: str
    real: int | None
    unit: str
    who: str
    periods: tuple[int, ...]
    n: int
    bandwidth: float
    quantiles: tuple[tuple[float, float, float], ...]
    mean: float
    gini: float
    hinges: tuple[tuple[float, float], ...]

    @property
    def digest(self) -> str:
        """sha256 of everything in it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def about(self) -> dict[str, Any]:
        """Return it as plain values, with kernel and digest, for the record of cells."""
        return {**asdict(self), "kernel": KERNEL, "digest": self.digest}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Reference:
        """Read what `dataclasses.asdict` wrote, through JSON or not."""
        lists = {
            "periods": tuple(values["periods"]),
            "quantiles": tuple(tuple(row) for row in values["quantiles"]),
            "hinges": tuple(tuple(row) for row in values["hinges"]),
        }
        return cls(**{**values, **lists})

    def quantile(self, share: float) -> tuple[float, float]:
        """Return a quantile and the density at it.

        Raises
        ------
        ValueError
            If the reference has no such quantile.
        """
        for known, value, density in self.quantiles:
            if known == share:
                return value, density
        known_shares = ", ".join(f"{row[0]:g}" for row in self.quantiles)
        raise ValueError(f"the reference has no quantile {share:g}; it has {known_shares}")

    def influence(self, income: Any, share: float | None) -> Any:
        """Return the recentred influence of incomes, an expression of Float64.

        Parameters
        ----------
        income : narwhals.Expr
            In the reference's prices and per what it is.
        share : float or None
            The quantile; None for the Gini index.
        """
        if share is not None:
            value, density = self.quantile(share)
            below, above = value + (share - 1) / density, value + share / density
            return nw.when(income <= value).then(nw.lit(below)).otherwise(nw.lit(above))
        level = sum(
            (
                change * nw.when(income > at).then(income - at).otherwise(nw.lit(0.0))
                for at, change in self.hinges
            ),
            start=nw.lit(0.0),
        )
        return 1 + (1 - self.gini) / self.mean * income - 2 / self.mean * (income - level)
