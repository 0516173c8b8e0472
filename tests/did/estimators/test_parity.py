"""Points and standard errors against csdid, diff-diff and pyfixest.

The reference is stored: benchmarks/parity/effects.py wrote it, each row names package and version.
Points agree to 1e-8 relative to the largest of their design, errors to 1e-6 relative, with the
stated factors: csdid 1; diff-diff √(G/(G−1)) and centred influence, its imputation 1; pyfixest
√(G/(G−1)·(N−1)/(N−k)).
"""

import numpy as np
import polars as pl
import pytest

from analysis import paths
from analysis.did.estimators import aggregate, bacon, group_time, imputation, two_way
from analysis.faults import FaultsError
from analysis.inference import clusters

RESULTS = pl.read_csv(
    paths.data() / "validation" / "parity" / "effects.csv", infer_schema_length=None
)
DESIGN = ("level", "handling", "controls", "weighted", "strata")
KEY = ("aggregation", "at", "cohort", "period")
POINT, ERROR = 1e-8, 1e-6


def cases(package, estimator):
    found = RESULTS.filter(pl.col("package").str.starts_with(package), estimator=estimator)
    made = []
    for (number,), part in found.group_by("design", maintain_order=True):
        first = part.row(0, named=True)
        changed = {
            k: first[k]
            for k in ("level", "handling", "controls", "base", "anticipation", "weighted", "strata")
        }
        plain = {
            "level": "village",
            "handling": "balanced",
            "controls": "never",
            "base": "varying",
            "anticipation": 0,
            "weighted": False,
            "strata": False,
        }
        name = ",".join(f"{k}={v}" for k, v in changed.items() if v != plain[k]) or "plain"
        made.append(pytest.param(part, id=f"{number}:{name}"))
    return made


def table_for(part, panel, make_table, moments=()):
    design = part.row(0, named=True)
    data = panel(**{name: design[name] for name in DESIGN})
    return design, make_table(
        data,
        design["handling"],
        anticipation=design["anticipation"],
        moments=moments if design["handling"] != "balanced" else (),
    )


def comparison(design):
    return group_time.Comparison(
        controls="not_yet" if design["controls"].startswith("not_yet") else "never",
        where="anywhere",
        base=design["base"],
        anticipation=design["anticipation"],
    )


def both(found, errors, part):
    """Join estimates with the reference on their key."""
    own = pl.DataFrame(
        [
            {
                "aggregation": k.aggregation,
                "at": k.at,
                "cohort": k.cohort,
                "period": k.period,
                "own": float(p),
                "own_error": float(e),
            }
            for k, p, e in zip(found.keys, found.points, errors, strict=True)
        ],
        schema_overrides=dict.fromkeys(("at", "cohort", "period"), pl.Int64),
        infer_schema_length=None,
    )
    return part.join(own, on=KEY, how="left", nulls_equal=True)


def agree(joined, *, errors=True):
    assert joined["own"].null_count() == 0, joined.filter(pl.col("own").is_null())
    scale = joined["estimate"].abs().max()
    np.testing.assert_allclose(joined["own"], joined["estimate"], rtol=0, atol=POINT * scale)
    if errors:
        np.testing.assert_allclose(joined["own_error"], joined["std_error"], rtol=ERROR)


@pytest.mark.parametrize("part", cases("csdid", "group_time"))
def test_csdid(part, panel, make_table):
    """Factor 1: the sum of squared influence of villages."""
    design, table = table_for(part, panel, make_table)
    found = group_time.estimate(table, comparison(design)).under("parity")
    # The base of a universal design is zero by construction and has no error.
    part = part.filter((pl.col("estimate") != 0) | pl.col("std_error").is_not_null())
    agree(both(found, found.std_errors, part.filter(aggregation="group_time")))
    sums = aggregate.aggregate(found, table)
    others = part.filter(~pl.col("aggregation").is_in(["group_time", "pretrend"]))
    agree(both(sums, sums.std_errors, others))
    pretrend = part.filter(aggregation="pretrend")
    if pretrend.height:
        early = [k.period < k.cohort - design["anticipation"] for k in found.keys]
        if design["controls"] == "not_yet_all_treated":
            # Each cohort against the others before all treatment: the contrasts are dependent.
            # csdid inverts the singular matrix; here that is refused.
            with pytest.raises(FaultsError, match="mix of others"):
                found.at(np.array(early)).wald()
            return
        tested = found.at(np.array(early)).wald()
        assert tested.statistic == pytest.approx(pretrend["estimate"].item(), rel=ERROR)
        # csdid prints the p value with five digits.
        assert tested.p_value == pytest.approx(pretrend["std_error"].item(), abs=5.1e-6)


