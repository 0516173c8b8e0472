"""The definition of each file in ``data/studies/``: columns, types, vocabularies, keys."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from analysis import contract

STATUSES = {
    "seen": "number seen in a document",
    "recomputed": "recomputed from the study's public data",
    "secondary": "number seen in a secondary source only",
    "from_memory": "not verified: from memory",
    "direction": "direction reported, number not seen",
}
VERIFIED = ("seen", "recomputed")
"""Statuses whose numbers enter a pool or a range."""
DESIGNS = [
    "randomised",
    "discontinuity",
    "instrument",
    "difference_in_differences",
    "synthetic_control",
    "matching",
    "switching_regression",
    "regression",
    "review",
]
LEVELS = ["individual", "household", "plot", "county", "province", "state", "several"]
OUTCOMES = [
    "household_income",
    "income_per_head",
    "consumption",
    "household_earnings",
    "individual_earnings",
    "farm_income",
    "business_profit",
    "wage_rate",
    "other",
]
UNITS = [
    "percent_of_control",
    "log_points",
    "currency",
    "percentage_points",
    "percentage_points_a_year",
    "other",
]
SOURCES = [
    "public_data",
    "publisher_or_index",
    "authors_poster",
    "third_party_page",
    "secondary",
    "none",
]
NORMAL = 1.959964
"""Standard errors from the middle to either end of a 95 per cent interval."""
ROUNDING = 0.02
"""Relative difference that rounding may leave between a standard error and its interval."""


class Works(contract.Row):
    """A paper, report or dissertation whose estimates are in the library of studies."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name")
    short = dy.String(description="authors and year, as figures print them")
    citation = dy.String(min_length=20, description="full reference")
    doi = dy.String(nullable=True, regex=r"^10\.\d{4,9}/\S+$", description="identifier")
    doi_status = dy.Enum(
        ["seen", "from_memory"], nullable=True, description="whether the identifier was checked"
    )

    @dy.rule()
    def an_identifier_needs_a_status(cls) -> pl.Expr:
        """Require that an identifier says whether it was checked."""
        return pl.col("doi").is_null() == pl.col("doi_status").is_null()


class Estimates(contract.Row):
    """One estimate, or one reported direction without a number."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name")
    work = dy.String(description="where it was published")
    programme = dy.String(description="programme of the catalogue that it speaks to")
    intervention = dy.String(description="what was done")
    country = dy.String(description="country, or several")
    place = dy.String(description="place in the country")
    people = dy.String(description="the people studied; rows of the same people share this name")
    years = dy.String(description="years of the data")
    design = dy.Enum(DESIGNS, description="how the effect was identified")
    level = dy.Enum(LEVELS, description="unit of observation")
    n = dy.Int64(nullable=True, min=1, description="units observed")
    outcome = dy.Enum(OUTCOMES, description="what was measured")
    effect = dy.Enum(
        ["offer", "participation", "area"],
        description="on those offered, on those who took part, or on the mean of an area",
    )
    side = dy.Enum(
        ["reached", "other"],
        description="whose outcome: of those the programme reaches, or of the other side of their "
        "bargain (who rents in the land that they lease out)",
    )
    subgroup = dy.Enum(["yes", "no"], description="yes: a part of the study's people")
    horizon_months = dy.Int64(nullable=True, min=0, description="months after the start")
    estimate = dy.Float64(nullable=True, description="effect, in its unit")
    std_error = dy.Float64(nullable=True, min=0, min_exclusive=None, description="standard error")
    ci_low = dy.Float64(nullable=True, description="low end of the 95 per cent interval")
    ci_high = dy.Float64(nullable=True, description="high end of the 95 per cent interval")
    unit = dy.Enum(UNITS, nullable=True, description="unit of the estimate")
    control_mean = dy.Float64(
        nullable=True, min_exclusive=0, description="mean of the comparison, in the same unit"
    )
    se_multiplier = dy.Float64(
        min=1, max=2, description="factor on a standard error that ignores clusters; a judgement"
    )
    direction = dy.Enum(
        ["positive", "null", "negative", "mixed"],
        nullable=True,
        description="what was reported, where the number was not seen",
    )
    status = dy.Enum(list(STATUSES), description="how well the number is known")
    source_kind = dy.Enum(SOURCES, description="kind of place where it was seen")
    source = dy.String(nullable=True, description="where it was seen")
    note = dy.String(description="what a reader should know")

    @dy.rule()
    def without_an_estimate_a_direction_is_needed(cls) -> pl.Expr:
        """Require a direction exactly where there is no number."""
        return pl.col("estimate").is_null() == pl.col("direction").is_not_null()

    @dy.rule()
    def the_status_needs_a_number(cls) -> pl.Expr:
        """Require a number where the status says that one was seen or recomputed."""
        known = pl.col("status").cast(pl.String).is_in([*VERIFIED, "secondary"])
        return ~known | pl.col("estimate").is_not_null()

    @dy.rule()
    def the_status_says_that_no_number_was_seen(cls) -> pl.Expr:
        """Refuse a number beside the status `direction`: a null is not a zero."""
        return (pl.col("status") != "direction") | pl.col("estimate").is_null()

    @dy.rule()
    def a_number_that_was_seen_needs_its_source(cls) -> pl.Expr:
        """Require that a verified number says where it was seen."""
        known = pl.col("status").cast(pl.String).is_in([*VERIFIED, "secondary"])
        return ~known | pl.col("source").is_not_null()

    @dy.rule()
    def an_estimate_needs_its_unit(cls) -> pl.Expr:
        """Require a unit exactly where there is a number."""
        return pl.col("estimate").is_null() == pl.col("unit").is_null()

    @dy.rule()
    def the_interval_lacks_the_estimate_or_an_end(cls) -> pl.Expr:
        """Require both ends of an interval, and the estimate between them."""
        low, high = pl.col("ci_low"), pl.col("ci_high")
        none = low.is_null() & high.is_null()
        return none | pl.col("estimate").is_between(low, high).fill_null(value=False)

    @dy.rule()
    def the_standard_error_does_not_fit_the_interval(cls) -> pl.Expr:
        """Require that a 95 per cent interval is the normal one of the standard error."""
        implied = (pl.col("ci_high") - pl.col("ci_low")) / (2 * NORMAL)
        gap = (implied - pl.col("std_error")).abs()
        return (gap <= ROUNDING * pl.col("std_error")).fill_null(value=True)


class Pools(contract.Row):
    """A question that studies may be pooled to answer, with what a row must be to enter."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name")
    programme = dy.String(description="programme whose rows are considered")
    question = dy.String(min_length=10, description="whose what is pooled, in words")
    outcomes = dy.String(description="outcomes that may enter, joined by semicolons")
    design = dy.Enum(DESIGNS, description="the one design that may enter")
    effect = dy.Enum(["offer", "participation"], description="the one kind of effect")
    months_from = dy.Int64(min=0, description="earliest horizon")
    months_to = dy.Int64(min=0, description="latest horizon")

    @dy.rule()
    def the_horizon_ends_before_it_starts(cls) -> pl.Expr:
        """Require that the window of horizons runs forward."""
        return pl.col("months_from") <= pl.col("months_to")


SCHEMAS: dict[str, type[contract.Row]] = {
    "works": Works,
    "estimates": Estimates,
    "pools": Pools,
}
