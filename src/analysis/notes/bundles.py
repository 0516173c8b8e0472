"""The page on programmes together: overlap, interaction, neighbours, coverage."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import polars as pl

from analysis import tables
from analysis.answers import bundles, coverage, interference
from analysis.answers.missing import Missing, attempt
from analysis.effects.record import Effect
from analysis.figures import answers as pictures
from analysis.figures import effects as paths
from analysis.figures.style import Figure
from analysis.findings import Badge, Page
from analysis.notes.book import listed, printed, span
from analysis.notes.counter import Counter, nothing, short_name
from analysis.notes.known import tier_note
from analysis.notes.programme import PANEL_INPUTS
from analysis.panels import current
from analysis.panels.panel import Panel
from analysis.panels.views import Sentence, money_words
from analysis.sensitivity.spillovers import SPILLOVER
from analysis.tables import Table

PAIRS = {
    "first_only": "{0} alone",
    "second_only": "{1} alone",
    "together": "both from one year",
    bundles.MORE: "both, less each alone",
}
WHERE = {
    "other_villages": "Participants, against other villages",
    "same_village": "Participants, against their neighbours",
    "anywhere": "Participants, against everybody",
    SPILLOVER: "Untreated neighbours, against other villages",
}


@dataclass(frozen=True)
class Together:
    """What the page shows. Every sentence prints its numbers as findings.

    Attributes
    ----------
    badge, badge_reported : Badge
        Tiers.
    described, overlap, interaction, neighbours, bounds, nearly_all, method, tier_note : Sentence
        What the articles describe; how programmes overlap; whether two give more than each;
        neighbours; what the bounds assume and how many hold the truth; near-full coverage; how it
        was done; what such numbers mean.
    page : Page
        Where exhibits are noted.
    pair : Interaction or Missing
        See `analysis.answers.bundles.interaction`.
    near : tuple of Neighbours
        See `analysis.answers.interference.everything`.
    reach : tuple of Coverage
        See `analysis.answers.coverage.everything`.
    panel : Panel
        The panel.
    """

    badge: Badge
    badge_reported: Badge
    described: Sentence
    overlap: Sentence
    interaction: Sentence
    neighbours: Sentence
    bounds: Sentence
    nearly_all: Sentence
    method: Sentence
    tier_note: Sentence
    page: Page
    pair: bundles.Interaction | Missing
    near: tuple[interference.Neighbours, ...]
    reach: tuple[coverage.Coverage, ...]
    panel: Panel

    def overlaps(self, name: str) -> Table:
        """Table: with which other programme each is together more than others are."""
        rows = bundles.overlap(self.panel)
        if rows.is_empty():
            return nothing(
                self.page, name, "fewer than two programmes are in this panel", bundles.overlap
            )
        excess = rows.with_columns(excess=pl.col("share") - pl.col("all"))
        top = excess.sort("excess", descending=True, maintain_order=True)
        top = top.group_by("programme", "n", maintain_order=True).agg(
            pl.col("other", "share", "all").first(), mean=pl.col("share").sum() / 100
        )
        shown = top.sort("programme").select(
            programme=pl.col("programme").map_elements(short_name, return_dtype=pl.String),
            n="n",
            others=pl.col("mean").map_elements(lambda x: printed(x, 1), return_dtype=pl.String),
            other=pl.col("other").map_elements(short_name, return_dtype=pl.String),
            **{
                name: pl.col(name).map_elements(printed, return_dtype=pl.String)
                for name in ("share", "all")
            },
        )
        labels = {
            "programme": "Programme",
            "n": "Households",
            "others": "Other programmes, mean",
            "other": "More than usual with",
            "share": "Of its households, %",
            "all": "Of all, %",
        }
        done = tables.table(name, shown, labels, caption="How programmes overlap", download=rows)
        return self.page.show(done, "how programmes overlap", bundles.overlap)

    def pairs(self, name: str) -> Figure:
        """Figure: each of two programmes alone, both, and what both add."""
        pair = self.pair
        if isinstance(pair, Missing):
            empty = paths.nothing(name, self.page.tier, pair.sentence)
            return self.page.show(empty, "nothing", bundles.interaction)
        names = (short_name(pair.first), short_name(pair.second))
        rows = pl.DataFrame(
            [
                {"label": PAIRS[one.key.programme].format(*names), **_ends(one)}
                for one in pair.effects.effects()
            ],
            schema_overrides={"ci_low": pl.Float64, "ci_high": pl.Float64},
        )
        drawn = pictures.estimates(
            name,
            rows,
            tier=self.page.tier,
            unit=pair.unit,
            intro=f"{names[0]} and {names[1]}: each alone, both, and both less each alone",
        )
        return self.page.show(drawn, "two programmes alone and together", bundles.interaction)

    def by_neighbours(self, name: str) -> Table:
        """Table: each programme against alternative controls, beside the truth."""
        if not self.near:
            return nothing(
                self.page,
                name,
                "no programme is given to households in this panel",
                bundles.overlap,
            )
        shown = pl.DataFrame([row for one in self.near for row in _rows(one)])
        labels = {
            "programme": "Programme",
            "who": "Who, against whom",
            "estimate": "Estimate",
            "interval": "Interval",
        }
        if any(one.truth for one in self.near):
            labels |= {"aims": "Aims at", "truth": "Truth"}
        done = tables.table(
            name,
            shown.select(*labels),
            labels,
            caption="Alternative controls",
            filters=["programme"],
        )
        return self.page.show(done, "alternative controls", interference.neighbours)

    def effects(self, name: str) -> Table:
        """Table: the true direct effect, spillover and total, and bounds on the direct effect."""
        if not any(one.truth for one in self.near):
            return nothing(
                self.page,
                name,
                "the true effect in a survey is not known to anyone",
                bundles.overlap,
            )
        rows = []
        for one in self.near:
            bounds = one.direct
            rows.append(
                {
                    "programme": short_name(one.programme),
                    **{key: printed(one.truth.get(key)) for key in interference.EFFECTS},
                    "bounds": "none"
                    if isinstance(bounds, Missing)
                    else span(bounds.low, bounds.high),
                }
            )
        labels = {
            "programme": "Programme",
            "direct": "Own participation",
            "on_participants": "Others', on participants",
            "total": "Both",
            "on_neighbours": "Others', on neighbours",
            "bounds": "Bounds on own",
        }
        done = tables.table(name, pl.DataFrame(rows), labels, caption="True effects by channel")
        return self.page.show(done, "true effects by channel", interference.truths)

    def reached(self, name: str) -> Table:
        """Table: how far each programme reaches, who is left, and the two-way weights."""
        if not self.reach:
            return nothing(
                self.page, name, "no programme in this panel can be compared", bundles.overlap
            )
        rows = [
            {
                "programme": short_name(one.programme),
                "households": printed(one.households),
                "villages": printed(one.villages),
                "clean": one.clean,
                "compared": f"{one.compared} of {one.compared + one.uncompared}",
                "fewest": one.fewest,
                **{
                    kind: printed(100 * one.weights[kind]) if kind in one.weights else ""
                    for kind in coverage.KINDS
                },
            }
            for one in self.reach
        ]
        labels = {
            "programme": "Programme",
            "households": "Households reached, %",
            "villages": "Villages reached, %",
            "clean": "Villages never reached",
            "compared": "Comparisons possible",
            "fewest": "Villages of the thinnest",
            **{kind: f"Weight: {word}, %" for kind, word in coverage.KINDS.items()},
        }
        done = tables.table(name, pl.DataFrame(rows), labels, caption="Coverage and weights")
        return self.page.show(done, "coverage and weights", coverage.coverage)


def together(notebook: str, panel: Panel | None = None) -> Together:
    """Note the findings of the page on programmes together.

    Parameters
    ----------
    notebook : str
        Its name without ending.
    panel : Panel, optional
        The current one by default.
    """
    known = current.truth() if panel is None else None
    panel = current.current() if panel is None else panel
    page = Page(notebook, panel.evidence, PANEL_INPUTS, (current.digest(panel),))
    pair = attempt(bundles.interaction, panel)
    near, _ = interference.everything(panel, known)
    reach = coverage.everything(panel)
    return Together(
        Badge(panel.evidence),
        Badge("reported"),
        _described(notebook),
        _overlap(page, panel),
        _interaction(page, pair, panel),
        _neighbours(page, near),
        _bounds(page, near),
        _coverage(page, reach),
        _method(),
        tier_note(panel.evidence),
        page,
        pair,
        near,
        reach,
        panel,
    )


def _described(notebook: str) -> Sentence:
    rows = bundles.described()
    page = Page(notebook, "reported", ("data/claims", "data/programmes"))
    note = Counter(page, bundles.described, rows.height, rows.height)
    counts = rows["programmes"].sort()
    n = note.number(
        "bundles_articles", rows.height, "articles with figures of programmes", "articles"
    )
    fewest = note.number(
        "bundles_fewest", counts[0], "programmes in an article, fewest", "programmes"
    )
    most = note.number("bundles_most", counts[-1], "programmes in an article, most", "programmes")
    return Sentence(
        f"Each of {n} articles gives figures of {fewest} to {most} programmes in the same place "
        "and years. None says which households "
        "were in several, and any rise in income there is one number for all of them."
    )


def _overlap(page: Page, panel: Panel) -> Sentence:
    counts = bundles.how_many(panel)
    if counts["programmes"].max() in (None, 0):
        return Sentence("Not shown: nobody in this panel is recorded in any programme.")
    note = Counter(page, bundles.how_many, panel.account.rows_read, panel.account.rows_used)
    several = float(counts.filter(pl.col("programmes") >= 2)["share"].sum())
    mean = float((counts["programmes"] * counts["share"]).sum() / 100)
    share = note.number(
        "bundles_several", several, "households ever in two or more programmes", "percent", 1
    )
    average = note.number(
        "bundles_mean", mean, "programmes a household is ever in, mean", "programmes", 1
    )
    return Sentence(
        f"{share} per cent of households are ever in two or more programmes, and the "
        f"mean household in {average}. Where several come together, a comparison for one also "
        "compares all that came with it."
    )


def _interaction(page: Page, pair: bundles.Interaction | Missing, panel: Panel) -> Sentence:
    if isinstance(pair, Missing):
        return Sentence(pair.sentence)
    names = (short_name(pair.first), short_name(pair.second))
    said = {}
    for one in pair.effects.effects():
        title = PAIRS[one.key.programme].format(*names)
        id = "bundles_" + one.key.programme.replace(" ", "_")
        said[one.key.programme] = _noted(page, id, one, title, panel)
    note = Counter(page, bundles.interaction, panel.account.rows_read, panel.account.rows_used)
    both = note.number(
        "bundles_both",
        pair.households["together"],
        f"households with {names[0]} and {names[1]} from one year",
        "households",
    )
    text = (
        f"The pair that most households began in one year is {names[0]} and {names[1]} ({both} "
        f"households). Estimates are {said['first_only']} for the first alone, "
        f"{said['second_only']} for the second alone and {said['together']} for both, "
        f"{pair.unit}. Both less each alone: {said[bundles.MORE]}."
    )
    if panel.evidence == "model":
        text += (
            " In this panel programmes add up by construction, so the truth of the last number is "
            "nothing. The two before it are not the programmes' own: such households are in others "
            "too."
        )
    return Sentence(text)


def _noted(page: Page, id: str, one: Effect, what: str, panel: Panel) -> str:
    money = f"{money_words(panel).replace(' ', '_')}/households/years"
    noted = page.estimate(
        id,
        one,
        f"{what}: overall estimate, total income",
        unit=money,
        function=bundles.interaction,
        digits=0,
    )
    if not isfinite(one.ci_low):
        return f"{noted.markdown()} (no interval)"
    return f"{noted.markdown()} ({noted.between.markdown})"


def _neighbours(page: Page, near: tuple[interference.Neighbours, ...]) -> Sentence:
    if not near:
        return Sentence("Not shown: no programme is given to households in this panel.")
    ways = dict.fromkeys(("other_villages", "same_village"), 0)
    held = dict.fromkeys(ways, 0)
    for one in near:
        for row in one.found.frame().iter_rows(named=True):
            truth = one.truth.get("total")
            if row["name"] in ways and truth is not None and isfinite(row["ci_low"]):
                ways[row["name"]] += 1
                held[row["name"]] += row["ci_low"] <= truth <= row["ci_high"]
    text = (
        "Against other villages, participants show what the programme does to them and what their "
        "neighbours' participation adds. Against untreated neighbours they show the first less "
        "what spills over."
    )
    if not any(ways.values()):
        return Sentence(text)
    note = Counter(page, interference.neighbours, near[0].rows_in, near[0].rows_used)
    parts = []
    for name, words in (("other_villages", "other villages"), ("same_village", "neighbours")):
        inside = note.number(
            f"bundles_held_{name}",
            held[name],
            f"programmes whose interval holds the truth, controls: {words}",
            "programmes",
        )
        of = note.number(
            f"bundles_of_{name}",
            ways[name],
            f"programmes with an interval, controls: {words}",
            "programmes",
        )
        parts.append(f"{inside} of {of} with {words} as controls")
    return Sentence(
        f"{text} One programme at a time, intervals hold the truth of both together for "
        f"{listed(parts)}. The choice of controls cures spillovers and no other difficulty."
    )


def _bounds(page: Page, near: tuple[interference.Neighbours, ...]) -> Sentence:
    """Say what the bounds on a household's own effect assume, and how many hold the truth."""
    known = [
        one.direct.low <= truth <= one.direct.high
        for one in near
        if not isinstance(one.direct, Missing) and (truth := one.truth.get("direct")) is not None
    ]
    if not known:
        return Sentence("")
    note = Counter(page, interference.neighbours, near[0].rows_in, near[0].rows_used)
    inside = note.number(
        "bundles_bounds_held",
        sum(known),
        "programmes whose bounds hold the true effect of own participation",
        "programmes",
    )
    of = note.number(
        "bundles_bounds", len(known), "programmes with bounds and a known truth", "programmes"
    )
    return Sentence(
        f"The bounds hold the truth for {inside} of {of} programmes. They leave one thing open: "
        "how much of what untreated neighbours feel the participants feel too, from nothing to "
        "all of it. The rest they assume: that without the programme participants would have "
        "moved as households of other villages did, and that the estimates have no sampling "
        "error. Where participants chose themselves or got other programmes too, the estimate can "
        "be off by more than any spillover, and its bounds are off with it."
    )


