"""Numbers that know where they come from; what a page may print in its text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from analysis import printing
from analysis.faults import Fault, FaultsError
from analysis.results import formatting
from analysis.results.provenance import UNKNOWN, Provenance

KEPT_NAME: Final = r"[a-z][a-z0-9-]*"
_KEPT: dict[str, Recorded] = {}
"""What this process has kept; a notebook's kernel is one process."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Recorded:
    """What a page may print: it carries its record.

    Attributes
    ----------
    what : str
        The estimand, or what it is.
    unit : str
        Unit, in words; money with currency and price year, per household or person.
    provenance : Provenance
        Where it comes from.
    kept : str
        Permanent name, given by `keep`; empty where it has none.
    """

    what: str = ""
    unit: str = ""
    provenance: Provenance = UNKNOWN
    kept: str = ""

    def __init_subclass__(cls, **options: Any) -> None:
        """Keep the printing of numbers: a dataclass would write one of its own."""
        super().__init_subclass__(**options)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Recorded.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return f"{self.text} {self.unit}".rstrip()

    @property
    def text(self) -> str:
        """As printed."""
        return ""

    @property
    def point(self) -> float | None:
        """The value of its record; None where it has none."""
        return None

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Ends of its interval; None where there is none on that side."""
        return None, None

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return printing.escaped(self.text)


R = TypeVar("R", bound=Recorded)


@dataclass(frozen=True, eq=False, kw_only=True)
class Number(Recorded):
    """A number with its unit, interval and provenance.

    Arithmetic with plain numbers keeps the interval; with another `Number` it joins both
    provenances and has no interval, as the two may depend on each other.

    Attributes
    ----------
    value : float
        The number.
    low, high : float
        Ends of its interval; NaN where there is none.
    error : float
        Standard error; NaN where there is none. It decides how many digits are printed.

    Examples
    --------
    >>> gain = Number(value=1129.7, error=353.0, low=437.9, high=1821.5, unit="dollars")
    >>> str(gain), str(gain.interval), str(100 * gain / Number(value=17191.0))
    ('1,130', '440 to 1,820', '6.57')
    >>> str(2 * gain), str((2 * gain).interval)
    ('2,260', '880 to 3,640')
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    error: float = math.nan

    @property
    def decimals(self) -> int | None:
        """Decimals by the size of the error; None without one."""
        return formatting.places(self.error)

    @property
    def text(self) -> str:
        """As printed, without its unit."""
        return formatting.number(self.value, self.decimals)

    @property
    def point(self) -> float | None:
        """The number; None if it is not one."""
        return self.value if math.isfinite(self.value) else None

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Ends of its interval; None where there is none."""
        low, high = (x if math.isfinite(x) else None for x in (self.low, self.high))
        return low, high

    @property
    def interval(self) -> Range:
        """The interval, printed as ``low to high``."""
        return Range(
            low=self.low,
            high=self.high,
            decimals=self.decimals,
            what=f"interval of {self.what}" if self.what else "interval",
            unit=self.unit,
            provenance=self.provenance,
        )

    def __float__(self) -> float:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else self.text

    def __lt__(self, other: float | Number) -> bool:
        return self.value < float(other)

    def __le__(self, other: float | Number) -> bool:
        return self.value <= float(other)

    def __gt__(self, other: float | Number) -> bool:
        return self.value > float(other)

    def __ge__(self, other: float | Number) -> bool:
        return self.value >= float(other)

    def __add__(self, other: float | Number) -> Number:
        return self._combined(other, "sum", lambda a, b: a + b, 1.0)

    __radd__ = __add__

    def __neg__(self) -> Number:
        return self * -1.0

    def __abs__(self) -> Number:
        return -self if self.value < 0 else self._plain(self.value, self.low, self.high, self.error)

    def __sub__(self, other: float | Number) -> Number:
        return self._combined(other, "difference", lambda a, b: a - b, 1.0)

    def __rsub__(self, other: float) -> Number:
        return -self + other

    def __mul__(self, other: float | Number) -> Number:
        return self._combined(other, "product", lambda a, b: a * b, None)

    __rmul__ = __mul__

    def __truediv__(self, other: float | Number) -> Number:
        return self._combined(other, "ratio", lambda a, b: a / b, None)

    def __rtruediv__(self, other: float) -> Number:
        return self._plain(other / self.value, math.nan, math.nan, math.nan)

    def _combined(
        self,
        other: float | Number,
        method: str,
        operate: Callable[[float, float], float],
        shift: float | None,
    ) -> Number:
        if isinstance(other, Number):
            value = operate(self.value, other.value)
            return Number(
                value=value,
                what=" and ".join(x for x in (self.what, other.what) if x),
                unit=self.unit if self.unit == other.unit and shift is not None else "",
                provenance=self.provenance.joined([other.provenance], method),
            )
        low, high = sorted(operate(end, other) for end in (self.low, self.high))
        scale = shift if shift is not None else abs(operate(1.0, other))
        return self._plain(operate(self.value, other), low, high, self.error * scale)

    def _plain(self, value: float, low: float, high: float, error: float) -> Number:
        return Number(
            value=value,
            low=low,
            high=high,
            error=error,
            what=self.what,
            unit=self.unit,
            provenance=self.provenance,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Range(Recorded):
    """An interval, printed as ``low to high``.

    Attributes
    ----------
    low, high : float
        Its ends; NaN where there is none.
    decimals : int or None
        Decimals; by its width where None.
    """

    low: float
    high: float
    decimals: int | None = None

    @property
    def text(self) -> str:
        """As printed, without its unit."""
        return formatting.span(self.low, self.high, self.decimals)

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Both ends; None where there is none."""
        low, high = (x if math.isfinite(x) else None for x in (self.low, self.high))
        return low, high


