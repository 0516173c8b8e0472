"""What the data page shows of a panel's description: the same tables, in words and per cent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from analysis import printing, programmes
from analysis.panels import cards, current
from analysis.panels.brought import with_pack
from analysis.panels.describe import Description
from analysis.panels.model import targets as model_targets
from analysis.panels.panel import Panel

NATIONAL = "national"
LINES = {"national": "national line", "planning_2020": "4,000 yuan of 2020"}
COVARIATES = {
    "size_baseline": "members",
    "workers_baseline": "members able to work",
    "registered_poor": "on the register (share)",
    "income_baseline": "income per head",
    "remoteness_km": "road to the county town, km",
}


@dataclass(frozen=True)
class Sentence:
    """A sentence printed inline as Markdown."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text


def escaped(text: str) -> str:
    r"""Return text from a survey so that Markdown takes it as plain text.

    Examples
    --------
    >>> escaped("a *b* <i>")
    'a \\*b\\* \\<i\\>'
    """
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|@$~^'\"])", r"\\\1", text)


@dataclass(frozen=True)
class Texts:
    """Sentences that depend on whose panel it is, in Markdown."""

    what: Sentence
    meaning: Sentence
    targets: Sentence


def texts(shown: Panel) -> Texts:
    """Return the sentences for a panel of this tier, or for a twin.

    Examples
    --------
    >>> import polars as pl
    >>> from analysis.panels.account import Account
    >>> empty = pl.LazyFrame()
    >>> yours = Panel("a survey", "yours", empty, empty, empty, empty, Account(0, 0))
    >>> texts(yours).what.text
    'This page describes the panel *a survey*, imported from a survey or register.'
    """
    said = _texts(shown)
    return replace(said, meaning=Sentence(with_pack(said.meaning.text)))


def _texts(shown: Panel) -> Texts:
    if shown.twin:
        return Texts(
            Sentence(
                f"This page describes *{escaped(shown.name)}*: a **synthetic** panel, drawn column "
                "by column from another. It is there to write and try code on."
            ),
            Sentence(
                "No household in it exists, no true effect is known, and how its columns hang "
                "together is made up: no estimate from it means anything."
            ),
            Sentence(
                "For comparison, @tbl-targets shows the **simulated** model panel that this "
                "report comes with, against what is known."
            ),
        )
    if shown.tier == "model":
        return Texts(
            Sentence(
                "We know of no published household data on these programmes in these places. "
                "Methods are therefore tried on a **simulated** panel whose true effects are "
                "known, to ask one thing only: would this design have found them? This page "
                "describes that panel, and real public data."
            ),
            Sentence(
                "Every household in it is invented. It says nothing about any real village, and "
                "no figure drawn from it is an effect of a programme."
            ),
            Sentence(
                "The model is set to official figures where there are any; the rest are "
                "assumptions and say so. @tbl-targets compares what was asked with what came out."
            ),
        )
    name = escaped(shown.name)
    return Texts(
        Sentence(f"This page describes the panel *{name}*, imported from a survey or register."),
        Sentence("Its figures describe the households that were observed, not an effect."),
        Sentence(
            "For comparison, @tbl-targets shows the **simulated** model panel that this report "
            "comes with, against what is known."
        ),
    )


SWITCHES = {
    "selection_level": "who takes part depends on how well off they are",
    "selection_trend": "and on how fast their income grows",
    "dip": "wages dip before training",
    "anticipation": "some effects begin early",
    "spillover": "neighbours are affected",
    "bundling": "programmes come together",
    "coverage": "some programmes reach nearly everyone",
    "attrition": "households leave the survey or the register",
    "missing": "single answers are missing",
    "heaping": "answers are rounded",
    "misreporting": "villages just below a floor report that they reach it",
}
"""What each switch of the model means to a reader."""


def how_made(settings: Mapping[str, object]) -> Sentence:
    """Say how a simulated panel was made; nothing for a survey or a twin.

    Parameters
    ----------
    settings : mapping
        As `analysis.panels.current.simulation` gives it.

    Examples
    --------
    >>> how_made({"variant": "clean", "seed": 1, "switches": {"dip": False}}).text
    'It is the clean variant (seed 1), with none of the difficulties of a real survey.'
    >>> how_made({}).text
    ''
    """
    if not settings:
        return Sentence("")
    switches = settings["switches"]
    assert isinstance(switches, Mapping)  # noqa: S101 — written by the simulation
    on = "; ".join(SWITCHES.get(str(name), str(name)) for name, state in switches.items() if state)
    difficulties = (
        f"these difficulties: {on}" if on else "none of the difficulties of a real survey"
    )
    seed = settings["seed"]
    return Sentence(f"It is the {settings['variant']} variant (seed {seed}), with {difficulties}.")


FEN = "fen"


def money_words(shown: Panel) -> str:
    """Say what the panel's money is called: yuan, or the survey's own unit.

    Examples
    --------
    >>> from analysis.panels.account import Account
    >>> empty = pl.LazyFrame()
    >>> taka = Panel("s", "yours", *[empty] * 4, Account(0, 0), currency_unit="poisha")
    >>> money_words(taka)
    'hundred poisha'
    """
    return "yuan" if shown.currency_unit == FEN else f"hundred {escaped(shown.currency_unit)}"


def sizes(about: Description) -> dict[str, int]:
    """Return the sizes by name."""
    return dict(about.sizes.iter_rows())


@dataclass(frozen=True)
class Poor:
    """Persons below the national line in one period."""

    id: str
    percent: float
    what: str


