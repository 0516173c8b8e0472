"""The pages of methods and of decisions, made at build time from the registry and stored proof."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from analysis.methods import api, evidence, registry
from analysis.methods.evidence import Stored
from analysis.methods.proof import Proof
from analysis.methods.registry import Method, Registry
from analysis.results import formatting
from analysis.results.badge import TIERS
from analysis.sensitivity import choices
from analysis.templates import fill

TEMPLATES = Path(__file__).parent / "templates"
DECISIONS = "decisions.qmd"
STATUS = {"by_hand": "checked by hand", "validated": "validated", "experimental": "experimental"}
WORST = 6
"""Rows of the Monte Carlo that a record lists: those with the least coverage."""
CHOICES = Path("data") / "sensitivity" / "specifications.toml"


def inputs(root: Path) -> list[Path]:
    """Return the data that the pages are made of, for the cache of a build."""
    names = (evidence.MONTECARLO, evidence.PUBLISHED, evidence.DESIGNS, CHOICES)
    paths = [root / name for name in names]
    for folder, pattern in ((registry.FOLDER, "*"), (evidence.PARITY, "*.csv")):
        paths += sorted((root / folder).glob(pattern))
    return [path for path in paths if path.is_file()]


def pages(root: Path, proof: Proof) -> dict[str, str]:
    """Return both pages, Markdown by file name; none where there is no registry.

    Parameters
    ----------
    root : Path
        The project folder.
    proof : Proof
        Where functions stand and what tests them.
    """
    if not (root / registry.FOLDER).is_dir():
        return {}
    known = registry.load(root)
    return {
        registry.PAGE: _methods(known, evidence.read(root), proof),
        DECISIONS: _decisions(known, choices.load(root / CHOICES)),
    }


def _methods(known: Registry, stored: Stored, proof: Proof) -> str:
    return fill(
        TEMPLATES / "methods.md.j2",
        methods=known.methods,
        counts={s: sum(m.status == s for m in known.methods) for s in registry.STATUSES},
        statuses=registry.STATUSES,
        status_of=STATUS,
        badge=f"[{TIERS['model']}]{{.badge .tier-model}}",
        families=[
            (family, [_record(method, stored, proof) for method in methods])
            for family, methods in groupby(known.methods, key=lambda entry: entry.family)
        ],
    )


def _record(method: Method, stored: Stored, proof: Proof) -> dict[str, Any]:
    return {
        "method": method,
        "sources": [registry.cited(source) for source in method.sources],
        "packages": evidence.packages(method, stored),
        "published": evidence.n_published(method, stored),
        "simulated": _simulated(evidence.coverage(method, stored)),
        "functions": [_linked(name, proof) for name in method.functions],
    }


def _linked(function: str, proof: Proof) -> str:
    short = function.removeprefix(registry.PACKAGE)
    return f"[`{short}`](/{api.address(function)})" if function in proof.places else f"`{short}`"


def _simulated(rows: pl.DataFrame) -> dict[str, Any] | None:
    """Return how many designs of the Monte Carlo keep the promise, and the worst ones."""
    if not rows.height:
        return None
    bad = evidence.failures(rows)
    return {
        "designs": rows.n_unique("design"),
        "measure": evidence.MEASURES[rows["measure"][0]],
        "failing": bad.height,
        "rows": rows.height,
        "worst": [{**row, "bias": _bias(row)} for row in bad.head(WORST).to_dicts()],
    }


def _bias(row: Mapping[str, Any]) -> str:
    """Return a bias to the digits of its Monte Carlo error, as pages print it."""
    if row["bias"] is None:
        return ""
    return formatting.number(row["bias"], formatting.places(row["bias_error"]))


def _decisions(known: Registry, listed: tuple[choices.Choice, ...]) -> str:
    varied = sum(bool(choice.options) for choice in listed)
    return fill(
        TEMPLATES / "decisions.md.j2",
        decisions=known.decisions,
        varied=varied,
        held=len(listed) - varied,
        specifications=len(choices.specifications(listed)),
        options=choices.as_table(listed).to_dicts(),
    )


def links(known: Registry) -> Mapping[str, Method]:
    """Return the record of each function that has one."""
    return {
        name: entry
        for method in known.methods
        for name in method.functions
        if (entry := known.of(name))
    }
