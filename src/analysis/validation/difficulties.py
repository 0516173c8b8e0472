"""What simulated difficulties do to estimates: bias and coverage by difficulty and estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.panels.model.parameters import PRICE_YEAR
from analysis.results import formatting
from analysis.results.dots import Dot, DotRow, dots
from analysis.results.number import Number
from analysis.results.provenance import Provenance
from analysis.results.stored import of_files
from analysis.results.table import ResultTable
from analysis.validation import stored
from analysis.validation.estimators import LABELS
from analysis.validation.performance import (
    DESIGNS,
    DRAWN,
    DrawShare,
    by_error,
    overall,
    share,
)
from analysis.validation.stored import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNIT: Final = f"yuan a year per household, prices of {PRICE_YEAR}, simulated"
WITHOUT_DESIGN: Final = ("before_after", "with_without")
MOSTLY: Final = "training"
"""Programme of the designs that do not say otherwise."""
CLIP: Final = 2.5
"""Bias is drawn up to so many times the largest true effect."""
SWITCHES: Final = {
    "none": "no difficulty",
    "selection_level": "the better off take part",
    "selection_trend": "those whose income rises anyway take part",
    "dip": "a bad year before",
    "anticipation": "effects begin early",
    "spillover": "others are affected",
    "bundling": "programmes together",
    "coverage": "nearly everyone takes part",
    "attrition": "households leave",
    "missing": "answers missing",
    "heaping": "answers rounded",
    "misreporting": "floors reported",
    "all": "all at once",
}


@dataclass(frozen=True, eq=False)
class Difficulties:
    """The overall effect in simulated panels with one difficulty each.

    Attributes
    ----------
    rows : polars.DataFrame
        As `analysis.validation.performance.overall`, households choosing, with label.
    """

    rows: pl.DataFrame

    def bias(self, design: str, estimator: str = "group_time") -> Number:
        """Return the mean estimate less the true effect.

        Parameters
        ----------
        design : str
            Its id, such as ``training_dip``.
        estimator : str
            ``group_time``, ``early_base``, ``same_village``, ``imputation``, ``two_way``,
            ``before_after``, ``with_without``.

        Examples
        --------
        >>> difficulties().bias("training_dip").what
        'bias of group-time, simulated training: a bad year before'
        """
        row = self._row(design, estimator)
        error = row["bias_error"]
        return Number(
            value=row["bias"],
            error=error,
            low=row["bias"] - 2 * error,
            high=row["bias"] + 2 * error,
            unit=UNIT,
            what=f"bias of {_about(row)}",
            provenance=self._stored(difficulties, row["draws"]),
        )

    def truth(self, design: str) -> Number:
        """Return the true overall effect in a design."""
        row = self._row(design, "group_time")
        return Number(
            value=round(row["truth"]),
            unit=UNIT,
            what=f"true effect, {_about(row).partition(', ')[2]}",
            provenance=self._stored(difficulties, row["draws"]),
        )

    def coverage(self, design: str, estimator: str = "group_time") -> DrawShare:
        """Return how often the interval holds the true effect; parameters as `bias`."""
        return self._share(design, estimator, "coverage", "coverage of the interval of")

    def power(self, design: str, estimator: str = "group_time") -> DrawShare:
        """Return how often the effect is found; parameters as `bias`."""
        return self._share(design, estimator, "power", "draws in which an effect is found by")

    def _share(self, design: str, estimator: str, column: str, what: str) -> DrawShare:
        row = self._row(design, estimator)
        return DrawShare(
            value=100 * row[column],
            unit="per cent",
            what=f"{what} {_about(row)}",
            provenance=self._stored(difficulties, row["draws"]),
        )

    def _row(self, design: str, estimator: str) -> dict[str, Any]:
        return self.rows.filter(design=design, estimator=estimator).row(0, named=True)

    def _stored(self, function: Callable[..., Any], n: int | None = None) -> Provenance:
        if n is None:
            n = int(self.rows.unique("design")["draws"].sum())
        method = "simulated draws, stored"
        return of_files(
            function, DRAWN, DESIGNS, evidence="model", rows_in=n, rows_used=n, method=method
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the bias of estimators that have a comparison and a period before."""
        data = self.rows.filter(~pl.col("estimator").is_in(WITHOUT_DESIGN))
        known = [name for name in LABELS if name not in WITHOUT_DESIGN]
        rows = []
        for (label,), part in data.group_by("label", maintain_order=True):
            result = []
            for row in part.iter_rows(named=True):
                bias = formatting.number(row["bias"], formatting.places(row["bias_error"]))
                text = f"{label}, {LABELS[row['estimator']]}: {bias} yuan"
                result.append(
                    Dot(known.index(row["estimator"]), row["bias"], row["bias_error"], text)
                )
            rows.append(DotRow(str(label), tuple(result)))
        end = CLIP * float(data["truth"].max())  # type: ignore[arg-type]
        return dots(
            rows,
            [LABELS[name] for name in known],
            f"bias, yuan a year (prices of {PRICE_YEAR}), simulated",
            limits=(-end, end),
            what="bias of the overall effect in simulated panels",
            data=data,
            provenance=self._stored(Difficulties.plot),
            ax=ax,
        )

    def table(self) -> ResultTable:
        """Return every estimator in every difficulty, the worst coverage first.

        Examples
        --------
        >>> difficulties().table().shown.columns[:3]
        ['simulated difficulty', 'estimator', 'true effect']
        """
        data = self.rows.sort(pl.col("coverage"), -pl.col("bias").abs())
        shown = data.select(
            pl.col("label").alias("simulated difficulty"),
            pl.col("estimator").replace_strict(LABELS),
            pl.col("truth")
            .map_elements(lambda x: formatting.number(x, 0), pl.String)
            .alias("true effect"),
            by_error("bias", "bias_error"),
            share("coverage").alias("interval holds it, %"),
            share("size").alias("false positives, %"),
        )
        provenance = self._stored(Difficulties.table)
        table = ResultTable(shown=shown, data=data, provenance=provenance)
        return table.filterable("estimator", "simulated difficulty")


def difficulties(results: Results | None = None) -> Difficulties:
    """Return bias and coverage by difficulty and estimator, as they were stored.

    Parameters
    ----------
    results : Results, optional
        As `analysis.validation.stored.read`, which is asked if left out.

    Examples
    --------
    >>> difficulties().truth("training_none").unit
    'yuan a year per household, prices of 2020, simulated'
    """
    rows = overall(stored.read() if results is None else results).filter(kind="offered")
    label = pl.struct("switch", "programme").map_elements(_label, pl.String)
    return Difficulties(rows.with_columns(label=label))


def _label(row: Mapping[str, str]) -> str:
    """Return the difficulty, and the programme where it is not the one of most rows."""
    name = SWITCHES[row["switch"]]
    programme = row["programme"]
    return name if programme == MOSTLY else f"{name} ({programme.replace('_', ' ')})"


def _about(row: Mapping[str, Any]) -> str:
    programme = row["programme"].replace("_", " ")
    return f"{LABELS[row['estimator']]}, simulated {programme}: {SWITCHES[row['switch']]}"
