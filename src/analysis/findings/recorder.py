"""Records what a page prints and shows while it is run for the site; in plain Jupyter nothing is.

The kernel evaluates each inline expression through `inline`, and hands what a labelled cell shows
to `exhibit`. Both note a `Finding` under a name made of page and place, unless `keep` gave the
value a permanent one.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any, Final, Protocol, runtime_checkable

import polars as pl

from analysis import printing
from analysis.findings.digests import frame_digest
from analysis.findings.record import Finding, Printed
from analysis.results.badge import Badge
from analysis.results.number import Number, Range, Recorded, kept
from analysis.results.plot import exhibit_of
from analysis.results.provenance import Provenance

TOLERANCE: Final = 1e-9
"""Relative difference up to which two runs agree: the rounding of double precision, added up."""
_noted: dict[str, Finding] = {}
"""What this process has noted; a notebook's kernel is one process."""
_cells: dict[str, str] = {}
"""Ids of the code cells that made what was noted, by finding."""


class PlainValueError(TypeError):
    """A value in the text that does not say where it comes from."""


@runtime_checkable
class Tabled(Protocol):
    """A table that carries its data and their provenance."""

    @property
    def data(self) -> pl.DataFrame:
        """Numbers behind it."""

    @property
    def provenance(self) -> Provenance:
        """Where they come from."""


@runtime_checkable
class Framed(Protocol):
    """A result: estimates with their provenance."""

    @property
    def frame(self) -> pl.DataFrame:
        """One row per estimate."""

    @property
    def provenance(self) -> Provenance:
        """Where they come from."""


def inline(value: object, page: str, number: int, cell: str = "") -> object:
    """Record a value of the text and return what the page prints: a link to the record.

    Parameters
    ----------
    value : Recorded or Badge
        A number, range or word of a result; or the badge of its evidence, which has no record.
    page : str
        The notebook, without folder and ending.
    number : int
        Which inline value of the page, from 1.
    cell : str
        Id of the code cell that made it.

    Raises
    ------
    PlainValueError
        If nothing says where it comes from: a literal, a plain number or text.

    Examples
    --------
    >>> from analysis.results import Number, Provenance
    >>> share = Number(value=0.5, provenance=Provenance.of(frame_digest))
    >>> print(inline(share, "01-training", 2).markdown)
    [0.500](/findings/01-training.qmd#01-training.2){.finding}
    """
    if isinstance(getattr(value, "word", None), Recorded):  # a rating says itself in a word
        value = value.word  # type: ignore[attr-defined]
    if isinstance(value, Recorded):
        if not value.provenance.function:
            raise PlainValueError(f"no function is named that made {value.text[:60]!r}")
        noted = _note(finding_of(value, value.kept or f"{page}.{number}", page), cell)
        return Printed(value.text, noted.markdown())
    if not isinstance(value, Badge):
        kind = type(value).__name__
        raise PlainValueError(f"a plain {kind} does not say where it comes from: {value!s:.60}")
    return value


def finding_of(value: Recorded, name: str, page: str) -> Finding:
    """Return the record of a value.

    Parameters
    ----------
    value : Recorded
        A number, range or word of a result.
    name, page : str
        Its name, and the notebook that shows it.
    """
    low, high = value.ends
    return Finding(
        id=name,
        kind="number" if isinstance(value, Number | Range) else "word",
        what=value.what or name,
        value=value.point,
        low=low,
        high=high,
        unit=value.unit,
        text=value.text,
        digest="",
        **_origin(value.provenance, page),
    )


def _origin(provenance: Provenance, page: str) -> dict[str, Any]:
    return {
        "page": page,
        "tier": provenance.evidence,
        "rows_in": provenance.rows_in,
        "rows_used": provenance.rows_used,
        "n_villages_treated": provenance.n_clusters_treated,
        "n_villages_control": provenance.n_clusters_control,
        "method": provenance.method,
        "function": provenance.function,
        "inputs": ";".join(str(each) for each in provenance.inputs),
        "tolerance": TOLERANCE,
    }


