"""Say how far the notebooks are: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Protocol, Self, TextIO

from analysis.site.environment import plain


class Progress(Protocol):
    """What a run of notebooks tells whoever watches."""

    def note(self, text: str) -> None:
        """Say one line that stays."""

    def begin(self, cells: int) -> None:
        """Learn how many cells will run in all."""

    def start(self, name: str) -> None:
        """Learn that a notebook has started."""

    def advance(self) -> None:
        """Learn that a cell is done."""

    def finish(self, name: str, seconds: float) -> None:
        """Learn that a notebook is done."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Lines:
    """Plain lines, for logs and pipes.

    Parameters
    ----------
    stream : TextIO, optional
        Where they go; standard output if left out.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def note(self, text: str) -> None:
        """Print the line at once, so that a log is never behind, and without colours."""
        print(plain(text), file=self._stream or sys.stdout, flush=True)

    def begin(self, cells: int) -> None:
        """Print nothing: lines come per notebook."""

    def start(self, name: str) -> None:
        """Print which notebook starts."""
        self.note(f"run       {name}")

    def advance(self) -> None:
        """Print nothing: lines come per notebook."""

    def finish(self, name: str, seconds: float) -> None:
        """Print which notebook is done and how long it took."""
        self.note(f"done      {name} ({seconds:.1f} s)")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


class Bar:
    """One bar over all cells, with the names of the notebooks that run."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as RichProgress

        self._rich = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            transient=True,
        )
        self._task = self._rich.add_task("notebooks", total=None, visible=False)
        self._running: list[str] = []

    def note(self, text: str) -> None:
        """Print the line above the bar, in its own colours."""
        from rich.text import Text

        self._rich.console.print(Text.from_ansi(text), soft_wrap=True)

    def begin(self, cells: int) -> None:
        """Show the bar with its full length."""
        self._rich.update(self._task, total=cells, visible=True)

    def start(self, name: str) -> None:
        """Name the notebook beside the bar."""
        self._running.append(name)
        self._describe()

    def advance(self) -> None:
        """Move the bar by a cell."""
        self._rich.advance(self._task)

    def finish(self, name: str, seconds: float) -> None:
        """Take the name away and leave a line."""
        self._running.remove(name)
        self._describe()
        self.note(f"done      {name} ({seconds:.1f} s)")

    def _describe(self) -> None:
        self._rich.update(self._task, description=", ".join(self._running) or "notebooks")

    def __enter__(self) -> Self:
        self._rich.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rich.stop()


def progress() -> Progress:
    """Return a bar if a person watches, plain lines otherwise."""
    return Bar() if sys.stdout.isatty() else Lines()
