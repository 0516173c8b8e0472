"""Tables of the page on sensitivity, numbers printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from analysis import printing, programmes
from analysis.sensitivity import specifications, spillovers, trends
from analysis.sensitivity.choices import Choice
from analysis.sensitivity.event_study import EventStudy
from analysis.sensitivity.report import Checks

WHERE_SHOWN = {
    "other_villages": "controls in other villages",
    "same_village": "controls in the same village",
    "anywhere": "controls anywhere",
    spillovers.SPILLOVER: "untreated neighbours against other villages",
}


def name_of(programme: str) -> str:
    """Return what a programme is called; an unknown one keeps its own name."""
    known = programmes.load().programmes.filter(pl.col("id") == programme)
    return str(known["name_en"].item()) if known.height else programme


OVERVIEW = ("programme", "estimate", "truth", "specifications", "breakdown", "leaving", "county")


PARTS = {
    "programme": pl.String,
    "kind": pl.String,
    "without": pl.String,
    "households": pl.Int64,
    "estimate": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "moved": pl.Float64,
    "why": pl.String,
}


def _frame(rows: Iterable[tuple[str, ...]], *columns: str) -> pl.DataFrame:
    """Return printed rows as a table of text."""
    return pl.DataFrame(list(rows), orient="row", schema=dict.fromkeys(columns, pl.String))


def overview(found: Iterable[Checks]) -> pl.DataFrame:
    """Return one row per programme: estimate, assumed effect, range, breakdown, leavers, parts."""
    rows = []
    for one in found:
        curve = one.curve
        spread = (
            None
            if curve is None
            else _to(curve.effects.points.min(), curve.effects.points.max(), 1)
        )
        rows.append(
            {
                "programme": name_of(one.programme),
                "estimate": _estimate(one.main, one.why.get("main", "")),
                "truth": "not known" if one.truth is None else printing.number(one.truth, 0),
                "specifications": spread or one.why.get("curve", ""),
                "breakdown": _broken(one),
                "leaving": one.why.get("leaving", "")
                if one.leaving is None
                else _to(one.leaving.low, one.leaving.high),
                "county": _range_of(one.counties, one.why.get("counties", "")),
            }
        )
    return pl.DataFrame(rows, schema=dict.fromkeys(OVERVIEW, pl.String))


def _broken(one: Checks) -> str:
    if one.broken is None:
        return one.why.get("study") or one.why.get("broken", "")
    if not one.broken.sign:
        return "holds zero from the start"
    if one.broken.bound >= one.broken.most:
        return f"more than {printing.number(one.broken.most, 0)}"
    return printing.number(one.broken.bound, 2)


def _to(low: float, high: float, digits: int = 0) -> str:
    return f"{printing.number(low, digits)} to {printing.number(high, digits)}"


def _estimate(frame: pl.DataFrame | None, why: str) -> str:
    if frame is None:
        return why
    row = frame.row(0, named=True)
    if row["ci_low"] != row["ci_low"]:
        return f"{printing.number(row['estimate'], 0)} ({row['note']})"
    return f"{printing.number(row['estimate'], 0)} ({_to(row['ci_low'], row['ci_high'])})"


def _range_of(frame: pl.DataFrame | None, why: str) -> str:
    if frame is None:
        return why
    kept = frame.filter(pl.col("without") != "")["estimate"].drop_nulls().to_list()
    return _to(min(kept), max(kept)) if kept else "none can be left out"


def drifts(found: Iterable[Checks]) -> pl.DataFrame:
    """Return one row per programme and bound: what points allow, and the interval."""
    rows = [
        (
            name_of(one.programme),
            printing.number(row["bound"], 2),
            _to(row["set_low"], row["set_high"]),
            _to(row["ci_low"], row["ci_high"]),
        )
        for one in found
        if one.drift is not None
        for row in one.drift.iter_rows(named=True)
    ]
    return _frame(rows, "programme", "bound", "points", "interval")


def controls(found: Iterable[Checks]) -> pl.DataFrame:
    """Return one row per programme and way to choose controls, with households of both arms."""
    rows = []
    for one in found:
        if one.controls is None:
            rows.append((name_of(one.programme), one.why.get("controls", ""), "", "", ""))
            continue
        for row in one.controls.frame().iter_rows(named=True):
            rows.append(
                (
                    name_of(one.programme),
                    WHERE_SHOWN[row["name"]],
                    _estimate(pl.DataFrame([row]), ""),
                    printing.number(row["n_villages_treated"]),
                    printing.number(row["n_villages_control"]),
                )
            )
        if one.direct is not None:
            rows.append(
                (
                    name_of(one.programme),
                    "without what neighbours feel, or less",
                    f"{_to(one.direct.low, one.direct.high)} "
                    f"({_to(one.direct.ci_low, one.direct.ci_high)})",
                    "",
                    "",
                )
            )
        rows += [
            (name_of(one.programme), WHERE_SHOWN[name], f"not possible: {why}", "", "")
            for name, why in one.controls.missing.items()
        ]
    return _frame(rows, "programme", "controls", "estimate", "treated", "control")


def placebos(found: Iterable[Checks]) -> pl.DataFrame:
    """Return one row per programme and placebo."""
    rows = []
    for one in found:
        name = name_of(one.programme)
        if one.periods is None:
            rows.append((name, "earlier start", one.why.get("periods", ""), ""))
        else:
            rows += [
                (name, _start(row["shift"]), *_verdict(row))
                for row in one.periods.iter_rows(named=True)
            ]
        if one.sources is None:
            rows.append((name, "source out of reach", one.why.get("sources", ""), ""))
        else:
            rows += [
                (name, f"{row['outcome']} income", *_verdict(row))
                for row in one.sources.iter_rows(named=True)
            ]
    return _frame(rows, "programme", "placebo", "estimate", "verdict")


def _start(shift: int) -> str:
    return f"start {shift} {'year' if shift == 1 else 'years'} earlier"


def _verdict(row: Mapping[str, float]) -> tuple[str, str]:
    low, high = row["ci_low"], row["ci_high"]
    if low != low:
        return _estimate(pl.DataFrame([row]), ""), "no interval"
    return (
        _estimate(pl.DataFrame([row]), ""),
        "away from zero" if low > 0 or high < 0 else "holds zero",
    )


def parts(found: Iterable[Checks]) -> pl.DataFrame:
    """Return one row per programme and part left out, those that move the estimate most first."""
    frames = [pl.DataFrame(schema=PARTS)]
    for one in found:
        for kind, frame in (("county", one.counties), ("cohort", one.cohorts)):
            if frame is not None:
                own = {"programme": pl.lit(name_of(one.programme)), "kind": pl.lit(kind)}
                left = frame.filter(pl.col("without") != "").with_columns(**own)
                frames.append(left.select(*PARTS))
    return pl.concat(frames).sort(pl.col("moved").abs(), descending=True, nulls_last=True)


def parts_shown(found: Iterable[Checks], most: int = 12) -> pl.DataFrame:
    """Return the parts that move an estimate most, numbers printed."""
    rows = []
    for row in parts(found).head(most).iter_rows(named=True):
        estimate = row["why"]
        if row["estimate"] is not None:
            estimate = printing.number(row["estimate"], 0)
            if row["ci_low"] == row["ci_low"]:
                estimate += f" ({_to(row['ci_low'], row['ci_high'])})"
        moved = "" if row["moved"] is None else printing.number(row["moved"], 0)
        rows.append(
            (
                row["programme"],
                row["kind"],
                row["without"],
                printing.number(row["households"]),
                estimate,
                moved,
            )
        )
    return _frame(rows, "programme", "kind", "without", "households", "estimate", "moved")


def leavers(found: Iterable[Checks]) -> pl.DataFrame:
    """Return one row per programme: who is seen again, and what who is not may hide."""
    rows = []
    for one in found:
        name, bounds = name_of(one.programme), one.leaving
        if bounds is None:
            rows.append(
                (name, "", "", "", one.why.get("leaving") or one.why.get("rows", ""), "", "")
            )
            continue
        interval = one.leaving_interval
        rows.append(
            (
                name,
                printing.number(bounds.rows_in),
                printing.number(bounds.rows_used),
                f"{printing.number(100 * bounds.seen_treated, 1)} / "
                f"{printing.number(100 * bounds.seen_control, 1)}",
                printing.number(100 * bounds.trimmed, 1),
                _to(bounds.low, bounds.high),
                one.why.get("leaving_interval", "") if interval is None else _to(*interval),
            )
        )
    return _frame(
        rows, "programme", "rows_in", "rows_used", "seen", "trimmed", "bounds", "interval"
    )


def hidden(found: Iterable[Checks]) -> pl.DataFrame:
    """Return one row per programme: how strong a hidden cause of changes must be, per cent."""
    rows = []
    for one in found:
        name, strength, study = name_of(one.programme), one.hidden, one.study
        if strength is None:
            rows.append((name, one.why.get("hidden") or one.why.get("rows", ""), "", "", ""))
            continue
        rows.append(
            (
                name,
                printing.number(100 * strength.partial_r2, 2),
                printing.number(100 * strength.value, 1),
                printing.number(100 * strength.value_interval, 1),
                "" if study is None else _drift(study),
            )
        )
    return _frame(rows, "programme", "partial_r2", "value", "value_interval", "drift")


def _drift(study: EventStudy) -> str:
    return printing.number(trends.needed_drift(study, study.average()), 0)


def failures(one: Checks | None) -> pl.DataFrame:
    """Return why specifications could not be run, with how many."""
    if one is None or one.curve is None:
        return pl.DataFrame(schema={"why": pl.String, "specifications": pl.Int64})
    counts = pl.Series("why", [why for _, why in one.curve.failed], pl.String)
    return counts.value_counts(sort=True, name="specifications").with_columns(
        pl.col("specifications").cast(pl.Int64)
    )


def choice_rows(one: Checks | None, listed: tuple[Choice, ...]) -> pl.DataFrame:
    """Return how much each choice moves the estimate, numbers printed."""
    rows = []
    if one is not None and one.curve is not None:
        for row in specifications.by_choice(one.curve, listed).iter_rows(named=True):
            median, moved = (
                "" if row[name] is None else printing.number(row[name], 1)
                for name in ("median", "moved")
            )
            count = printing.number(row["specifications"])
            rows.append((row["choice"], row["option"], count, median, moved))
    return _frame(rows, "choice", "option", "specifications", "median", "moved")
