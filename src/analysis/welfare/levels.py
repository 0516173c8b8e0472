"""Levels of a frame: its rows checked, the sampling design, measures as the rows of a result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import polars as pl

from analysis.columns import note_codes, refuse_merged, refuse_text
from analysis.designs import frames
from analysis.designs.frames import Source
from analysis.designs.sample import EMPTY, NOTHING
from analysis.faults import refuse
from analysis.frames import nearly_agree
from analysis.inference.arrays import Floats, Integers
from analysis.results import Account, Comparison, Effect, Provenance, Result
from analysis.results.result import frame_of
from analysis.welfare import linearised
from analysis.welfare.linearised import Kind, Measures, SurveyDesign, interval

ERRORS: Final = "linearised, by sampling unit within strata, t of sampling units less strata"
LOGIT: Final = "; shares by logit, inside 0 and 1"
FEW: Final = "no interval: fewer than three sampling units"
NO_VARIANCE: Final = "no interval: no sampling unit varies"


@dataclass(frozen=True, eq=False)
class Levels:
    """Rows of a frame ready for a measure, r of them.

    Attributes
    ----------
    source : Source
        What was handed over.
    value : array, shape (r,)
        Income per person, or what else is measured.
    weight : array, shape (r,)
        Weight, times size where persons are counted.
    at : array, shape (r,)
        Sampling unit of each row.
    design : SurveyDesign
        Sampling units and their strata.
    groups : polars.DataFrame
        Columns of `by`, one row per row.
    columns : tuple of str
        Every column used.
    left_out : mapping of str to int
        Rows not used, by reason.
    decisions : tuple of str
        What was decided for the user.
    """

    source: Source
    value: Floats
    weight: Floats
    at: Integers
    design: SurveyDesign
    groups: pl.DataFrame
    columns: tuple[str, ...]
    left_out: Mapping[str, int]
    decisions: tuple[str, ...]

    def parts(self) -> list[tuple[str, Integers]]:
        """Return the rows of each group, with its label."""
        if not self.groups.width:
            return [("", np.arange(self.value.size))]
        rows = self.groups.with_row_index("__row")
        frame = rows.group_by(*self.groups.columns).agg("__row").sort(*self.groups.columns)
        return [
            (", ".join(str(x) for x in keys), np.array(own, np.int64))
            for *keys, own in frame.iter_rows()
        ]


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LevelsResult(Result):
    """Levels of one or several groups, with their joint influence by sampling unit.

    Attributes
    ----------
    measures : Measures
        Points and influence behind the frame, in its order.
    """

    measures: Measures = field(repr=False)

    @property
    def effect(self) -> Effect:
        """The estimate, where there is one."""
        return self.effect_of()

    def of(self, term: str, group: object = "") -> Effect:
        """Return one measure of one group.

        Parameters
        ----------
        term : str
            Such as ``headcount`` or ``gini``.
        group : value
            Of `by`; may be left out where there is one group.
        """
        return self.effect_of(term, str(group))

    def difference(self, after: object, before: object) -> LevelsResult:
        """Return the difference of each measure between two groups, such as years.

        Sampling units seen in both count as one sample: their covariance is in the error.

        Parameters
        ----------
        after, before : value
            Groups, as in `by`.
        """
        rows = {
            str(group): [k for k, o in enumerate(self.frame["outcome"]) if o == str(group)]
            for group in (after, before)
        }
        for group, own in rows.items():
            if not own:
                there = ", ".join(dict.fromkeys(self.frame["outcome"].to_list()))
                refuse("there is no such group", f"use one of: {there}", column="by", value=group)
        a, b = (self.measures.at(rows[str(group)]) for group in (after, before))
        measures = linearised.less(a, b, a.labels)
        units = self.frame["unit"].gather(rows[str(after)]).to_list()
        terms = self.frame["term"].gather(rows[str(after)]).to_list()
        records = rows_of(
            measures, terms, [f"{after} less {before}"] * len(terms), units, self.level, kind="any"
        )
        return LevelsResult(
            frame=frame_of(records),
            comparison=replace(self.comparison, errors=ERRORS),
            account=self.account,
            provenance=self.provenance,
            title=f"{self.title}, {after} less {before}",
            level=self.level,
            measures=measures,
        )


def read(
    data: Any,
    value: str,
    *,
    size: str | None,
    weight: str | None,
    by: Sequence[str],
    strata: str | None,
    psu: str | None,
    persons: bool,
    others: Sequence[str] = (),
    evidence: str = "",
) -> Levels:
    """Take rows out of a frame and check them.

    Raises
    ------
    FaultsError
        If a column is missing or no number, a weight is negative, a size is not above zero, a
        stratum has one sampling unit, or no row is left.
    """
    source = frames.read(data, evidence)
    frame = source.frame
    columns = [x for x in (value, *others, size, weight, *by, strata, psu) if x]
    for name in columns:
        if name not in frame.columns:
            refuse(
                "there is no such column", f"the data have {', '.join(frame.columns)}", column=name
            )
    numbers = [x for x in (value, *others, size, weight) if x]
    for name in numbers:
        if not (frame[name].dtype.is_numeric() or frame[name].dtype == pl.Boolean):
            refuse_text(frame[name])
    rows, left_out = frame, {}
    for name in dict.fromkeys(columns):
        known = pl.col(name).is_not_null()
        if frame[name].dtype.is_float():
            known &= pl.col(name).is_finite()
        if frame[name].dtype == pl.String:
            known &= pl.col(name).str.strip_chars() != ""
        less = rows.filter(known)
        if less.height < rows.height:
            left_out[f"{EMPTY}: {name}"] = rows.height - less.height
        rows = less
    if weight and rows.height:
        if float(rows[weight].min()) < 0:  # type: ignore[arg-type]  # a number, checked above
            refuse("a weight is negative", "correct it", column=weight)
        less = rows.filter(pl.col(weight) > 0)
        if less.height < rows.height:
            left_out[NOTHING] = rows.height - less.height
        rows = less
    if not rows.height:
        refuse("no row is left", f"look at what was left out: {left_out}", column=value)
    if size and not (rows[size] > 0).all():
        refuse("a size is not above zero", "correct it, or leave such rows out", column=size)
    design, at, decisions = _design(rows, strata, psu)
    decisions = (*note_codes([frame[name] for name in dict.fromkeys(numbers)]), *decisions)
    numbers_of = {name: rows[name].cast(pl.Float64).to_numpy() for name in numbers}
    w = numbers_of[weight] if weight else np.ones(rows.height)
    people = numbers_of[size] if size else np.ones(rows.height)
    return Levels(
        source,
        numbers_of[value] / people,
        w * people if persons else w,
        at,
        design,
        rows.select(*by, *others),
        tuple(dict.fromkeys(columns)),
        left_out,
        decisions,
    )


def _design(
    rows: pl.DataFrame, strata: str | None, psu: str | None
) -> tuple[SurveyDesign, Integers, tuple[str, ...]]:
    """Return the sampling design and each row's unit; ids are taken together with the stratum."""
    decisions: list[str] = []
    stratum = rows[strata].cast(pl.String) if strata else pl.Series(["all"] * rows.height)
    own = rows[psu].cast(pl.String) if psu else pl.Series(range(rows.height)).cast(pl.String)
    for column, names in ((strata, stratum), (psu, own)):
        if column:
            refuse_merged(rows[column])
            decisions += nearly_agree(names.unique().sort().to_list(), column)
    frame = pl.DataFrame({"stratum": stratum, "psu": own})
    if strata and psu:
        reused = frame.group_by("psu").agg(pl.col("stratum").n_unique().alias("k"))
        count = int((reused["k"] > 1).sum())
        if count:
            decisions.append(
                f"{count:,} ids of {psu} occur in several {strata}: each is taken together with its"
                " stratum"
            )
    units = frame.unique().sort("stratum", "psu").with_row_index("number")
    alone = units.group_by("stratum").len().filter(pl.col("len") == 1).sort("stratum")
    if strata and alone.height:
        refuse(
            f"{alone.height:,} strata have one sampling unit: their variance cannot be told",
            "join such strata to others",
            column=strata,
            value=alone["stratum"][0],
        )
    at = frame.join(units, on=["stratum", "psu"], how="left", maintain_order="left")["number"]
    number = units["stratum"].rank("dense").cast(pl.Int64).to_numpy() - 1
    pairs = units.select("stratum", "psu").rows()
    labels = tuple(f"{a} / {b}" if strata else str(b) for a, b in pairs)
    design = SurveyDesign(labels, number.astype(np.int64))
    return design, at.to_numpy().astype(np.int64), tuple(decisions)