def _coverage(page: Page, reach: tuple[coverage.Coverage, ...]) -> Sentence:
    if not reach:
        return Sentence("Not shown: no programme in this panel can be compared.")
    widest = reach[0]
    note = Counter(page, coverage.coverage, widest.rows_in, widest.rows_used)
    title = short_name(widest.programme)

    def number(id: str, value: float, what: str, unit: str, digits: int | None = None) -> str:
        return note.number(f"coverage_{id}", value, f"{title}: {what}", unit, digits)

    text = (
        f"{short_name(widest.programme)} reaches "
        f"{number('households', widest.households, 'households ever reached', 'percent', 1)} per "
        f"cent of households; "
        f"{number('clean', widest.clean, 'villages never reached', 'villages')} villages never get "
        f"it. Of the pairs of a first year and a year in it, "
        f"{number('compared', widest.compared, 'comparisons possible', 'comparisons')} can be "
        f"compared and {number('uncompared', widest.uncompared, 'none left', 'comparisons')} not; "
        f"the thinnest comparison has "
        f"{number('fewest', widest.fewest, 'villages of the thinnest comparison', 'villages')} "
        "villages for controls."
    )
    early = widest.weights.get("already treated")
    if early is None:
        return Sentence(f"{text} The two-way decomposition needs households seen in every year.")
    share = number(
        "forbidden", 100 * early, "two-way weight on already treated controls", "percent", 1
    )
    return Sentence(
        f"{text} A static two-way regression would still print one number, with {share} per cent "
        "of its weight on comparisons with households already treated, whose own path is then "
        "taken for what would have been [@goodmanbacon2021]."
    )


def _method() -> Sentence:
    text = (
        "Interactions come from cells keyed by the pair of first years; controls have neither "
        "programme and live where nobody has either. The pair is the one that most households "
        "began in one year, chosen by counts. Neighbours are untreated households of villages with "
        "the programme. The decomposition uses households seen in every year."
    )
    return Sentence(text)


def _ends(one: Effect) -> dict[str, float | None]:
    low, high = (end if isfinite(end) else None for end in (one.ci_low, one.ci_high))
    return {"estimate": one.estimate, "ci_low": low, "ci_high": high}


def _rows(one: interference.Neighbours) -> list[dict[str, Any]]:
    rows = []
    for row in one.found.frame().iter_rows(named=True):
        target = interference.TARGET.get(row["name"], "")
        rows.append(
            {
                "programme": short_name(one.programme),
                "who": WHERE[row["name"]],
                "estimate": printed(row["estimate"]),
                "interval": span(row["ci_low"], row["ci_high"]) or "none",
                "aims": {"total": "both effects", "on_neighbours": "others' effect"}.get(
                    target, "a mixture"
                ),
                "truth": printed(one.truth.get(target)) if target else "",
            }
        )
    return rows
