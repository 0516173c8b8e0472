"""The pages of methods and of decisions, made at build time from the registry and stored proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

import polars as pl

from analysis import printing
from analysis.findings import TIERS
from analysis.methods import api, evidence, registry
from analysis.methods.evidence import Stored
from analysis.methods.proof import Proof
from analysis.methods.registry import Method, Registry
from analysis.sensitivity import choices

DECISIONS = "decisions.qmd"
WORST = 6
"""Rows of the Monte Carlo that a record lists: those with the least coverage."""
CHOICES = Path("data") / "sensitivity" / "specifications.toml"


def inputs(root: Path) -> list[Path]:
    """Return the data that the pages are made of, for the cache of a build."""
    names = (evidence.MONTECARLO, evidence.PUBLISHED, evidence.DESIGNS, CHOICES)
    found = [root / name for name in names]
    for folder, pattern in ((registry.FOLDER, "*"), (evidence.PARITY, "*.csv")):
        found += sorted((root / folder).glob(pattern))
    return [path for path in found if path.is_file()]


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
        registry.PAGE: "\n".join(_methods(known, evidence.read(root), proof)),
        DECISIONS: "\n".join(_decisions(known, choices.load(root / CHOICES))),
    }


def _methods(known: Registry, stored: Stored, proof: Proof) -> Iterator[str]:
    yield '---\ntitle: "Methods"\ndescription: "One record for each way a number here is made"'
    yield "toc-depth: 2\n---\n"
    counts = {
        status: sum(one.status == status for one in known.methods) for status in registry.STATUSES
    }
    yield (
        f"Each of the {len(known.methods)} records below says what is asked and estimated, what "
        "has to be true for it, the equation with its source, how far off it can be, where it "
        "fails, and what it is held to. A test refuses an estimator without a record. "
        f"{counts['validated']} are {registry.STATUSES['validated']}; {counts['by_hand']} "
        f"are {registry.STATUSES['by_hand']}; {counts['experimental']} "
        f"experimental. What was decided, and what else could have been, is on the page of "
        f"[decisions](/{DECISIONS}); every function is in the [reference](/reference/index.qmd).\n"
    )
    yield _badge("model") + (
        " marks what the simulated panel says: whether a design would find a known truth, never "
        "what a programme does.\n"
    )
    yield from _overview(known.methods)
    for family, methods in groupby(known.methods, key=lambda one: one.family):
        yield f"\n## {family}\n"
        for method in methods:
            yield from _record(method, stored, proof)


def _overview(methods: Iterable[Method]) -> Iterator[str]:
    yield "| method | question | status |\n|:---|:------|:--|"
    for one in methods:
        yield f"| [{one.name}](#{one.id}) | {one.question} | {_status(one)} |"


def _status(method: Method) -> str:
    return {"validated": "validated", "by_hand": "checked by hand"}.get(
        method.status, method.status
    )


def _badge(tier: str) -> str:
    return f"[{TIERS[tier]}]{{.badge .tier-{tier}}}"


def _record(method: Method, stored: Stored, proof: Proof) -> Iterator[str]:
    yield f"\n### {method.name} {{#{method.id}}}\n"
    yield f"*{method.question}* Status: {_status(method)}.\n"
    yield f"Estimand\n: {method.estimand}\n"
    yield f"Assumptions\n: {' '.join(method.assumptions)}\n"
    yield f"$$\n{method.equation}\n$$\n"
    yield f"Source\n: {'; '.join(registry.cited(source) for source in method.sources)}.\n"
    yield f"Errors\n: {method.errors}\n"
    yield f"Edge cases\n: {method.edges}\n"
    yield f"Where it fails\n: {method.fails}\n"
    held = list(evidence.sentences(method, stored))
    tests = ", ".join(f"`{name}`" for name in method.tests)
    yield f"Held to\n: {'; '.join([*held, f'tests {tests}'])}.\n"
    yield from _simulated(evidence.coverage(method, stored))
    yield "Functions\n: " + ", ".join(_linked(name, proof) for name in method.functions) + ".\n"


def _linked(function: str, proof: Proof) -> str:
    short = function.removeprefix(registry.PACKAGE)
    return f"[`{short}`](/{api.address(function)})" if function in proof.places else f"`{short}`"


def _simulated(rows: pl.DataFrame) -> Iterator[str]:
    """Yield what the Monte Carlo says: how many designs keep the promise, and the worst ones."""
    if not rows.height:
        return
    bad = evidence.failures(rows)
    said = evidence.MEASURES[rows["measure"][0]]
    number = rows.n_unique("design")
    yield (
        f"{_badge('model')} {number} designs were drawn again and again. The {said}, as reported, "
        f"hold the truth too rarely in {bad.height} of {rows.height} rows of design and estimator"
        + (". The least:\n" if bad.height > WORST else (":\n" if bad.height else ".\n"))
    )
    if not bad.height:
        return
    yield "| design | estimator | hold, of 95 % | bias of the overall effect, yuan | draws |"
    yield "|:----|:--|--:|--:|--:|"
    for row in bad.head(WORST).iter_rows(named=True):
        share = f"{printing.number(row['coverage'], 1)} %"
        bias = "" if row["bias"] is None else printing.number(row["bias"], 0)
        draws = printing.number(row["draws"])
        name = row["estimator"].replace("_", " ")
        yield f"| {row['what']} | {name} | {share} | {bias} | {draws} |"
    yield ""


def _decisions(known: Registry, listed: tuple[choices.Choice, ...]) -> Iterator[str]:
    yield '---\ntitle: "Decisions"'
    yield 'description: "What was decided, what else was possible, why, and where it was measured"'
    yield "toc: false\n---\n"
    yield (
        "An estimate rests on choices. The first table logs them; the second lists every degree "
        "of freedom that the [specification curve](/notebooks/13-village-panel.ipynb) spans, as it "
        "is run. The [methods](/methods.qmd) say how each number is made.\n"
    )
    yield "## Log of decisions {#log}\n"
    yield "| what had to be decided | alternatives | what we do | why | measured | since |"
    yield "|:---|:---|:----|:-----|:---|:--|"
    for row in known.decisions:
        cells = [row[name] for name in ("choice", "alternatives", "decision", "why", "measured")]
        yield f"| {' | '.join(cells)} | {row['since']:%Y-%m-%d} |"
    combinations = len(choices.specifications(listed))
    varied = sum(bool(choice.options) for choice in listed)
    yield "\n## Degrees of freedom {#freedom}\n"
    yield (
        f"{varied} choices vary, {len(listed) - varied} are held for the reason given; together "
        f"they make {combinations} specifications.\n"
    )
    yield "| choice | question | option | why it is defensible | ours |\n|:--|:---|:--|:-----|:--|"
    for row in choices.as_table(listed).iter_rows(named=True):
        yield "| " + " | ".join(row[name] for name in _COLUMNS) + " |"


_COLUMNS = ("choice", "question", "option", "reason", "main")


def links(known: Registry) -> Mapping[str, Method]:
    """Return the record of each function that has one."""
    return {
        name: found for one in known.methods for name in one.functions if (found := known.of(name))
    }
