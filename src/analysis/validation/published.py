"""Published tables, reproduced from public data: point and standard error to every printed digit.

`data/validation/published.csv` holds what was printed, with its source; each case here computes the
same number with this project's estimators. `reproduce` lists both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

import dataframely as dy
import numpy as np
import polars as pl
import statsmodels.api as sm

from analysis import contract, paths
from analysis.designs import least_squares
from analysis.designs.least_squares import Errors
from analysis.designs.randomised import rct
from analysis.designs.regression_discontinuity import rdd
from analysis.designs.sample import prepare
from analysis.did.estimators import aggregate, group_time, two_way
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.table import Table
from analysis.faults import Fault, FaultsError
from analysis.panels import external, public

Found: TypeAlias = tuple[float, float, int]
"""Estimate, standard error, rows used."""
DECIMAL: Final = r"^-?\d+(\.\d+)?$"
UNKNOWN: Final = "not known why"
ROUNDING: Final = 1e-9
"""Relative slack beyond half a unit of the last printed digit: binary fractions are not decimal."""
DEMOGRAPHICS: Final = ("age", "age_squared", "educ", "black", "hisp", "marr", "nodegree")
WITHOUT_MARRIAGE: Final = ("age", "age_squared", "educ", "black", "hisp", "nodegree")
BEFORE: Final = ("re74", "re75")


class Published(contract.Row):
    """One estimate printed in a publication or manual, which this package must reproduce."""

    case = dy.String(primary_key=True, regex=r"^[a-z0-9_-]+$", description="name")
    dataset = dy.String(description="where the data are")
    source = dy.String(description="who printed it, and where")
    estimator = dy.String(description="how it was estimated, and with which errors")
    estimate = dy.String(regex=DECIMAL, description="as printed")
    se = dy.String(nullable=True, regex=DECIMAL, description="standard error as printed")
    n = dy.Int64(min=1, description="rows used")
    tolerance = dy.Float64(min_exclusive=0, description="distance that was first accepted")
    provenance = dy.String(description="how well the printed number is known")
    remark = dy.String(nullable=True, description="why the last digit does not come out")


def load(path: Path | None = None) -> pl.DataFrame:
    """Read the printed estimates, one row per case.

    Parameters
    ----------
    path : Path, optional
        ``data/validation/published.csv`` of the project by default.

    Raises
    ------
    FaultsError
        With every cell that does not fit.
    """
    return contract.read(path or paths.data() / "validation" / "published.csv", Published)


def reproduce(*cases: str) -> pl.DataFrame:
    """Compute every published case and compare.

    Parameters
    ----------
    cases : str
        Names; all if none is named.

    Returns
    -------
    polars.DataFrame
        One row per case, in the order of the file: ``case``, ``dataset``, ``source``,
        ``estimator``, ``provenance``; ``published``, ``published_se`` and ``published_n`` as
        numbers, ``printed`` and ``printed_se`` as printed; ``ours``, ``our_se``, ``n``;
        ``difference`` and ``se_difference`` (ours less printed); ``within``: both within half a
        unit of the last printed digit, on as many rows; ``why_not``: why a digit does not come
        out. Where the data are not on this machine ours are null, and it says how to get them.

    Raises
    ------
    FaultsError
        If there is no such case.
    """
    printed = load()
    unknown = sorted(set(cases) - set(printed["case"]))
    if unknown:
        raise FaultsError(
            [
                Fault(
                    "data/validation/published.csv",
                    "no such case",
                    "use one of its names",
                    column="case",
                    value=unknown[0],
                )
            ]
        )
    chosen = printed.filter(pl.col("case").is_in(cases)) if cases else printed
    numbers = dict.fromkeys(
        ("published_se", "ours", "our_se", "difference", "se_difference"), pl.Float64
    )
    return pl.DataFrame(
        [_row(case) for case in chosen.iter_rows(named=True)],
        infer_schema_length=None,
        schema_overrides={**numbers, "n": pl.Int64, "within": pl.Boolean, "why_not": pl.String},
    )


def _row(case: Mapping[str, object]) -> dict[str, object]:
    name, point, se = str(case["case"]), str(case["estimate"]), case["se"]
    about = {key: case[key] for key in ("case", "dataset", "source", "estimator", "provenance")}
    by_name = {
        "published": float(point),
        "published_se": None if se is None else float(str(se)),
        "published_n": case["n"],
        "printed": point,
        "printed_se": se,
    }
    try:
        ours, error, n = CASES[name]()
    except FaultsError as fault:
        lost = dict.fromkeys(("ours", "our_se", "n", "difference", "se_difference", "within"))
        why = "; ".join(f"{item.problem}: {item.remedy}" for item in fault.faults)
        return {**about, **by_name, **lost, "why_not": why}
    inside = within(ours, point) and n == case["n"] and (se is None or within(error, str(se)))
    return {
        **about,
        **by_name,
        "ours": ours,
        "our_se": error,
        "n": n,
        "difference": ours - float(point),
        "se_difference": None if se is None else error - float(str(se)),
        "within": inside,
        "why_not": "" if inside else case["remark"] or UNKNOWN,
    }


def within(value: float, printed: str) -> bool:
    """Say whether a value is within half a unit of the last digit of a printed number.

    Examples
    --------
    >>> within(1794.343, "1794"), within(1794.6, "1794"), within(0.0646, "0.065")
    (True, False, True)
    """
    half = 0.5 * 10.0 ** int(Decimal(printed).as_tuple().exponent)
    return abs(value - float(printed)) <= half * (1 + ROUNDING)


def _regressed(
    frame: pl.DataFrame,
    outcome: str,
    treatment: str,
    covariates: tuple[str, ...] = (),
    errors: Errors = "classical",
    weight: str = "",
) -> Found:
    """Regress by least squares, with the errors that the source prints."""
    sample = prepare(frame, outcome, treatment, covariates, weight=weight)
    x = np.column_stack([np.ones(len(sample)), sample.d, sample.x])
    fit = least_squares.ordinary(sample.y, x, sample.w, errors, sample.group)
    return float(fit.points[1]), float(fit.std_errors[1]), len(sample)


def _trial(frame: pl.DataFrame, outcome: str, treatment: str) -> Found:
    """Compare the arms of an experiment."""
    randomised_result = rct(frame, outcome, treatment)
    return (
        randomised_result.effect.value,
        randomised_result.effect.std_error,
        randomised_result.account.rows_used,
    )


def _training(data: str, covariates: tuple[str, ...] = (), errors: Errors = "classical") -> Found:
    """Regress earnings of 1978 on treatment: the experiment, or its trained men beside a survey."""
    loaded = public.load(data) if data.startswith("nsw") else public.nsw_with_comparison(data)
    frame = loaded.frame.with_columns(
        age_squared=pl.col("age") ** 2, re75_squared=pl.col("re75") ** 2
    )
    return _regressed(frame, "re78", "treat", covariates, errors)


def _textbook(data: str, outcome: str, treatment: str, covariates: tuple[str, ...] = ()) -> Found:
    frame = public.load(data).frame
    if data == "kielmc":
        frame = frame.with_columns(near_after=pl.col("near") * pl.col("after"))
    return _regressed(frame, outcome, treatment, covariates)


def _grants(name: str) -> Found:
    """Regress the log scrap rate on grants, with effects of firms and years (Wooldridge 14.1)."""
    frame = (
        public.load("jtrain")
        .frame.drop_nulls("scrap")
        .with_columns(
            log_scrap=pl.col("scrap").log(),
            y88=pl.col("year") == 1988,
            y89=pl.col("year") == 1989,
        )
    )
    names = ["y88", "y89", "grant", "grant_last_year"]
    firms = frame.select(pl.col("firm").to_physical()).to_series().cast(pl.String).to_dummies()
    x = np.hstack([frame.select(names).to_numpy(), firms.to_numpy()]).astype(np.float64)
    y = frame["log_scrap"].to_numpy()
    fit = least_squares.ordinary(y, x, np.ones(y.size), "classical", np.arange(y.size))
    at = names.index(name)
    return float(fit.points[at]), float(fit.std_errors[at]), y.size


def _neighbours() -> Found:
    """Take-up of insurance on take-up by the first round, moved by its default option."""
    frame = public.load("jiangxi_insurance").frame.drop_nulls()
    villages = frame["village"].to_dummies(drop_first=True)
    covariates = (
        "male",
        "age",
        "members",
        "rice_area",
        "literacy",
        "intensive",
        "risk_averse",
        "disaster_probability",
        *villages.columns,
    )
    whole = pl.concat([frame, villages], how="horizontal")
    sample = prepare(
        whole, "takeup", "default", covariates, cluster="address", extra=("first_round_takeup",)
    )
    z = np.column_stack([np.ones(len(sample)), sample.d, sample.x])
    x = z.copy()
    x[:, 1] = sample.more[:, 0]
    fit = least_squares.two_stage(sample.y, x, z, sample.w, "CV1", sample.group)
    return float(fit.points[1]), float(fit.std_errors[1]), len(sample)


def _engel(quantile: float | None) -> Found:
    """Food spending on income: by least squares, or at a quantile (Koenker & Hallock 2001)."""
    frame = public.load("engel").frame
    y, x = frame["food"].to_numpy(), sm.add_constant(frame["income"].to_numpy())
    fit = sm.OLS(y, x).fit() if quantile is None else sm.QuantReg(y, x).fit(q=quantile)
    return float(fit.params[1]), float(fit.bse[1]), y.size


def _cutoff(method: Literal["quadratic", "local"]) -> Found:
    """Support for the government around the cutoff, by a quadratic or by local regression."""
    discontinuity_result = rdd(
        public.load("panes").frame,
        "support",
        "score",
        0.0,
        treated_below=True,
        cutoff_treated=False,
        method=method,
    )
    effect = (
        discontinuity_result.effect if method == "quadratic" else discontinuity_result.conventional
    )
    whole = len(discontinuity_result.windows["support"].whole)
    # The book's sign: above the cutoff less below it.
    return (effect.value if method == "quadratic" else -effect.value), effect.std_error, whole


def _microcredit(*, placement: bool) -> Found:
    """Log spending per head on microcredit in the village, or on taking part."""
    # The book's logs are Stata's default storage, four bytes: that moves the seventh digit.
    frame = external.load("bangladesh_microcredit_1998").frame.with_columns(
        log_spending=(1 + pl.col("expenditure")).log().cast(pl.Float32),
        log_land=(1 + pl.col("land") / 100).log().cast(pl.Float32),
        in_village=pl.col("female_borrower").max().over("thana", "village"),
    )
    if placement:
        return _regressed(frame, "log_spending", "in_village")
    covariates = (
        "head_male",
        "head_age",
        "head_education",
        "log_land",
        "road",
        "irrigated",
        "rice_price",
        "wheat_price",
        "milk_price",
        "oil_price",
        "egg_price",
    )
    return _regressed(frame, "log_spending", "female_borrower", covariates, "HC1", "weight")


def county_table(frame: pl.DataFrame) -> Table:
    """Lay the counties of ``mpdta`` out as cells: each its own village and household.

    Parameters
    ----------
    frame : polars.DataFrame
        As `analysis.panels.external.load` returns it.
    """
    periods = sorted(frame["year"].unique())
    wide = frame.pivot(
        "year", index=["county", "first_year"], values="log_employment", sort_columns=True
    ).sort("county")
    size = wide.height
    shape = (size, len(periods))
    return Table(
        villages=tuple(str(c) for c in wide["county"]),
        strata=("all",),
        outcomes=("log_employment",),
        periods=np.array(periods, np.int64),
        village=np.arange(size),
        cohort=wide["first_year"].to_numpy().astype(np.int64),
        stratum=np.zeros(size, np.int64),
        n=np.ones(shape, np.int64),
        weight=np.ones(shape),
        total=wide.select(str(p) for p in periods).to_numpy()[..., None],
        n_ever=np.ones(size, np.int64),
        weight_ever=np.ones(size),
        rows_in=frame.height,
        programme="minimum wage",
        tier="public",
        units={"log_employment": "log of persons"},
    )


@cache
def _counties(*, static: bool = False) -> tuple[EffectSet, int]:
    """Return the aggregates of group-time effects, or the static coefficient; and the rows."""
    table = county_table(external.load("mpdta").frame)
    if static:
        return two_way.estimate(table, static=True).under("parity"), table.rows_in
    effects = group_time.estimate(table, group_time.Comparison(where="anywhere"))
    return aggregate.aggregate(effects, table).under("parity"), table.rows_in


def _county(aggregation: str, at: int | None = None) -> Found:
    effects, rows = _counties(static=aggregation == "static")
    wanted = [
        k for k, key in enumerate(effects.keys) if key.aggregation == aggregation and key.at == at
    ]
    (effect,) = effects.at(np.array(wanted)).effects()
    return effect.estimate, effect.std_error, rows


def _cases() -> Iterator[tuple[str, Callable[[], Found]]]:
    """Yield each case with what computes it."""
    yield "nsw_dw_diff_means", lambda: _training("nsw")
    yield (
        "nsw_dw_diff_means_hc2",
        lambda: _trial(public.load("nsw").frame, "re78", "treat"),
    )
    yield "nsw_demographics", lambda: _training("nsw", DEMOGRAPHICS)
    yield "nsw_re75", lambda: _training("nsw", ("re75",))
    yield "nsw_demog_re74_re75", lambda: _training("nsw", (*DEMOGRAPHICS, *BEFORE))
    yield "nsw_dw_adjusted", lambda: _training("nsw", (*WITHOUT_MARRIAGE, *BEFORE))
    yield "cps1_raw", lambda: _training("cps1")
    yield "cps1_demographics", lambda: _training("cps1", DEMOGRAPHICS)
    yield "cps1_re75", lambda: _training("cps1", ("re75",))
    yield "cps1_demog_re75", lambda: _training("cps1", (*DEMOGRAPHICS, "re75"))
    # The footnote of the article does not name the square of earnings of 1975; with it the
    # printed number comes out.
    recovered = (*WITHOUT_MARRIAGE, *BEFORE, "re75_squared")
    yield "cps1_dw_adjusted", lambda: _training("cps1", recovered)
    yield "psid1_raw", lambda: _training("psid1")
    yield "psid1_dw_adjusted", lambda: _training("psid1", recovered)
    yield "lalonde_full_nsw", lambda: _training("nsw_lalonde")
    yield "wooldridge_jtrain98_simple", lambda: _textbook("jtrain98", "earn98", "train")
    yield "wooldridge_jtrain2", lambda: _textbook("jtrain2", "re78", "treat")
    yield "wooldridge_jtrain_fe_grant", lambda: _grants("grant")
    yield "wooldridge_jtrain_fe_grant_1", lambda: _grants("grant_last_year")
    yield "mpdta_cs_simple", lambda: _county("simple")
    for at in (-3, -2, -1, 0, 1, 2):
        yield f"mpdta_cs_event_{at}", lambda at=at: _county("event_time", at)  # type: ignore[misc]
    for at in (2004, 2007):
        yield f"mpdta_cs_group_{at}", lambda at=at: _county("cohort", at)  # type: ignore[misc]
    yield "mpdta_twfe", lambda: _county("static")
    yield "kielmc_did", lambda: _textbook("kielmc", "real_price", "near_after", ("near", "after"))
    yield "panes_rdd_quadratic", lambda: _cutoff("quadratic")
    yield "panes_rdd_rdrobust", lambda: _cutoff("local")
    yield "cai_social_insure_2sls", _neighbours
    yield "engel_median_slope", lambda: _engel(0.5)
    yield "engel_ols_slope", lambda: _engel(None)
    yield "hb_placement_simple", lambda: _microcredit(placement=True)
    yield "hb_participation_controls", lambda: _microcredit(placement=False)


CASES: Final[Mapping[str, Callable[[], Found]]] = dict(_cases())
"""What computes each case."""
