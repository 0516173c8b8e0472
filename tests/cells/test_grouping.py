"""Groups of villages depend on sizes and county alone, and are large enough."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cells.grouping import by_size
from analysis.faults import FaultsError

SIZES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40)), min_size=1, max_size=25)


@given(villages=SIZES, least=st.integers(1, 50), seed=st.integers(0, 9))
def test_every_village_is_in_one_group_and_every_group_large_enough(
    villages: list[tuple[str, int]], least: int, seed: int
) -> None:
    frame = pl.DataFrame(
        [(f"v{i:02d}", county, n) for i, (county, n) in enumerate(villages)],
        schema=["village", "county", "n"],
        orient="row",
    )
    try:
        found = by_size(frame, least)
    except FaultsError as error:
        assert "do not make two groups" in str(error)
        assert len(villages) == 1 or min(n for _, n in villages) < least
        return
    assert sorted(found["village"]) == frame["village"].to_list()
    sizes = found.join(frame, on="village").group_by("group").agg(pl.col("n").sum())
    assert sizes["n"].min() >= least
    assert sizes.height >= 2
    shuffled = by_size(frame.sample(fraction=1, shuffle=True, seed=seed), least)
    assert shuffled.sort("village").equals(found.sort("village"))


def test_a_group_with_another_member_has_another_name() -> None:
    frame = pl.DataFrame({"village": ["a", "b", "c", "d"], "county": "x", "n": 10})
    names = by_size(frame, 20)["group"].unique().sort().to_list()
    moved = by_size(frame.with_columns(n=pl.Series([25, 10, 10, 10])), 20)["group"].unique().sort()
    assert set(names).isdisjoint(moved)
    assert all(name.startswith("x ") for name in names)


def test_too_few_villages_are_an_error() -> None:
    with pytest.raises(FaultsError, match="two groups of 100"):
        by_size(pl.DataFrame({"village": ["a", "b"], "county": "x", "n": 10}), 100)