def poor(about: Description) -> tuple[Poor, ...]:
    """Return how many persons were poor in the first and the last period.

    A panel in another currency or in real prices has no line here, hence no entry.
    """
    rows = about.poverty.filter(pl.col("line_name") == NATIONAL, pl.col("group") == "all")
    if rows.is_empty():
        return ()
    shares = rows.sort("period")["headcount_persons"]
    what = "persons below the national line in the {} period, per cent"
    if shares.len() == 1:
        return (Poor("panel_headcount_first", 100 * shares[0], what.format("only")),)
    return (
        Poor("panel_headcount_first", 100 * shares[0], what.format("first")),
        Poor("panel_headcount_last", 100 * shares[-1], what.format("last")),
    )


def why_no_line(about: Description) -> str:
    """Say why nobody can be set against a poverty line."""
    if about.sources.drop_nulls("per_head").is_empty():
        return (
            "No row of this panel has all four sources of income, so nobody can be set against a "
            "poverty line."
        )
    return "No poverty line is set for the currency or prices of this panel."


def poor_sentence(about: Description, shares: Sequence[object]) -> Sentence:
    """Say how many were poor, from the printed findings of `poor`."""
    if not shares:
        return Sentence(why_no_line(about))
    if len(shares) == 1:
        (share,) = (share._repr_markdown_() for share in shares)  # type: ignore[attr-defined]
        return Sentence(f"{share} per cent of its persons were below the national line.")
    first, last = (share._repr_markdown_() for share in shares)  # type: ignore[attr-defined]
    return Sentence(
        f"{first} per cent of its persons were below the national line in the first year, {last} "
        "per cent in the last."
    )


def lines_sentence(about: Description) -> Sentence:
    """Say of which periods a poverty line is unverified: from memory, or carried by such prices."""
    return unverified_lines(about.poverty)


def unverified_lines(poverty: pl.DataFrame) -> Sentence:
    """Say which rows of line_name, period and line_status rest on a figure from memory."""
    unverified = poverty.filter(line_status="from_memory").select("line_name", "period").unique()
    if unverified.is_empty():
        return Sentence("")
    said = "; ".join(
        f"{LINES.get(name, name)}: {_years(sorted(set(rows['period'])))}"
        for (name,), rows in unverified.sort("line_name", "period").group_by(
            "line_name", maintain_order=True
        )
    )
    return Sentence(f"Unverified, because a line or a price change is from memory: {said}.")


def _years(years: list[int]) -> str:
    """Write years as ranges.

    Examples
    --------
    >>> _years([2012, 2013, 2015])
    '2012 to 2013, 2015'
    """
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def line_labels(about: Description) -> dict[str, str]:
    """Return what each poverty line is called."""
    return {name: LINES.get(name, name) for name in about.poverty["line_name"].unique()}


def _percent(column: str) -> pl.Expr:
    return _printed(100 * pl.col(column), 1)


def _printed(value: pl.Expr, digits: int | None = None) -> pl.Expr:
    return value.map_elements(lambda x: printing.number(x, digits), return_dtype=pl.String)


def account(about: Description) -> pl.DataFrame:
    """Return reason, rows, share (per cent, printed)."""
    return about.left_out.with_columns(share=_percent("share"))


def missing(about: Description) -> pl.DataFrame:
    """Return period, n_rows, and per cents seen, complete, and missing by source."""
    return about.missing.select(
        pl.col("period").cast(pl.String),
        "n_rows",
        seen=_percent("share_seen"),
        complete=_percent("share_complete"),
        **{
            name: _percent(f"missing_{name}")
            for name in ("wage", "business", "property", "transfer")
        },
    )


def _names() -> dict[str, str]:
    return dict(programmes.load().programmes.select("id", "name_en").iter_rows())


def cohorts(about: Description) -> pl.DataFrame:
    """Return one row per programme: level, units treated, their share, cohorts, median dose."""
    return (
        about.programmes.group_by("programme", "unit_level", maintain_order=True)
        .agg(
            pl.col("n_units").sum(),
            pl.col("share").sum(),
            first=pl.col("cohort").min().cast(pl.String),
            last=pl.col("cohort").max().cast(pl.String),
            dose=pl.col("dose_median").median(),
            dose_unit=pl.col("dose_unit").first(),
        )
        .with_columns(
            pl.col("programme").replace(_names()),
            share=_percent("share"),
            dose=_printed(pl.col("dose")),
        )
    )


def balance(about: Description) -> pl.DataFrame:
    """Return the balance table with names in words and numbers printed."""
    return about.balance.select(
        pl.col("programme").replace(_names()),
        pl.col("covariate").replace(COVARIATES),
        treated=_printed(pl.col("treated")),
        untreated=_printed(pl.col("untreated")),
        standardised_difference=_printed(pl.col("standardised_difference"), 2),
    )


def targets() -> pl.DataFrame:
    """Return the default model panel, realistic variant, against its targets; numbers printed."""
    status = {"from_memory": "unverified"}
    return model_targets(current.model()).select(
        "what",
        pl.col("period").cast(pl.String),
        unit=pl.col("unit").map_elements(printing.unit, return_dtype=pl.String),
        target=_printed(pl.col("target")),
        realised=_printed(pl.col("realised")),
        difference=_printed(pl.col("difference"), 4),
        tolerance=_printed(pl.col("tolerance")),
        met=pl.when("met").then(pl.lit("yes")).otherwise(pl.lit("no")),
        status=pl.col("status").replace(status),
    )


def cards_shown() -> pl.DataFrame:
    """Return the cards of all public data sets, observed ones first."""
    return cards.cards_frame().sort(pl.col("origin") != "observed", "title")
