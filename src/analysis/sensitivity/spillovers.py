"""Effects under interference: controls beside the treated, elsewhere, and untreated neighbours.

In a village with the programme the treated get its effect and whatever others' treatment adds, the
untreated get the latter only. Against other villages the treated show both; against neighbours they
show the effect less what spills over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from analysis.effects import aggregate, group_time
from analysis.effects.group_time import WHERE, Comparison
from analysis.effects.result import EffectSet, stack
from analysis.effects.table import Table, refuse
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
        Of each: a word of `analysis.effects.group_time.WHERE`, or `SPILLOVER`.
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
    found: list[EffectSet] = []
    names: list[str] = []
    missing: dict[str, str] = {}
    for where in WHERE:
        try:
            how = Comparison(where=where)  # type: ignore[arg-type]
            found.append(_overall(chosen, how))
            names.append(where)
        except FaultsError as error:
            missing[where] = error.faults[0].problem
    try:
        found.append(_overall(neighbours(chosen), Comparison(where="other_villages")))
        names.append(SPILLOVER)
    except FaultsError as error:
        missing[SPILLOVER] = error.faults[0].problem
    if not found:
        refuse(
            "there is no overall effect",
            "; ".join(missing.values()),
            column="programme",
            value=table.programme,
        )
    keyed = [
        replace(one, keys=(replace(one.keys[0], programme=name),))
        for one, name in zip(found, names, strict=True)
    ]
    return Alternatives(stack(*keyed), tuple(names), missing)


def _overall(table: Table, how: Comparison) -> EffectSet:
    """Return the effect over all treated household years, of a table of one outcome."""
    effects = group_time.estimate(table, how, leads=False)
    found = aggregate.aggregate(effects, table, ("simple",)).in_yuan()
    if not len(found):
        why = found.missing[0][1] if found.missing else "not estimated"
        refuse("there is no overall effect", why, column="outcome", value=table.outcomes[0])
    return found


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
    found = table.rows(kept)
    gone = int(table.n[table.cohort > 0].sum())
    return replace(
        found,
        cohort=first[found.village],
        left_out={**table.left_out, "rows of the treated, whose neighbours are asked about": gone},
        rows_in=table.rows_in or int(table.n.sum()),
        first_in_village=first,
        programme=f"{table.programme}, untreated neighbours",
        untreated=None,
        all_periods=None,
    )
