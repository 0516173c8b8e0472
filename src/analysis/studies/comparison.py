"""Studies and reported money on one scale: per cent of a household's yearly income or spending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

import polars as pl

from analysis import printing, programmes
from analysis.claims.implied import ImpliedIncome
from analysis.claims.intervals import Interval
from analysis.studies.library import Library
from analysis.studies.pooling import Pooled
from analysis.studies.scale import COMPARABLE, REACHED, SCALES

DIRECTIONS = {
    "positive": "higher",
    "null": "no effect",
    "negative": "lower",
    "mixed": "mixed",
}
"""What a row reports whose number was not seen."""
UNSEEN = "Direction reported, number not seen"
"""Heading of such rows."""
PACKAGE = "package_counties"
"""The estimate for the whole package of targeted poverty alleviation."""
WHOLE = 100
"""Per cent from which a share is printed without decimals."""


def span(library: Library, programme: str) -> pl.DataFrame:
    """Return the comparable estimates of a programme: verified, on household income or spending.

    Only of those that the programme reaches: households that rent land in say nothing of those
    that lease it out.

    Returns
    -------
    polars.DataFrame
        Rows of `Library.estimates`, smallest per cent first.
    """
    rows = library.estimates.filter(pl.col("programme") == programme, pl.col("comparable"))
    return rows.sort("percent", "id")


def directions(library: Library, programme: str) -> dict[str, int]:
    """Count rows on household income or spending of those reached whose number was not seen.

    Returns
    -------
    dict of str to int
        Rows by a key of `DIRECTIONS`; only those that occur.
    """
    rows = library.estimates.filter(
        pl.col("programme") == programme,
        pl.col("direction").is_not_null() & pl.col("estimate").is_null(),
        pl.col("scale").is_in(COMPARABLE),
        pl.col("side") == REACHED,
    )
    found = dict(rows.group_by(pl.col("direction").cast(pl.String)).agg(pl.len()).iter_rows())
    return {word: found[word] for word in DIRECTIONS if word in found}


def names() -> pl.DataFrame:
    """Return id and English name of every programme of the catalogue."""
    catalogue = programmes.load().programmes.filter(pl.col("is_programme") == "yes")
    return catalogue.select(programme="id", name="name_en")


def forest(library: Library, programme: str, pools: Mapping[str, Pooled]) -> pl.DataFrame:
    """Return what the forest plot of a programme draws.

    Parameters
    ----------
    library : Library
        The studies.
    programme : str
        An id of the catalogue.
    pools : mapping of str to Pooled
        As `analysis.studies.pooling.all_pools` gives them.

    Returns
    -------
    polars.DataFrame
        One row per estimate in per cent, one per pool after its scale, and one per direction
        whose number was not seen: group (the scale in words), label, kind (``pooled in``,
        ``lot``, ``other`` or ``unverified``; ``mean`` for a pool; ``direction``),
        percent, low, high, ahead_low, ahead_high (prediction interval of a pool).
    """
    rows = library.estimates.filter(
        pl.col("programme") == programme, pl.col("percent").is_not_null()
    )
    inside = {name for result in pools.values() for name in result.members}
    drawn = []
    for scale, group in SCALES.items():
        for row in (
            rows.filter(pl.col("scale") == scale).sort("percent", "id").iter_rows(named=True)
        ):
            months = row["horizon_months"]
            when = "" if months is None else f", {months} months"
            kind = (
                "unverified"
                if not row["verified"]
                else "pooled in"
                if row["id"] in inside
                else "lot"
                if row["design"] == "randomised"
                else "other"
            )
            drawn.append(
                {
                    "group": group,
                    "label": f"{row['short']}, {row['country']}{_side(row)}{when}",
                    "kind": kind,
                    "percent": row["percent"],
                    "low": row["percent_low"],
                    "high": row["percent_high"],
                    "ahead_low": None,
                    "ahead_high": None,
                }
            )
        for name, result in pools.items():
            pool = library.pools.row(by_predicate=pl.col("id") == name, named=True)
            if pool["programme"] == programme and scale in _scales(library, result):
                drawn.append(
                    {
                        "group": group,
                        "label": f"Mean of the {result.k} filled squares",
                        "kind": "mean",
                        "percent": result.mean,
                        "low": result.ci_low,
                        "high": result.ci_high,
                        "ahead_low": result.prediction_low,
                        "ahead_high": result.prediction_high,
                    }
                )
    drawn += _unseen(library, programme)
    ends = ("percent", "low", "high", "ahead_low", "ahead_high")
    return pl.DataFrame(drawn, schema_overrides=dict.fromkeys(ends, pl.Float64))


def _side(row: Mapping[str, object]) -> str:
    """Say what was done where it is not what the programme does to those it reaches."""
    return "" if row["side"] == REACHED else f", {row['intervention']}"


def _unseen(library: Library, programme: str) -> list[dict[str, object]]:
    """Return a line for each row with a direction only, so that a null is seen and not dropped."""
    rows = library.estimates.filter(
        pl.col("programme") == programme, pl.col("direction").is_not_null()
    )
    blank = dict.fromkeys(("percent", "low", "high", "ahead_low", "ahead_high"))
    return [
        {
            "group": UNSEEN,
            "label": f"{row['short']}, {row['country']}, {row['intervention']}: "
            f"{DIRECTIONS[row['direction']]}",
            "kind": "direction",
            **blank,
        }
        for row in rows.sort("direction", "id").iter_rows(named=True)
    ]


def _scales(library: Library, result: Pooled) -> set[str]:
    return set(library.estimates.filter(pl.col("id").is_in(result.members))["scale"])


def beside(library: Library, figures: Iterable[ImpliedIncome]) -> pl.DataFrame:
    """Set reported money and studies of a programme side by side, in per cent of income.

    Parameters
    ----------
    library : Library
        The studies.
    figures : iterable of ImpliedIncome
        As `analysis.claims.implied.implied` gives them; those with a share of official income.

    Returns
    -------
    polars.DataFrame
        Only programmes with a reported share: programme (its name), tier (``reported`` or
        ``published``), label, people (the sample of a study), kind (``claim``, ``lot`` or
        ``other``), low, high (equal for a point; null where unbounded).
    """
    reported = [figure for figure in figures if figure.share is not None]
    rows: list[dict[str, object]] = []
    for programme, name in names().iter_rows():
        claims = [figure for figure in reported if figure.programme == programme]
        if not claims:
            continue
        for figure in claims:
            ends = (figure.percent.low.value, figure.percent.high.value)
            low, high = (None if end is None else float(end) for end in ends)
            rows.append(
                {
                    "programme": name,
                    "tier": "reported",
                    "label": figure.title,
                    "people": "",
                    "kind": "claim",
                    "low": low,
                    "high": high,
                }
            )
        for row in span(library, programme).iter_rows(named=True):
            kind = "lot" if row["design"] == "randomised" else "other"
            rows.append(
                {
                    "programme": name,
                    "tier": "published",
                    "label": f"{row['short']}, {row['country']}",
                    "people": row["people"],
                    "kind": kind,
                    "low": row["percent"],
                    "high": row["percent"],
                }
            )
    return pl.DataFrame(rows, schema_overrides={"low": pl.Float64, "high": pl.Float64})


def by_programme(
    library: Library, pools: Mapping[str, Pooled], figures: Iterable[ImpliedIncome]
) -> pl.DataFrame:
    """Say of every programme what is reported and what studies elsewhere found.

    Parameters
    ----------
    library : Library
        The studies.
    pools : mapping of str to Pooled
        As `analysis.studies.pooling.all_pools` gives them.
    figures : iterable of ImpliedIncome
        As `analysis.claims.implied.implied` gives them.

    Returns
    -------
    polars.DataFrame
        One row per programme of the catalogue, each text in words or empty: name, reported (per
        cent of official income), published (comparable estimates, per cent), pooled (mean with
        interval), n_rows, n_verified, n_null (no effect reported, number not seen), n_china.
    """
    shares = [figure for figure in figures if figure.share is not None]
    rows = []
    for programme, name in names().iter_rows():
        mine = library.estimates.filter(pl.col("programme") == programme)
        near = span(library, programme)
        claims = "; ".join(
            f"{f.title}: {printing.interval(f.percent, _digits(f.percent))}"
            for f in shares
            if f.programme == programme
        )
        ids = library.pools.filter(pl.col("programme") == programme)["id"]
        means = "; ".join(said(pools[pool]) for pool in ids if pool in pools)
        rows.append(
            {
                "id": programme,
                "name": name,
                "reported": claims,
                "published": _range(near),
                "pooled": means,
                "n_rows": mine.height,
                "n_verified": mine.filter(pl.col("verified")).height,
                "n_null": mine.filter(
                    pl.col("estimate").is_null(), pl.col("direction") == "null"
                ).height,
                "n_china": mine.filter(pl.col("country") == "China").height,
            }
        )
    return pl.DataFrame(rows)


def _digits(value: Interval) -> int:
    """One decimal is as much as a share of a rounded official figure can bear."""
    low = value.low.value
    return 0 if low is not None and low >= WHOLE else 1


def _range(rows: pl.DataFrame) -> str:
    if rows.is_empty():
        return ""
    low, high = rows["percent"][0], rows["percent"][-1]
    lots = rows.filter(pl.col("design") == "randomised").height
    text = printing.number(low, 1)
    if rows.height > 1:
        text += f" to {printing.number(high, 1)}"
    return f"{text} ({said_count(rows.height, rows['people'].n_unique())}; {lots} drawn by lot)"


def said_count(estimates: int, samples: int) -> str:
    """Say how many estimates there are, and of how many samples of people.

    Examples
    --------
    >>> said_count(1, 1), said_count(9, 4)
    ('1 estimate', '9 estimates of 4 samples')
    """
    if estimates == 1:
        return "1 estimate"
    return f"{estimates} estimates of {samples} sample{'s' if samples > 1 else ''}"


def said(result: Pooled) -> str:
    """Print a pooled mean with its interval.

    Examples
    --------
    >>> said(Pooled(2, 8.64, 2.8, -26.83, 44.11, 0.0, 0.2, 0.0, 0.2, None, None, ()))
    '8.6 (−26.9 to 44.2), 2 studies'
    """
    ends = printing.interval(between(result.ci_low, result.ci_high), 1)
    return f"{printing.number(result.mean, 1)} ({ends}), {result.k} studies"


def between(low: float, high: float) -> Interval:
    """Return an interval of floats, so that text and tables round it alike.

    Examples
    --------
    >>> printing.interval(between(-1.79, 3.97), 1)
    '−1.8 to 4'
    """
    return Interval.between(Fraction(low), Fraction(high))