def _note(finding: Finding, cell: str) -> Finding:
    """Note a finding under its name; a name stands for one finding."""
    known = _noted.setdefault(finding.id, finding)
    if known != finding:
        raise ValueError(f"finding {finding.id} is noted twice with different content")
    _cells.setdefault(finding.id, cell)
    return finding


# ------------------------------------------------------------------------------------- exhibits


def exhibit(value: object, label: str, page: str, cell: str, caption: str = "") -> str:
    """Record the figure or table that a cell shows, and return what the page needs of it.

    Parameters
    ----------
    value : Axes, Figure, Result or ResultTable
        What the last line of the cell gave.
    label : str
        The label of the cell; empty if it has none.
    page, cell : str
        The notebook, and the id of the cell.
    caption : str
        What it shows.

    Returns
    -------
    str
        JSON: ``name`` and ``csv`` of a table; ``problem`` and ``remedy`` of what cannot be
        recorded; an empty object otherwise.
    """
    figure = _figure(value)
    labelled = label.startswith(("fig-", "tbl-"))
    if not labelled:
        return json.dumps(_unlabelled() if figure is not None else {})
    noted = exhibit_of(figure) if figure is not None else None
    if figure is not None and noted is not None:
        data, provenance = noted.data, noted.provenance
    elif isinstance(value, Tabled) and isinstance(value.data, pl.DataFrame):
        data, provenance = value.data, value.provenance
    elif isinstance(value, Framed) and isinstance(value.frame, pl.DataFrame):
        data, provenance = value.frame, value.provenance
    else:
        return json.dumps(_unrecorded(value))
    origin = _origin(provenance, page)
    if origin["rows_used"] is None:
        origin["rows_used"] = data.height
    if origin["rows_in"] is None:
        origin["rows_in"] = origin["rows_used"]
    finding = Finding(
        id=label,
        kind="figure" if label.startswith("fig-") else "table",
        what=caption or label,
        value=None,
        low=None,
        high=None,
        unit="",
        text=caption or label,
        digest=frame_digest(_flat(data)),
        **origin,
    )
    _note(finding, cell)
    if figure is not None:  # the display of the site says of a figure what it shows
        return "{}"
    return json.dumps({"name": label, "csv": printing.download(_flat(data))})


def _flat(data: pl.DataFrame) -> pl.DataFrame:
    """Return a frame that a table of text can hold: nested columns as text."""
    nested = [name for name, kind in data.schema.items() if kind.is_nested()]
    return data.with_columns(
        pl.Series(name, [None if x is None else str(x) for x in data[name].to_list()], pl.String)
        for name in nested
    )


def _figure(value: object) -> Any:
    """Return the Matplotlib figure of a value; None if it is none."""
    if "matplotlib" not in sys.modules:
        return None
    from matplotlib.artist import Artist
    from matplotlib.figure import FigureBase

    if isinstance(value, FigureBase):
        return value
    return value.get_figure(root=True) if isinstance(value, Artist) else None


def _unlabelled() -> dict[str, str]:
    return {
        "problem": "a figure without a label cannot be linked or recorded",
        "remedy": 'write "#| label: fig-…" and "#| fig-cap: …" at the top of the cell',
    }


def _unrecorded(value: object) -> dict[str, str]:
    kind = "nothing" if value is None else type(value).__name__
    return {
        "problem": f"a labelled cell shows {kind}, which does not say where it comes from",
        "remedy": "let its last line be the .plot() or .table() of a result",
    }


# --------------------------------------------------------------------------------------- export


def export_json(page: str) -> str:
    """Return all that this process noted, and what was kept without being printed, as JSON.

    In order of noting; each record is a finding with the id of the cell that made it.
    """
    for name, value in kept().items():
        _note(finding_of(value, name, page), "")
    rows = [{**asdict(each), "cell": _cells.get(each.id, "")} for each in _noted.values()]
    return json.dumps(rows, ensure_ascii=False)
