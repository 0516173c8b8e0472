"""What the page on poverty and inequality says: numbers to note, and sentences that print them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from analysis import programmes
from analysis.claims.intervals import Interval
from analysis.panels.views import Sentence, unverified_lines
from analysis.welfare import distribution, inequality, linearised, poverty
from analysis.welfare.overview import LINES, Overview

UNITS = {"person": "persons", "household": "households"}
NO_LINE = "No poverty line is set for the currency of this panel."
ONE_PERIOD = "This panel has one period, so nothing can be said about change."
NO_EFFECT = "No programme of this panel can be compared: see the table above."
Printed = Mapping[str, object]


@dataclass(frozen=True)
class Number:
    """A number that the page notes: name, value or interval, what it is, how to print it."""

    id: str
    value: float | Interval
    what: str
    unit: str
    function: Callable[..., object]
    rows_in: int
    rows_used: int
    method: str
    digits: int | None = 1


def _interval(low: float | None, high: float | None) -> Interval | None:
    if low is None or high is None:
        return None
    return Interval.between(Fraction(low), Fraction(high))


def numbers(shown: Overview) -> tuple[Number, ...]:
    """Return every number the page's sentences print, as far as the panel has it."""
    return (*_levels(shown), *_growth(shown), *_found(shown))


def _levels(shown: Overview) -> list[Number]:
    """Headcounts at the national line and the Gini index in the first and the last period."""
    people = shown.people
    found = []

    def add(
        name: str,
        row: dict[str, object],
        factor: float,
        what: str,
        unit: str,
        function: Callable[..., object],
    ) -> None:
        values = {key: row[key] for key in ("estimate", "ci_low", "ci_high")}
        scaled = {k: None if v is None else factor * float(str(v)) for k, v in values.items()}
        both = {"": scaled["estimate"], "_ci": _interval(scaled["ci_low"], scaled["ci_high"])}
        for ending, value in both.items():
            if value is not None:
                found.append(
                    Number(
                        f"welfare_{name}{ending}",
                        value,
                        what + (", 95 per cent interval" if ending else ""),
                        unit,
                        function,
                        people.rows_in,
                        int(str(row["n_rows"])),
                        "linearised, by village",
                        1 if factor > 1 else 3,
                    )
                )

    frame = shown.poverty.to_frame().filter(measure="headcount", group="all", line_name=LINES[0])
    gini = shown.inequality.to_frame().filter(index="gini").drop_nulls("estimate")
    for end, at in (("first", 0), ("last", -1)):
        for unit in UNITS:
            rows = frame.filter(unit=unit).sort("period")
            if rows.height:
                add(
                    f"headcount_{unit}_{end}",
                    rows.row(at, named=True),
                    100,
                    f"{UNITS[unit]} below the national line in the {end} period",
                    "percent",
                    poverty.measure,
                )
        if gini.height:
            add(
                f"gini_{end}",
                gini.sort("period").row(at, named=True),
                1,
                f"Gini index of income per head, {end} period",
                "index",
                inequality.measure,
            )
    return found


def _growth(shown: Overview) -> list[Number]:
    """Growth of the mean and of the poorest two fifths over the span."""
    if shown.ends is None:
        return []
    rows = distribution.growth_of(shown.people, *shown.ends).to_frame()
    found = []
    for row in rows.iter_rows(named=True):
        if row["estimate"] is None:
            continue
        what = {
            "poorest": "the mean of the poorest 40 per cent",
            "all": "the mean",
            "difference": "the poorest 40 per cent less that of the mean",
        }[row["what"]]
        interval = _interval(
            *(None if row[k] is None else 100 * row[k] for k in ("ci_low", "ci_high"))
        )
        about = (
            distribution.growth_of,
            shown.people.rows_in,
            row["n_rows"],
            "linearised, by village",
        )
        name = f"welfare_growth_{row['what']}"
        said = f"growth of {what}, income per head, first to last period"
        found.append(Number(name, 100 * row["estimate"], said, "percent", *about))
        if interval is not None:
            found.append(
                Number(f"{name}_ci", interval, f"{said}, 95 per cent interval", "percent", *about)
            )
    return found


