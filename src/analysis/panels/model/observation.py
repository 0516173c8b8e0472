"""What the survey sees of the true incomes: who is there, what is answered, how it is rounded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis import money
from analysis.panels.model.draws import Booleans, Floats, Integers, Stream, uniform
from analysis.panels.model.parameters import Section
from analysis.panels.model.world import Run, World

EXITED, LEFT, NOT_REACHED = (
    "left the data with the register of the poor",
    "left the survey",
    "not reached in that year",
)
ANSWERED = -1


@dataclass(frozen=True)
class Observed:
    """What is seen of a run; n households, t periods.

    Attributes
    ----------
    seen : array of bool, shape (n, t)
        Whether there is a row.
    income : tuple of four arrays of int, shape (n, t)
        Reported income by source, fen.
    missing : array of int, shape (n, t)
        The source that is not answered; `ANSWERED` if none is missing.
    members_missing : array of bool, shape (n, t)
        Whether members present are not answered.
    left_out : dict of str to int
        Household × period records that are not there, by reason.
    """

    seen: Booleans
    income: tuple[Integers, ...]
    missing: Integers
    members_missing: Booleans
    left_out: dict[str, int]

    @property
    def complete(self) -> Booleans:
        """Whether there is a row with all four sources, shape (n, t)."""
        result: Booleans = self.seen & (self.missing == ANSWERED)
        return result


def observe(run: Run, world: World) -> Observed:
    """Let the survey look at a run."""
    switches, p = world.settings.switches, world.parameters["observation"]
    shape = run.income[0].shape
    seen: Booleans = np.ones(shape, dtype=bool)
    left_out: dict[str, int] = {}
    if switches.attrition:
        seen, left_out = _attrition(run, world, p)
    missing, members_missing = np.full(shape, ANSWERED), np.zeros(shape, dtype=bool)
    if switches.missing:
        draw = _draw(run, world, Stream.ITEM_MISSING)
        share = p.number("item_missing")
        missing = np.where(draw < share, np.floor(draw / share * 4).astype(np.int64), ANSWERED)
        members_missing = _draw(run, world, Stream.ITEM_MISSING, 1) < p.number("members_missing")
    income = run.income
    if switches.heaping:
        income = tuple(
            heap(fen, _draw(run, world, Stream.HEAPING, s), p) for s, fen in enumerate(income)
        )
    return Observed(seen, income, missing, members_missing, left_out)


def _draw(run: Run, world: World, stream: Stream, item: int = 0) -> Floats:
    return uniform(world.settings.seed, stream, run.homes.number, world.settings.years, item)


def _attrition(run: Run, world: World, p: Section) -> tuple[Booleans, dict[str, int]]:
    """Let households leave for good, or be away for a year; all are there in the first."""
    years, known = world.settings.years, money.load()
    chance = p.number("attrition") * np.exp(p.number("attrition_slope") * run.homes.level_score)
    leaves = _draw(run, world, Stream.ATTRITION) < chance[:, None]
    lines = np.array([known.line_fen("national", int(year)) for year in years])
    # The year before decides: the register is revised on what was reported last.
    above = np.zeros_like(leaves)
    above[:, 1:] = run.total()[:, :-1] >= lines[:-1] * run.homes.size[:, None]
    exits = _draw(run, world, Stream.ATTRITION, 1) < p.number("exit_probability")
    exits &= above & run.homes.registered[:, None] & (years >= p.number("exit_first_year"))
    leaves[:, 0] = exits[:, 0] = False
    gone_left = np.logical_or.accumulate(leaves, axis=1)
    gone_exit = np.logical_or.accumulate(exits, axis=1)
    gone = gone_left | gone_exit
    # The reason is what happened first; the register wins in the same year.
    first_exit = gone_exit.sum(axis=1) >= gone_left.sum(axis=1)
    by_exit = gone & first_exit[:, None]
    away = _draw(run, world, Stream.NOT_REACHED) < p.number("not_reached")
    away[:, 0] = False
    away &= ~gone
    counts = {EXITED: by_exit, LEFT: gone & ~by_exit, NOT_REACHED: away}
    return ~(gone | away), {reason: int(where.sum()) for reason, where in counts.items()}


def heap(fen: Integers, draw: Floats, p: Section) -> Integers:
    """Round some answers to 1,000 yuan and some to 100, half up; the others stay."""
    coarse = p.number("heap_1000")
    fine = coarse + p.number("heap_100")
    unit = np.where(draw < coarse, 1000, np.where(draw < fine, 100, 0)) * money.FEN_PER_YUAN
    safe = np.maximum(unit, 1)
    result: Integers = np.where(unit > 0, (fen + safe // 2) // safe * safe, fen)
    return result
