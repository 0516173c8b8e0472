"""How to cite a figure or table: what it is, its page, the version and the day it is of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

FILE = "CITATION.cff"


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
        >>> source.text("Income by year", "The data", "notebooks/19-data.html#fig-a")
        'A and B (2026). Income by year. In: The data. Villages, version 0.1.0 of 2026-03-01, \
notebooks/19-data.html#fig-a.'
        """
        where = f"{self.address}/{place}" if self.address else place
        parts = [f"{self.authors} ({self.day[:4]})", what.rstrip("."), f"In: {page.rstrip('.')}"]
        return f"{'. '.join(parts)}. {self.title}, version {self.version} of {self.day}, {where}."

    def forms(self, what: str, page: str, place: str) -> dict[str, str]:
        r"""Return the citation of one figure or table as text, BibTeX and RIS.

        Parameters
        ----------
        what, page, place : str
            As `text` takes them.

        Examples
        --------
        >>> source = Source("A and B", "Villages", "0.1.0", "2026-03-01", "https://a.org")
        >>> forms = source.forms("Income & year", "The data", "notebooks/19-data.html#fig-a")
        >>> print(forms["bibtex"])
        @misc{fig-a,
          author = {A and B},
          title = {Income \& year. In: The data. Villages, version 0.1.0},
          year = {2026},
          url = {https://a.org/notebooks/19-data.html#fig-a},
        }
        >>> forms["ris"].splitlines()[:3]
        ['TY  - GEN', 'AU  - A', 'AU  - B']
        """
        full = f"{what.rstrip('.')}. In: {page.rstrip('.')}. {self.title}, version {self.version}"
        address = f"{self.address}/{place}" if self.address else ""
        fields = {"author": self.authors, "title": full, "year": self.day[:4], "url": address}
        bibtex = [
            f"  {name} = {{{value if name == 'url' else _TEX.sub(_escaped, value)}}},"
            for name, value in fields.items()
            if value
        ]
        ris = [
            ("TY", "GEN"),
            *(("AU", author) for author in self.authors.split(" and ")),
            ("TI", full),
            ("PY", self.day[:4]),
            ("DA", self.day.replace("-", "/")),
            *([("UR", address)] if address else []),
            ("ER", ""),
        ]
        return {
            "text": self.text(what, page, place),
            "bibtex": "\n".join([f"@misc{{{place.rpartition('#')[2]},", *bibtex, "}"]),
            "ris": "\n".join(f"{tag}  - {value}".rstrip() for tag, value in ris),
        }


_TEX = re.compile(r"[&%$#_{}]")


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def settings(root: Path) -> Mapping[str, Any]:
    """Return what `FILE` says; empty for a project without it."""
    path = root / FILE
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}


def address(root: Path) -> str:
    """Return the address of the published site, without a slash at its end; empty while unset."""
    return str(settings(root).get("url") or "").rstrip("/")


def configured(text: str, address: str) -> str:
    r"""Return the text of ``_quarto.yml`` with the address of the published site.

    Examples
    --------
    >>> print(configured("website:\n  title: A", "https://a.org"))
    website:
      site-url: "https://a.org"
      title: A
    """
    head = f"website:\n  site-url: {json.dumps(address)}\n"
    return text.replace("website:\n", head, 1) if address else text


def read(root: Path, seconds: str) -> Source | None:
    """Return what citations share; None for a project that does not say how to cite it.

    Parameters
    ----------
    root : Path
        The project folder.
    seconds : str
        Time of the commit, since 1970.
    """
    by_name = settings(root)
    if not by_name:
        return None
    names = [
        str(author.get("name") or f"{author['family-names']}, {author['given-names']}")
        for author in by_name["authors"]
    ]
    return Source(
        " and ".join(names),
        str(by_name["title"]),
        str(by_name["version"]),
        datetime.fromtimestamp(int(seconds), UTC).date().isoformat(),
        address(root),
    )
