"""How large published effects are, programme by programme: a pooled mean, else a plain range.

Later rooms ask one question of the library: which per cent of household income may a programme be
imagined to add, if it worked here as programmes of its kind worked elsewhere? The answer is three
numbers with their basis, or a reason why there is none. It is never an effect found here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.studies.comparison import names, span
from analysis.studies.library import Library
from analysis.studies.pooling import Pooled
from analysis.studies.scale import COMPARABLE


@dataclass(frozen=True)
class Size:
    """The effects of one kind of programme elsewhere, per cent of the comparison's own mean.

    Attributes
    ----------
    programme, name : str
        Id and English name of the catalogue.
    basis : str
        ``pooled`` (mean with its interval), ``range`` (least, median and largest estimate),
        ``one estimate`` or ``none``.
    scale : str
        ``income`` (household income or spending), ``earnings`` (of one person or of work, a part
        of household income), or empty.
    low, central, high : float or None
        Per cent. The low end of a range is zero at most where rows report no effect or a lower
        income without a number that was seen. A pooled interval is left as it is.
    n, samples : int
        Estimates used, and the samples of people they come from.
    unseen_null, unseen_negative : int
        Rows that report no effect, or a lower income, without a number.
    parts : int
        Estimates of one part of a sample that are not used, since another part of it reports no
        effect.
    """

    programme: str
    name: str
    basis: str
    scale: str
    low: float | None
    central: float | None
    high: float | None
    n: int
    samples: int
    unseen_null: int
    unseen_negative: int
    parts: int = 0

    @property
    def known(self) -> bool:
        """Whether there is a number at all."""
        return self.central is not None


def sizes(library: Library, pools: Mapping[str, Pooled]) -> tuple[Size, ...]:
    """Return the size of published effects of every programme, in the order of the catalogue.

    Parameters
    ----------
    library : Library
        The studies.
    pools : mapping of str to Pooled
        As `analysis.studies.pooling.all_pools` gives them.

    Notes
    -----
    First what pools on household income or spending; else the span of verified estimates on that
    scale; else the span of verified estimates of earnings. A part of a sample gives way to the
    whole, and stands for nobody where another part reports no effect (`parts`). Estimates for
    areas, farm income and profit are not of a household's income and are never used.
    """
    return tuple(_size(library, pools, programme, name) for programme, name in names().iter_rows())


def by_programme(found: tuple[Size, ...]) -> dict[str, Size]:
    """Return the sizes by their programme."""
    return {size.programme: size for size in found}


def parts(library: Library, programme: str) -> pl.DataFrame:
    """Return estimates of one part of a sample of which another part reports no effect.

    The mean effect on the whole sample is then less than this, and nobody knows by how much.

    Returns
    -------
    polars.DataFrame
        Rows of `Library.estimates`, smallest per cent first.
    """
    other = library.estimates.filter(
        pl.col("programme") == programme, pl.col("subgroup") == "yes", pl.col("direction") == "null"
    )
    return span(library, programme).filter(
        pl.col("subgroup") == "yes", pl.col("people").is_in(other["people"].implode())
    )


def _size(library: Library, pools: Mapping[str, Pooled], programme: str, name: str) -> Size:
    mine = library.estimates.filter(pl.col("programme") == programme)
    unseen = mine.filter(pl.col("estimate").is_null())
    null, negative = (
        unseen.filter(pl.col("direction") == word).height for word in ("null", "negative")
    )
    common: dict[str, Any] = {
        "programme": programme,
        "name": name,
        "unseen_null": null,
        "unseen_negative": negative,
    }
    mean = _pool(library, pools, programme)
    if mean is not None:
        used = mine.filter(pl.col("id").is_in(mean.members))
        return Size(
            basis="pooled",
            scale="income",
            low=mean.ci_low,
            central=mean.mean,
            high=mean.ci_high,
            n=mean.k,
            samples=used["people"].n_unique(),
            **common,
        )
    one_sided = parts(library, programme)["id"].to_list()
    common["parts"] = len(one_sided)
    rows, scale = span(library, programme), "income"
    rows = _whole_samples(rows.filter(~pl.col("id").is_in(one_sided)))
    if rows.is_empty():
        scale = "earnings"
        rows = mine.filter("verified", pl.col("scale") == scale, pl.col("percent").is_not_null())
        rows = _whole_samples(rows)
    if rows.is_empty():
        return Size(
            basis="none", scale="", low=None, central=None, high=None, n=0, samples=0, **common
        )
    found = sorted(rows["percent"].to_list())
    middle = rows["percent"].median()
    assert isinstance(middle, float)  # noqa: S101 — a median of numbers
    return Size(
        basis="one estimate" if len(found) == 1 else "range",
        scale=scale,
        low=min(found[0], 0.0) if null or negative else found[0],
        central=middle,
        high=found[-1],
        n=len(found),
        samples=rows["people"].n_unique(),
        **common,
    )


def _whole_samples(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out a part of a sample where the whole sample has an estimate."""
    whole = rows.filter(pl.col("subgroup") == "no")["people"]
    return rows.filter((pl.col("subgroup") == "no") | ~pl.col("people").is_in(whole.implode()))


def _pool(library: Library, pools: Mapping[str, Pooled], programme: str) -> Pooled | None:
    """Return the pool of a programme on a comparable scale, income before spending."""
    for scale in COMPARABLE:
        for name in library.pools.filter(pl.col("programme") == programme)["id"]:
            if name in pools:
                members = library.estimates.filter(pl.col("id").is_in(pools[name].members))
                if set(members["scale"]) == {scale}:
                    return pools[name]
    return None
