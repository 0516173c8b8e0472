"""The definition of each file in ``data/claims/``: columns, types, vocabularies, keys.

The pages print these descriptions; a row that does not fit is refused with its line and value.
"""

from __future__ import annotations

import dataframely as dy
import polars as pl

from analysis import contract

PLACE_LEVELS = [
    "country",
    "region",
    "prefecture",
    "county",
    "township",
    "village",
    "community",
    "site",
    "person",
]
BOUNDS = ["exact", "more_than", "at_least", "nearly", "about", "up_to"]
KINDS = ["count", "amount", "rate", "target", "threshold"]
TIME_TYPES = ["stock", "flow", "cumulative", "none"]
CHANNELS = ["wage", "business", "property", "transfer", "none"]
ROLES = ["identity", "bound", "derived", "hypothesis"]
MISMATCHES = {"place", "period", "time_type"}
DECIMAL = r"^\d+(\.\d+)?$"


class Sources(contract.Row):
    """An article whose figures the claims are: title, publisher, date and place."""

    id = dy.String(primary_key=True, regex=r"^S\d$", description="name of the article")
    file_code = dy.String(description="file number in the collection the articles came in")
    title_zh = dy.String(description="headline as printed")
    title_en = dy.String(description="headline in English")
    publisher = dy.String(description="who published it")
    publisher_kind = dy.String(description="what kind of publisher that is")
    author = dy.String(nullable=True, description="author as printed")
    date = dy.Date(description="day of publication")
    date_basis = dy.Enum(["printed", "inferred"], description="whether the date is printed")
    date_note = dy.String(nullable=True, description="how an inferred date was found")
    place = dy.String(description="place the article is about")
    place_level = dy.Enum(PLACE_LEVELS, description="level of that place")
    note = dy.String(nullable=True, description="anything a reader should know")

    @dy.rule()
    def an_inferred_date_needs_a_note(cls) -> pl.Expr:
        """Require that a date which is not printed says how it was found."""
        return (pl.col("date_basis") == "printed") | pl.col("date_note").is_not_null()


class Claims(contract.Row):
    """One quantitative statement of an article: what was counted, where, when, as printed."""

    id = dy.String(primary_key=True, regex=r"^S\d_\d{3}$", description="name of the claim")
    source = dy.String(regex=r"^S\d$", description="the article")
    paragraph = dy.Int64(min=1, description="non-blank line of the article, counted from 1")
    place = dy.String(description="where")
    place_level = dy.Enum(PLACE_LEVELS, description="level of that place")
    period_start = dy.Date(description="first day the figure refers to")
    period_end = dy.Date(description="last day; the same day for a stock")
    period_basis = dy.Enum(["stated", "inferred"], description="whether the period is stated")
    programme = dy.String(description="programme or context, as in the catalogue")
    counted = dy.String(min_length=3, description="what is counted")
    value = dy.String(regex=DECIMAL, description="the number, with 万 and 亿 written out")
    unit = dy.String(description="base units joined by a slash, the first one on top")
    printed = dy.String(max_length=20, description="the number phrase as printed, never a sentence")
    bound = dy.Enum(BOUNDS, description="what the wording says about the number's ends")
    kind = dy.Enum(KINDS, description="what kind of number")
    slogan = dy.Enum(["yes", "no"], description="yes: the numeral only names a scheme")
    time_type = dy.Enum(TIME_TYPES, description="stock at a day, flow in a period, or cumulative")
    channel = dy.Enum(CHANNELS, description="source of income it could touch")
    note = dy.String(nullable=True, description="ambiguity, reading, garbled text")

    @dy.rule()
    def the_period_ends_before_it_starts(cls) -> pl.Expr:
        """Require that a period runs forward."""
        return pl.col("period_start") <= pl.col("period_end")

    @dy.rule()
    def the_id_does_not_begin_with_its_source(cls) -> pl.Expr:
        """Require that a claim carries the name of its article."""
        return pl.col("id").str.starts_with(pl.col("source"))


class Units(contract.Row):
    """A unit that claims are counted in, such as yuan, households or hectares."""

    unit = dy.String(primary_key=True, description="base unit")
    description = dy.String(description="what one of it is")
    kind = dy.String(description="family of units")


class Constants(contract.Row):
    """A number with a name that the arithmetic of claims uses, such as a village's households."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name")
    value = dy.String(regex=DECIMAL, description="the number")
    unit = dy.String(description="its unit")
    source = dy.String(description="where it comes from")
    note = dy.String(nullable=True, description="remark")


class Official(contract.Row):
    """An official statistic that claims are compared with."""

    id = dy.String(primary_key=True, regex=r"^O_[a-z0-9_]+$", description="name")
    series = dy.String(description="what the series measures")
    place = dy.String(description="where")
    year = dy.Int64(min=1990, max=2030, description="calendar year")
    value = dy.String(regex=DECIMAL, description="the number")
    unit = dy.String(description="its unit")
    step = dy.String(
        nullable=True,
        regex=DECIMAL,
        description="worth of the last printed digit; empty for a number printed in full",
    )
    bound = dy.Enum(BOUNDS, description="what the wording says about the number's ends")
    definition = dy.String(nullable=True, description="definition or remark")
    source = dy.String(description="who published it")
    address = dy.String(nullable=True, description="where it was found")
    status = dy.Enum(["found", "from_memory", "derived"], description="found in a document or not")


class Relations(contract.Row):
    """An arithmetic relation among claims."""

    id = dy.String(primary_key=True, regex=r"^R\d{3}$", description="name of the relation")
    role = dy.Enum(ROLES, description="what it tests")
    programme = dy.String(description="programme or context")
    question = dy.String(min_length=10, description="the question in words")
    expression = dy.String(description="over claims, official figures and constants")
    unit = dy.String(nullable=True, description="unit of a derived quantity")
    assumes = dy.String(nullable=True, description="mismatches the row accepts")
    assumption = dy.String(nullable=True, description="the assumption in words")
    note = dy.String(nullable=True, description="remark")

    @dy.rule()
    def what_is_assumed_needs_words(cls) -> pl.Expr:
        """Require that an accepted mismatch is explained."""
        return pl.col("assumes").is_null() | pl.col("assumption").is_not_null()


class Implied(contract.Row):
    """What a programme's money would mean in yuan per head or per household."""

    id = dy.String(primary_key=True, regex=r"^I\d{2}$", description="name")
    programme = dy.String(description="programme")
    title = dy.String(min_length=5, description="what the figure is")
    expression = dy.String(description="over claims, official figures and constants")
    basis = dy.Enum(["per_head", "per_household"], description="per person or per household")
    frequency = dy.Enum(["per_year", "one_off", "per_month_annualised"], description="how often")
    measures = dy.Enum(
        ["income", "payment", "spending", "loan", "turnover"], description="what the money is"
    )
    channel = dy.Enum(CHANNELS, description="source of income")
    official = dy.String(regex=r"^O_", description="official income it is set against")
    assumes = dy.String(nullable=True, description="mismatches the row accepts")
    assumption = dy.String(nullable=True, description="the assumption in words")
    why_not_effect = dy.String(description="why it is not an effect on household income")


SCHEMAS: dict[str, type[contract.Row]] = {
    "sources": Sources,
    "claims": Claims,
    "units": Units,
    "constants": Constants,
    "official": Official,
    "relations": Relations,
    "implied": Implied,
}
