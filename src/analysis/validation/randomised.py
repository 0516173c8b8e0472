"""How often intervals and bands hold the true effect where simulated villages are randomised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.inference import clusters
from analysis.results.dots import Dot, DotRow, dots
from analysis.results.number import Number
from analysis.results.provenance import Provenance
from analysis.results.stored import of_files
from analysis.results.table import ResultTable
from analysis.validation import coverage, designs, stored
from analysis.validation.designs import Design
from analysis.validation.performance import DESIGNS, DRAWN, DrawShare, per_cent, share
from analysis.validation.stored import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RULES: Final = {
    "reported": "as reported",
    "villages": "degrees of all villages less one",
    "parity": "packages' default",
}
KINDS: Final = {
    "interval": ("coverage_simple", "coverage_event_time", "coverage_group_time"),
    "band": ("band_event_time", "band_group_time"),
}
"""Measures of single intervals and of joint bands."""
SERIES: Final = (
    ("interval", "reported"),
    ("band", "reported"),
    ("interval", "parity"),
    ("band", "parity"),
)
"""What the figure shows of each design, by event time."""
NOMINAL: Final = 100 * coverage.LEVEL
ASKED: Final = (100 * coverage.LEAST, 100 * coverage.MOST)
"""Coverage asked of what is reported, in per cent."""


@dataclass(frozen=True, eq=False)
class RandomisedCoverage:
    """Coverage of intervals and joint bands by villages in each arm.

    Attributes
    ----------
    rows : polars.DataFrame
        One row for each design, rule and measure: design, arms, villages, smallest_arm, required,
        rule, kind, measure, value, mc_error (shares of the draws), draws.
    single : polars.DataFrame
        Size and power of the overall effect: design, rule, size, power.
    """

    rows: pl.DataFrame
    single: pl.DataFrame

    def lowest(self, kind: str = "interval", rule: str = "reported") -> DrawShare:
        """Return the least coverage over designs and measures.

        Parameters
        ----------
        kind : str
            ``interval`` or ``band``.
        rule : str
            One of `RULES`. As reported: designs in which an interval is printed; by other rules,
            which print one with three villages in an arm, those designs too.

        Examples
        --------
        >>> randomised_coverage().lowest().unit
        'per cent'
        """
        value = self._of(kind, rule)["value"].min()
        return self._share(value, f"least coverage of each {kind}, {RULES[rule]}")

    def highest(self, kind: str = "interval", rule: str = "reported") -> DrawShare:
        """Return the largest coverage over designs and measures; parameters as `lowest`."""
        value = self._of(kind, rule)["value"].max()
        return self._share(value, f"largest coverage of each {kind}, {RULES[rule]}")

    def _of(self, kind: str, rule: str) -> pl.DataFrame:
        frame = self.rows.filter(kind=kind, rule=rule)
        if rule == "reported":
            return frame.filter("required")
        return frame.filter(pl.col("smallest_arm") >= clusters.LEAST_VILLAGES)

    def _share(self, value: Any, what: str) -> DrawShare:
        provenance = self._stored(randomised_coverage)
        what = f"simulated villages randomised: {what}"
        return DrawShare(value=100 * value, unit="per cent", what=what, provenance=provenance)

    @property
    def nominal(self) -> Number:
        """The level of the intervals."""
        return self._chosen(NOMINAL, "nominal level of intervals and bands")

    @property
    def asked(self) -> tuple[Number, Number]:
        """Coverage asked of what is reported: at least, and at most."""
        return (
            self._chosen(ASKED[0], "coverage asked of reported intervals, at least"),
            self._chosen(ASKED[1], "coverage asked of reported intervals, at most"),
        )

    def _chosen(self, value: float, what: str) -> Number:
        provenance = Provenance.of(
            randomised_coverage, evidence="model", method="chosen", rows_in=1, rows_used=1
        )
        return Number(value=round(value, 6), unit="per cent", what=what, provenance=provenance)

    @property
    def n_asked(self) -> Number:
        """How many coverages were asked of what is reported."""
        return self._count(self._kept().height, "coverages asked of reported intervals and bands")

    @property
    def n_within(self) -> Number:
        """How many of them lie within the limits, give or take two Monte Carlo errors."""
        count = int(self._kept()["kept"].sum())
        return self._count(count, "coverages within the limits, give or take two errors")

    def _kept(self) -> pl.DataFrame:
        required = self.rows.filter("required", rule="reported")
        kept = [
            coverage.keeps_promise(
                coverage.Share(row["value"], row["mc_error"]), row["smallest_arm"]
            )
            for row in required.iter_rows(named=True)
        ]
        return required.with_columns(kept=pl.Series(kept, dtype=pl.Boolean))

    def _count(self, count: int, what: str) -> Number:
        provenance = self._stored(randomised_coverage)
        return Number(value=float(count), unit="coverages", what=what, provenance=provenance)

    def _stored(self, function: Callable[..., Any]) -> Provenance:
        n = int(self.rows.unique("design")["draws"].sum())
        method = "simulated draws, stored"
        return of_files(
            function, DRAWN, DESIGNS, evidence="model", rows_in=n, rows_used=n, method=method
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw coverage by villages in each arm, with two Monte Carlo errors."""
        data = self.rows.filter(pl.col("measure").is_in([_event_time(kind) for kind in KINDS]))
        names = [f"{kind}, {RULES[rule]}" for kind, rule in SERIES]
        rows = []
        for arms in data["arms"].unique(maintain_order=True):
            result = []
            for number, (kind, rule) in enumerate(SERIES):
                row = data.filter(arms=arms, kind=kind, rule=rule)
                if not row.height:
                    continue
                value = 100 * row["value"].item()
                text = f"{arms}, {names[number]}: {per_cent(value)} per cent"
                result.append(Dot(number, value, 100 * row["mc_error"].item(), text))
            rows.append(DotRow(arms, tuple(result)))
        low = min(dot.value for row in rows for dot in row.dots)
        return dots(
            rows,
            names,
            "per cent of simulated draws, true effect inside",
            limits=(low - 4, 101.0),
            reference=NOMINAL,
            band=ASKED,
            what="coverage of intervals and bands in simulated villages",
            data=data,
            provenance=self._stored(RandomisedCoverage.plot),
            ax=ax,
        )

    def table(self) -> ResultTable:
        """Return coverage by event time, size and power, by villages and rule, in per cent.

        Examples
        --------
        >>> randomised_coverage().table().shown.columns[:3]
        ['simulated villages', 'rule', 'interval holds it, %']
        """
        wide = (
            self.rows.filter(pl.col("measure").is_in([_event_time(kind) for kind in KINDS]))
            .pivot("kind", index=["design", "arms", "rule", "required", "draws"], values="value")
            .join(self.single, on=["design", "rule"], how="left", maintain_order="left")
        )
        shown = wide.select(
            pl.col("arms").alias("simulated villages"),
            pl.col("rule").replace_strict(RULES),
            share("interval").alias("interval holds it, %"),
            share("band").alias("band holds all, %"),
            share("size").alias("false positives, %"),
            share("power").alias("effect found, %"),
        )
        provenance = self._stored(RandomisedCoverage.table)
        return ResultTable(shown=shown, data=wide, provenance=provenance).filterable("rule")


