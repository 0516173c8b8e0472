"""Do intervals hold? Monte Carlo of the printed intervals, bands and tests without any effect.

Villages with households, six periods, a programme from the fourth on that does nothing. Draws with
the same assignment and weights are outcomes of one table, so that the very estimator, intervals,
bands and tests of the library are asked, and 2,000 draws take seconds. Refusals are counted apart:
a draw without an interval is neither held nor missed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from analysis import paths
from analysis.did.estimators import few_villages, group_time
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.table import Table
from analysis.faults import FaultsError
from analysis.inference import clusters, randomisation, wald
from analysis.inference.arrays import Booleans, Floats, Integers

FIRST_YEAR: Final = 2001
START: Final = 2004
SEED: Final = 20_261
FILE: Final = "intervals.csv"
MEASURES: Final = {
    "pointwise": "intervals that hold the truth, mean over event times",
    "lowest": "the same at the event time where they hold it most rarely",
    "joint": "joint bands that hold every truth",
    "pretrend": "joint tests of leads that reject, of those made",
    "untested": "draws whose leads are too many for the villages",
    "refused": "draws without an interval",
    "effective": "effective clusters of the smaller arm, mean",
    "width": "half width of the interval at event time 0 over the spread of the estimate, median",
    "randomised": "intervals by randomisation that hold the truth at event time 0",
    "width_randomised": "their half width over the spread of the estimate, median",
    "endless": "intervals by randomisation without an end",
}


@dataclass(frozen=True)
class Plan:
    """One design.

    Attributes
    ----------
    id, what : str
        Name; in words.
    treated, control : int
        Villages of each arm; without control villages half of each village's households are
        treated.
    ranked : bool
        Whether sizes are those of the largest divided by the rank.
    """

    id: str
    what: str
    treated: int
    control: int
    ranked: bool = False

    @property
    def inside(self) -> bool:
        """Whether households are treated inside villages."""
        return self.control == 0


@dataclass(frozen=True)
class Setting:
    """What is drawn: everything of ``data/validation/intervals.toml``."""

    plans: tuple[Plan, ...]
    errors: Mapping[str, float]
    numbers: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.numbers[name]


def load() -> Setting:
    """Read the designs."""
    text = (paths.data() / "validation" / "intervals.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    plans = tuple(Plan(**entry) for entry in content.pop("design"))
    errors = {name: float(entry["village"]) for name, entry in content.pop("errors").items()}
    return Setting(plans, errors, content)


def noise(kind: str, random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Return shocks with mean zero and variance one."""
    drawn = random.standard_normal(shape)
    if kind != "lognormal":
        return drawn
    values: Floats = (np.exp(drawn) - np.exp(0.5)) / np.sqrt((np.e - 1) * np.e)
    return values


