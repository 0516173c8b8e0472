"""What baggr (R, Wiecek and Meager) prints, against our data of microcredit and our integration.

Read in its stored repositories: the vignettes ``baggr.html`` that CRAN had with versions 0.3.0 to
0.7.8 (cran/baggr), and of wwiecek/baggr the vignettes ``baggr_selection`` (commit 77f192c) and
``baggr_model_convergence`` (commit 6c14579). Of the trials of microcredit they print each trial's
summary, but no posterior; posteriors are printed of eight schools and of vitamin A. The trials of
microcredit are therefore pooled here by a sampler of another kind.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

import analysis as va
from analysis.panels import external
from analysis.studies.bayesian import REACH, Mixture, Prior, posterior
from analysis.studies.estimates import tables
from analysis.studies.meta_analysis import prior_of

MICROCREDIT = {
    ("consumption", "angelucci"): (303.6065, 5.510755, 2.559897, 4.101140, 8298, 8262),
    ("consumption", "attanasio"): (280.0887, 50.449393, 11.141075, 22.156317, 260, 701),
    ("consumption", "augsberg"): (196.4215, -5.171338, 14.432604, 19.266339, 444, 551),
    ("consumption", "banerjee"): (276.2791, 4.641604, 3.730907, 5.451094, 3248, 3579),
    ("consumption", "crepon"): (327.5246, -2.935731, 4.027768, 6.022955, 2771, 2716),
    ("durables", "attanasio"): (5.369612, 1.074862, 0.3226702, 0.425339, 260, 701),
    ("durables", "augsberg"): (1156.243056, -6.503679, 146.2217092, 191.120776, 444, 551),
    ("durables", "banerjee"): (23.868992, 4.440776, 1.2379155, 2.207257, 3230, 3551),
    ("durables", "crepon"): (6.516936, 1.377748, 1.0043951, 2.271460, 2771, 2716),
}
"""Mean without and effect of the offer, their errors, households without and with, as printed by
``prepare_ma``: consumption in versions 0.6.4 to 0.7.8, durables in 0.2.0 to 0.4.0, where households
are not printed and are counted in the file."""

REVENUE = (
    np.array([21.76331, -6.5949, 50.64513, 12.60345, 20.94257, -4.38161, 41.97229]),
    np.array([9.60122, 17.28591, 23.53197, 16.39768, 7.70389, 11.32584, 30.78514]),
)
"""Business revenue of the seven trials, per cent of the mean without the offer: differences in means
of ``microcredit.rda`` by numpy, Angelucci to Tarozzi by name."""

CONSUMPTION = (
    np.array([100 * v[1] / v[0] for k, v in MICROCREDIT.items() if k[0] == "consumption"]),
    np.array([100 * v[3] / v[0] for k, v in MICROCREDIT.items() if k[0] == "consumption"]),
)
"""Consumption of the five trials that asked, per cent of the mean without, from what is printed."""

SCHOOLS = (
    np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]),
    np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]),
)

VITAMIN_A = tuple(
    np.array(numbers.split(), dtype=float)
    for numbers in (
        "0.1972 0 -0.7763 -1.9419 -0.3011 -0.0408 -1.1223 -0.5108 -0.0726 "
        "0.05827 -0.5621 -0.7765 -1.2158 -0.2107 -0.3079 -1.0025 0.0168 -0.3567",
        "0.3121 0.9984 0.5937 0.7542 0.1499 0.03726 1.6323 0.4846 0.175 "
        "0.1309 0.2222 0.2198 0.4655 0.0932 0.1546 0.6706 0.2972 0.1153",
    )
)
"""Logarithms of risk ratios of eighteen trials (Imdad et al. 2022), as baggr has them."""

RUNS = {
    (0.0, 280.0): [
        (-1.77837, 8.29902, 22.0418, 0.263394, 6.92524, 23.0915),
        (-1.88699, 7.99784, 18.7496, 0.223366, 6.42664, 20.4183),
        (-1.45008, 8.29736, 19.9477, 0.253657, 6.70625, 21.8029),
        (-1.55444, 7.90412, 17.7829, 0.173852, 6.25229, 19.8641),
        (-3.74047, 7.51848, 17.3006, 0.248407, 6.58535, 21.5535),
        (-2.11649, 7.89073, 17.9789, 0.295094, 6.56919, 20.3789),
        (-2.43826, 7.90115, 18.6213, 0.251030, 6.62495, 20.0137),
        (-1.77943, 8.21175, 19.1777, 0.219720, 6.62196, 21.1848),
        (-2.031304, 7.849181, 18.25647, 0.2796180, 6.621819, 21.56632),
    ],
    (10.0, 2.5): [
        (5.18573, 9.51974, 13.9187, 0.219007, 5.84283, 17.6026),
        (5.26192, 9.50358, 13.7390, 0.192377, 5.91438, 17.8139),
        (5.17977, 9.48447, 13.8265, 0.253105, 5.80607, 18.0826),
        (5.23628, 9.50563, 13.8605, 0.208593, 5.87327, 18.1810),
        (5.24383, 9.49030, 13.5848, 0.261257, 5.92096, 18.5479),
        (5.08663, 9.51364, 14.0550, 0.207932, 5.91304, 18.4460),
        (5.30269, 9.49607, 13.7768, 0.204515, 5.92302, 18.5822),
        (5.38422, 9.52617, 13.6640, 0.257396, 5.85740, 17.6531),
        (5.235036, 9.511703, 13.73701, 0.2742144, 5.922633, 17.59684),
    ],
}
"""Eight schools by the normal prior of the mean: ends and mean of the hypermean, then of the hyper-SD,
in versions 0.7.8, 0.7.6, 0.7.4, 0.6.21, 0.6.18, 0.6.9, 0.6.4, 0.4.0 and 0.3.0, one run each."""


@dataclass(frozen=True)
class Answer:
    """The posterior under another prior of the spread than the half-normal one."""

    mean: Mixture
    ahead: Mixture
    tau: np.ndarray

    @property
    def tau_mean(self) -> float:
        return float(self.mean.weights @ self.tau)

    def tau_quantile(self, probability: float) -> float:
        return float(np.interp(probability, np.cumsum(self.mean.weights), self.tau))


def under(effects, errors, mean, sd, upper, density=np.ones_like) -> Answer:
    """Divide the half-normal prior out of the weights and put the density of baggr's in its place.

    The grid ends where baggr's uniform prior does: at ``REACH`` scales of the half-normal one.
    """
    prior = Prior(mean, sd, upper / REACH)
    after = posterior(effects, errors, prior)
    tau = np.sqrt(np.maximum(after.predictive.sds**2 - after.mean_effect.sds**2, 0))
    weights = after.mean_effect.weights * np.exp(0.5 * (tau / prior.tau_scale) ** 2) * density(tau)
    weights /= weights.sum()
    return Answer(
        Mixture(weights, after.mean_effect.means, after.mean_effect.sds),
        Mixture(weights, after.predictive.means, after.predictive.sds),
        tau,
    )


def widest(effects) -> float:
    """Return the end of baggr's uniform prior of the spread: ten standard deviations of effects."""
    return 10 * float(np.std(effects, ddof=1))


