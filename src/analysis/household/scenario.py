"""What a programme would add to a household, if it worked as in the studied places.

The evidence gives a predictive distribution of the effect in the next place; what is reported or
assumed beside it (people, take-up, the base, what is kept and forgone) is known as ranges only. So
every quantile of the gain is itself a range: the quantile of the effect put through every
combination of ends, exactly and without random draws (a probability box: Ferson, Kreinovich,
Ginzburg, Myers and Sentz 2003, Sandia report SAND2002-4015).
"""

from __future__ import annotations

from dataclasses import replace

from analysis.household.budget import Budget
from analysis.household.calibration import SOURCES
from analysis.household.evidence import (
    Evidence,
    base_of,
    check_kind,
    check_rating,
    evidence_of,
    prediction_of,
)
from analysis.household.gain import (
    NO_BASE,
    SOURCE_OF_NO_TAKE_UP,
    TITLE,
    Gain,
    frame_of_gain,
    stated,
)
from analysis.household.inputs import (
    Given,
    Input,
    fault,
    joined,
    printed,
    read,
)
from analysis.results.provenance import Provenance
from analysis.results.result import Account, Comparison


def add(
    budget: Budget,
    effect: Evidence,
    *,
    source: str = "wage",
    base: str | Given | None = None,
    people: Given = 1,
    people_are: str = "",
    take_up: Given | None = None,
    share_kept: Given = 1.0,
    forgone: Given = 0.0,
    rating: object = None,
) -> Gain:
    """Return what a programme would add to an average household.

    Parameters
    ----------
    budget : Budget
        The household.
    effect : PoolResult, Predictive, Number or Interval
        ``va.pool(...)`` (its prediction is taken, and what it is an effect of is checked), its
        ``.predictive()``, one estimate with its error (in per cent), or an interval of claims in
        yuan a person or household and year.
    source : str
        Source of income that the gain enters.
    base : str or number
        What the per cent are of: ``trainee_earnings`` (of one person), ``household_income``,
        ``consumption``, ``source_income``; or yuan a year of one person.
    people : number, range or Number
        Members of the household who are offered it or take part.
    people_are : str
        ``offered`` or ``participants``; must agree with what the effect is an effect of.
    take_up : number or range, optional
        Share of those offered who take part. Only for an effect on participants that is to be
        applied to people who are offered it: an effect of an offer has it within already.
    share_kept : number or range
        Part of the gain that stays in the household.
    forgone : number or range
        Yuan a year of other income that each participant gives up, if the effect is gross of it.
    rating : optional
        How sure the evidence is, from ``va.rate``; below moderate a gain is refused.

    Returns
    -------
    Gain

    Raises
    ------
    FaultsError
        If the effect does not fit the base or the people, or is rated too low.

    Examples
    --------
    >>> from analysis.household.budget import household
    >>> from analysis.household.evidence import NormalPredictive
    >>> evidence = NormalPredictive(10.0, 5.0, outcome="earnings", effect="offer")
    >>> gain = add(household("ngari", 2019), evidence, base="trainee_earnings", people=1)
    >>> str(gain.median), str(gain.evidence_interval), str(gain.per_cent)
    ('610', '10 to 1,210', '1.36')
    """
    if source not in SOURCES:
        raise fault("source", "no such source of income", f"use {', '.join(SOURCES)}", source)
    given = prediction_of(effect)
    evidence, kind, outcome, relative = evidence_of(given)
    rating = rating if rating is not None else getattr(given, "rating", None)
    check_rating(rating)
    check_kind(kind, people_are, take_up)
    if relative:
        base_input, scaled = base_of(budget, base, source, outcome)
    elif base is None:
        base_input = Input("base", NO_BASE, 1, 1, 1, "", NO_BASE, "reported")
        scaled = False
    else:
        raise fault("base", "the effect is in yuan", "leave base out", base)
    if scaled and not (isinstance(people, int | float) and float(people) == 1.0):
        raise fault("people", "the effect is on a household", "leave people out", people)
    who = "participants" if kind == "participants" and take_up is None else "persons offered it"
    people_unit = "persons a household"
    inputs = (
        base_input,
        read("people", f"{who} in the household", people, people_unit, least=0, most=20),
        read(
            "take_up",
            "share of those offered who take part",
            1.0 if take_up is None else take_up,
            "share",
            least=0,
            most=1,
            source=SOURCE_OF_NO_TAKE_UP if take_up is None else "set here",
        ),
        read(
            "share_kept",
            "share of the gain that stays in the household",
            share_kept,
            "share",
            least=0,
            most=1,
        ),
        read("forgone", "other income given up by each", forgone, "yuan a year", least=0),
        read("size", "members of the household", budget.size, "persons"),
    )
    record = getattr(given, "provenance", None)
    start = record if isinstance(record, Provenance) else Provenance(evidence="reported")
    start = replace(
        joined(
            start.joined([budget.provenance], ""), inputs, "quantiles at the ends of all inputs"
        ),
        function=f"{add.__module__}.{add.__qualname__}",
    )
    gain = Gain(
        frame=budget.frame.clear(),
        comparison=Comparison(
            estimator="quantiles of the effect in the next place, at the ends of all inputs",
            estimand=f"change of {source} income of an average household, {budget.name} "
            f"{budget.year}",
            compared="studied places: none is here",
        ),
        account=Account(
            rows_in=budget.account.rows_in,
            rows_used=budget.account.rows_used,
            units="facts",
            decisions=(
                f"rating: {rating or 'not given'}",
                *(
                    f"{row['input']}: {row['value']} {row['unit']} ({row['where from']})"
                    for row in printed(stated(inputs)).iter_rows(named=True)
                ),
            ),
        ),
        provenance=start,
        title=TITLE if relative else "If it is as reported",
        budget=budget,
        evidence=evidence,
        source=source,
        inputs=inputs,
        relative=relative,
        scaled=scaled,
        rating=rating,
    )
    return replace(gain, frame=frame_of_gain(gain))
