"""One programme: everything its page says, made once."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from analysis import programmes
from analysis.answers.design import Design, design_of
from analysis.answers.estimates import Estimates, estimate
from analysis.answers.groups import Groups, groups
from analysis.answers.missing import Missing, attempt
from analysis.answers.naive import Naive, naive
from analysis.answers.reported import Elsewhere, Reported, elsewhere, reported
from analysis.answers.together import together_of
from analysis.answers.truth import Truth, truth_of
from analysis.effects.result import EffectSet
from analysis.panels import current
from analysis.panels.panel import Panel


@dataclass(frozen=True)
class Answer:
    """Everything a page says of one programme; what these data cannot show is `Missing`.

    Attributes
    ----------
    programme, name : str
        Its id, and what it is called.
    evidence : str
        Tier of the panel: ``model``, ``yours``, ``public`` or ``twin``.
    panel_digest : str
        What findings say of the panel.
    reported : Reported
        Tier reported.
    elsewhere : Elsewhere
        Tier published.
    design : Design or Missing
        How the effect is looked for in the panel.
    estimates : Estimates or Missing
        What the design finds.
    together : EffectSet or Missing
        What a second design finds, with all programmes at once; for every programme of the panel.
    truth : Truth or Missing
        What is true, in the model panel only.
    naive : Naive or Missing
        What the sums of articles would say.
    groups : Groups or Missing
        For whom.
    """

    programme: str
    name: str
    evidence: str
    panel_digest: str
    reported: Reported
    elsewhere: Elsewhere
    design: Design | Missing
    estimates: Estimates | Missing
    together: EffectSet | Missing
    truth: Truth | Missing
    naive: Naive | Missing
    groups: Groups | Missing

    @property
    def simulated(self) -> bool:
        """Whether the panel is simulated, so that nothing in it is an effect of a programme."""
        return self.evidence == "model"


def page(programme: str, panel: Panel | None = None) -> Answer:
    """Return everything that the page of a programme says.

    Parameters
    ----------
    programme : str
        An id of the catalogue.
    panel : Panel, optional
        The panel; by default the current one: yours if ``PANEL`` names one, else the model panel.

    Raises
    ------
    KeyError
        If the catalogue does not have the programme.
    FaultsError
        If ``PANEL`` is no panel.
    """
    catalogue = programmes.load().programmes
    name = catalogue.row(by_predicate=pl.col("id") == programme, named=True)["name_en"]
    known = current.truth() if panel is None else None
    panel = current.current() if panel is None else panel
    design = design_of(panel, programme)
    found = design if isinstance(design, Missing) else attempt(estimate, panel, design)
    truth = design if isinstance(design, Missing) else truth_of(known, design)
    digest = current.digest(panel)
    second = design if isinstance(design, Missing) else _second(panel, design, digest)
    there = not isinstance(design, Missing) and not isinstance(found, Missing)
    why = found if isinstance(found, Missing) else Missing("nothing was estimated")
    return Answer(
        programme=programme,
        name=name,
        evidence=panel.evidence,
        panel_digest=digest,
        reported=reported(programme),
        elsewhere=elsewhere(programme),
        design=design,
        estimates=found,
        together=second,
        truth=truth,
        naive=attempt(naive, panel, design, found, second, truth) if there else why,  # type: ignore[arg-type]
        groups=attempt(groups, panel, design) if there else why,  # type: ignore[arg-type]
    )


_made: dict[str, EffectSet | Missing] = {}
"""The second design by panel: it estimates all programmes, so a process makes it once."""


def _second(panel: Panel, design: Design, digest: str) -> EffectSet | Missing:
    if digest not in _made:
        _made[digest] = together_of(panel, design)
    return _made[digest]
