"""Exact range of an expression in which a variable occurs more than once.

Interval arithmetic treats two occurrences of one claim as two claims: x − x comes out wide. Here
the expression is expanded to a ratio of polynomials. Where every variable has degree at most one
above and below the bar, the ratio is monotone in each variable (a Möbius function, as long as its
denominator keeps its sign), so its extremes lie at the corners of the box.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from analysis.claims.intervals import End, Interval, Signed, hull

Monomial = tuple[str, ...]
MOST_CORNERS = 2**14


class NotMonotoneError(ValueError):
    """The expression cannot be ranged by corners; the message says why."""


@dataclass(frozen=True)
class Polynomial:
    """Sum of products of named variables with exact coefficients."""

    terms: tuple[tuple[Monomial, Fraction], ...]

    @classmethod
    def constant(cls, value: Fraction | int) -> Polynomial:
        """Return a polynomial without variables."""
        return cls._from({(): Fraction(value)})

    @classmethod
    def variable(cls, name: str) -> Polynomial:
        """Return a single variable."""
        return cls._from({(name,): Fraction(1)})

    @classmethod
    def _from(cls, terms: Mapping[Monomial, Fraction]) -> Polynomial:
        return cls(tuple(sorted((m, c) for m, c in terms.items() if c)))

    def __add__(self, other: Polynomial) -> Polynomial:
        terms = dict(self.terms)
        for monomial, coefficient in other.terms:
            terms[monomial] = terms.get(monomial, Fraction(0)) + coefficient
        return self._from(terms)

    def __neg__(self) -> Polynomial:
        return self._from({m: -c for m, c in self.terms})

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + -other

    def __mul__(self, other: Polynomial) -> Polynomial:
        terms: dict[Monomial, Fraction] = {}
        for (m1, c1), (m2, c2) in itertools.product(self.terms, other.terms):
            monomial = tuple(sorted(m1 + m2))
            terms[monomial] = terms.get(monomial, Fraction(0)) + c1 * c2
        return self._from(terms)

    @property
    def names(self) -> frozenset[str]:
        """The variables that occur."""
        return frozenset(name for monomial, _ in self.terms for name in monomial)

    def degree(self, name: str) -> int:
        """Return the highest power of a variable."""
        return max((m.count(name) for m, _ in self.terms), default=0)

    def leading(self, name: str) -> Polynomial:
        """Return the coefficient of the highest power of a variable."""
        top = self.degree(name)
        kept = {tuple(v for v in m if v != name): c for m, c in self.terms if m.count(name) == top}
        return self._from(kept)

    def at(self, name: str, value: Fraction) -> Polynomial:
        """Return the polynomial with a number put for a variable."""
        terms: dict[Monomial, Fraction] = {}
        for monomial, coefficient in self.terms:
            rest = tuple(v for v in monomial if v != name)
            power = value ** monomial.count(name)
            terms[rest] = terms.get(rest, Fraction(0)) + coefficient * power
        return self._from(terms)

    @property
    def number(self) -> Fraction:
        """The value of a polynomial without variables."""
        return dict(self.terms).get((), Fraction(0))


@dataclass(frozen=True)
class Ratio:
    """One polynomial over another."""

    top: Polynomial
    bottom: Polynomial

    def __add__(self, other: Ratio) -> Ratio:
        if self.bottom == other.bottom:
            return Ratio(self.top + other.top, self.bottom)
        return Ratio(self.top * other.bottom + other.top * self.bottom, self.bottom * other.bottom)

    def __neg__(self) -> Ratio:
        return Ratio(-self.top, self.bottom)

    def __sub__(self, other: Ratio) -> Ratio:
        return self + -other

    def __mul__(self, other: Ratio) -> Ratio:
        return Ratio(self.top * other.top, self.bottom * other.bottom)

    def __truediv__(self, other: Ratio) -> Ratio:
        if not other.top.terms:
            raise ZeroDivisionError("the divisor is zero")
        return Ratio(self.top * other.bottom, self.bottom * other.top)


def corner_range(ratio: Ratio, box: Mapping[str, Interval]) -> Interval:
    """Return the exact range of a ratio over a box.

    Parameters
    ----------
    ratio : Ratio
        The expression, expanded. Its denominator must not be zero inside the box; the caller
        checks that, division by division.
    box : mapping of str to Interval
        Each variable's interval.

    Raises
    ------
    NotMonotoneError
        If a variable occurs squared, or there are too many variables to try every corner.
    """
    occurring = ratio.top.names | ratio.bottom.names
    names = [n for n in box if n in occurring]
    for name in names:
        if max(ratio.top.degree(name), ratio.bottom.degree(name)) > 1:
            raise NotMonotoneError(f"{name} occurs squared: write the relation differently")
    if 2 ** len(names) > MOST_CORNERS:
        raise NotMonotoneError(f"{len(names)} variables with repeats: split the relation")
    corners = itertools.product(*([(box[n].low, -1), (box[n].high, 1)] for n in names))
    return hull([_value(ratio, dict(zip(names, corner, strict=True))) for corner in corners])


def _value(ratio: Ratio, corner: Mapping[str, Signed]) -> Signed:
    """Return the ratio's value, or limit, at one corner of the box."""
    is_open = assumed = False
    infinite_sign = 0
    top, bottom = ratio.top, ratio.bottom
    # Finite ends first, so that limits are taken of what is left.
    for name in sorted(corner, key=lambda n: corner[n][0].value is None):
        if not top.degree(name) and not bottom.degree(name):
            continue  # the ratio no longer depends on it, so neither does the openness of its end
        end, sign = corner[name]
        is_open, assumed = is_open or end.is_open, assumed or end.assumed
        if end.value is not None:
            top, bottom = top.at(name, end.value), bottom.at(name, end.value)
            continue
        difference = top.degree(name) - bottom.degree(name)
        top, bottom = top.leading(name), bottom.leading(name)
        if difference < 0:
            top = Polynomial.constant(Fraction(0))
        elif difference > 0:
            infinite_sign = sign if not infinite_sign else infinite_sign * sign
    if not bottom.terms:
        raise NotMonotoneError("the divisor reaches zero at the edge of what was reported")
    value = top.number / bottom.number
    if infinite_sign and value:
        return End(None, True, assumed), infinite_sign * (1 if value > 0 else -1)
    return End(value, is_open, assumed), 0
