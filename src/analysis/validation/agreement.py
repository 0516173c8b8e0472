"""Agreement with estimates that others printed, and with packages that others wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from analysis import printing
from analysis.results.number import Number
from analysis.results.stored import of_files
from analysis.results.table import ResultTable
from analysis.validation import parity, stored

PRINTED: Final = ("reports/validation/published.csv", "data/validation/published.csv")
PEERS: Final = ("data/validation/parity/effects.csv", "data/validation/parity/panel.parquet")
RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
AGAIN: Final = "computed again and compared"
STATES: Final = {True: "yes", False: "no", None: "not computed"}
LIMITS: Final = (12, 10, 8, 6)
"""Powers of ten below which a difference is printed as one: rounding differs between machines."""


@dataclass(frozen=True, eq=False)
class PublishedCases:
    """Estimates that were printed elsewhere, computed again from the same public data.

    Attributes
    ----------
    cases : polars.DataFrame
        As `analysis.validation.published.reproduce`.
    """

    cases: pl.DataFrame

    @property
    def n(self) -> Number:
        """How many printed estimates there are."""
        return self._count(self.cases.height, "printed estimates")

    @property
    def n_computed(self) -> Number:
        """How many of them could be computed here."""
        computed = int(self.cases["within"].is_not_null().sum())
        return self._count(computed, "printed estimates that were computed here")

    @property
    def n_exact(self) -> Number:
        """How many agree in every printed digit."""
        exact = int(self.cases["within"].fill_null(value=False).sum())
        return self._count(exact, "printed estimates that agree in every digit")

    @property
    def n_different(self) -> Number:
        """How many were computed and differ in a printed digit."""
        different = int((~self.cases["within"].fill_null(value=True)).sum())
        return self._count(different, "printed estimates that differ in a digit")

    def _count(self, count: int, what: str) -> Number:
        n = self.cases.height
        provenance = of_files(
            published_cases, *PRINTED, evidence="public", rows_in=n, rows_used=n, method="count"
        )
        return Number(value=float(count), unit="estimates", what=what, provenance=provenance)

    def table(self) -> ResultTable:
        """Return every case, those that differ first.

        Examples
        --------
        >>> published_cases().table().shown.columns[:4]
        ['printed in', 'printed', 'ours', 'every digit']
        """
        data = self.cases.sort(pl.col("within").fill_null(value=False), maintain_order=True)
        shown = pl.DataFrame(
            [
                {
                    "printed in": row["source"],
                    "printed": _with_error(row["printed"], row["printed_se"]),
                    "ours": _again(row),
                    "every digit": STATES[row["within"]],
                    "estimator": row["estimator"],
                    "remarks": "; ".join(x for x in (row["why_not"], row["provenance"]) if x),
                }
                for row in data.iter_rows(named=True)
            ]
        )
        n = data.height
        provenance = of_files(
            PublishedCases.table, *PRINTED, evidence="public", rows_in=n, rows_used=n, method=AGAIN
        )
        return ResultTable(shown=shown, data=data, provenance=provenance).filterable("every digit")


def published_cases(cases: pl.DataFrame | None = None) -> PublishedCases:
    """Return the printed estimates beside ours, as they were stored.

    Parameters
    ----------
    cases : polars.DataFrame, optional
        As `analysis.validation.published.reproduce`; those stored if left out.

    Examples
    --------
    >>> published_cases().n.unit
    'estimates'
    """
    return PublishedCases(stored.read().published if cases is None else cases)


def _with_error(point: str, error: str | None) -> str:
    return point.replace("-", "−") + (f" ({error})" if error is not None else "")


def _again(row: dict[str, object]) -> str:
    """Return our estimate with as many digits as were printed."""
    ours, error, printed = row["ours"], row["our_se"], row["printed_se"]
    if ours is None:
        return ""
    point = _digits(str(row["printed"]), float(str(ours)))
    if printed is None or error is None:
        return point
    return f"{point} ({_digits(str(printed), float(str(error)))})"


def _digits(printed: str, ours: float) -> str:
    return printing.number(ours, len(printed.partition(".")[2])).replace(",", "")


@dataclass(frozen=True, eq=False)
class PackageComparison:
    """Estimates of other packages beside ours, on one small simulated panel.

    Attributes
    ----------
    compared : polars.DataFrame
        As `analysis.validation.parity.compare`.
    summary : polars.DataFrame
        As `analysis.validation.parity.summary`.
    """

    compared: pl.DataFrame
    summary: pl.DataFrame

    @property
    def n_estimates(self) -> Number:
        """How many estimates were compared."""
        return self._count(self.compared.height, "estimates", "estimates compared with packages")

    @property
    def n_packages(self) -> Number:
        """With how many packages."""
        count = self.summary["peer"].n_unique()
        return self._count(count, "packages", "packages compared with")

    @property
    def n_rows(self) -> Number:
        """How many rows the table has."""
        return self._count(self.summary.height, "rows", "comparisons by variant and package")

    @property
    def n_agree(self) -> Number:
        """In how many of them all points and errors agree to within rounding."""
        count = int(self.summary["agrees"].sum())
        what = "comparisons by variant and package in which all points and errors agree"
        return self._count(count, "rows", what)

    def _count(self, count: int, unit: str, what: str) -> Number:
        n = self.compared.height
        provenance = of_files(
            package_comparison, *PEERS, evidence="model", rows_in=n, rows_used=n, method="count"
        )
        return Number(value=float(count), unit=unit, what=what, provenance=provenance)

    def table(self) -> ResultTable:
        """Return the largest differences by variant of the design, estimator and package.

        Examples
        --------
        >>> package_comparison().table().shown.columns[:4]
        ['variant', 'package', 'estimator', 'estimates']
        """
        shown = self.summary.select(
            "variant",
            pl.concat_str("peer", pl.lit(" "), "version").alias("package"),
            pl.col("estimator").replace_strict(parity.LABELS),
            pl.col("estimates").map_elements(printing.number, pl.String),
            pl.col("point_difference")
            .map_elements(_below, pl.String, skip_nulls=False)
            .alias("points differ by"),
            pl.col("error_difference")
            .map_elements(_below, pl.String, skip_nulls=False)
            .alias("errors differ by"),
            pl.col("factor").alias("package's factor"),
        )
        n = self.compared.height
        provenance = of_files(
            PackageComparison.table, *PEERS, evidence="model", rows_in=n, rows_used=n, method=AGAIN
        )
        # Differences are rounding, which differs between machines: what is offered is their limit.
        data = shown.with_columns(self.summary["agrees"])
        return ResultTable(shown=shown, data=data, provenance=provenance).filterable(
            "variant", "package"
        )


def package_comparison() -> PackageComparison:
    """Return the estimates of other packages beside ours.

    Examples
    --------
    >>> package_comparison().n_estimates.unit
    'estimates'
    """
    compared = parity.compare()
    return PackageComparison(compared, parity.summary(compared))


def _below(value: float | None) -> str:
    """Print a relative difference by the power of ten it lies below."""
    if value is None:
        return "not compared"
    if value == 0:
        return "0"
    limit = next((n for n in LIMITS if value <= 10.0**-n), None)
    return printing.number(value) if limit is None else f"< 10{str(-limit).translate(RAISED)}"
