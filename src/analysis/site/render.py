"""Render a stage: with Quarto if it is on the path, with the embedded renderer otherwise."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analysis.site import quarto

TECHNICAL = Path("build") / "quarto" / "technical"
CACHE = Path("build") / "quarto" / "cache"


@dataclass(frozen=True)
class Rendered:
    """What a renderer did.

    Attributes
    ----------
    renderer : str
        ``quarto`` or ``embedded``.
    pages : int
        How many HTML pages came out.
    notes : tuple of str
        What the embedded renderer noted.
    """

    renderer: str
    pages: int
    notes: tuple[str, ...] = ()


def render(root: Path, stage: Path, out: Path, epoch: str) -> Rendered:
    """Render a stage into a folder that did not exist before.

    Parameters
    ----------
    root : Path
        The project folder.
    stage : Path
        The staged project.
    out : Path
        Where the site goes; what is there is replaced.
    epoch : str
        Seconds, for ``SOURCE_DATE_EPOCH``.

    Raises
    ------
    FaultsError
        If a renderer fails, or Quarto warns of something a reader would stumble on.
    """
    from analysis.site.embedded.render import render_project

    shutil.rmtree(out, ignore_errors=True)
    program = quarto.program()
    notes: tuple[str, ...] = ()
    if program:
        pages = quarto.render(program, root, stage, epoch)
        with source_date(epoch):
            render_project(stage, root / TECHNICAL, root / CACHE, only=quarto.is_technical)
        out.parent.mkdir(parents=True, exist_ok=True)
        quarto.join(pages, root / TECHNICAL, out)
    else:
        with source_date(epoch):
            notes = render_project(stage, out).warnings
    return Rendered("quarto" if program else "embedded", len(list(out.rglob("*.html"))), notes)


@contextmanager
def source_date(epoch: str) -> Iterator[None]:
    """Set ``SOURCE_DATE_EPOCH`` for a while: pandoc and the embedded renderer date pages by it."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = epoch
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("SOURCE_DATE_EPOCH", None)
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