def table(
    setting: Setting,
    plan: Plan,
    kind: str,
    random: np.random.Generator,
    draws: int,
    *,
    weighted: bool,
) -> Table:
    """Return one assignment with its draws as outcomes."""
    periods = int(setting["periods"])
    v = plan.treated + plan.control
    sizes = np.full(v, int(setting["households"]))
    if plan.ranked:
        ranks = np.arange(1, v + 1)
        sizes = np.maximum(1, np.round(setting["largest"] / ranks)).astype(np.int64)
    if plan.inside:
        village, cohort = np.repeat(np.arange(v), 2), np.tile([START, 0], v)
        n = np.stack([sizes // 2, sizes - sizes // 2], axis=1).ravel()
    else:
        treated = np.zeros(v, bool)
        treated[random.permutation(v)[: plan.treated]] = True
        village, cohort, n = np.arange(v), np.where(treated, START, 0), sizes
    cell = np.repeat(np.arange(n.size), n)
    weight = np.ones(cell.size)
    if weighted:
        spread = setting["spread_of_weights"]
        logs = random.standard_normal(cell.size) + random.standard_normal(v)[village][cell]
        weight = np.exp(spread * logs)
    total = _sums(setting.errors[kind], kind, random, (weight, cell, village), periods, draws)
    held = np.bincount(cell, weight, n.size).astype(np.float64)
    return Table(
        villages=tuple(f"v{i}" for i in range(v)),
        strata=("all",),
        outcomes=tuple(f"d{i}" for i in range(draws)),
        periods=np.arange(FIRST_YEAR, FIRST_YEAR + periods),
        village=village,
        cohort=cohort,
        stratum=np.zeros(n.size, np.int64),
        n=np.repeat(n[:, None], periods, axis=1),
        weight=np.repeat(held[:, None], periods, axis=1),
        total=total,
        n_ever=n,
        weight_ever=held,
        weighted=weighted,
    )


def _sums(
    share: float,
    kind: str,
    random: np.random.Generator,
    of: tuple[Floats, Integers, Integers],
    periods: int,
    draws: int,
) -> Floats:
    """Return Σ w y by cell, period and draw, (c, t, k)."""
    weight, cell, village = of
    held = np.bincount(cell, weight)
    of_village = np.sqrt(share) * noise(kind, random, (village.max() + 1, periods, draws))
    if kind == "common":
        of_village = of_village + random.standard_normal((1, periods, draws))
    if kind == "lognormal":
        each = noise(kind, random, (cell.size, periods, draws)) * weight[:, None, None]
        starts = np.searchsorted(cell, np.arange(held.size))
        rest = np.add.reduceat(each, starts, axis=0)
    else:  # a weighted sum of normal shocks is normal
        size = np.sqrt(np.bincount(cell, weight**2))
        rest = size[:, None, None] * noise(kind, random, (held.size, periods, draws))
    values: Floats = held[:, None, None] * of_village[village] + np.sqrt(1 - share) * rest
    return values


def run(
    setting: Setting, plan: Plan, kind: str, *, weighted: bool, draws: int | None = None
) -> pl.DataFrame:
    """Return what the draws of one design tell.

    Parameters
    ----------
    setting, plan : Setting, Plan
        From `load`.
    kind : str
        A name of ``setting.errors``.
    weighted : bool
        Whether households have weights.
    draws : int, optional
        How many; as the file says by default.

    Returns
    -------
    polars.DataFrame
        design, errors, weighted, measure (one of `MEASURES`), value, mc_error, draws.
    """
    seed = [SEED, sum(map(ord, plan.id)), sum(map(ord, kind)), int(weighted)]
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    size = int(setting["draws_of_a_block"])
    blocks = -(-int(draws or setting["draws"]) // size)
    wanted = -(-int(setting["randomised"]) // blocks)
    records = [
        _block(table(setting, plan, kind, random, size, weighted=weighted), setting, plan, wanted)
        for _ in range(blocks)
    ]
    rows = [
        (plan.id, kind, weighted, measure, *_mean(measure, [row[measure] for row in records]))
        for measure in MEASURES
    ]
    schema = ["design", "errors", "weighted", "measure", "value", "mc_error", "draws"]
    return pl.DataFrame(rows, schema, orient="row").with_columns(
        pl.col("value", "mc_error").round_sig_figs(6)
    )


def _mean(measure: str, parts: list[Floats]) -> tuple[float, float, int]:
    """Return a mean (of widths the median) over draws, its error, and of how many it is."""
    whole = np.concatenate(parts)
    if measure == "lowest":  # (draws, event times)
        whole = whole[:, np.argmin(whole.mean(axis=0))] if whole.size else whole.ravel()
    whole = whole[np.isfinite(whole)]
    if whole.size < 2:
        return float("nan"), float("nan"), int(whole.size)
    value = float(np.median(whole) if measure.startswith("width") else whole.mean())
    return value, float(whole.std(ddof=1) / np.sqrt(whole.size)), int(whole.size)


def _block(cells: Table, setting: Setting, plan: Plan, wanted: int) -> dict[str, Floats]:
    """Return every measure of the draws of one assignment."""
    where = "same_village" if plan.inside else "other_villages"
    how = Comparison(base="universal", where=where)  # type: ignore[arg-type]
    effects = group_time.estimate(cells, how)
    draws, times = len(cells.outcomes), len(effects) // len(cells.outcomes)
    lost = np.isnan(effects.std_errors).reshape(draws, times).any(axis=1)
    frame = effects.to_frame()
    low, high = (frame[name].to_numpy().reshape(draws, times) for name in ("ci_low", "ci_high"))
    points = effects.points.reshape(draws, times)
    at = next(i for i, key in enumerate(effects.keys) if key.period == START)
    held = ((low <= 0) & (high >= 0)).astype(np.float64)[~lost]
    spread = points[:, at].std(ddof=1)
    singles = list(_singles(effects, np.flatnonzero(~lost), times))
    randomised = _randomised(cells, setting, plan, how, wanted)
    half = (randomised[:, 1] - randomised[:, 0]) / 2
    return {
        "pointwise": held.mean(axis=1),
        "lowest": held,
        "joint": np.array([joint for joint, _ in singles], np.float64),
        "pretrend": np.array([alarm for _, alarm in singles], np.float64),
        "untested": np.isnan([alarm for _, alarm in singles]).astype(np.float64),
        "refused": lost.astype(np.float64),
        "effective": np.full(draws, effects.smaller_effective[0]),
        "width": (high - low)[~lost, at] / 2 / spread,
        "randomised": ((randomised[:, 0] <= 0) & (randomised[:, 1] >= 0)).astype(np.float64),
        "width_randomised": np.where(np.isinf(half), np.nan, half) / spread,
        "endless": np.isinf(half).astype(np.float64),
    }


def _singles(effects: EffectSet, kept: Integers, times: int) -> Iterator[tuple[float, float]]:
    """Yield, draw by draw, whether the band holds all, and whether the leads' test rejects.

    Degrees, and without multipliers bands, follow from the design: those of one draw are those of
    its whole block.
    """
    if not kept.size:
        return
    first = effects.at(np.arange(times))
    band, degrees = first.band(), float(first.degrees.min())
    leads = np.flatnonzero([(key.period or 0) < START for key in first.keys])
    errors = effects.std_errors
    for draw in kept:
        own = np.arange(draw * times, (draw + 1) * times)
        critical = band.critical
        if band.rule == "multiplier":
            critical = effects.at(own).band().critical
        held = np.abs(effects.points[own]) <= critical * errors[own]
        part = own[leads]
        covariance = clusters.jackknife_covariance(
            effects.points[part], effects.without[:, part], effects.used[:, part]
        )
        smaller = float(effects.smaller_effective[part].min())
        try:
            test = wald.wald(effects.points[part], covariance, smaller, degrees)
            alarm = float(test.p_value < 1 - effects.level)
        except FaultsError:
            alarm = float("nan")
        yield float(held.all()), alarm


def _randomised(cells: Table, setting: Setting, plan: Plan, how: Comparison, wanted: int) -> Floats:
    """Return intervals by randomisation of the effect at the start, (draws, 2)."""
    if plan.inside:
        return np.zeros((0, 2))
    two = few_villages.two_by_two(cells.select(*cells.outcomes[:wanted]), START, START, how)
    weight, total = two.weight[:, 0], two.total[:, 0]
    treated: Booleans = weight[:, 0] > 0
    return np.array(
        [
            randomisation.interval(
                weight.sum(axis=1),
                total[:, :, k].sum(axis=1),
                treated,
                draws=int(setting["assignments"]),
            )
            for k in range(wanted)
        ]
    )


def every(draws: int | None = None) -> pl.DataFrame:
    """Return every design with every kind of error, without and with weights."""
    setting = load()
    return pl.concat(
        run(setting, plan, kind, weighted=weighted, draws=draws)
        for plan in setting.plans
        for kind in setting.errors
        for weighted in (False, True)
    )


def stored() -> pl.DataFrame:
    """Read ``reports/validation/intervals.csv``."""
    return pl.read_csv(paths.root() / "reports" / "validation" / FILE)
