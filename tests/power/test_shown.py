"""The tables of the design page: whose variances, how many villages, what makes it hard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.household import costs
from analysis.panels import panel
from analysis.panels.model import simulate
from analysis.power import collect, shown, study, variances
from analysis.programmes import load
from analysis.studies.sizes import Size


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels") / "model"
    simulate(folder, households=900, villages=30, periods=(2015, 2019))
    return panel.read(folder)


@pytest.fixture(scope="module")
def seen(small):
    found = shown.look(small)
    assert found.parts is not None
    return found


def test_every_programme_of_the_catalogue_is_hard_in_its_own_way():
    catalogue = load().programmes
    found = collect.difficulties()
    assert found["id"].to_list() == catalogue.filter(is_programme="yes")["id"].to_list()
    assert found.null_count().sum_horizontal().item() == 0


def test_villages_needed_detect_what_was_published(small, seen):
    """With the villages of the table the effect is detectable, with one fewer it is not."""
    size = Size("training", "Training", "range", "income", 0.0, 40.0, 60.0, 3, 3, 0, 0)
    (row,) = shown.needed(small, seen, [size], costs.load()).to_dicts()
    assert (row["low"], row["central"], row["high"]) == (0.0, 40.0, 60.0)
    assert (row["for_low"], row["homes"]) == ("none can", "never in it")
    kept = variances.never_in(small, seen.found, "training")
    parts = variances.components(seen.found, kept)

    def percent(villages: int) -> float:
        design = replace(seen.reference, villages=villages)
        return 100 * study.detectable(parts, design) / parts.mean

    assert row["detectable"] == pytest.approx(percent(seen.reference.villages))
    for end in ("central", "high"):
        enough = int(row[f"for_{end}"])
        assert percent(enough) <= row[end] < percent(enough - 1)


def test_parts_begin_with_all_households(small, seen):
    found = shown.parts_shown(small, seen)
    assert found["name"][0] == "all households"
    assert found["households"][0] == seen.parts.n_households
    assert all(name.startswith("never in: ") for name in found["name"][1:])
