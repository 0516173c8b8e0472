"""The panel this report is built on: yours if ``PANEL`` names one, else the model panel."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import polars as pl

from analysis import paths
from analysis.faults import Fault, FaultsError
from analysis.panels import panel, schemas
from analysis.panels.digest import TableDigest
from analysis.panels.model.simulate import TRUTH, simulate
from analysis.panels.panel import Panel

VARIANT = "realistic"
"""The variant the pages show: with every difficulty a real survey has."""


KINDS = {"model": "model panel (simulated)", "twin": "synthetic twin"}
"""What findings call a panel that is nobody's."""


def current() -> Panel:
    """Return the panel that the pages describe.

    ``make report PANEL=folder`` names a panel made by ``analysis import``. Without it, the default
    model panel is simulated (under a second) into ``build/panels`` and kept there until a
    parameter or the code of the model changes.

    Raises
    ------
    FaultsError
        If ``PANEL`` is no panel.
    """
    return panel.read(_folder())


def simulation() -> dict[str, object]:
    """Return the settings the current panel was simulated with; empty for a survey or a twin."""
    settings = panel.read_manifest(_folder()).get("simulation")
    return settings if isinstance(settings, dict) else {}


def truth() -> pl.DataFrame | None:
    """Return the true effects in the current panel, if it is simulated; else None.

    Returns
    -------
    polars.DataFrame or None
        Columns as in `analysis.panels.model.truth.COLUMNS`; nominal yuan.
    """
    file = _folder() / TRUTH
    return pl.read_parquet(file) if file.is_file() and simulation() else None


def _folder() -> Path:
    named = os.environ.get("PANEL")
    if not named:
        return _model_folder()
    folder = Path(named) if Path(named).is_absolute() else paths.root() / named
    if not (folder / panel.MANIFEST).is_file():
        raise FaultsError([Fault(named, "PANEL is not a panel", "make one: analysis import")])
    return folder


def digest(shown: Panel) -> str:
    """Return what a finding says of the panel it rests on: ``name:digest``.

    The digest covers every table, so that a changed record is seen.
    """
    total = hashlib.sha256()
    for table in sorted(schemas.TABLES):
        content = TableDigest()
        content.update(shown.table(table).collect())
        total.update(f"{table}:{content.hexdigest()}".encode())
    kind = KINDS.get(shown.evidence, "your panel")
    return f"{kind}:{total.hexdigest()[:12]}"


def model() -> Panel:
    """Return the default model panel, simulated if it is not there yet."""
    return panel.read(_model_folder())


def _model_folder() -> Path:
    folder = paths.root() / "build" / "panels" / f"model-{VARIANT}-{_model_digest()}"
    if not (folder / panel.MANIFEST).is_file():
        simulate(folder, variant=VARIANT)
    return folder


def _model_digest() -> str:
    """Return 12 digits over everything the model panel is made of."""
    code = (paths.root() / "src" / "analysis" / "panels").rglob("*.py")
    parameters = (paths.data() / "parameters").glob("*")
    total = hashlib.sha256()
    for file in sorted([*code, *parameters]):
        total.update(file.name.encode())
        total.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()[:12]
