"""A math font cut down to the characters of the pages, from the STIX Two Math in ``ziamath``.

Browsers stretch brackets and roots only with a font that has a MATH table. The subset keeps the
font's copyright and licence records (SIL Open Font License).
"""

from __future__ import annotations

import hashlib
import logging
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from analysis.faults import Fault, FaultsError
from analysis.files import read_sealed, write_sealed

_PACKAGE = find_spec("ziamath")  # found, not imported: only its font is wanted
SOURCE = Path(_PACKAGE.origin if _PACKAGE and _PACKAGE.origin else "").parent.joinpath(
    "fonts", "STIXTwoMath-Regular.ttf"
)
ALWAYS = "0123456789.,:;()[]{}|‖⌊⌋⌈⌉⟨⟩√∑∏∫+−-×·/=≠<>≤≥±→∈ ̂̄̃ˆ¯~_‾"
GREEK = "αβγδεζηθικλμνξοπρςστυφχψω"


def italic(char: str) -> str:
    """Return the mathematical italic that a browser draws for a lone identifier.

    Examples
    --------
    >>> italic("x"), italic("h"), italic("3")
    ('𝑥', 'ℎ', '')
    """
    if char == "h":
        return "ℎ"
    if "a" <= char <= "z" and char.isascii():
        return chr(0x1D44E + ord(char) - ord("a"))
    if "A" <= char <= "Z" and char.isascii():
        return chr(0x1D434 + ord(char) - ord("A"))
    if "α" <= char <= "ω":
        return chr(0x1D6FC + ord(char) - ord("α"))
    if "Α" <= char <= "Ω":
        return chr(0x1D6E2 + ord(char) - ord("Α"))
    return ""


def subset(characters: str) -> bytes:
    """Return a WOFF file with the glyphs for these characters and their stretched forms.

    The same characters give the same bytes: no time stamp is written.
    """
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    wanted = {ord(c) for c in characters + ALWAYS}
    wanted |= {ord(c) for char in characters for c in italic(char)}
    options = Options(
        flavor="woff", layout_features=["*"], name_IDs=["*"], notdef_outline=True, hinting=False
    )
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    font = TTFont(SOURCE, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=sorted(wanted))
    subsetter.subset(font)
    font.flavor = "woff"
    out = BytesIO()
    font.save(out)
    return out.getvalue()


def cached_subset(characters: str, cache: Path) -> bytes:
    """Return the subset from ``cache``, cutting it on first use.

    Raises
    ------
    FaultsError
        If the package that brings the font lacks it.
    """
    if not SOURCE.is_file():
        remedy = "install the packages of requirements.lock again"
        raise FaultsError([Fault(SOURCE.name, "the font of the formulas is missing", remedy)])
    mark = hashlib.sha256(SOURCE.read_bytes() + Path(__file__).read_bytes() + characters.encode())
    path = cache / f"math-{mark.hexdigest()[:16]}.woff"
    content = read_sealed(path)
    if content is None:
        content = subset(characters)
        write_sealed(path, content)
    return content
