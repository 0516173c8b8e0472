"""How to cite a figure or table: what it is, its page, the version and the day it is of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

FILE = "CITATION.cff"
# Names that no site can have (RFC 2606): a place to put the real one.
_RESERVED = (".example", ".invalid", ".test", ".localhost")


@dataclass(frozen=True)
class Source:
    """What every citation of this report shares.

    Attributes
    ----------
    authors, title, version : str
        As `FILE` has them.
    day : str
        Of the commit, YYYY-MM-DD.
    address : str
        Of the published site, without a slash at its end; empty if it has none yet.
    """

    authors: str
    title: str
    version: str
    day: str
    address: str = ""

    def text(self, what: str, page: str, place: str) -> str:
        """Return the citation of one figure or table.

        Parameters
        ----------
        what : str
            What it shows.
        page : str
            Title of its page.
        place : str
            Its address in the site.

        Examples
        --------
        >>> source = Source("A and B", "Villages", "0.1.0", "2026-03-01")
        >>> source.text("Income by year", "The data", "notebooks/03-data.html#fig-a")
        'A and B (2026). Income by year. In: The data. Villages, version 0.1.0 of 2026-03-01, \
notebooks/03-data.html#fig-a.'
        """
        where = f"{self.address}/{place}" if self.address else place
        parts = [f"{self.authors} ({self.day[:4]})", what.rstrip("."), f"In: {page.rstrip('.')}"]
        return f"{'. '.join(parts)}. {self.title}, version {self.version} of {self.day}, {where}."


def read(root: Path, config: Mapping[str, Any], seconds: str) -> Source | None:
    """Return what citations share; None for a project that does not say how to cite it.

    Parameters
    ----------
    root : Path
        The project folder.
    config : mapping
        Content of ``_quarto.yml``.
    seconds : str
        Time of the commit, since 1970.
    """
    path = root / FILE
    if not path.is_file():
        return None
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = [
        str(author.get("name") or f"{author['family-names']}, {author['given-names']}")
        for author in said["authors"]
    ]
    site = str(((config.get("website") or {}).get("site-url")) or "").rstrip("/")
    host = re.sub(r"^https?://|[:/].*$", "", site)
    return Source(
        " and ".join(names),
        str(said["title"]),
        str(said["version"]),
        datetime.fromtimestamp(int(seconds), UTC).date().isoformat(),
        "" if host.endswith(_RESERVED) else site,
    )
