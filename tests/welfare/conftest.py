"""A small simulated panel, and people made by hand."""

import numpy as np
import polars as pl
import pytest

from analysis.panels import panel as panels
from analysis.panels.model.settings import Settings, Switches
from analysis.panels.model.simulate import simulate_settings
from analysis.welfare.people import People, SurveyDesign

SETTINGS = Settings(
    1500, 40, (2014, 2019), 5, "gappy", Switches(attrition=True, missing=True, spillover=True)
)


@pytest.fixture(scope="session")
def gappy_settings():
    return SETTINGS


@pytest.fixture(scope="session")
def gappy(tmp_path_factory):
    """Folder of a panel in which households leave and answers are missing."""
    folder = tmp_path_factory.mktemp("welfare") / "panel"
    simulate_settings(folder, SETTINGS)
    return folder


@pytest.fixture(scope="session")
def weighted(gappy):
    """The same with sampling weights that are not 1."""
    panel = panels.read(gappy)
    number = pl.col("household").str.slice(1).cast(pl.Int64)
    return panels.Panel(
        **{
            **{name: getattr(panel, name) for name in panel.__dataclass_fields__},
            "households": panel.households.with_columns(
                weight=1.0 + (number % 7) / 3,
                weight_type=pl.lit("sampling", pl.Enum(["none", "frequency", "sampling"])),
            ),
        }
    )


def by_hand(per_head, *, size=None, cluster=None, period=None, weight=None, household=None):
    """People with these incomes per head, yuan."""
    n = len(per_head)
    size = size or [1] * n
    cluster = cluster or list(range(n))
    frame = pl.DataFrame(
        {
            "household": household or [f"h{i:03}" for i in range(n)],
            "cluster": pl.Series(cluster, dtype=pl.Int64),
            "period": pl.Series(period or [2015] * n, dtype=pl.Int32),
            "total_fen": pl.Series(
                [round(100 * y * s) for y, s in zip(per_head, size, strict=True)], dtype=pl.Int64
            ),
            "size": pl.Series(size, dtype=pl.Int64),
            "weight": pl.Series(weight or [1.0] * n, dtype=pl.Float64),
            "registered": pl.Series([None] * n, dtype=pl.Boolean),
        }
    ).with_columns(real_fen=pl.col("total_fen"))
    names = tuple(f"v{c}" for c in range(max(cluster) + 1))
    design = SurveyDesign(names, np.zeros(len(names), np.int64))
    return People(frame, design, 2015, None, True, n, n, {})


@pytest.fixture(scope="session")
def make_people():
    return by_hand


def leave_out(people, cluster):
    """The same people without a cluster."""
    return People(
        people.frame.filter(pl.col("cluster") != cluster),
        people.design,
        people.price_year,
        people.panel_price_year,
        people.has_lines,
        people.rows_in,
        people.rows_used,
        people.left_out,
    )


@pytest.fixture(scope="session")
def without_each():
    """A function of people applied without each cluster, and the jackknife error of its values."""

    def jackknife(people, function):
        whole = np.asarray(function(people))
        each = np.array(
            [function(leave_out(people, c)) for c in range(len(people.design.clusters))]
        )
        g = len(each)
        return np.sqrt((g - 1) / g * ((each - whole) ** 2).sum(axis=0))

    return jackknife
