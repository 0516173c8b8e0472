"""Every key of an estimands file: what it says and which words it takes.

The reader of the file and the page about it are both made from this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analysis.cells.design import HANDLINGS, MOMENTS
from analysis.panels import estimands

AGGREGATIONS: Final[Mapping[str, str]] = {
    "group_time": "every cohort in every period",
    **estimands.AGGREGATIONS,
}
METHODS: Final[Mapping[str, str]] = {
    "doubly_robust": "by cohort and period, doubly robust (Callaway and Sant'Anna)",
    "regression": "by cohort and period, outcome regression",
    "weighting": "by cohort and period, inverse probability weighting",
    "imputation": "imputation (Borusyak, Jaravel and Spiess)",
    "two_way": "two-way fixed effects, for comparison",
}

OF_THE_PARAMETER: Final = "as ``data/parameters/disclosure.toml`` says"
"""Default of a key that is a parameter of its name: the page of keys reads it."""


@dataclass(frozen=True)
class KeyOf:
    """One key.

    Attributes
    ----------
    says : str
        What it says.
    takes : str
        What may stand there, in words; empty if `words` says all.
    words : mapping of str to str
        Words it takes, with their meaning.
    default : str
        What holds if it is left out; empty if it must be there.
    """

    says: str
    takes: str = ""
    words: Mapping[str, str] | None = None
    default: str = ""


KEYS: Final[Mapping[str, Mapping[str, KeyOf]]] = {
    "": {
        "name": KeyOf("what the results, or a pack, are called", "text"),
        "design": KeyOf("what is added up; see below", "[design]"),
        "outcome": KeyOf(
            "what is looked at; see below",
            "[[outcome]], several times",
            default="the sources of income and their total",
        ),
        "estimand": KeyOf("what is estimated; see below", "[[estimand]], several times"),
        "disclosure": KeyOf("how strict a pack is; see below", "[disclosure]", default="see below"),
    },
    "design": {
        "programmes": KeyOf("whose effect: one programme of the panel, or two", "list of ids"),
        "level": KeyOf(
            "whose first period makes the cohort",
            words={
                "auto": "the one level at which the panel has the programme",
                "household": "the household's",
                "village": "the village's",
            },
            default="auto",
        ),
        "handling": KeyOf(
            "households not seen in every period", words=HANDLINGS, default="balanced"
        ),
        "stratum": KeyOf(
            "households are compared inside its groups",
            "column of the households, or empty",
            default="stratum",
        ),
        "unit": KeyOf(
            "what counts",
            words={"household": "each household once", "person": "each as its members"},
            default="household",
        ),
        "anticipation": KeyOf(
            "periods before the first in which the programme may act", "whole number", default="0"
        ),
        "periods": KeyOf("first and last period to use", "[first, last]", default="all"),
        "price_series": KeyOf(
            "price index in place of the panel's", "series of prices.csv", default="the panel's own"
        ),
        "inverse": KeyOf(
            "moments of unbalanced panels for imputation and two-way",
            f"list of {', '.join(MOMENTS)}",
            default="none",
        ),
    },
    "outcome": {
        "name": KeyOf("its name in results", "lower case, digits, underscores"),
        "source": KeyOf(
            "what it is made of",
            "wage, business, property, transfer, total, or an outcome of the panel",
            default="its name; total under a line",
        ),
        "per": KeyOf(
            "of whom",
            words={
                "household": "as it is",
                "head": "divided by members at baseline",
                "adult_equivalent": "divided by x_adult_equivalents of the household",
            },
            default="household",
        ),
        "real": KeyOf("in prices of a year", "year", default="prices of each period"),
        "transform": KeyOf(
            "what is made of it",
            words={"log": "natural logarithm", "asinh": "inverse hyperbolic sine"},
            default="nothing",
        ),
        "winsorised": KeyOf(
            "values outside these shares are drawn in to their quantiles",
            "[lower, upper], as [0.01, 0.99]",
            default="not",
        ),
        "headcount": KeyOf(
            "1 below a line, else 0", "name of a line, or hundredths a person", default="not"
        ),
        "gap": KeyOf("what is lacking to a line", "as headcount", default="not"),
        "squared_gap": KeyOf("the square of the gap's share of it", "as headcount", default="not"),
        "threshold": KeyOf("1 below an amount, else 0", "hundredths", default="not"),
    },
    "estimand": {
        "name": KeyOf("its name in results", "text"),
        "aggregation": KeyOf("how group-time effects are added up", words=AGGREGATIONS),
        "outcomes": KeyOf("which outcomes it is for", "list of names", default="all"),
        "controls": KeyOf(
            "compared with whom",
            words={"never": "the never treated", "not_yet": "the not yet treated"},
            default="never",
        ),
        "where": KeyOf(
            "where controls live",
            words={
                "other_villages": "in villages in which nobody is treated by then",
                "same_village": "in the same village",
                "anywhere": "anywhere",
            },
            default="other_villages",
        ),
        "base": KeyOf(
            "the period compared with, before treatment",
            words={
                "varying": "the period before",
                "universal": "the last period before treatment",
            },
            default="varying",
        ),
        "method": KeyOf("estimator", words=METHODS, default="doubly_robust"),
        "covariates": KeyOf(
            "adjusted for", "list of columns of the households, numbers", default="none"
        ),
        "strata": KeyOf(
            "strata of the sample, for the errors",
            "column of the households, as design_stratum",
            default="none",
        ),
        "psu": KeyOf(
            "sampling units, for the errors",
            "column of the households, as primary_sampling_unit",
            default="the village",
        ),
        "drop": KeyOf("cohorts left out", "list of first periods", default="none"),
    },
    "disclosure": {
        "min_households": KeyOf(
            "households in every sum that follows from what is published",
            "whole number",
            default=OF_THE_PARAMETER,
        ),
        "two_largest": KeyOf(
            "most that two households may make of a sum or of a change",
            "above 0 to the default",
            default=OF_THE_PARAMETER,
        ),
        "within": KeyOf(
            "how closely the second largest household may not know the largest, as a share",
            "the default to 1",
            default=OF_THE_PARAMETER,
        ),
        "min_villages": KeyOf(
            "villages in every such sum, and in each arm of an estimate",
            "whole number",
            default=OF_THE_PARAMETER,
        ),
        "all_or_none": KeyOf(
            "whether it may be told that everyone or nobody in a group is below a line",
            "true or false",
            default="false",
        ),
    },
}
"""By table of the file; empty: the top level."""


def words(table: str, key: str) -> tuple[str, ...]:
    """Return the words a key takes.

    Examples
    --------
    >>> words("estimand", "base")
    ('varying', 'universal')
    """
    return tuple(KEYS[table][key].words or ())