@dataclass(frozen=True, eq=False, kw_only=True)
class Word(Recorded):
    """A word that depends on a number, from a list in ``data/``: a direction or a rating.

    Attributes
    ----------
    word : str
        At most three words.
    """

    word: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.word.split()) <= 6:
            raise ValueError(f"not a word but a text: {self.word!r}")

    @property
    def text(self) -> str:
        """The word."""
        return self.word


@dataclass(frozen=True, eq=False, kw_only=True)
class Effect(Number):
    """One estimate, all that is known of it.

    Attributes
    ----------
    term : str
        Which estimate of its result, such as ``overall`` or ``event_time 2``.
    outcome : str
        Name of the outcome.
    std_error, statistic, p_value, df : float
        NaN where there is none; `note` says why. Infinite degrees are normal quantiles.
    n : int
        Rows (or units) behind it.
    note : str
        Why there is no interval; empty where there is one.
    """

    term: str = ""
    outcome: str = ""
    statistic: float = math.nan
    p_value: float = math.nan
    df: float = math.nan
    n: int | None = None
    note: str = ""

    @property
    def estimate(self) -> float:
        """The point, at full precision."""
        return self.value

    @property
    def std_error(self) -> float:
        """The standard error, at full precision; NaN where there is none."""
        return self.error

    @property
    def ci_low(self) -> float:
        """Low end of the interval, at full precision."""
        return self.low

    @property
    def ci_high(self) -> float:
        """High end of the interval, at full precision."""
        return self.high

    def __repr__(self) -> str:
        interval = self.note or str(self.interval)
        unit = f" {self.unit}" if self.unit else ""
        error = formatting.number(self.error, self.decimals)
        p = f", p {formatting.p_value(self.p_value)}" if math.isfinite(self.p_value) else ""
        about = " on ".join(x for x in (self.term, self.outcome) if x)
        return f"{about}: {self.text}{unit} (std. error {error}; {interval}{p})"


def _check(value: object) -> None:
    if not isinstance(value, Recorded):
        raise FaultsError(
            [
                Fault(
                    "number",
                    "a plain value does not say where it comes from",
                    "make it from results: va.number(100 * fit.overall / fit.mean, 'per cent')",
                    value=str(value),
                )
            ]
        )


def number(expression: Recorded, unit: str, what: str = "") -> Any:
    """Return an expression of results as a number that a page may print.

    Parameters
    ----------
    expression : Number
        Made of results: a ratio of two, a difference, a multiple.
    unit : str
        Its unit, in words.
    what : str
        What it is; that of the expression if left out.

    Raises
    ------
    FaultsError
        If the expression is a plain number or text: nothing says where it comes from.

    Examples
    --------
    >>> mean = Number(value=17191.0, unit="dollars", what="mean of those not offered")
    >>> effect = Number(value=1129.7, unit="dollars", what="effect of the offer")
    >>> print(number(100 * effect / mean, "per cent"))
    6.57
    """
    _check(expression)
    return replace(expression, unit=unit, what=what or expression.what)


def kept() -> dict[str, Recorded]:
    """Return what this process has kept, by name."""
    return dict(_KEPT)


def keep(value: R, name: str) -> R:
    """Give a number a permanent name, by which another page or language cites it.

    Parameters
    ----------
    value : Number, Range or Word
        Of a result.
    name : str
        Small letters, digits and hyphens, such as ``training-offer``.

    Raises
    ------
    FaultsError
        If the value carries no record, or the name is none.

    Examples
    --------
    >>> keep(Number(value=1.5), "gini-after").kept
    'gini-after'
    """
    _check(value)
    if not re.fullmatch(KEPT_NAME, name):
        remedy = "use small letters, digits and hyphens, a letter first"
        raise FaultsError([Fault("keep", "not a name", remedy, value=name)])
    kept_value = replace(value, kept=name)
    _KEPT[name] = kept_value
    return kept_value
