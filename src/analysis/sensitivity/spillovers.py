"""Effects under interference: controls beside the treated, elsewhere, and untreated neighbours.

In a village with the programme the treated get its effect and whatever others' treatment adds, the
untreated get the latter only. Against other villages the treated show both; against neighbours they
show the effect less what spills over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from analysis.did.estimators import aggregate, group_time
from analysis.did.estimators.effect_set import EffectSet, stack
from analysis.did.estimators.group_time import WHERE, Comparison
from analysis.did.estimators.table import Table, refuse
from analysis.faults import FaultsError

SPILLOVER: Final = "on untreated neighbours"


@dataclass(frozen=True)
class Alternatives:
    """The overall effect on one outcome against alternative controls.

    Attributes
    ----------
    effects : EffectSet
        One estimate per way that these data allow, then the effect on untreated neighbours if it
        can be estimated; jointly estimated, in the unit of the table, yuan for fen.
    names : tuple of str
        Of each: a word of `analysis.did.estimators.group_time.WHERE`, or `SPILLOVER`.
    missing : mapping of str to str
        What these data do not allow, and why.
    """

    effects: EffectSet
    names: tuple[str, ...]
    missing: dict[str, str]


def alternatives(table: Table, outcome: str = "total") -> Alternatives:
    """Estimate the overall effect against controls elsewhere, beside the treated, and both.

    Parameters
    ----------
    table : Table
        Of a programme; one given to whole villages has no controls beside the treated.
    outcome : str
        Which outcome.

    Raises
    ------
    FaultsError
        If none of the ways can be estimated.
    """
    chosen = table.select(outcome)
    effects: list[EffectSet] = []
    names: list[str] = []
    missing: dict[str, str] = {}
    for where in WHERE:
        try:
            how = Comparison(where=where)  # type: ignore[arg-type]
            effects.append(_overall(chosen, how))
            names.append(where)
        except FaultsError as error:
            missing[where] = error.faults[0].problem
    try:
        effects.append(_overall(neighbours(chosen), Comparison(where="other_villages")))
        names.append(SPILLOVER)
    except FaultsError as error:
        missing[SPILLOVER] = error.faults[0].problem
    if not effects:
        refuse(
            "there is no overall effect",
            "; ".join(missing.values()),
            column="programme",
            value=table.programme,
        )
    keyed = [
        replace(estimates, keys=(replace(estimates.keys[0], programme=name),))
        for estimates, name in zip(effects, names, strict=True)
    ]
    return Alternatives(stack(*keyed), tuple(names), missing)


def _overall(table: Table, how: Comparison) -> EffectSet:
    """Return the effect over all treated household years, of a table of one outcome."""
    effects = group_time.estimate(table, how, leads=False)
    estimates = aggregate.aggregate(effects, table, ("simple",)).in_yuan()
    if not len(estimates):
        why = estimates.missing[0][1] if estimates.missing else "not estimated"
        refuse("there is no overall effect", why, column="outcome", value=table.outcomes[0])
    return estimates


def neighbours(table: Table) -> Table:
    """Return a table whose effects are those on the untreated beside the treated.

    Households ever treated leave the table; the others of their village become a cohort: that of
    the village's first treatment. Controls are households of villages where nobody is treated.

    Parameters
    ----------
    table : Table
        Of a programme given to households.

    Raises
    ------
    FaultsError
        If there is no such household, or the village has no village without the programme.
    """
    first = table.village_cohort()
    kept = table.cohort == 0
    if not (first[table.village[kept]] > 0).any():
        refuse(
            "no untreated household lives beside treated ones",
            "ask about a programme that is given to households",
            column="programme",
            value=table.programme,
        )
    if not (first[table.village[kept]] == 0).any():
        refuse(
            "every village has the programme",
            "effects on neighbours need villages without it",
            column="village",
        )
    laid_out = table.rows(kept)
    gone = int(table.n[table.cohort > 0].sum())
    return replace(
        laid_out,
        cohort=first[laid_out.village],
        left_out={**table.left_out, "rows of the treated, whose neighbours are asked about": gone},
        rows_in=table.rows_in or int(table.n.sum()),
        first_in_village=first,
        programme=f"{table.programme}, untreated neighbours",
        untreated=None,
        all_periods=None,
    )
