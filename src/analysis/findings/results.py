"""What a page can note: effects with their interval, and figures or tables with their data."""

from __future__ import annotations

from typing import Protocol

import polars as pl


class Accounted(Protocol):
    """What an effect says of the rows behind it."""

    @property
    def estimator(self) -> str:
        """Name of the estimator."""

    @property
    def rows_in(self) -> int:
        """Rows that entered."""

    @property
    def rows_used(self) -> int:
        """Rows that were used."""


class Estimated(Protocol):
    """An effect with its interval, such as `analysis.effects.record.Effect`."""

    @property
    def estimate(self) -> float:
        """The point."""

    @property
    def ci_low(self) -> float:
        """Low end of the interval; NaN where there is none."""

    @property
    def ci_high(self) -> float:
        """High end of the interval; NaN where there is none."""

    @property
    def convention(self) -> str:
        """Convention of the interval."""

    @property
    def n_villages_treated(self) -> int:
        """Villages in the treated arm."""

    @property
    def n_villages_control(self) -> int:
        """Villages in the control arm."""

    @property
    def about(self) -> Accounted:
        """What was compared."""


class Exhibit(Protocol):
    """A figure or table: named, with its data."""

    @property
    def name(self) -> str:
        """Label of its cell."""

    @property
    def data(self) -> pl.DataFrame:
        """What is shown."""
