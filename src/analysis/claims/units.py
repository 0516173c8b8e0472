"""Units as products of base units, so that persons never pass for person-times."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

PERCENT = "percent"
PLAIN = ("", "1", "ratio", PERCENT)


@dataclass(frozen=True)
class Unit:
    """A product of base units with whole exponents; no bases means a plain ratio.

    Examples
    --------
    >>> str(Unit.parse("yuan/persons/years") * Unit.parse("persons"))
    'yuan/years'
    >>> Unit.parse("persons") == Unit.parse("person_times")
    False
    """

    bases: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Read a unit as the ledger writes it: bases joined by a slash, the first one on top."""
        top, *under = text.split("/")
        exponents = Counter({top: 1}) if top not in PLAIN else Counter()
        exponents.subtract(under)
        return cls._from(exponents)

    @classmethod
    def _from(cls, exponents: Counter[str]) -> Unit:
        return cls(tuple(sorted((base, n) for base, n in exponents.items() if n)))

    def __mul__(self, other: Unit) -> Unit:
        exponents = Counter(dict(self.bases))
        exponents.update(dict(other.bases))
        return self._from(exponents)

    def __truediv__(self, other: Unit) -> Unit:
        exponents = Counter(dict(self.bases))
        exponents.subtract(dict(other.bases))
        return self._from(exponents)

    def __str__(self) -> str:
        top = [base for base, n in self.bases for _ in range(n)]
        under = [base for base, n in self.bases for _ in range(-n)]
        return "/".join(["·".join(top) or "1", *under]) if self.bases else "ratio"
