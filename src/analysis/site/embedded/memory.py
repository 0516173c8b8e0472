"""Texts that were slow to make, kept between builds by a digest of all they were made from.

One edited page then renders alone. What a build did not ask for is forgotten at its end, so the
folder holds one site and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from analysis.files import digest_of, read_sealed, write_sealed


class Memory:
    """A folder of texts by digest; safe to share among threads.

    Parameters
    ----------
    folder : Path, optional
        Where they are kept; without it nothing is.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._used: set[str] = set()
        self.made = 0

    def text(self, parts: Mapping[str, bytes | str], make: Callable[[], str]) -> str:
        """Return a text, made only if it is not kept yet; a failure is never kept.

        Parameters
        ----------
        parts : mapping of str to bytes or str
            Everything it depends on, by name.
        make : callable
            Makes it.
        """
        if self._folder is None:
            self.made += 1
            return make()
        name = digest_of(parts)
        self._used.add(name)
        path = self._folder / name
        kept = read_sealed(path)
        if kept is not None:
            return kept.decode()
        text = make()
        write_sealed(path, text.encode())
        self.made += 1
        return text

    def forget_others(self) -> None:
        """Delete what was not asked for since this memory was made."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.name not in self._used:
                path.unlink(missing_ok=True)
