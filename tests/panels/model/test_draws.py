"""Random numbers that belong to a household.

Expected values: SplitMix64 as published (Rosetta Code, "Pseudo-random numbers/Splitmix64", seed
1234567), and tests of distribution from SciPy.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.panels.model import draws
from analysis.panels.model.draws import Stream

PUBLISHED = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def test_the_mixing_is_splitmix64_as_published() -> None:
    state = 1234567 + np.arange(1, 6, dtype=np.uint64) * draws.GOLDEN
    assert draws._mix(state).tolist() == PUBLISHED


def test_numbers_are_uniform_and_normal() -> None:
    units, years = np.arange(20_000), np.arange(2012, 2017)
    for seed in (1, 2):
        flat = draws.uniform(seed, Stream.SHOCK, units, years).ravel()
        assert flat.min() > 0 and flat.max() < 1
        assert stats.kstest(flat, "uniform").pvalue > 1e-4
        assert stats.kstest(draws.normal(seed, Stream.SHOCK, units), "norm").pvalue > 1e-4


def test_streams_units_periods_items_and_seeds_do_not_repeat_each_other() -> None:
    units, years = np.arange(4000), np.arange(2012, 2016)
    columns = [
        draws.normal(1, Stream.SHOCK, units, years),
        draws.normal(1, Stream.LOSS, units, years),
        draws.normal(1, Stream.SHOCK, units, years, item=1),
        draws.normal(2, Stream.SHOCK, units, years),
        draws.normal(1, Stream.SHOCK, units + 1, years),
    ]
    correlation = np.corrcoef(np.hstack(columns).T)
    assert np.abs(correlation - np.eye(20)).max() < 0.08  # five standard errors of 4,000


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6), st.integers(1, 50), st.integers(0, 49))
def test_a_number_depends_on_nothing_but_its_name(
    seed: int, first: int, count: int, cut: int
) -> None:
    years = np.arange(2012, 2015)
    units = np.arange(first, first + count)
    whole = draws.uniform(seed, Stream.LEVEL, units, years)
    parts = [draws.uniform(seed, Stream.LEVEL, part, years) for part in (units[:cut], units[cut:])]
    assert np.array_equal(whole, np.vstack(parts))
    assert np.array_equal(whole[:, 1:], draws.uniform(seed, Stream.LEVEL, units, years[1:]))


def test_persistence_is_what_is_asked_for() -> None:
    noise = draws.normal(3, Stream.SHOCK, np.arange(50_000), np.arange(2012, 2016))
    series = draws.persistent(noise, 0.6, 0.3)
    assert np.allclose(series.std(axis=0), 0.3, rtol=0.02)
    assert abs(np.corrcoef(series[:, 2], series[:, 3])[0, 1] - 0.6) < 0.02