def test_the_file_gives_the_printed_summaries_of_microcredit() -> None:
    """The file has another unit than what is printed, so ratios are compared, to all digits."""
    name = "seven_microcredit_trials"
    if external.available(name) is None:
        pytest.skip(f'{name} has not been fetched: make data ARGS="{name}"')
    trials = va.data(name)
    for (outcome, trial), (base, effect, base_error, error, *households) in MICROCREDIT.items():
        rows = trials.drop_nulls(["treatment", outcome]).filter(trial=trial)
        without, offered = (rows.filter(treatment=arm)[outcome].to_numpy() for arm in (0, 1))
        assert [len(without), len(offered)] == households
        errors = [arm.std(ddof=1) / len(arm) ** 0.5 for arm in (without, offered)]
        ours = np.array([offered.mean() - without.mean(), errors[0], np.hypot(*errors)])
        printed = np.array([effect, base_error, error])
        assert ours / without.mean() == pytest.approx(printed / base, rel=1e-6)


@pytest.mark.parametrize(
    ("row", "trial"),
    [
        ("mexico_consumption", "angelucci"),
        ("mongolia_consumption", "attanasio"),
        ("bosnia_consumption", "augsberg"),
        ("morocco_consumption", "crepon"),
    ],
)
def test_the_library_has_the_printed_summaries_of_microcredit(row, trial) -> None:
    """Rows of the library are rounded to four digits: half of the last one in each of two numbers."""
    base, effect, _, error, without, offered = MICROCREDIT["consumption", trial]
    (found,) = tables().estimates.filter(pl.col("id").cast(pl.String) == row).to_dicts()
    assert found["n"] == without + offered
    assert found["estimate"] / found["comparison_mean"] == pytest.approx(effect / base, rel=3e-4)
    assert found["estimate"] / found["std_error"] == pytest.approx(effect / error, rel=3e-4)


@pytest.mark.parametrize("prior", RUNS)
def test_the_printed_posteriors_of_eight_schools(prior) -> None:
    """Within four errors of the mean of nine runs; a run errs as runs differ, or as 4,000 draws."""
    runs = np.array(RUNS[prior])
    exact = under(*SCHOOLS, *prior, widest(SCHOOLS[0]))
    ours = [
        exact.mean.quantile(0.025),
        exact.mean.mean,
        exact.mean.quantile(0.975),
        exact.tau_quantile(0.025),
        exact.tau_mean,
        exact.tau_quantile(0.975),
    ]
    error = runs.std(axis=0, ddof=1)
    error[1] = max(error[1], exact.mean.sd / 4000**0.5)
    assert (np.abs(runs.mean(axis=0) - ours) < 4 * error / len(runs) ** 0.5).all()


def cauchy(scale):
    """Return the density of a half-Cauchy prior, up to a constant."""
    return lambda tau: 1 / (1 + (tau / scale) ** 2)


