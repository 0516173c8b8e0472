"""What a mark of a figure says when a reader points at it, and where it leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Mark:
    """What one mark says.

    Attributes
    ----------
    text : str
        Value in words, shown on hover and on focus; empty for a part of another mark.
    href : str
        Page it leads to; empty for none.
    group : str
        Groups a reader can single out, such as a setting; empty for none.
    glyph : bool
        Its shape keeps its size on every screen, though it was drawn in units of the axes.
    """

    text: str = ""
    href: str = ""
    group: str = ""
    glyph: bool = False


_MARKS: WeakKeyDictionary[Artist, Mark] = WeakKeyDictionary()


def mark(
    artist: Artist, text: str = "", *, href: str = "", group: str = "", glyph: bool = False
) -> None:
    """Note what an artist of a figure says; the page's script shows it.

    Parameters
    ----------
    artist : matplotlib Artist
        A line, a patch, a collection or a text.
    text, href, group, glyph
        As `Mark` has them.
    """
    _MARKS[artist] = Mark(text, href, group, glyph)


def marks_of(figure: Figure) -> list[Mark]:
    """Return the marks of a figure."""
    return [_MARKS[artist] for artist in _marked(figure)]


def _marked(figure: Figure) -> list[Artist]:
    return [artist for artist in figure.findobj() if artist in _MARKS]


@contextmanager
def gids(figure: Figure) -> Iterator[Mapping[str, Mark]]:
    """Name the marked artists while a figure is written; give each its own id back after."""
    artists = _marked(figure)
    before = [artist.get_gid() for artist in artists]
    names = {f"mark-{number}": artist for number, artist in enumerate(artists)}
    try:
        for name, artist in names.items():
            artist.set_gid(name)
        yield {name: _MARKS[artist] for name, artist in names.items()}
    finally:
        for artist, earlier in zip(artists, before, strict=True):
            artist.set_gid(earlier)