def _headcounts(shown: Overview) -> pl.DataFrame:
    return shown.programmes.filter(line_name=LINES[0], measure="headcount", unit="person")


def _holds(rows: pl.DataFrame, value: pl.Expr, low: str = "ci_low", high: str = "ci_high") -> int:
    return rows.select(value.is_between(pl.col(low), pl.col(high)).sum()).item() or 0


def _found(shown: Overview) -> list[Number]:
    """How many programmes can be compared, and what their intervals hold."""
    rows = _headcounts(shown)
    there = rows.drop_nulls("ci_low")
    listed = shown.programmes["programme"].n_unique()
    people = shown.people

    def count(name: str, value: int, what: str) -> Number:
        return Number(
            f"welfare_{name}",
            value,
            what,
            "",
            numbers,
            people.rows_in,
            people.rows_used,
            "count",
            None,
        )

    losses = int(people.frame.select((pl.col("total_fen") <= 0).sum()).item() or 0)
    level = Number(
        "welfare_level",
        100 * linearised.LEVEL,
        "confidence level of intervals",
        "percent",
        linearised.Measures.to_frame,
        0,
        0,
        "chosen",
        0,
    )
    found = [
        level,
        count("losses", losses, "household-years with an income of zero or less"),
        count("programmes", listed, "programmes of the panel"),
        count("programmes_compared", there.height, "programmes with an interval for the headcount"),
    ]
    if there["truth"].count():
        found += [
            count(
                "truth_inside",
                _holds(there, pl.col("truth")),
                "programmes whose interval for the headcount holds the truth",
            ),
            count(
                "zero_inside",
                _holds(there, pl.lit(0.0)),
                "programmes whose interval for the headcount holds zero",
            ),
            count(
                "wrong_sign",
                rows.filter(pl.col("truth") * pl.col("all_alike") < 0).height,
                "programmes whose headcount moves the wrong way unless compared inside thirds",
            ),
            count(
                "wrong_sign_thirds",
                rows.filter(pl.col("truth") * pl.col("estimate") < 0).height,
                "programmes whose headcount moves the wrong way inside thirds",
            ),
        ]
    if shown.distributed is None:
        return found
    one = shown.distributed
    deciles = one.deciles.drop_nulls(["band_low", "band_high"])
    found.append(count("amounts", one.amounts, "amounts of the grid"))
    found.append(count("deciles_band", deciles.height, "deciles with a band"))
    if one.deciles["truth"].count():
        found.append(
            count(
                "deciles_truth",
                _holds(deciles, pl.col("truth"), "band_low", "band_high"),
                "deciles whose band holds the truth",
            )
        )
        totals = one.thirds.filter(outcome="total").drop_nulls(["band_low", "truth"])
        found.append(count("thirds_band", totals.height, "thirds with a band"))
        found.append(
            count(
                "thirds_truth",
                _holds(totals, pl.col("truth"), "band_low", "band_high"),
                "thirds whose band holds the truth",
            )
        )
        top = one.deciles.drop_nulls(["estimate", "truth"]).sort("share")
        for end, at in (("low", 0), ("high", -1)):
            row = top.row(at, named=True)
            for kind in ("estimate", "truth"):
                found.append(
                    Number(
                        f"welfare_decile_{end}_{kind}",
                        row[kind],
                        f"{kind} at the {'lowest' if end == 'low' else 'highest'} decile shown",
                        "yuan/persons/years",
                        numbers,
                        people.rows_in,
                        one.rows_used,
                        "thresholds inverted",
                        0,
                    )
                )
    return found


def _md(noted: Printed, name: str) -> str:
    return str(noted[f"welfare_{name}"]._repr_markdown_())  # type: ignore[attr-defined]


