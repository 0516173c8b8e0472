"""Few treated among many, very unequal villages, treatment inside villages: coverage as stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from analysis.inference import degrees
from analysis.results import formatting
from analysis.results.number import Number
from analysis.results.provenance import Provenance
from analysis.results.stored import of_files
from analysis.results.table import ResultTable
from analysis.validation import intervals
from analysis.validation.performance import DrawShare, share

STORED: Final = f"reports/validation/{intervals.FILE}"
DRAWN: Final = "data/validation/intervals.toml"


@dataclass(frozen=True, eq=False)
class IntervalCoverage:
    """What the stored draws say of each design, the worst over errors and weights.

    Attributes
    ----------
    rows : polars.DataFrame
        One row for each design: design, what, smallest_arm (villages), refused (largest share of
        draws without an interval), interval and band (least shares that hold the truth), width and
        width_randomised (median half widths over the spread of the estimate, largest), draws.
    """

    rows: pl.DataFrame

    @property
    def least_clusters(self) -> Number:
        """Villages of an arm from which there is an interval."""
        made = Provenance.of(
            interval_coverage, evidence="model", method="chosen", rows_in=1, rows_used=1
        )
        value = degrees.rules().least_clusters
        what = "villages of an arm under which no t interval is printed"
        return Number(value=value, unit="villages", what=what, provenance=made)

    def lowest(self, kind: str = "interval") -> DrawShare:
        """Return the least coverage over designs.

        Parameters
        ----------
        kind : str
            ``interval`` or ``band``.

        Examples
        --------
        >>> interval_coverage().lowest().unit
        'per cent'
        """
        return self._share(self.rows[kind].min(), f"least coverage of each {kind}")

    def refused(self) -> DrawShare:
        """Return the largest share of draws without an interval where villages are enough."""
        enough = self.rows.filter(pl.col("smallest_arm") >= degrees.rules().least_clusters)
        return self._share(enough["refused"].max(), "draws without an interval, at most")

    def width(self, design: str, kind: str = "width") -> Number:
        """Return a half width over the spread of the estimate.

        Parameters
        ----------
        design : str
            Of ``data/validation/intervals.toml``.
        kind : str
            ``width`` of the t interval or ``width_randomised`` of that by randomisation.
        """
        value = self.rows.filter(design=design)[kind].item()
        what = f"median half width over the spread of the estimate, simulated: {design}, {kind}"
        return Number(value=value, unit="spreads", what=what, provenance=self._stored())

    def _share(self, value: object, what: str) -> DrawShare:
        what = f"simulated villages, few or unequal: {what}"
        return DrawShare(
            value=100 * float(value),  # type: ignore[arg-type]
            unit="per cent",
            what=what,
            provenance=self._stored(),
        )

    def _stored(self) -> Provenance:
        n = int(self.rows["draws"].sum())
        method = "simulated draws, stored"
        return of_files(
            interval_coverage,
            STORED,
            DRAWN,
            evidence="model",
            rows_in=n,
            rows_used=n,
            method=method,
        )

    def table(self) -> ResultTable:
        """Return coverage, refusals and widths by design.

        Examples
        --------
        >>> interval_coverage().table().shown.columns[:2]
        ['simulated villages', 'no interval, %']
        """
        shown = self.rows.select(
            pl.col("what").alias("simulated villages"),
            share("refused").alias("no interval, %"),
            share("interval").alias("interval holds it, %"),
            share("band").alias("band holds all, %"),
            _spreads("width").alias("half width"),
            _spreads("width_randomised").alias("by randomisation"),
        )
        return ResultTable(shown=shown, data=self.rows, provenance=self._stored())


def _spreads(column: str) -> pl.Expr:
    """Print a number of spreads."""
    return (
        pl.col(column)
        .map_elements(lambda x: formatting.number(x, 1), pl.String)
        .fill_null(formatting.NONE)
    )


def interval_coverage() -> IntervalCoverage:
    """Return how often intervals and bands hold where villages are few or unequal, as stored.

    Examples
    --------
    >>> interval_coverage().least_clusters.unit
    'villages'
    """
    found = intervals.stored().with_columns(pl.col("value", "mc_error").fill_nan(None))

    def of(measure: str) -> pl.Expr:
        return pl.col("value").filter(pl.col("measure") == measure)

    worst = found.group_by("design").agg(
        of("refused").max().alias("refused"),
        of("lowest").min().alias("interval"),
        of("joint").min().alias("band"),
        of("width").max().alias("width"),
        of("width_randomised").max().alias("width_randomised"),
        pl.col("draws").filter(pl.col("measure") == "refused").sum().alias("draws"),
    )
    plans = [
        {"design": plan.id, "what": plan.what, "smallest_arm": _smaller(plan)}
        for plan in intervals.load().plans
    ]
    return IntervalCoverage(
        pl.DataFrame(plans).join(worst, on="design", how="left", maintain_order="left")
    )


def _smaller(plan: intervals.Plan) -> int:
    """Return the villages of the smaller arm; treated inside, each is in both."""
    return plan.treated if plan.inside else min(plan.treated, plan.control)