def randomised_coverage(results: Results | None = None) -> RandomisedCoverage:
    """Return how often intervals and bands hold the true effect, as it was stored.

    Parameters
    ----------
    results : Results, optional
        As `analysis.validation.stored.read`, which is asked if left out.

    Examples
    --------
    >>> float(randomised_coverage().nominal)
    95.0
    """
    results = stored.read() if results is None else results
    known = [d for d in designs.load() if d.kind == "lot" and d.id in results.runs]
    known.sort(key=lambda design: (design.villages, -design.smallest_arm))
    about = pl.DataFrame(
        [
            {
                "design": design.id,
                "arms": arms(design),
                "villages": design.villages,
                "smallest_arm": design.smallest_arm,
                "required": design.required,
                "draws": results.runs[design.id].draws,
            }
            for design in known
        ]
    )
    kinds = {measure: kind for kind, measures in KINDS.items() for measure in measures}
    mine = results.summary.filter(
        pl.col("estimator") == "group_time", pl.col("rule").is_in(list(RULES))
    ).drop("draws")
    rows = about.join(
        mine.filter(pl.col("measure").is_in(list(kinds))), on="design", maintain_order="left_right"
    ).with_columns(kind=pl.col("measure").replace_strict(kinds))
    single = (
        mine.filter(pl.col("measure").is_in(["size", "power"]))
        .pivot("measure", index=["design", "rule"], values="value")
        .select("design", "rule", "size", "power")
    )
    return RandomisedCoverage(rows, single)


def arms(design: Design) -> str:
    """Return the villages by arm, never treated first.

    Examples
    --------
    >>> arms(next(d for d in designs.load() if d.id == "lot_9_3"))
    '9 never, 3 treated'
    """
    never = sum(n for g, n in design.arms if not g)
    treated = [n for g, n in design.arms if g]
    if len(treated) == 1:
        return f"{never} never, {treated[0]} treated"
    return f"{never} never, {len(treated)} cohorts of {treated[0]}"


def _event_time(kind: str) -> str:
    return "coverage_event_time" if kind == "interval" else "band_event_time"
