"""What was reported of a programme, and what studies elsewhere found: two tiers, kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl

from analysis.answers.missing import Missing
from analysis.claims import implied, ledger, shown
from analysis.claims.implied import ImpliedIncome
from analysis.studies import comparison, library, pooling
from analysis.studies.library import Library
from analysis.studies.pooling import Pooled
from analysis.studies.scale import COMPARABLE, REACHED
from analysis.studies.summary import TIBETAN


@dataclass(frozen=True)
class Reported:
    """What the articles report of a programme.

    Attributes
    ----------
    n_claims, n_yuan : int
        Quantities reported, and those of them in yuan.
    n_slogans : int
        Numerals that only name a scheme; they stand in `claims` too.
    figures : tuple of ImpliedIncome
        What they would mean per person or household.
    without : Missing or None
        Why no income figure follows from them; None if one does.
    claims : polars.DataFrame
        Every claim as a reader sees it; see `analysis.claims.shown.claims_table`.
    n_all : int
        Claims of all programmes.
    """

    n_claims: int
    n_yuan: int
    n_slogans: int
    figures: tuple[ImpliedIncome, ...]
    without: Missing | None
    claims: pl.DataFrame
    n_all: int

    @property
    def computed(self) -> tuple[ImpliedIncome, ...]:
        """The figures that can be computed."""
        return tuple(figure for figure in self.figures if figure.yuan is not None)


@dataclass(frozen=True)
class Elsewhere:
    """What studies of such a programme found elsewhere.

    Attributes
    ----------
    n_estimates, n_verified, n_null, n_china : int
        Rows of the library: all, with a verified number, reporting no effect without a number, and
        from China.
    n_local : int
        Rows of Tibet or Diqing.
    pay : tuple of float
        Per cent of one person's earnings, verified, all people of a trial drawn by lot.
    n_otherwise : int
        Verified rows of those that the programme reaches that are not comparable.
    directions : dict of str to int
        Rows on household income or spending of those reached whose number was not seen, by what
        they report; see `analysis.studies.comparison.directions`.
    across : dict of str to float
        Verified per cent of household income or spending on the other side of the programme's
        bargain, by what was done; these are not effects on those it reaches.
    low, high : float or None
        Smallest and largest comparable estimate, per cent of household income or spending.
    n_comparable, n_samples, n_lot : int
        Comparable estimates, samples of people they rest on, and those drawn by lot.
    pools : dict of str to Pooled
        Means over studies, where two or more may be pooled.
    forest : polars.DataFrame
        As `analysis.studies.comparison.forest` gives it.
    n_all : int
        Rows of all programmes.
    """

    n_estimates: int
    n_verified: int
    n_null: int
    n_china: int
    n_local: int
    pay: tuple[float, ...]
    n_otherwise: int
    directions: dict[str, int]
    across: dict[str, float]
    low: float | None
    high: float | None
    n_comparable: int
    n_samples: int
    n_lot: int
    pools: dict[str, Pooled]
    forest: pl.DataFrame
    n_all: int


@cache
def _claims() -> tuple[ledger.Ledger, tuple[ImpliedIncome, ...]]:
    loaded = ledger.load()
    return loaded, implied.implied(loaded)


@cache
def _studies() -> tuple[Library, dict[str, Pooled]]:
    loaded = library.load()
    return loaded, pooling.all_pools(loaded)


def reported(programme: str) -> Reported:
    """Return what the articles report of a programme."""
    loaded, figures = _claims()
    row = implied.by_programme(loaded, figures).filter(pl.col("id") == programme)
    table = shown.claims_table(loaded, implied.support(loaded, figures))
    mine = loaded.claims.filter(pl.col("programme") == programme)["id"].to_list()
    without = row["without"][0] if row.height else "it is not in the catalogue of programmes"
    return Reported(
        n_claims=row["n_claims"][0] if row.height else 0,
        n_yuan=row["n_yuan"][0] if row.height else 0,
        n_slogans=loaded.claims.filter(
            pl.col("programme") == programme, pl.col("slogan") == "yes"
        ).height,
        figures=tuple(figure for figure in figures if figure.programme == programme),
        without=Missing(without) if without else None,
        claims=table.filter(pl.col("id").is_in(mine)),
        n_all=loaded.quantities.height,
    )


def elsewhere(programme: str) -> Elsewhere:
    """Return what studies of such a programme found elsewhere."""
    loaded, pools = _studies()
    rows = loaded.estimates.filter(pl.col("programme") == programme)
    near = comparison.span(loaded, programme)
    ids = loaded.pools.filter(pl.col("programme") == programme)["id"].to_list()
    null = rows.filter(pl.col("estimate").is_null(), pl.col("direction") == "null")
    other = pl.col("side").cast(pl.String) != REACHED
    pay = rows.filter(
        "verified", ~other, design="randomised", outcome="individual_earnings", subgroup="no"
    ).drop_nulls("percent")
    across = rows.filter(
        "verified", other, pl.col("scale").is_in(COMPARABLE), pl.col("percent").is_not_null()
    )
    return Elsewhere(
        n_estimates=rows.height,
        n_verified=rows.filter("verified").height,
        n_null=null.height,
        n_china=rows.filter(pl.col("country") == "China").height,
        n_local=rows.filter(pl.col("place").str.contains(TIBETAN)).height,
        pay=tuple(pay["percent"]),
        n_otherwise=rows.filter("verified", ~pl.col("comparable"), ~other).height,
        directions=comparison.directions(loaded, programme),
        across=dict(across.select("intervention", "percent").iter_rows()),
        low=None if near.is_empty() else near["percent"][0],
        high=None if near.is_empty() else near["percent"][-1],
        n_comparable=near.height,
        n_samples=near["people"].n_unique(),
        n_lot=near.filter(pl.col("design") == "randomised").height,
        pools={name: pools[name] for name in ids if name in pools},
        forest=comparison.forest(loaded, programme, pools),
        n_all=loaded.estimates.height,
    )