def _with_interval(noted: Printed, name: str) -> str:
    """Print a number with its interval, if it has one."""
    if f"welfare_{name}_ci" not in noted:
        return f"{_md(noted, name)} (no interval: too few villages)"
    return f"{_md(noted, name)} ({_md(noted, f'{name}_ci')})"


def poverty_sentence(shown: Overview, noted: Printed) -> Sentence:
    """Say who is below the national line, first and last, persons and households."""
    if "welfare_headcount_person_first" not in noted:
        return Sentence(NO_LINE if not shown.people.has_lines else "No income can be used.")
    first, last = shown.people.periods[0], shown.people.periods[-1]
    start = _with_interval(noted, "headcount_person_first")
    if first == last:
        return Sentence(
            f"In {first}, {start} per cent of persons are below the national line, and "
            f"{_md(noted, 'headcount_household_first')} per cent of households."
        )
    return Sentence(
        f"In {first}, {start} per cent of persons are below the national line; in {last}, "
        f"{_with_interval(noted, 'headcount_person_last')} per cent. Of households: "
        f"{_md(noted, 'headcount_household_first')} and {_md(noted, 'headcount_household_last')} "
        "per cent. The two differ where poor households are larger or smaller than others."
    )


def inequality_sentence(shown: Overview, noted: Printed) -> Sentence:
    """Say what the Gini index is."""
    if "welfare_gini_first" not in noted:
        return Sentence("No index of inequality can be computed.")
    first, last = shown.people.periods[0], shown.people.periods[-1]
    if first == last:
        return Sentence(
            f"The Gini index of income per head is {_with_interval(noted, 'gini_first')}."
        )
    return Sentence(
        f"The Gini index of income per head is {_with_interval(noted, 'gini_first')} in {first} "
        f"and {_with_interval(noted, 'gini_last')} in {last}."
    )


def growth_sentence(shown: Overview, noted: Printed) -> Sentence:
    """Say how the poorest two fifths fared beside the mean."""
    if shown.ends is None:
        return Sentence(ONE_PERIOD)
    if "welfare_growth_poorest" not in noted:
        return Sentence("The poorest two fifths have no income in the first period to grow from.")
    kind = "real" if shown.people.price_year else "nominal"
    return Sentence(
        f"From {shown.ends[0]} to {shown.ends[1]} the mean {kind} income per head of the poorest "
        f"two fifths grew by {_with_interval(noted, 'growth_poorest')} per cent, that of all by "
        f"{_with_interval(noted, 'growth_all')} per cent. These are different people in the two "
        "years."
    )


def effect_sentence(shown: Overview, noted: Printed) -> Sentence:
    """Say what comparing can and cannot tell; of a simulated panel, whether it finds the truth."""
    n, there = _md(noted, "programmes"), _md(noted, "programmes_compared")
    if not shown.people.has_lines:
        return Sentence(f"{NO_LINE} So no programme can be compared by poverty.")
    if shown.ends is None:
        return Sentence(ONE_PERIOD)
    if shown.programmes.is_empty():
        return Sentence("No programme is recorded in this panel, so none can be compared.")
    if "welfare_truth_inside" in noted:
        wide = _headcounts(shown).drop_nulls("ci_low")
        most = 2 * _holds(wide, pl.lit(0.0)) > wide.height
        return Sentence(
            f"Would a comparison of villages have found what programmes do to poverty? Of {n} "
            f"programmes, {there} have an interval for the headcount; "
            f"{_md(noted, 'truth_inside')} of these hold the truth of the simulation, and "
            f"{_md(noted, 'zero_inside')} hold zero{': too wide to tell' if most else ''}. "
            f"Compared without regard to where households began, {_md(noted, 'wrong_sign')} of "
            f"{n} estimates have the wrong sign; inside thirds of baseline income, "
            f"{_md(noted, 'wrong_sign_thirds')}."
        )
    return Sentence(
        f"Of {n} programmes, {there} can be compared with an interval for the headcount; "
        "@tbl-welfare-programmes has them. Whether an estimate is an effect rests on the "
        "assumption in @sec-method."
    )


