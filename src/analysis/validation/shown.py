"""Results of proof as the page shows them: small tables, labels, sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from analysis import printing
from analysis.inference import clusters
from analysis.validation import coverage, designs, parity
from analysis.validation.designs import Design
from analysis.validation.estimators import LABELS
from analysis.validation.stored import Results

PROMISED: Final = (
    "coverage_simple",
    "coverage_event_time",
    "coverage_group_time",
    "band_event_time",
    "band_group_time",
)
MARKS: Final = {
    "interval, reported": ("reported", "coverage_event_time"),
    "band, reported": ("reported", "band_event_time"),
    "interval, packages' default": ("parity", "coverage_event_time"),
    "band, packages' default": ("parity", "band_event_time"),
}
"""What the figure of coverage shows: rule and measure."""
RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MOSTLY: Final = "training"
"""Programme of the designs that do not say otherwise."""
SWITCHES: Final = {
    "none": "no difficulty",
    "selection_level": "the better off take part",
    "selection_trend": "the rising take part",
    "dip": "a bad year before",
    "anticipation": "effects begin early",
    "spillover": "others are affected",
    "bundling": "programmes together",
    "coverage": "nearly everyone",
    "attrition": "households leave",
    "missing": "answers missing",
    "heaping": "answers rounded",
    "misreporting": "floors reported",
    "all": "all at once",
}


@dataclass(frozen=True)
class Promise:
    """How the required designs came out.

    Attributes
    ----------
    asked, kept : int
        Coverages asked of `reported`, and those within the limits give or take two errors.
    interval_low, interval_high, band_low, band_high : float
        Least and largest coverage of single intervals and of bands, per cent.
    villages_band_low, parity_band_low, parity_interval_low : float
        Least coverage by the other rules, per cent.
    draws : int
        Draws in all.
    """

    asked: int
    kept: int
    interval_low: float
    interval_high: float
    band_low: float
    band_high: float
    villages_band_low: float
    parity_band_low: float
    parity_interval_low: float
    draws: int


def _measure(
    results: Results, design: str, rule: str, measure: str, estimator: str = "group_time"
) -> coverage.Share | None:
    found = results.summary.filter(design=design, estimator=estimator, rule=rule, measure=measure)
    if not found.height:
        return None
    return coverage.Share(found["value"].item(), found["mc_error"].item())


def _known(results: Results, kind: str) -> Iterator[Design]:
    for design in designs.load():
        if design.kind == kind and design.id in results.runs:
            yield design


def promise(results: Results) -> Promise:
    """Return how often `reported` kept its word where it must.

    The other rules promise an interval with three villages in an arm too, so such designs count.
    """
    few = clusters.LEAST_VILLAGES
    known = [design for design in _known(results, "lot") if design.smallest_arm >= few]
    required = [design for design in known if design.required]
    found: dict[tuple[str, str], list[coverage.Share]] = {}
    reported = []
    for design in known:
        for rule in coverage.RULES if design.required else ("villages", "parity"):
            for measure in PROMISED:
                share = _measure(results, design.id, rule, measure)
                if share is None:
                    continue
                kind = "band" if measure.startswith("band") else "interval"
                found.setdefault((rule, kind), []).append(share)
                if rule == "reported":
                    reported.append(coverage.keeps_promise(share, design.smallest_arm))

    def ends(rule: str, kind: str) -> tuple[float, float]:
        values = [100 * share.value for share in found[rule, kind]]
        return min(values), max(values)

    return Promise(
        len(reported),
        sum(reported),
        *ends("reported", "interval"),
        *ends("reported", "band"),
        ends("villages", "band")[0],
        ends("parity", "band")[0],
        ends("parity", "interval")[0],
        sum(results.runs[design.id].draws for design in required),
    )


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


def by_villages(results: Results) -> pl.DataFrame:
    """Return coverage by number of villages: design, arms, required, mark, percent, error, draws.

    One row per design and mark of `MARKS`, in per cent.
    """
    rows = []
    for design in sorted(_known(results, "lot"), key=lambda d: (d.villages, -d.smallest_arm)):
        for mark, (rule, measure) in MARKS.items():
            share = _measure(results, design.id, rule, measure)
            if share is not None:
                rows.append(
                    {
                        "design": design.id,
                        "arms": arms(design),
                        "required": design.required,
                        "mark": mark,
                        "percent": 100 * share.value,
                        "error": 100 * share.mc_error,
                        "draws": results.runs[design.id].draws,
                    }
                )
    return pl.DataFrame(rows, infer_schema_length=None)


def rules(results: Results) -> pl.DataFrame:
    """Return coverage by rule of the degrees of freedom, in print: the table behind the choice."""
    rows = []
    for design in sorted(_known(results, "lot"), key=lambda d: (d.villages, -d.smallest_arm)):
        row = {"arms": arms(design)}
        for rule in coverage.RULES:
            for name, measure in (("interval", "coverage_event_time"), ("band", "band_event_time")):
                share = _measure(results, design.id, rule, measure)
                row[f"{rule}_{name}"] = _percent(share)
        power = _measure(results, design.id, "reported", "power")
        size = _measure(results, design.id, "reported", "size")
        rows.append(
            {
                **row,
                "size": _percent(size),
                "power": _percent(power),
                "required": "yes" if design.required else "no",
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def _percent(share: coverage.Share | None) -> str:
    return "" if share is None else printing.number(100 * share.value, 1)


def by_switch(results: Results) -> pl.DataFrame:
    """Return bias and coverage of the overall effect by difficulty and estimator.

    Returns
    -------
    polars.DataFrame
        design, programme, switch, label, row, estimator, estimator_label; truth, bias, bias_error
        (yuan a year); coverage, coverage_error, size, power (per cent, reported intervals); draws.
    """
    rows = []
    for design in _known(results, "offered"):
        for estimator, label in LABELS.items():
            found = {
                m: _measure(results, design.id, "any", m, estimator) for m in ("truth", "bias")
            }
            shares = {
                m: _measure(results, design.id, "reported", m, estimator)
                for m in ("coverage_simple", "size", "power")
            }
            if found["bias"] is None or found["truth"] is None or shares["coverage_simple"] is None:
                continue
            rows.append(
                {
                    "design": design.id,
                    "programme": design.programme,
                    "switch": design.switch,
                    "label": SWITCHES[design.switch],
                    "row": _row_label(design),
                    "estimator": estimator,
                    "estimator_label": label,
                    "truth": found["truth"].value,
                    "bias": found["bias"].value,
                    "bias_error": found["bias"].mc_error,
                    "coverage": 100 * shares["coverage_simple"].value,
                    "coverage_error": 100 * shares["coverage_simple"].mc_error,
                    **{
                        m: 100 * share.value if (share := shares[m]) else None
                        for m in ("size", "power")
                    },
                    "draws": results.runs[design.id].draws,
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def _row_label(design: Design) -> str:
    """Return the difficulty, and the programme where it is not the one of most rows."""
    label = SWITCHES[design.switch]
    return (
        label if design.programme == MOSTLY else f"{label}\n({design.programme.replace('_', ' ')})"
    )


def designed(switches: pl.DataFrame) -> pl.DataFrame:
    """Return `by_switch` for the estimators that have a design: comparison and period before."""
    return switches.filter(~pl.col("estimator").is_in(["before_after", "with_without"]))


def one(switches: pl.DataFrame, design: str, estimator: str = "group_time") -> dict[str, float]:
    """Return bias, truth, coverage, size and power of one design and estimator."""
    row = switches.filter(design=design, estimator=estimator)
    return row.select("bias", "truth", "coverage", "size", "power").row(0, named=True)


def failures(switches: pl.DataFrame) -> pl.DataFrame:
    """Return for each estimator and difficulty bias and coverage in print, the worst first.

    The bias is also given as a share of the true effect.
    """
    return switches.sort(pl.col("coverage"), -pl.col("bias").abs()).select(
        "estimator_label",
        "label",
        programme=pl.col("programme").str.replace_all("_", " "),
        truth=pl.col("truth").map_elements(lambda x: printing.number(x, 0), pl.String),
        bias=pl.struct("bias", "bias_error").map_elements(_give_or_take, pl.String),
        coverage=pl.col("coverage").map_elements(lambda x: printing.number(x, 1), pl.String),
        size=pl.col("size").map_elements(lambda x: printing.number(x, 1), pl.String),
    )


def _give_or_take(row: dict[str, float]) -> str:
    return f"{printing.number(row['bias'], 0)} ± {printing.number(2 * row['bias_error'], 0)}"


def runs(results: Results) -> pl.DataFrame:
    """Return when each group of designs was drawn and with how many draws."""
    rows = []
    for kind, what in designs.KINDS.items():
        own = [results.runs[design.id] for design in _known(results, kind)]
        if own:
            rows.append(
                {
                    "designs": what,
                    "number": len(own),
                    "draws": sum(run.draws for run in own),
                    "first": min(run.date for run in own),
                    "last": max(run.date for run in own),
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def age(results: Results) -> str:
    """Return in a sentence how old the draws are and whether they are of this code."""
    when = f"The oldest draws are of {results.oldest}."
    if results.same_code:
        return f"{when} The code and parameters they depend on have not changed since."
    return (
        f"{when} Code or parameters they depend on have changed since; a test makes the first"
        " draws again and finds the same numbers, or the tests fail."
    )


def published(results: Results) -> pl.DataFrame:
    """Return the published cases as the page lists them."""

    def digits(printed: str, ours: float | None) -> str:
        places = len(printed.partition(".")[2])
        return "" if ours is None else printing.number(ours, places)

    rows = []
    for row in results.published.iter_rows(named=True):
        printed, ours = str(row["printed"]), row["ours"]
        se, error = row["printed_se"], row["our_se"]
        state = {True: "every digit", False: "not every digit", None: "data absent"}[row["within"]]
        rows.append(
            {
                "source": row["source"],
                "estimator": row["estimator"],
                "printed": printed.replace("-", "−") + (f" ({se})" if se is not None else ""),
                "ours": digits(printed, ours)
                + (f" ({digits(str(se), error)})" if ours is not None and se is not None else ""),
                "state": state,
                "why_not": row["why_not"] or "",
                "provenance": row["provenance"],
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def published_counts(results: Results) -> dict[str, int]:
    """Return how many published cases there are, were computed, came out, and are absent."""
    within = results.published["within"]
    return {
        "cases": results.published.height,
        "computed": int(within.is_not_null().sum()),
        "every_digit": int(within.fill_null(value=False).sum()),
        "not_every_digit": int((~within.fill_null(value=True)).sum()),
        "absent": int(within.is_null().sum()),
    }


def parity_table(summary: pl.DataFrame) -> pl.DataFrame:
    """Return the agreement with packages as the page lists it.

    Parameters
    ----------
    summary : polars.DataFrame
        From `analysis.validation.parity.summary`.
    """

    def power(value: float | None) -> str:
        if value is None:
            return "not compared"
        if value == 0:
            return "none"
        # Differences this small are rounding, which differs between machines: only their limit is
        # printed.
        limit = next((n for n in (12, 10, 8, 6) if value <= 10.0**-n), None)
        return "above a millionth" if limit is None else f"< 10{str(-limit).translate(RAISED)}"

    return summary.select(
        "variant",
        estimator=pl.col("estimator").replace_strict(parity.LABELS),
        peer=pl.concat_str("peer", pl.lit(" "), "version"),
        estimates="estimates",
        point=pl.col("point_difference").map_elements(power, pl.String, skip_nulls=False),
        error=pl.col("error_difference").map_elements(power, pl.String, skip_nulls=False),
        factor="factor",
        agrees=pl.when("agrees").then(pl.lit("yes")).otherwise(pl.lit("no")),
    )
