"""Loans and graduation elsewhere, estimated from public microdata that cannot be passed on.

The data are fetched by whoever wants them (``make data``); what is committed are estimates:
``python -m analysis.validation.trials`` makes ``reports/validation/trials.csv`` again, with the
digest of each data file and of the code, and the date. A test recomputes them where the data are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import dataframely as dy
import numpy as np
import polars as pl

from analysis import contract, paths, stored_tables
from analysis.designs.adjusted import AdjustedResult, Method, adjust
from analysis.designs.randomised import rct
from analysis.designs.randomised_result import RandomisedResult
from analysis.panels import external

Estimated: TypeAlias = RandomisedResult | AdjustedResult
FILE: Final = Path("reports") / "validation" / "trials.csv"
CODE: Final = (
    "src/analysis/designs/adjusted.py",
    "src/analysis/designs/arms.py",
    "src/analysis/designs/estimates.py",
    "src/analysis/designs/joint.py",
    "src/analysis/designs/least_squares.py",
    "src/analysis/designs/randomised.py",
    "src/analysis/designs/sample.py",
    "src/analysis/inference/clusters.py",
    "src/analysis/inference/degrees.py",
    "src/analysis/validation/trials.py",
)
"""What the numbers depend on beside the data; versions of libraries are in the lock."""
SIGNIFICANT: Final = 10
"""Digits that are stored: a test compares to fewer."""
AREA: Final = (
    "area_population",
    "area_debt",
    "area_businesses",
    "area_expenditure",
    "area_literate_heads",
    "area_literate",
)
HOME: Final = ("log_land", "head_age", "head_male", "head_education", "members")


class Trial(contract.Row):
    """One estimate from public microdata."""

    dataset = dy.String(primary_key=True, description="name in data/external.toml")
    outcome = dy.String(primary_key=True, description="column of the data, or made of columns")
    estimator = dy.String(primary_key=True, description="how, as in ESTIMATORS")
    programme = dy.String(description="programme it speaks to")
    label = dy.String(description="outcome in words")
    drawn = dy.Enum(["lot", "choice"], description="how it came about who was treated")
    unit = dy.String(description="unit of estimate and means")
    estimate = dy.Float64(
        description="effect of the offer, or a difference where nothing was drawn"
    )
    std_error = dy.Float64(min=0, description="standard error")
    ci_low = dy.Float64(description="lower end of the 95 % interval")
    ci_high = dy.Float64(description="upper end of the 95 % interval")
    control_mean = dy.Float64(description="mean of the other arm, weighted as the estimate is")
    n_in = dy.Int64(min=1, description="rows of the data")
    n_used = dy.Int64(min=1, description="rows used")
    n_treated = dy.Int64(min=1, description="units offered, or borrowing")
    n_control = dy.Int64(min=1, description="units of the other arm")
    n_clusters = dy.Int64(min=0, description="clusters; 0 where units were drawn one by one")
    convention = dy.String(description="kind of standard error")
    data = dy.String(regex=r"^[0-9a-f]{12}$", description="first digits of the data's sha256")
    code = dy.String(regex=r"^[0-9a-f]{12}$", description="first digits of the code's sha256")
    made = dy.Date(description="when it was estimated")


@dataclass(frozen=True)
class Outcome:
    """One outcome of a data set: column, words, unit, and baseline columns to adjust for."""

    column: str
    label: str
    unit: str
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """One data set, and what is estimated on it.

    Attributes
    ----------
    dataset, programme : str
        Name in ``data/external.toml``; what it speaks to.
    drawn : bool
        Whether treatment was drawn by lot.
    outcomes : tuple of Outcome
        What is estimated.
    ready : callable
        Makes the columns that are used out of those of the file.
    treatment, cluster, weight : str
        Columns; empty where there is none.
    covariates : tuple of str
        Adjusted for, beside an outcome's own baseline.
    """

    dataset: str
    programme: str
    drawn: bool
    outcomes: tuple[Outcome, ...]
    ready: Callable[[pl.DataFrame], pl.DataFrame]
    treatment: str = "treatment"
    cluster: str = ""
    weight: str = ""
    covariates: tuple[str, ...] = ()


def _hyderabad(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(area_debt=pl.col("area_debt").cast(pl.Float64))


def _sindh(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the sum of the sources that the file has; wages and transfers are not among them."""
    return frame.with_columns(
        (
            pl.col(f"farm_income_{when}")
            + pl.col(f"business_income_{when}")
            + pl.col(f"animal_revenue_{when}")
        ).alias(f"some_income_{when}")
        for when in ("endline", "followup")
    )


