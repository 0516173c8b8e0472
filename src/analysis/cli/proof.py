"""The commands of proof: `analysis validate`, `analysis standards`."""

from __future__ import annotations

from typing import Annotated

import typer

from analysis.terminal import out


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(validate)
    app.command()(standards)


def validate(
    draws: Annotated[
        int | None, typer.Option(min=2, help="of each design; fewer is faster")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="a design, or the beginning of its name")
    ] = None,
    processes: Annotated[int, typer.Option(help="-1: every core")] = -1,
) -> None:
    """Draw panels whose effects are known, and store how often the estimators keep their word."""
    from analysis.validation import designs, stored

    results = stored.validate(tuple(only or ()), number=draws, processes=processes)
    chosen = results.summary.filter(estimator="group_time", rule="reported")
    from rich.table import Table

    from analysis import printing

    shown = Table("design", "draws", "overall", "event times", "joint band", box=None)
    for design in designs.load():
        rows = {
            row["measure"]: row for row in chosen.filter(design=design.id).iter_rows(named=True)
        }
        if rows:
            cells = [
                f"{printing.number(100 * rows[m]['value'], 1)} %"
                for m in ("coverage_simple", "coverage_event_time", "band_event_time")
            ]
            shown.add_row(design.id, str(rows["coverage_simple"]["draws"]), *cells)
    out.print("coverage of 95 per cent intervals, group-time effects, reported")
    out.print(shown)


def standards(
    seeds: Annotated[bool, typer.Option(help="list every source of random numbers too")] = False,
) -> None:
    """Check what data editors ask for: pass or fail, and what fails."""
    from analysis import paths
    from analysis.methods import seeds as randomness
    from analysis.methods.standards import check

    items = check(paths.root())
    from rich.table import Table

    shown = Table("standard", "state", "what is asked", "found", box=None)
    for item in items:
        shown.add_row(item.id, "pass" if item.passed else "FAIL", item.asked, item.found)
    out.print(shown)
    for item in items:
        for fault in item.faults:
            out.print(f"{item.id}: {fault}", highlight=False, markup=False, soft_wrap=True)
    if seeds:
        for source in randomness.find(paths.root()):
            text = f"{source.place} {source.call}: {source.seed or 'nothing'}"
            out.print(text, highlight=False, markup=False, soft_wrap=True)
    if not all(item.passed for item in items):
        raise typer.Exit(1)
