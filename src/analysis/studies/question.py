"""Which estimates answer one question, and why each of the others is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from analysis.faults import Fault, FaultsError

MINIMAL = ("study", "estimate", "std_error")
"""Columns that a frame of one's own needs."""


@dataclass(frozen=True)
class Question:
    """One question of the library.

    Attributes
    ----------
    outcome : str or None
        Family of outcomes.
    effect, subgroup, comparison : str
        On whom, in which part of the sample, compared with what.
    designs : tuple of str
        Risks of bias that may enter one mean.
    """

    outcome: str | None
    effect: str = "offer"
    subgroup: str = "whole"
    comparison: str = "no_programme"
    designs: tuple[str, ...] = ("randomised",)


@dataclass(frozen=True)
class Selection:
    """Rows that enter a mean, and how many do not, by reason.

    Attributes
    ----------
    rows : polars.DataFrame
        With study, effect_size, std_error_size (on the scale of the pool).
    left_out : mapping of str to int
        Rows of the same outcome that do not enter.
    scale : str
        ``percent``, ``log`` or ``as given``.
    rows_in : int
        Rows given.
    """

    rows: pl.DataFrame
    left_out: Mapping[str, int]
    scale: str
    rows_in: int


def select(frame: pl.DataFrame, question: Question, *, one_per_study: bool = True) -> Selection:
    """Return the rows of a question on one scale, counting each of the others.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of the library, or a frame of one's own with study, estimate and std_error on one
        scale.
    question : Question
        What is asked.
    one_per_study : bool
        Keep the rows that stand for their study.

    Raises
    ------
    FaultsError
        If columns are missing, if outcomes, programmes or effects would be mixed, or if an error
        is not positive.
    """
    missing = [name for name in MINIMAL if name not in frame.columns]
    if missing:
        remedy = "a frame to pool has study, estimate and std_error"
        raise FaultsError([Fault("pool", "column missing", remedy, column=", ".join(missing))])
    if "outcome_family" not in frame.columns:
        return _own(frame, one_per_study=one_per_study)
    _refuse_mixture(frame, question)
    return _of_library(frame, question, one_per_study=one_per_study)


def _own(frame: pl.DataFrame, *, one_per_study: bool) -> Selection:
    """Return a frame of one's own as it is given; empty rows are counted."""
    for name in ("outcome", "effect", "subgroup", "unit"):
        if name in frame.columns and frame[name].n_unique() > 1:
            values = ", ".join(sorted(map(str, frame[name].unique())))
            remedy = "filter the frame to one of them: different ones are never in one mean"
            raise FaultsError(
                [Fault("pool", f"several {name}s", remedy, column=name, value=values)]
            )
    held = frame.filter(pl.col("estimate").is_not_null() & pl.col("std_error").is_not_null())
    if one_per_study and held["study"].is_duplicated().any():
        twice = held.filter(held["study"].is_duplicated())["study"].unique().sort().to_list()
        remedy = "keep one estimate a study, or say dependent=True"
        raise FaultsError(
            [
                Fault(
                    "pool",
                    "a study has several estimates",
                    remedy,
                    column="study",
                    value=", ".join(map(str, twice)),
                )
            ]
        )
    bad = held.filter(~(pl.col("std_error") > 0))
    if bad.height:
        remedy = "give each estimate its standard error"
        raise FaultsError(
            [
                Fault("pool", "error is not positive", remedy, column="std_error", value=str(name))
                for name in bad["study"]
            ]
        )
    rows = held.with_columns(effect_size="estimate", std_error_size="std_error")
    lost = frame.height - held.height
    return Selection(
        rows, {"without estimate or error": lost} if lost else {}, "as given", frame.height
    )


def _refuse_mixture(frame: pl.DataFrame, question: Question) -> None:
    programmes = frame["programme"].cast(pl.String).unique().sort().to_list()
    if len(programmes) > 1:
        remedy = "pool one programme: va.pool(va.studies('training'), outcome='earnings')"
        raise FaultsError(
            [Fault("pool", "several programmes", remedy, None, "programme", ", ".join(programmes))]
        )
    families = frame["outcome_family"].cast(pl.String).unique().sort().to_list()
    if question.outcome is None and len(families) > 1:
        remedy = (
            "name one, as in outcome='consumption': income, consumption, earnings and profit are "
            "never in one mean"
        )
        raise FaultsError(
            [Fault("pool", "several outcomes", remedy, None, "outcome", ", ".join(families))]
        )


def _of_library(frame: pl.DataFrame, question: Question, *, one_per_study: bool) -> Selection:
    outcome = question.outcome or str(frame["outcome_family"][0])
    rows = frame.filter(pl.col("outcome_family").cast(pl.String) == outcome)
    rows_in = rows.height
    text = {
        name: pl.col(name).cast(pl.String)
        for name in ("kind", "usable", "effect", "comparison", "risk_of_bias", "primary")
    }
    steps = [
        ("direction only, no number", text["kind"] != "direction"),
        ("result of a review", text["kind"] != "review"),
        (
            "known from memory, a third party, or with an error that is not believable",
            text["usable"] == "yes",
        ),
        (f"effect is not of the {question.effect}", text["effect"] == question.effect),
        (
            f"compared with something else than {question.comparison.replace('_', ' ')}",
            text["comparison"] == question.comparison,
        ),
        (f"part of a sample, not {question.subgroup}", pl.col("subgroup") == question.subgroup),
        ("another design", text["risk_of_bias"].is_in(question.designs)),
        ("no standard error", pl.col("error").is_not_null()),
        ("no per cent: the mean of the comparison is missing", pl.col("percent").is_not_null()),
    ]
    if one_per_study and question.subgroup == "whole":
        steps.append(("another estimate stands for the study", text["primary"] == "yes"))
    left_out: dict[str, int] = {}
    for reason, condition in steps:
        kept = rows.filter(condition)
        if kept.height < rows.height:
            left_out[reason] = rows.height - kept.height
        rows = kept
    logs = (rows["unit"].cast(pl.String) == "log_points").any()
    scale = "log" if logs else "percent"
    size, error = ("log_effect", "log_se") if logs else ("percent", "percent_se")
    rows = rows.with_columns(effect_size=pl.col(size), std_error_size=pl.col(error))
    if one_per_study:
        rows = _arms_joined(rows)
    return Selection(rows.sort("study", "id"), left_out, scale, rows_in)


def _arms_joined(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row a study: arms of one trial share their comparison, so errors do not shrink.

    The mean of the arms has the mean of their errors, which holds if they are perfectly dependent.
    """
    arms = rows.group_by("study", maintain_order=True).agg(
        pl.col("effect_size").mean(), pl.col("std_error_size").mean()
    )
    first = rows.unique("study", keep="first", maintain_order=True)
    return first.drop("effect_size", "std_error_size").join(arms, on="study", how="left")