def _borrowers(frame: pl.DataFrame) -> pl.DataFrame:
    """Add who borrows, the village as one name, and the log of land."""
    return frame.with_columns(
        borrows=pl.max_horizontal("male_borrower", "female_borrower"),
        place=pl.concat_str("thana", "village", separator="/"),
        log_land=(1 + pl.col("land")).log(),
    )


def _new_borrowers(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row per household without a loan in 1991: its change of spending until 1998."""
    rows = _borrowers(frame)
    before, after = (rows.filter(pl.col("year") == year) for year in (0, 1))
    both = before.join(
        after.select("household", "expenditure", "borrows"), on="household", suffix="_after"
    )
    return both.filter(pl.col("borrows") == 0).with_columns(
        change=pl.col("expenditure_after") - pl.col("expenditure"), borrows=pl.col("borrows_after")
    )


RUPEES, DOLLARS, TAKA = (
    "rupees a month",
    "PPP dollars per head a month",
    "taka per head a year",
)
HOME_DOLLARS: Final = "PPP dollars per household a month"
STUDIES: Final = (
    Study(
        "hyderabad_spandana",
        "microcredit",
        True,
        (
            Outcome("spandana_loan", "has a loan of the lender", "share"),
            Outcome("microfinance_loan", "has any loan of such lenders", "share"),
            Outcome("has_business", "has a business", "share"),
            Outcome("business_assets", "assets of the business", "rupees"),
            Outcome("business_revenue", "revenue of the business", RUPEES),
            Outcome("business_profit", "profit of the business", RUPEES),
        ),
        _hyderabad,
        cluster="area",
        weight="weight",
        covariates=AREA,
    ),
    Study(
        "pakistan_graduation",
        "paired_assistance",
        True,
        (
            Outcome(
                "consumption_endline",
                "consumption after two years",
                DOLLARS,
                ("consumption_baseline",),
            ),
            Outcome(
                "consumption_followup",
                "consumption after three years",
                DOLLARS,
                ("consumption_baseline",),
            ),
            Outcome(
                "some_income_endline",
                "farm, business and animals after two years",
                HOME_DOLLARS,
                ("farm_income_baseline", "animal_revenue_baseline"),
            ),
            Outcome(
                "some_income_followup",
                "farm, business and animals after three years",
                HOME_DOLLARS,
                ("farm_income_baseline", "animal_revenue_baseline"),
            ),
            Outcome(
                "debt_followup",
                "debt after three years",
                "PPP dollars per household",
                ("debt_baseline",),
            ),
        ),
        _sindh,
    ),
    Study(
        "bangladesh_microcredit_1998",
        "microcredit",
        False,
        (Outcome("expenditure", "spending, borrowers less others", TAKA),),
        _borrowers,
        treatment="borrows",
        cluster="place",
        covariates=HOME,
    ),
    Study(
        "bangladesh_microcredit_panel",
        "microcredit",
        False,
        (Outcome("change", "change of spending, new borrowers less others", TAKA),),
        _new_borrowers,
        treatment="borrows",
        cluster="place",
        covariates=HOME,
    ),
)


ESTIMATORS: Final = ("difference", "adjusted")
"""What is run on every outcome; nothing is adjusted where nothing was measured before."""


def estimate(study: Study, outcome: Outcome, frame: pl.DataFrame, name: str) -> Estimated:
    """Estimate one outcome of a study as treatment came about: by lot, or by choice.

    Parameters
    ----------
    study, outcome
        Of `STUDIES`.
    frame : polars.DataFrame
        The columns that the study names.
    name : str
        One of `ESTIMATORS`.
    """
    covariates = (*study.covariates, *outcome.before) if name == "adjusted" else ()
    options: dict[str, Any] = {
        "cluster": study.cluster or None,
        "weight": study.weight or None,
        "unit": outcome.unit,
        "evidence": "public",
    }
    # The printed tables of clustered trials add covariates without interactions.
    if study.drawn and not (covariates and study.cluster):
        return rct(frame, outcome.column, study.treatment, covariates=covariates, **options)
    method: Method = "least_squares" if covariates else "means"
    return adjust(frame, outcome.column, study.treatment, covariates, method=method, **options)


def estimated(study: Study, frame: pl.DataFrame) -> Iterator[dict[str, object]]:
    """Run every estimator on every outcome of a study.

    Parameters
    ----------
    study : Study
        Says what.
    frame : polars.DataFrame
        The data, columns as on its card.

    Yields
    ------
    dict
        A row of `Trial` without data, code and date.
    """
    ready = study.ready(frame)
    for outcome in study.outcomes:
        for name in ESTIMATORS:
            if name == "adjusted" and not (*study.covariates, *outcome.before):
                continue
            made = estimate(study, outcome, ready, name)
            yield _row(study, outcome, name, made, frame.height)


def _row(
    study: Study, outcome: Outcome, name: str, made: Estimated, n_in: int
) -> dict[str, object]:
    sample, effect = made.fits[outcome.column].sample, made.effect
    other = ~sample.treated
    return {
        "dataset": study.dataset,
        "outcome": outcome.column,
        "estimator": name,
        "programme": study.programme,
        "label": outcome.label,
        "drawn": "lot" if study.drawn else "choice",
        "unit": outcome.unit,
        "estimate": effect.value,
        "std_error": effect.std_error,
        "ci_low": effect.ci_low,
        "ci_high": effect.ci_high,
        "control_mean": float(np.average(sample.y[other], weights=sample.w[other])),
        "n_in": n_in,
        "n_used": len(sample),
        "n_treated": int(sample.treated.sum()),
        "n_control": int(other.sum()),
        "n_clusters": np.unique(sample.group).size if study.cluster else 0,
        "convention": "CV3" if study.cluster else "HC2",
    }


def code_digest() -> str:
    """Return the first digits of the sha256 of the files of `CODE`."""
    total = hashlib.sha256()
    for name in CODE:
        total.update(name.encode() + b"\0")
        total.update((paths.root() / name).read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return total.hexdigest()[:12]


def made(study: Study) -> pl.DataFrame:
    """Estimate one study from the fetched data; a frame of `Trial` without the line.

    Raises
    ------
    FaultsError
        If the data have not been fetched, or are not those of the checksum.
    """
    rows = pl.DataFrame(list(estimated(study, external.load(study.dataset).frame)))
    return rows.with_columns(
        pl.selectors.float().round_sig_figs(SIGNIFICANT),
        data=pl.lit(external.catalogue()[study.dataset].sha256[:12]),
        code=pl.lit(code_digest()),
        made=pl.lit(datetime.now(UTC).date()),
    )


def stored(file: Path | None = None) -> pl.DataFrame:
    """Read the committed estimates.

    Parameters
    ----------
    file : Path, optional
        Those of the project by default.

    Raises
    ------
    FaultsError
        With every cell that does not fit.
    """
    return contract.read(file or paths.root() / FILE, Trial)


def main() -> None:
    """Estimate all studies again and write the table."""
    stored_tables.write(FILE, pl.concat([made(study) for study in STUDIES]))


if __name__ == "__main__":
    main()