@pytest.mark.parametrize(
    ("data", "prior", "draws", "digit", "printed"),
    [
        (
            VITAMIN_A,
            (0, 19.419, widest(VITAMIN_A[0])),
            1000,
            0.01,
            {"mean": (-0.49, -0.29, -0.12), "tau": 0.25, "ahead": (-0.84, -0.29, 0.25)},
        ),
        (
            SCHOOLS,
            (0, 10, 400, cauchy(3)),
            4000,
            0.1,
            {"mean": (-1.4, 6.5, 14.7), "tau": 2.838},
        ),
        (
            SCHOOLS,
            (0, 1, 400, cauchy(2)),
            20_000,
            0.1,
            {"mean": (-1.5, 0.4, 2.3), "tau": 2.456},
        ),
    ],
    ids=["vitamin A", "schools, Cauchy of 3", "schools, Cauchy of 2"],
)
def test_single_printed_posteriors(data, prior, draws, digit, printed) -> None:
    """Half of the last digit, and four errors of the mean or quantile of so many normal draws.

    Draws are those kept: 2 chains of 500 (set in ``baggr_selection.Rmd.orig``), 4 of 1,000 (the
    default) and 4 of 5,000. The Cauchy priors end at 400, beyond which lies half a per cent of them.
    """
    exact = under(*data, *prior)
    one = 1 / draws**0.5
    # A normal density at its 0.025 quantile is 0.0584 over the deviation.
    tail = (0.025 * 0.975) ** 0.5 / 0.0584 * one
    for name, draw in (("mean", exact.mean), ("ahead", exact.ahead)):
        if name in printed:
            low, middle, high = printed[name]
            assert draw.mean == pytest.approx(middle, abs=digit / 2 + 4 * draw.sd * one)
            assert draw.quantile(0.025) == pytest.approx(low, abs=digit / 2 + 4 * draw.sd * tail)
            assert draw.quantile(0.975) == pytest.approx(high, abs=digit / 2 + 4 * draw.sd * tail)
    spread = float(exact.mean.weights @ (exact.tau - exact.tau_mean) ** 2) ** 0.5
    assert exact.tau_mean == pytest.approx(printed["tau"], abs=0.005 + 4 * spread * one)


def sampled(effects, errors, prior: Prior, chains=400, kept=2000, seed=13):
    """Return chain means of the hypermean, its square, the spread and the next place below nothing.

    Gibbs steps draw each trial's own effect and the hypermean; a Metropolis step draws the logarithm
    of the spread given them. No likelihood is integrated over trials, unlike in the grid.
    """
    rng = np.random.default_rng(seed)
    mu, tau = rng.normal(0, 20, chains), rng.uniform(1, 2 * prior.tau_scale, chains)
    total = np.zeros((4, chains))
    for step in range(kept + 500):
        precision = 1 / errors**2 + 1 / tau[:, None] ** 2
        centre = (effects / errors**2 + (mu / tau**2)[:, None]) / precision
        theta = centre + rng.standard_normal(centre.shape) / np.sqrt(precision)
        precision = len(effects) / tau**2 + 1 / prior.sd**2
        centre = (theta.sum(axis=1) / tau**2 + prior.mean / prior.sd**2) / precision
        mu = centre + rng.standard_normal(chains) / np.sqrt(precision)
        squares = ((theta - mu[:, None]) ** 2).sum(axis=1)
        proposal = tau * np.exp(rng.normal(0, 0.8, chains))
        old, new = (
            (1 - len(effects)) * np.log(t) - squares / (2 * t**2) - t**2 / (2 * prior.tau_scale**2)
            for t in (tau, proposal)
        )
        tau = np.where(np.log(rng.uniform(size=chains)) < new - old, proposal, tau)
        if step >= 500:
            ahead = mu + tau * rng.standard_normal(chains)
            total += np.array([mu, mu**2, tau, ahead < 0])
    return total / kept


@pytest.mark.parametrize(
    ("trials", "family"),
    [(REVENUE, "revenue"), (CONSUMPTION, "consumption")],
    ids=["seven", "five"],
)
def test_microcredit_by_a_sampler_of_another_kind(trials, family) -> None:
    """The trials with the stated prior, within four Monte Carlo errors, taken from 400 chains."""
    prior = prior_of(family)
    after = posterior(*trials, prior)
    chains = sampled(*trials, prior)
    error = chains.std(axis=1, ddof=1) / chains.shape[1] ** 0.5
    weights = after.mean_effect.weights
    tau = np.sqrt(np.maximum(after.predictive.sds**2 - after.mean_effect.sds**2, 0))
    exact = [
        after.mean_effect.mean,
        after.mean_effect.sd**2 + after.mean_effect.mean**2,
        weights @ tau,
        after.predictive.probability_below(0),
    ]
    assert error[0] < 0.02 * after.mean_effect.sd
    assert (np.abs(chains.mean(axis=1) - exact) < 4 * error).all()
