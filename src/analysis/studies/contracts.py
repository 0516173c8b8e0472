"""The definition of each file in ``data/studies/``: columns, types, vocabularies, keys."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from analysis import contract

NAME = r"^[a-z][a-z0-9_]*$"
KINDS = ["estimate", "review", "direction"]
PROGRAMMES = [
    "training",
    "jobs_migration",
    "cooperatives",
    "dividends_cash",
    "paired_assistance",
    "credit_funds",
    "industry",
    "land",
    "targeting_area",
]
SETTINGS = [
    "rural_china",
    "rural_developing",
    "mixed_developing",
    "urban_developing",
    "high_income",
    "several",
]
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
RISKS = [
    "randomised",
    "natural_experiment",
    "cut_off",
    "panel_comparison",
    "matched_cross_section",
    "association",
    "review",
]
"""Risk of bias by how the comparison came about, the least risk first."""
FAMILIES = [
    "household_income",
    "consumption",
    "household_earnings",
    "earnings",
    "profit",
    "farm_income",
    "revenue",
    "area_income",
    "area_consumption",
    "income_source",
    "consumption_part",
    "assets",
    "poverty",
    "labour",
    "wage_rate",
    "output",
    "other",
]
EFFECTS = ["offer", "participation", "area", "spillover", "dose"]
COMPARISONS = ["no_programme", "neighbours", "other_arm"]
UNITS = [
    "percent",
    "log_points",
    "currency",
    "quantity",
    "share",
    "count",
    "index",
    "sd",
    "percentage_points",
    "percentage_points_a_year",
    "other",
]
ERRORS = ["printed", "recomputed", "combined", "from_t", "from_p", "from_interval", "none"]
DIRECTIONS = ["positive", "null", "negative", "mixed", "not_seen"]
KNOWN = [
    "published_seen",
    "published_and_recomputed",
    "recomputed",
    "combined",
    "abstract_seen",
    "review",
    "direction_seen",
    "secondary",
    "from_memory",
]
TRUSTED = ("published_seen", "published_and_recomputed", "recomputed", "combined", "abstract_seen")
"""How a number may be known that enters a range or a rating."""
SOURCES = [
    "public_data",
    "paper_copy",
    "replication",
    "publisher_or_index",
    "authors_poster",
    "third_party_code",
    "third_party_page",
    "secondary",
    "memory",
]
FIRST_HAND = ("public_data", "paper_copy", "replication", "publisher_or_index", "authors_poster")
"""Places whose numbers may enter a range or a rating: never a page or a copy by third parties."""
YES_NO = ["yes", "no"]


class Works(contract.Row):
    """A paper, report or dissertation whose estimates are in the library of studies."""

    id = dy.String(primary_key=True, regex=NAME, description="name")
    short = dy.String(description="authors and year, as figures print them")
    citation = dy.String(min_length=5, description="reference")
    doi = dy.String(
        nullable=True, regex=r"^10\.\d{4,9}/\S+$", description="identifier, only where it was seen"
    )
    reference = dy.Enum(
        ["full", "as_listed"], description="whether the reference is full or as the search lists it"
    )


class Estimates(contract.Row):
    """One estimate, one result of a review, or one reported direction without a number."""

    id = dy.String(primary_key=True, regex=NAME, description="name")
    kind = dy.Enum(KINDS, description="estimate of a study, result of a review, direction only")
    work = dy.String(description="where it was published")
    study = dy.String(
        regex=NAME, description="the study or sample: rows that share it depend on each other"
    )
    programme = dy.Enum(PROGRAMMES, description="programme that it speaks to")
    sub_type = dy.String(regex=NAME, description="kind of the programme")
    intervention = dy.String(description="what was done")
    country = dy.String(description="country, or several")
    place = dy.String(description="place in the country")
    years = dy.String(description="years of the data")
    setting = dy.Enum(SETTINGS, description="rural China, rural elsewhere, city, rich country")
    design = dy.Enum(DESIGNS, description="how the effect was identified")
    risk_of_bias = dy.Enum(RISKS, description="how the comparison came about")
    bias_reason = dy.String(description="why that risk")
    outcome_family = dy.Enum(FAMILIES, description="what was measured, by family")
    outcome = dy.String(description="what was measured, in the study's words")
    effect = dy.Enum(
        EFFECTS,
        description="of the offer, on participants, on the mean of an area, on neighbours, or by "
        "amount",
    )
    comparison = dy.Enum(
        COMPARISONS, description="with no programme, with neighbours of those served, another arm"
    )
    subgroup = dy.String(description="whole, or the part of the sample")
    primary = dy.Enum(
        YES_NO,
        description="whether the row stands for its study: clean comparison, programme as offered, "
        "horizon nearest three years",
    )
    horizon_months = dy.Int64(nullable=True, min=0, description="months after the start")
    unit = dy.Enum(UNITS, nullable=True, description="unit of the estimate")
    estimate = dy.Float64(nullable=True, description="effect, in its unit")
    std_error = dy.Float64(nullable=True, min=0, min_exclusive=None, description="standard error")
    error_source = dy.Enum(ERRORS, description="how the error was got")
    se_multiplier = dy.Float64(min=1, max=3, description="factor for clusters that it ignores")
    se_reason = dy.String(nullable=True, description="why that factor")
    range_low = dy.Float64(nullable=True, description="least of a range over specifications")
    range_high = dy.Float64(nullable=True, description="most of it; the estimate is the middle")
    comparison_mean = dy.Float64(
        nullable=True, min_exclusive=0, description="mean of the comparison, in the same unit"
    )
    n = dy.Int64(nullable=True, min=1, description="units observed")
    clusters = dy.Int64(nullable=True, min=1, description="clusters of the assignment")
    direction = dy.Enum(DIRECTIONS, nullable=True, description="what was reported, without number")
    known = dy.Enum(KNOWN, description="how the number is known")
    source_kind = dy.Enum(SOURCES, description="kind of place where it was seen")
    source = dy.String(nullable=True, description="where it was seen")
    usable = dy.Enum(
        YES_NO, description="whether it may enter a range or a rating: first-hand, believable error"
    )
    note = dy.String(description="what a reader should know")

    @dy.rule()
    def a_direction_stands_where_there_is_no_number(cls) -> pl.Expr:
        """Require a number of a study, and no number of a direction: a null is not a zero."""
        kind = pl.col("kind").cast(pl.String)
        number = pl.col("estimate").is_not_null()
        return (
            pl.when(kind == "estimate")
            .then(number & pl.col("direction").is_null())
            .when(kind == "direction")
            .then(~number & pl.col("direction").is_not_null())
            .otherwise(number | pl.col("direction").is_not_null())
        )

    @dy.rule()
    def an_estimate_needs_its_unit(cls) -> pl.Expr:
        """Require a unit exactly where there is a number."""
        return pl.col("estimate").is_null() == pl.col("unit").is_null()

    @dy.rule()
    def an_error_says_how_it_was_got(cls) -> pl.Expr:
        """Require a source of the error exactly where there is an error."""
        return pl.col("std_error").is_null() == (pl.col("error_source").cast(pl.String) == "none")

    @dy.rule()
    def a_factor_for_clusters_needs_a_reason(cls) -> pl.Expr:
        """Require a reason exactly where the error is multiplied."""
        return (pl.col("se_multiplier") > 1) == pl.col("se_reason").is_not_null()

    @dy.rule()
    def the_estimate_lies_in_its_range(cls) -> pl.Expr:
        """Require both ends of a range, and the estimate between them."""
        low, high = pl.col("range_low"), pl.col("range_high")
        none = low.is_null() & high.is_null()
        return none | pl.col("estimate").is_between(low, high).fill_null(value=False)

    @dy.rule()
    def memory_and_third_parties_are_not_used(cls) -> pl.Expr:
        """Refuse a usable row that is known from memory, a third party, or is no estimate."""
        known = pl.col("known").cast(pl.String).is_in(TRUSTED)
        seen = pl.col("source_kind").cast(pl.String).is_in(FIRST_HAND)
        number = pl.col("kind").cast(pl.String) == "estimate"
        return (pl.col("usable").cast(pl.String) == "no") | (known & seen & number)

    @dy.rule()
    def a_review_is_a_row_of_its_own_kind(cls) -> pl.Expr:
        """Require that reviews, and only they, have the design and risk of a review."""
        kind = pl.col("kind").cast(pl.String) == "review"
        return (kind == (pl.col("design").cast(pl.String) == "review")) & (
            kind == (pl.col("risk_of_bias").cast(pl.String) == "review")
        )

    @dy.rule()
    def a_part_of_a_sample_does_not_stand_for_the_study(cls) -> pl.Expr:
        """Require that a row which stands for its study is of the whole sample."""
        return (pl.col("primary").cast(pl.String) == "no") | (pl.col("subgroup") == "whole")


class Merge(contract.Row):
    """What became of one row of one of the files that were merged."""

    file = dy.String(primary_key=True, description="file that it came from")
    row = dy.String(primary_key=True, description="its line or name there")
    work = dy.String(description="its work, as named there")
    decision = dy.Enum(
        ["kept", "in both files", "superseded", "earlier draft", "range", "added"],
        description="what was decided",
    )
    estimate = dy.String(regex=NAME, description="the row of estimates.csv that holds it now")
    reason = dy.String(nullable=True, description="why, where it is not simply kept")


class Checks(contract.Row):
    """One estimate computed again from the data of its study, by another program."""

    estimate = dy.String(primary_key=True, regex=NAME, description="the row of estimates.csv")
    data = dy.String(description="file of data, by its name in data/external.toml's folder")
    value = dy.Float64(description="what came out")
    std_error = dy.Float64(min=0, min_exclusive=None, description="its standard error")
    method = dy.String(description="how it was computed")
    verdict = dy.Enum(
        ["reproduced", "near", "mended"],
        description="reproduced, near with a reason, or something about the row was mended",
    )
    explanation = dy.String(nullable=True, description="the difference, or what was mended")

    @dy.rule()
    def a_difference_is_explained(cls) -> pl.Expr:
        """Require an explanation of what differs or was mended."""
        return (pl.col("verdict").cast(pl.String) == "reproduced") | pl.col(
            "explanation"
        ).is_not_null()


class Programmes(contract.Row):
    """One of the nine groups of programmes of the report."""

    id = dy.Enum(PROGRAMMES, primary_key=True, description="name")
    name_en = dy.String(description="name in English")
    name_zh = dy.String(description="name in Chinese")
    catalogue = dy.String(description="programmes of the catalogue in it, joined by semicolons")


class Outcomes(contract.Row):
    """A family of outcomes; different families are never in one pool."""

    id = dy.Enum(FAMILIES, primary_key=True, description="name")
    name_en = dy.String(description="name in English")
    name_zh = dy.String(description="name in Chinese")
    unit_of = dy.String(description="whose outcome")
    rated = dy.Enum(YES_NO, description="whether the summary rates it")


class Priors(contract.Row):
    """What is thought of effects before results are seen."""

    outcome_family = dy.Enum(FAMILIES, primary_key=True, description="family of outcomes")
    mean = dy.Float64(description="mean of the normal prior of the mean effect")
    sd = dy.Float64(min_exclusive=0, description="its standard deviation")
    tau_scale = dy.Float64(
        min_exclusive=0, description="scale of the half-normal prior of the spread between places"
    )
    unit = dy.String(description="unit of all three")
    stated_on = dy.Date(description="day on which it was stated")
    source = dy.String(min_length=10, description="where it comes from")


class Criteria(contract.Row):
    """One condition of the rule for how sure an answer is."""

    criterion = dy.String(primary_key=True, regex=NAME, description="name")
    measure = dy.String(description="what is measured")
    threshold = dy.Float64(description="where the condition fails")
    unit = dy.String(description="unit of the threshold")
    steps = dy.Int64(min=0, max=2, description="steps down if it fails")
    cap = dy.Enum(
        ["moderate", "low", "very_low"], nullable=True, description="best rating if it fails"
    )
    fails_en = dy.String(description="what is said if it fails")
    raises_en = dy.String(description="what would raise the rating")
    fails_zh = dy.String(description="what is said if it fails, in Chinese")
    raises_zh = dy.String(description="what would raise the rating, in Chinese")
    source = dy.String(min_length=10, description="why the condition and its threshold")


class Ratings(contract.Row):
    """One rating, as the legend shows it."""

    rating = dy.String(primary_key=True, regex=NAME, description="name, the surest first")
    name_en = dy.String(description="word in English")
    name_zh = dy.String(description="word in Chinese")
    most_steps = dy.Int64(min=0, description="steps down at most")
    meaning_en = dy.String(description="when it is given")
    meaning_zh = dy.String(description="when it is given, in Chinese")


SCHEMAS: dict[str, type[contract.Row]] = {
    "works": Works,
    "estimates": Estimates,
    "merge": Merge,
    "checks": Checks,
    "programmes": Programmes,
    "outcomes": Outcomes,
    "priors": Priors,
    "rating": Criteria,
    "ratings": Ratings,
}