@pytest.mark.parametrize("part", cases("diff-diff", "group_time"))
def test_diff_diff(part, panel, make_table):
    """Centred influence, G/(G − 1), G all villages."""
    design, table = table_for(part, panel, make_table)
    found = group_time.estimate(table, comparison(design)).under("parity")
    errors = np.sqrt(np.diag(clusters.influence_covariance(found.influence, centred=True)))
    part = part.filter((pl.col("estimate") != 0) | pl.col("std_error").is_not_null())
    agree(both(found, errors, part))


@pytest.mark.parametrize("part", cases("diff-diff", "imputation"))
def test_imputation(part, panel, make_table):
    """Factor 1; residual means by household in cohort × period.

    With weights only points are compared: diff-diff then takes residuals from means with squared
    weights (BJS equation 8 at the household), a moment that cells do not carry. The weighted errors
    are held to their definition in test_imputation.py. diff-diff weighs cohorts in a horizon by the treated households seen in it, not by those ever
    seen, so the sums are made from the group-time effects here.
    """
    design, table = table_for(part, panel, make_table, moments=("untreated",))
    found = imputation.estimate(table, design["anticipation"]).under("parity")
    event = np.array([key.period - key.cohort for key in found.keys])
    used = table.imputed or table
    size = np.array(
        [used.weight[used.cohort == k.cohort, used.place(k.period)].sum() for k in found.keys]
    )
    own, errors = [], []
    for row in part.iter_rows(named=True):
        chosen = event == row["at"] if row["aggregation"] == "event_time" else event >= 0
        if row["aggregation"] == "treated_mean":
            chosen = event >= -design["anticipation"]
        omega = np.where(chosen, size, 0) / size[chosen].sum()
        own.append(found.points @ omega)
        errors.append(np.linalg.norm(found.influence @ omega))
    agree(
        part.with_columns(own=pl.Series(own), own_error=pl.Series(errors)),
        errors=not design["weighted"],
    )


@pytest.mark.parametrize("part", cases("pyfixest", "two_way"))
def test_event_study(part, panel, make_table):
    """CRV1 with the event dummies and the periods counted."""
    _, table = table_for(part, panel, make_table, moments=("all",))
    found = two_way.estimate(table).under("parity")
    agree(both(found, found.std_errors, part))


@pytest.mark.parametrize("part", cases("pyfixest", "static"))
def test_static_two_way(part, panel, make_table):
    _, table = table_for(part, panel, make_table, moments=("all",))
    found = two_way.estimate(table, static=True).under("parity")
    agree(both(found, found.std_errors, part))


@pytest.mark.parametrize("part", cases("diff-diff", "bacon"))
def test_bacon(part, panel, make_table):
    """Estimates and weights of every comparison."""
    _, table = table_for(part, panel, make_table)
    kind = {
        "treated_vs_never": bacon.NEVER,
        "earlier_vs_later": bacon.LATER,
        "later_vs_earlier": bacon.EARLIER,
    }
    reference = part.with_columns(
        kind=pl.col("aggregation").replace_strict(kind),
        treated=pl.col("cohort").cast(pl.Int32),
        control=pl.col("period").cast(pl.Int32),
    )
    found = reference.select("kind", "treated", "control", "estimate", "std_error").join(
        bacon.decompose(table), on=["kind", "treated", "control"], suffix="_own"
    )
    assert found.height == reference.height
    np.testing.assert_allclose(found["estimate_own"], found["estimate"], rtol=POINT)
    np.testing.assert_allclose(found["weight"], found["std_error"], rtol=POINT)
