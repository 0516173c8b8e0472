"""Effects by event time as a result, and which estimates of a pack they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.did.estimators.estimates import Estimates
from analysis.did.estimators.pack_effects import PackEffects
from analysis.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class EventStudy(Result):
    """Effects by event time, with joint bands in ``band_low`` and ``band_high``.

    Attributes
    ----------
    reference : int or None
        Event time of the base, where the effect is zero by definition; None if it varies.
    """

    reference: int | None = None

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw effects by event time with intervals and joint bands."""
        from analysis.results.event_plot import event_study as draw

        return draw(self, ax=ax, **options)


def one_estimand(effects: Estimates) -> Estimates:
    """Return the estimates of one declared estimand: of a pack, those with one base come first."""
    if not isinstance(effects, PackEffects):
        return effects
    each = [effects.estimand(name) for name in dict.fromkeys(effects.names)]
    return min(each, key=lambda own: own.about.base != "universal", default=effects)
