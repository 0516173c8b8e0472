"""Effects adjusted for covariates against csdid and drdid, and what is refused.

The reference is stored: benchmarks/parity/doubly_robust.py wrote it. Over time, points agree with
csdid to 1e-8 of the largest of their design and errors to 1e-6 relative, without a factor; other
households in each period, which diff-diff estimates, to 1e-5.
"""

import numpy as np
import polars as pl
import pytest

import analysis as va
from analysis import paths
from analysis.did.estimators import cross_sections, households
from analysis.did.tidy import added
from analysis.faults import FaultsError

FOLDER = paths.data() / "validation" / "parity"
RESULTS = pl.read_csv(FOLDER / "doubly_robust.csv", infer_schema_length=None)
AGREE = {"balanced": (1e-8, 1e-6), "cross_sections": (1e-5, 1e-5)}
"""Points and errors."""


def panel(handling="balanced"):
    number = pl.col("household")
    data = pl.read_parquet(FOLDER / "panel.parquet").with_columns(
        cohort=pl.col("cohort_village"),
        age=25 + number * 37 % 41 + 0.5 * (number % 3),
        land=number * 53 % 29 / 4 + 0.1 * (number % 7),
    )
    return data.filter("seen") if handling == "cross_sections" else data


def designs():
    csdid = RESULTS.filter(pl.col("package").str.starts_with("csdid"))
    parts = csdid.group_by("design", maintain_order=True)
    return [pytest.param(part, id=f"design {number}") for (number,), part in parts]


@pytest.mark.parametrize("part", designs())
def test_csdid(part):
    design = part.row(0, named=True)
    other = design["handling"] == "cross_sections"
    fit = va.did(
        panel(design["handling"]),
        y="income",
        unit="" if other else "household",
        time="period",
        first="cohort",
        cluster="village",
        covariates=["age", "land"],
        weight="weight" if design["weighted"] else "",
        controls=design["controls"],
        base=design["base"],
        anticipation=design["anticipation"],
    )
    cells = fit.cells
    if other:
        # The reference weights cohorts by households, each once; the front door by rows.
        weight = "weight" if design["weighted"] else ""
        units = households.prepare(
            panel("cross_sections"), "income", ["age", "land"], cross_sections=True, weight=weight
        )
        cells = households.table(units)
    simple = added(fit.estimates, cells, "simple", fit.shares)
    own = pl.DataFrame(
        [
            (k.cohort, k.period, float(p), float(e))
            for one in (fit.estimates.under("parity"), simple.under("parity"))
            for k, p, e in zip(one.keys, one.points, one.std_errors, strict=True)
        ],
        schema=["cohort", "period", "own", "own_error"],
        orient="row",
    )
    both = part.join(own, on=["cohort", "period"], how="left", nulls_equal=True)
    assert both["own"].null_count() == 0
    scale = both["estimate"].abs().max()
    points, errors = AGREE[design["handling"]]
    np.testing.assert_allclose(both["own"], both["estimate"], rtol=0, atol=points * scale)
    np.testing.assert_allclose(both["own_error"], both["std_error"], rtol=errors)


def test_no_covariates_is_for_cells():
    with pytest.raises(FaultsError, match="no covariates"):
        households.prepare(panel(), "income", [])


def test_rows_of_other_households_are_left_out_village_by_village():
    data = panel("cross_sections").filter(
        pl.col("cohort").is_in([0, 2016]), pl.col("period") < 2017
    )

    def estimated(part, **options):
        units = households.prepare(part, "income", ["age", "land"], cross_sections=True)
        return cross_sections.estimate(*households.with_base(units, None), **options)

    found = estimated(data, leave_out=True)
    assert found.about.library.startswith("diff-diff")
    less = estimated(data.filter(pl.col("village") != 1), leave_out=False)
    assert found.without[found.villages.index("1")] == pytest.approx(less.points)