def quantile_sentence(shown: Overview, noted: Printed) -> Sentence:
    """Say how the deciles of one programme are told."""
    one = shown.distributed
    if one is None:
        return Sentence("No programme's whole distribution can be estimated on this panel.")
    name = programme_names().get(one.programme, one.programme).lower()
    if "welfare_deciles_truth" in noted:
        held = (
            f"For {name}, the band around the deciles holds the truth of the simulation at "
            f"{_md(noted, 'deciles_truth')} of {_md(noted, 'deciles_band')}"
        )
        gains = (
            f" Who gains (@tbl-welfare-thirds): of {_md(noted, 'thirds_band')} thirds of baseline "
            f"income, the band holds the truth in {_md(noted, 'thirds_truth')}."
        )
        if not _drifts(one.deciles):
            return Sentence(f"{held}.{gains}")
        return Sentence(
            f"{held}, but it is wide, and the estimate drifts upward along the distribution: at "
            f"the lowest decile {_md(noted, 'decile_low_estimate')} against a truth of "
            f"{_md(noted, 'decile_low_truth')}, at the highest "
            f"{_md(noted, 'decile_high_estimate')} against {_md(noted, 'decile_high_truth')} yuan. "
            "Arms that begin at different incomes, or grow at different rates, are not made alike "
            f"by comparing the shares below an amount.{gains}"
        )
    return Sentence(
        f"For {name}, @fig-welfare-quantiles shows the estimate at each decile of the treated; "
        f"{_md(noted, 'deciles_band')} have a band."
    )


def _drifts(deciles: pl.DataFrame) -> bool:
    """Whether the error grows along the deciles and ends upward."""
    rows = deciles.drop_nulls(["estimate", "truth"]).sort("share")
    wrong = (rows["estimate"] - rows["truth"]).to_list()
    return len(wrong) > 1 and wrong[-1] > max(0.0, wrong[0])


def lines_sentence(shown: Overview) -> Sentence:
    """Say which lines rest on figures from memory, and in which years."""
    return unverified_lines(shown.poverty.labels)


def design_sentence(shown: Overview, noted: Printed) -> Sentence:
    """Say what of the sampling design was used, and in which prices incomes are."""
    people = shown.people
    prices = (
        f"Real incomes are in prices of {people.price_year}."
        if people.price_year
        else "Prices of these years are not known, so incomes are those of each year."
    )
    kept = (
        f"Household-years with an income of zero or less: {_md(noted, 'losses')}. They are poor, "
        "count in the Gini index as they are, and are left out of the Theil indices where these "
        "are not defined (@tbl-welfare-inequality counts them). A household with a large loss "
        "lacks more than the line, which the squared gap weighs heavily."
    )
    return Sentence(" ".join(part for part in (prices, people.design.note, kept) if part))


@dataclass(frozen=True)
class Money:
    """What money on the page is called: the prices of real incomes, and the unit of an axis."""

    prices: str
    axis: str


def money_words(shown: Overview, unit: str) -> Money:
    """Return how money is named; `unit` is yuan or the survey's own."""
    year = shown.people.price_year
    prices = f"prices of {year}" if year else "prices of each year"
    return Money(prices, f"{unit} per head a year, {prices}")


def deciles(shown: Overview) -> pl.DataFrame:
    """Return the deciles that the figure draws; none if no programme can be compared."""
    if shown.distributed is not None:
        return shown.distributed.deciles
    return pl.DataFrame(schema=dict.fromkeys(("share", "estimate"), pl.Float64))


def subject(shown: Overview) -> str:
    """Return the name of the programme whose distribution is shown."""
    if shown.distributed is None:
        return "No programme"
    return programme_names().get(shown.distributed.programme, shown.distributed.programme)


def programme_names() -> dict[str, str]:
    """Return the names of programmes in words."""
    return dict(programmes.load().programmes.select("id", "name_en").iter_rows())
