"""List the licence of every package in requirements.lock; exit 1 where one is not allowed."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from analysis.doctor import normalise, pins

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "tools" / "licences.toml"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Licence:
    """The licence of one installed package, and whether the rules allow it."""

    package: str
    version: str
    licence: str
    allowed: bool
    carries: str = ""
    exception: str = ""


def rules() -> dict[str, Any]:
    """Return the rules of tools/licences.toml."""
    return tomllib.loads(RULES.read_text(encoding="utf-8"))


NAMELESS = ("UNKNOWN", "LICENSE")
"""Words in the place of a licence that name none."""


def named(metadata: Message, spelled: Mapping[str, str]) -> str:
    """Return the licence that a package's metadata names, as SPDX where it can be.

    The expression comes first because it is exact; then the short free text; then the
    classifiers; then the first line of a whole licence text.
    """
    expression = metadata.get("License-Expression")
    if expression:
        return str(expression)
    text = str(metadata.get("License") or "").strip()
    classifiers = [
        line.rsplit(" :: ", 1)[-1]
        for line in metadata.get_all("Classifier", [])
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    first_line = re.split(r"\s{2,}|\n", text)[0] if text else ""
    candidates = [*([text] if "\n" not in text else []), *classifiers, first_line]
    found = [candidate for candidate in candidates if candidate and candidate not in NAMELESS]
    known = [spelled[name.lower()] for name in found if name.lower() in spelled]
    return next(iter([*known, *found]), UNKNOWN)


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Say whether an SPDX expression can be met with allowed licences: any of OR, all of AND."""
    choices = re.split(r"\s+OR\s+", expression.replace("(", "").replace(")", ""))
    return any(
        all(part.strip() in allowed for part in re.split(r"\s+AND\s+", choice))
        for choice in choices
    )


def survey(lock: str) -> tuple[Licence, ...]:
    """Return the licence of every installed package that a lock names, by name."""
    say = rules()
    allowed = frozenset(say["allowed"])
    pinned = pins(lock)
    found = {}
    for distribution in distributions():
        name = normalise(distribution.name)
        if name not in pinned:
            continue
        licence = named(distribution.metadata, say["spelled"])  # type: ignore[arg-type]
        if licence == UNKNOWN and name in say["stated"]:
            licence = say["stated"][name]["licence"]
        carried = say["carries"].get(name)
        carries = f"{carried['what']}, {carried['licence']}" if carried else ""
        exception = say["exceptions"].get(name)
        if exception:
            licence = exception["licence"]
        found[name] = Licence(
            name,
            distribution.version,
            licence,
            bool(exception) or is_allowed(licence, allowed),
            carries,
            exception["reason"] if exception else "",
        )
    return tuple(found[name] for name in sorted(found))


def main() -> int:
    """Print one line a package, what some carry, the exceptions, then what is not allowed."""
    rows = survey((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    for row in rows:
        print(f"{row.package:28} {row.version:16} {row.licence}")
    print("\nCarried by a package, under terms of its own:")
    for name, carried in rules()["carries"].items():
        print(f"  {name}: {carried['what']}, {carried['licence']}: {carried['reason']}")
    print("\nAllowed by name, outside the rule:")
    for row in rows:
        if row.exception:
            print(f"  {row.package}: {row.licence}: {row.exception}")
    refused = [row for row in rows if not row.allowed]
    for row in refused:
        print(f"not allowed: {row.package} {row.version}: {row.licence}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    raise SystemExit(main())
