"""What a reader brought with PANEL or PACK, and what a page of the panel says of it."""

from __future__ import annotations

import os
from collections.abc import Mapping


def brought(environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return which of PANEL and PACK the report is built with.

    Examples
    --------
    >>> sorted(brought({"PACK": "mine", "PANEL": ""}))
    ['PACK']
    """
    found = os.environ if environment is None else environment
    return frozenset(name for name in ("PANEL", "PACK") if found.get(name))


def pack_note(named: frozenset[str]) -> str:
    """Say on a page of the panel that a pack was brought, which it cannot show; else nothing.

    Examples
    --------
    >>> pack_note(frozenset({"PACK"})).split(":")[0]
    'A pack was brought'
    >>> pack_note(frozenset())
    ''
    """
    if "PACK" not in named:
        return ""
    whose = "your panel" if "PANEL" in named else "the simulated model panel"
    return (
        "A pack was brought: its effects stand on [What a pack "
        "shows](/notebooks/18-your-pack.ipynb). A pack holds no records, so this page shows "
        f"{whose}."
    )


def with_pack(text: str) -> str:
    """Return what is said of the panel, followed by what is said of a pack if one was brought."""
    return " ".join(part for part in (text, pack_note(brought())) if part)
