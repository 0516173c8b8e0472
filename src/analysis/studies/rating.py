"""How sure an answer is: one rule, whose conditions and thresholds stand in ``data/studies``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import polars as pl

from analysis.faults import FaultsError
from analysis.results import FrameDigest, Provenance, ResultTable, Word, formatting
from analysis.studies.estimates import Studies, tables
from analysis.studies.meta_analysis import pool
from analysis.studies.pool_result import PoolResult

NORMAL: Final = 1.959964
"""Standard errors from the middle to either end of a normal 95 per cent interval."""
NONE: Final = "none in this library"
RATING_FILE: Final = "data/studies/rating.csv"
COMPARED: Final = (
    ("randomised", "offer"),
    ("natural_experiment", "offer"),
    ("cut_off", "offer"),
    ("panel_comparison", "offer"),
    ("panel_comparison", "participation"),
    ("panel_comparison", "area"),
)
"""Where a mean is looked for, the strongest first: risk of bias and effect."""
ABOVE: Final = ("disagreement", "imprecision")
"""Conditions that fail above their threshold; the others fail below it."""
ASSOCIATIONS: Final = ("matched_cross_section", "association")


@dataclass(frozen=True, eq=False)
class Rating:
    """How sure the answer to one question is, and what would raise it.

    Attributes
    ----------
    rating : str
        ``high``, ``moderate``, ``low``, ``very_low``, or ``none``.
    pooled : PoolResult or None
        The mean that is rated; None where nothing can be pooled.
    conditions : polars.DataFrame
        Each condition with what was measured: criterion, value, threshold, fails, steps, cap,
        fails_en, raises_en, fails_zh, raises_zh; empty without a mean.
    associations : polars.DataFrame
        Usable matched or plain comparisons of the same outcome in per cent: never a mean.
    without_error : polars.DataFrame
        Usable estimates in per cent with a comparison and no standard error: a range, never a mean.
    provenance : Provenance
        Of the studies and of the rule.
    """

    rating: str
    pooled: PoolResult | None
    conditions: pl.DataFrame
    associations: pl.DataFrame
    without_error: pl.DataFrame
    provenance: Provenance

    @property
    def word(self) -> Word:
        """The rating as a word in English."""
        return self._word("name_en", NONE)

    @property
    def word_zh(self) -> Word:
        """The rating as a word in Chinese."""
        return self._word("name_zh", "本库尚无")

    def _word(self, column: str, none: str) -> Word:
        frame = tables().ratings.filter(pl.col("rating") == self.rating)
        word = none if frame.is_empty() else str(frame[column][0])
        return Word(word=word, what="how sure", unit="rating", provenance=self.provenance)

    @property
    def fails(self) -> tuple[str, ...]:
        """Conditions that fail, as the rule words them."""
        return tuple(self._failing("fails_en"))

    @property
    def raises(self) -> tuple[str, ...]:
        """What would raise the rating, in the order of the rule."""
        if self.pooled is None:
            return ("a study with a comparison",)
        return tuple(self._failing("raises_en"))

    def _failing(self, column: str) -> list[str]:
        if self.conditions.is_empty():
            return []
        return self.conditions.filter("fails")[column].unique(maintain_order=True).to_list()

    def table(self) -> ResultTable:
        """Return the conditions with what is asked for, what was measured, and what holds."""
        rows = [
            {
                "condition": row["measure"],
                "asked for": ("at most " if row["criterion"] in ABOVE else "at least ")
                + f"{row['threshold']:g}",
                "measured": "not assessed" if row["value"] is None else _short(row["value"]),
                "holds": "no" if row["fails"] else "yes" if row["value"] is not None else "",
            }
            for row in self.conditions.iter_rows(named=True)
        ]
        empty = {"condition": NONE, "asked for": "", "measured": "", "holds": "no"}
        shown = pl.DataFrame(rows or [empty])
        return ResultTable(shown=shown, data=self.conditions, provenance=self.provenance)

    def __repr__(self) -> str:
        failing = "; ".join(self.fails)
        return f"{self.word.text}" + (f" ({failing})" if failing else "")

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def _short(value: float) -> str:
    """Print a count as such and anything else with two decimals at most."""
    return formatting.number(value, 0 if value == int(value) else 2)


def rate(studies: Studies, outcome: str) -> Rating:
    """Say how sure the library is of one programme's effect on one family of outcomes.

    Parameters
    ----------
    studies : Studies
        Of one programme.
    outcome : str
        A family of outcomes, such as ``household_income``: income and consumption are never mixed.

    Returns
    -------
    Rating
        ``none`` where no usable estimate has a comparison and an error; matched comparisons are
        then in `associations`.

    Raises
    ------
    FaultsError
        If the studies are of several programmes.

    Notes
    -----
    The rating is that of the most steps in ``data/studies/ratings.csv`` which the steps of all
    failing conditions in ``data/studies/rating.csv`` do not exceed, and no better than any cap.

    Examples
    --------
    >>> from analysis.studies.estimates import studies
    >>> rate(studies("cooperatives"), outcome="household_income").rating
    'none'
    >>> rate(studies("credit_funds"), outcome="consumption").rating
    'moderate'
    """
    rows = studies.frame
    text = {n: pl.col(n).cast(pl.String) for n in ("usable", "outcome_family", "risk_of_bias")}
    held = rows.filter(
        text["usable"] == "yes",
        text["outcome_family"] == outcome,
        pl.col("percent").is_not_null(),
    ).sort("percent")
    associated = text["risk_of_bias"].is_in(ASSOCIATIONS)
    associations = held.filter(associated)
    without_error = held.filter(~associated, pl.col("error").is_null())
    pooled = strongest(studies, outcome)
    provenance = Provenance.of(
        rate,
        evidence="published",
        rows_in=rows.height,
        rows_used=0 if pooled is None else pooled.account.rows_used,
        method="rule of data/studies/rating.csv",
        inputs=(*studies.provenance.inputs, FrameDigest(tables().rating, RATING_FILE)),
    )
    if pooled is None:
        return Rating("none", None, pl.DataFrame(), associations, without_error, provenance)
    conditions = conditions_of(pooled)
    rating = _rating(conditions)
    return Rating(rating, pooled, conditions, associations, without_error, provenance)


def strongest(studies: Studies, outcome: str) -> PoolResult | None:
    """Return the mean of the strongest designs that have a usable estimate with an error."""
    for risk, effect in COMPARED:
        try:
            return pool(studies, outcome, effect, designs=(risk,))
        except FaultsError as error:
            if any(not fault.problem.startswith("no estimate to pool") for fault in error.faults):
                raise
    return None


def measures(pooled: PoolResult) -> dict[str, float]:
    """Return what each condition of the rule is held against, by criterion.

    A measure is NaN where it cannot be assessed; such a condition does not fail.
    """
    held = pooled.studies
    k = held["study"].n_unique()
    randomised = pooled.n_randomised
    mean = pooled.mean
    settings = held.unique("study")["setting"]
    rural = settings.is_in(["rural_china", "rural_developing"]).sum() / k
    egger_p = pooled.small_study.p_value if k >= _fewest_for_egger() else math.nan
    # Non-randomised studies count against one condition, not against three.
    entering = randomised if randomised else math.nan
    return {
        "few_studies": entering,
        "one_study": entering,
        "disagreement": pooled.i_squared,
        # Few degrees of freedom count once, as few studies, and not again as a wide interval.
        "imprecision": NORMAL * mean.std_error,
        "not_rural_china": float((settings == "rural_china").sum()),
        "mostly_not_rural": float(rural),
        "small_studies": egger_p,
        "not_randomised": float(randomised),
    }


def _fewest_for_egger() -> int:
    return 10


def conditions_of(pooled: PoolResult) -> pl.DataFrame:
    """Return every condition of the rule with what was measured and whether it fails."""
    values = {name: float(value) for name, value in measures(pooled).items()}
    rule = tables().rating.with_columns(
        value=pl.col("criterion").replace_strict(values, return_dtype=pl.Float64).fill_nan(None)
    )
    # A share of variation and a width fail above their threshold, counts and p values below.
    above = pl.col("criterion").is_in(ABOVE)
    fails = (
        pl.when(above)
        .then(pl.col("value") > pl.col("threshold"))
        .otherwise(pl.col("value") < pl.col("threshold"))
    )
    return rule.with_columns(fails=fails.fill_null(value=False))


def rating_of(pooled: PoolResult) -> str:
    """Return the rating of a mean: ``high``, ``moderate``, ``low`` or ``very_low``."""
    return _rating(conditions_of(pooled))


def _rating(conditions: pl.DataFrame) -> str:
    ratings = tables().ratings
    order = ratings["rating"].to_list()
    failing = conditions.filter("fails")
    steps = int(failing["steps"].sum())
    by_steps = ratings.filter(pl.col("most_steps") >= steps)["rating"][0]
    caps = [cap for cap in failing["cap"].cast(pl.String) if cap is not None]
    return str(max([by_steps, *caps], key=order.index))


def legend() -> pl.DataFrame:
    """Return the four rows of the legend: rating, name_en, name_zh, meaning_en, meaning_zh."""
    return tables().ratings.select("rating", "name_en", "name_zh", "meaning_en", "meaning_zh")
