"""Records of all files of a survey joined into the tables of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import polars as pl

from analysis.panels import schemas
from analysis.panels.importing import treated
from analysis.panels.importing.mapping import Item, SurveyFile, SurveyMap
from analysis.panels.importing.records import (
    COUNTS,
    KEY,
    PERIOD,
    REASON,
    column_of,
    mark_duplicates,
    refuse,
)
from analysis.panels.outcomes import MONEY

UNIT = [KEY, PERIOD]


@dataclass(frozen=True)
class Part:
    """The tables of some households, and what became of every record about them.

    Attributes
    ----------
    households, income : polars.DataFrame
        As the contract has them; further outcomes stand in the income table.
    villages : polars.DataFrame
        What households say of their village; the first household speaks.
    participation : polars.DataFrame
        Of households, and for villages one row per household that says something.
    records : mapping of str to polars.DataFrame
        File id to its records with their reasons.
    decided : mapping of (str, str) to frozenset of str
        Units of which rows say different things, by what was decided and programme.
    moved : int
        Households that changed village; the baseline one stays.
    reweighted : int
        Households whose weight is not the same in every record; the first one given stays.
    """

    households: pl.DataFrame
    income: pl.DataFrame
    villages: pl.DataFrame
    participation: pl.DataFrame
    records: Mapping[str, pl.DataFrame]
    decided: Mapping[tuple[str, str], frozenset[str]]
    moved: int
    reweighted: int


def assemble(frames: Mapping[str, pl.DataFrame], survey: SurveyMap) -> Part:
    """Join, sum, check across rows and build the tables.

    Parameters
    ----------
    frames : mapping of str to polars.DataFrame
        File id to records, household and person files only; all rows of a household together.
    survey : SurveyMap
        The map.
    """
    files = {f.id: f for f in survey.files if f.id in frames}
    marked = {name: mark_duplicates(frames[name], _identity(file)) for name, file in files.items()}
    seen = _anchor(marked, survey)
    marked = {name: _unmatched(frame, seen, files[name], survey) for name, frame in marked.items()}
    merged = _merged(marked, seen, files, survey)
    judged = _judge_periods(merged, survey)
    whole = merged.join(judged, on=UNIT, how="anti", maintain_order="left")
    lost = _judge_households(whole, survey)
    whole = whole.join(lost, on=KEY, how="anti", maintain_order="left")
    lost_units = merged.join(lost, on=KEY).select(*UNIT, "_judged")
    marked = {
        name: _refused(frame, files[name], pl.concat([judged, lost_units]), whole)
        for name, frame in marked.items()
    }
    baseline = _baseline(whole)
    frame = _with_village(whole, baseline)
    rejected = treated.of_rejected(marked.values(), frame.select(KEY, treated.VILLAGE).unique(KEY))
    told = pl.concat([frame, rejected], how="diagonal").sort(UNIT, maintain_order=True)
    everywhere, accepted = (treated.participation(f, survey) for f in (told, frame))
    return Part(
        households=_households(baseline, survey),
        income=_income(whole, survey),
        villages=_villages(baseline),
        participation=everywhere,
        decided={**treated.decided(told, survey), **treated.read_of_rejected(everywhere, accepted)},
        records=marked,
        moved=_several(whole, "h:village"),
        reweighted=_several(whole, "h:weight"),
    )


def _identity(file: SurveyFile) -> tuple[str, ...]:
    """Return the columns that tell two records apart; persons without a key are all different."""
    if file.unit == "person":
        return (KEY, PERIOD, "_person" if file.person else "_row")
    return (KEY, PERIOD)


def _accepted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col(REASON).is_null())


def _anchor(marked: Mapping[str, pl.DataFrame], survey: SurveyMap) -> pl.DataFrame:
    """Return which households were seen in which period: key and period."""
    keys = [_accepted(marked[f.id]).select(UNIT) for f in survey.anchors()]
    return pl.concat(keys).unique().sort(UNIT)


def _unmatched(
    frame: pl.DataFrame, seen: pl.DataFrame, file: SurveyFile, survey: SurveyMap
) -> pl.DataFrame:
    """Refuse records about households or periods that the main files do not have."""
    if file in survey.anchors():
        return frame
    on = [KEY] if file.layout == "fixed" else UNIT
    alone = _accepted(frame).select(on).unique().join(seen, on=on, how="anti")
    return refuse(frame, alone.with_columns(_judged=pl.lit("no_household_record")), on)


def _merged(
    marked: Mapping[str, pl.DataFrame],
    seen: pl.DataFrame,
    files: Mapping[str, SurveyFile],
    survey: SurveyMap,
) -> pl.DataFrame:
    """Join what every file says of a household and period, and add up the sources."""
    merged = seen
    for name, file in files.items():
        frame = _accepted(marked[name]).drop("_row", "_person", REASON, "_detail", *COUNTS)
        on = UNIT
        if file.layout == "fixed":
            on, frame = [KEY], frame.drop(PERIOD)
        if file.unit == "person":
            frame = _summed_over_persons(frame, on, counted=name in survey.count_persons)
        both = [c for c in frame.columns if c in merged.columns and c not in on]
        merged = merged.join(frame, on=on, how="left", maintain_order="left", suffix="|2")
        merged = merged.with_columns(pl.coalesce(c, f"{c}|2").alias(c) for c in both)
        merged = merged.drop(f"{c}|2" for c in both)
    return merged.with_columns(*_sources(merged, survey), *_outcomes(merged, survey))


def _summed_over_persons(frame: pl.DataFrame, on: list[str], *, counted: bool) -> pl.DataFrame:
    """Aggregate persons: amounts add up (one missing makes the sum missing), words are the first.

    A share is the mean of those who answer; yes or no, and a treatment, are the household's as soon
    as one member has it; doses add up.
    """
    how: list[pl.Expr] = [pl.len().cast(pl.Int32).alias("members")] if counted else []
    for name in frame.columns:
        column = pl.col(name)
        if name in on:
            continue
        if name.startswith(("i:", "k:")):
            how.append(pl.when(column.null_count() == 0).then(column.sum()).alias(name))
        elif name.startswith("m:"):
            how.append(column.mean())
        elif name.startswith("o:"):
            how.append(column.max())
        elif name.endswith(":dose"):
            how.append(pl.when(column.count() > 0).then(column.sum()).alias(name))
        elif name.endswith(":first"):
            how.append(column.min())
        elif name.endswith(":on") or name.startswith("s:"):
            how.append(column.max())
        else:
            how.append(column.drop_nulls().first())
    return frame.group_by(on, maintain_order=True).agg(how)


def _members(merged: pl.DataFrame) -> pl.Expr:
    return pl.col("members") if "members" in merged.columns else pl.lit(None, dtype=pl.Int32)


def _total(merged: pl.DataFrame, prefix: str, items: tuple[Item, ...], target: str) -> pl.Expr:
    """Return the sum of the items of a source or outcome, null if any is.

    Money is rounded to whole hundredths; nothing else is rounded.
    """
    terms, kind = [], "money"
    for i, item in enumerate(items):
        if item.target == target:
            column, kind = pl.col(column_of(prefix, i, item)), item.kind
            terms.append(column * _members(merged) if item.per_head else column)
    total = reduce(lambda a, b: a + b, terms)
    return total.round(0).cast(pl.Int64, strict=False) if kind in MONEY else total


def _sources(merged: pl.DataFrame, survey: SurveyMap) -> list[pl.Expr]:
    read = survey.sources_read()
    none = pl.lit(None, dtype=pl.Int64)
    return [
        (_total(merged, "i", survey.items, s) if s in read else none).alias(s)
        for s in schemas.SOURCES
    ]


def _outcomes(merged: pl.DataFrame, survey: SurveyMap) -> list[pl.Expr]:
    names = [outcome.name for outcome in survey.panel_outcomes()]
    return [_total(merged, "k", survey.outcomes, name).alias(f"y:{name}") for name in names]


def _judge_periods(merged: pl.DataFrame, survey: SurveyMap) -> pl.DataFrame:
    """Return the household-periods that cannot stand, with the reason."""
    limit, counted = schemas.LARGEST_FEN, bool(survey.count_persons)
    own = [f"y:{o.name}" for o in survey.panel_outcomes() if o.kind in MONEY]
    money = (*schemas.SOURCES, *own)
    answered = pl.any_horizontal(
        pl.col(c).fill_null(value=False) for c in merged.columns if c.startswith("s:")
    )
    nothing = ~(answered | _members(merged).is_not_null()) if counted else ~answered
    too_large = pl.any_horizontal(pl.col(name).abs() > limit for name in money)
    reason = (
        pl.when(nothing)
        .then(pl.lit("nothing_observed"))
        .when(pl.col("wage") < 0)
        .then(pl.lit("negative_wage"))
        .when(too_large)
        .then(pl.lit("out_of_range"))
    )
    return merged.select(*UNIT, reason.alias("_judged")).drop_nulls("_judged")


def _judge_households(whole: pl.DataFrame, survey: SurveyMap) -> pl.DataFrame:
    """Return the households that lack what the contract needs, with the reason."""
    size = pl.coalesce(c for c in ("h:size", "members") if c in whole.columns)
    weight = pl.col("h:weight") if "h:weight" in whole.columns else pl.lit(1.0)
    frame = whole.group_by(KEY, maintain_order=True).agg(
        pl.col("h:village").count().alias("village"),
        size.count().alias("size"),
        weight.count().alias("weight"),
    )
    reason = pl.coalesce(
        pl.when(pl.col(n) == 0).then(pl.lit(f"no_{n}")) for n in ("village", "size", "weight")
    )
    return frame.select(KEY, reason.alias("_judged")).drop_nulls("_judged")


def _refused(
    frame: pl.DataFrame, file: SurveyFile, judged: pl.DataFrame, whole: pl.DataFrame
) -> pl.DataFrame:
    """Refuse the records behind what was judged; a fixed row falls only with all its periods."""
    if file.layout != "fixed":
        return refuse(frame, judged, UNIT)
    gone = judged.join(whole, on=KEY, how="anti").unique(KEY, keep="first", maintain_order=True)
    return refuse(frame, gone.select(KEY, "_judged"), [KEY])


def _baseline(whole: pl.DataFrame) -> pl.DataFrame:
    """Return one row per household: each field as it was first given."""
    fields = [c for c in whole.columns if c.startswith(("h:", "v:"))]
    size = pl.coalesce(c for c in ("h:size", "members") if c in whole.columns)
    return (
        whole.with_columns(size.alias("_size"), schemas.total().alias("_total"))
        .group_by(KEY, maintain_order=True)
        .agg(
            *(pl.col(c).drop_nulls().first() for c in fields),
            pl.col("_size").drop_nulls().first(),
            pl.col("_total").first(),
        )
    )


def _households(baseline: pl.DataFrame, survey: SurveyMap) -> pl.DataFrame:
    def given(name: str, default: object, kind: pl.DataType) -> pl.Expr:
        line, otherwise = f"h:{name}", pl.lit(default, dtype=kind)
        return pl.col(line).fill_null(otherwise) if line in baseline.columns else otherwise

    text, workers = pl.String(), given("workers", None, pl.Int32())
    if "h:workers" in baseline.columns:
        # More workers than members cannot be; which of the two is wrong is not known.
        workers = pl.when(workers <= pl.col("_size")).then(workers)
    frame = baseline.select(
        pl.col(KEY).alias("household"),
        pl.col("h:village").alias("village"),
        pl.col("_size").alias("size_baseline"),
        given("weight", 1.0, pl.Float64()).alias("weight"),
        pl.lit(survey.weight_type).cast(_dtype("households", "weight_type")).alias("weight_type"),
        # One word for all where the survey has none, as the contract asks.
        given("stratum", "all", text).alias("stratum"),
        given("registered_poor", None, pl.Boolean()).alias("registered_poor"),
        given("primary_sampling_unit", None, text).alias("primary_sampling_unit"),
        given("design_stratum", None, text).alias("design_stratum"),
        pl.col("_total").alias("income_baseline_fen"),
        workers.alias("workers_baseline"),
        *(pl.col(c).alias(c[2:]) for c in baseline.columns if c.startswith("h:x_")),
    )
    return schemas.conform(frame.lazy(), "households").collect()


def _dtype(table: str, column: str) -> pl.DataType:
    return schemas.polars_schema(table)[column]


def _income(whole: pl.DataFrame, survey: SurveyMap) -> pl.DataFrame:
    seen = pl.all_horizontal(pl.col(s).is_not_null() for s in schemas.SOURCES)
    frame = whole.select(
        pl.col(KEY).alias("household"),
        pl.col(PERIOD).alias("period"),
        *schemas.SOURCES,
        _members(whole).alias("members_present"),
        seen.alias("complete"),
        *(pl.col(f"y:{o.name}").cast(o.dtype).alias(o.name) for o in survey.panel_outcomes()),
    )
    return schemas.conform(frame.lazy(), "income").collect()


def _villages(baseline: pl.DataFrame) -> pl.DataFrame:
    fields = [c for c in baseline.columns if c.startswith("v:")]
    return baseline.group_by("h:village", maintain_order=True).agg(
        *(pl.col(c).drop_nulls().first() for c in fields),
        # More than one answer is worth a remark: the first household's stays.
        *(pl.col(c).drop_nulls().n_unique().alias(f"n:{c}") for c in fields),
    )


def _with_village(whole: pl.DataFrame, baseline: pl.DataFrame) -> pl.DataFrame:
    villages = baseline.select(KEY, pl.col("h:village").alias(treated.VILLAGE))
    joined = whole.join(villages, on=KEY, how="left", maintain_order="left")
    return joined.with_columns(pl.lit(value=False).alias(treated.REJECTED))


def _several(whole: pl.DataFrame, field: str) -> int:
    """Count the households that give more than one answer to a field."""
    if field not in whole.columns:
        return 0
    answers = whole.group_by(KEY).agg(pl.col(field).drop_nulls().n_unique().alias("n"))
    return answers.filter(pl.col("n") > 1).height
