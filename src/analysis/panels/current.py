"""The panel this report is built on: yours if ``PANEL`` names one, else the model panel."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from analysis import paths
from analysis.faults import Fault, FaultsError
from analysis.panels import panel
from analysis.panels.model.simulate import simulate
from analysis.panels.panel import Panel

VARIANT = "realistic"
"""The variant the pages show: with every difficulty a real survey has."""


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
    named = os.environ.get("PANEL")
    if named:
        folder = Path(named)
        if not folder.is_absolute():
            folder = paths.root() / folder
        if not (folder / panel.MANIFEST).is_file():
            raise FaultsError([Fault(named, "PANEL is not a panel", "make one: analysis import")])
        return panel.read(folder)
    return model()


def model() -> Panel:
    """Return the default model panel, simulated if it is not there yet."""
    folder = paths.root() / "build" / "panels" / f"model-{VARIANT}-{_model_digest()}"
    if not (folder / panel.MANIFEST).is_file():
        simulate(folder, variant=VARIANT)
    return panel.read(folder)


def _model_digest() -> str:
    """Return 12 digits over everything the model panel is made of."""
    code = (paths.root() / "src" / "analysis" / "panels").rglob("*.py")
    parameters = (paths.data() / "parameters").glob("*")
    total = hashlib.sha256()
    for file in sorted([*code, *parameters]):
        total.update(file.name.encode())
        total.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()[:12]