def rows_of(
    measures: Measures,
    terms: Sequence[str],
    groups: Sequence[str],
    units: Sequence[str],
    level: float,
    *,
    kind: Sequence[Kind] | Kind,
) -> list[dict[str, Any]]:
    """Return measures as rows of a result's frame; shares have intervals by logit."""
    errors, degrees = measures.std_errors, measures.degrees
    kinds = [kind] * len(measures) if isinstance(kind, str) else list(kind)
    rows = []
    for k, (term, group, unit) in enumerate(zip(terms, groups, units, strict=True)):
        point, error = float(measures.points[k]), float(errors[k])
        note = FEW if not math.isfinite(error) else ""
        if math.isfinite(error) and error <= 1e-12 * max(abs(point), 1.0):
            error, note = math.nan, NO_VARIANCE
        low, high = interval(point, error, float(degrees[k]), level, kinds[k])
        rows.append(
            {
                "term": term,
                "outcome": group,
                "estimate": point,
                "std_error": error,
                "ci_low": low,
                "ci_high": high,
                "df": float(degrees[k]),
                "n": int(measures.n_rows[k]),
                "unit": unit,
                "note": note,
                "n_sampling_units": int(measures.used[:, k].sum()),
            }
        )
    return rows


def result(
    levels: Levels,
    measures: Measures,
    rows: Sequence[Mapping[str, Any]],
    comparison: Comparison,
    function: Any,
    title: str,
    *,
    level: float,
    units: str,
    decisions: Sequence[str] = (),
) -> LevelsResult:
    """Return levels as a result with their account."""
    source = levels.source
    return LevelsResult(
        frame=frame_of(rows),
        comparison=comparison,
        account=Account(
            rows_in=source.frame.height,
            rows_used=levels.value.size,
            left_out=levels.left_out,
            decisions=(*levels.decisions, *decisions),
            units=units,
        ),
        provenance=Provenance.of(
            function,
            evidence=source.evidence,
            method=comparison.estimator,
            inputs=(source.input(list(levels.columns)),),
        ),
        title=title,
        level=level,
        measures=measures,
    )
