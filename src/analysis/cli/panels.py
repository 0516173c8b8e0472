"""The commands that make a panel (`analysis simulate`, `import`, `fetch`) and tell its truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from analysis.terminal import out

if TYPE_CHECKING:
    from analysis.panels.download import Entry

SEED: Final = 1
"""That of `analysis.panels.model.simulate`, which a command is not to load for its help."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(simulate)
    app.command()(truth)
    app.command("import")(import_)
    app.command()(rejected)
    app.command()(fetch)


def simulate(
    to: Annotated[Path, typer.Option("--out", help="folder of the panel")],
    households: Annotated[int, typer.Option(help="how many")] = 10_800,
    villages: Annotated[int, typer.Option(help="how many")] = 240,
    periods: Annotated[str, typer.Option(help="first and last year")] = "2012:2021",
    seed: Annotated[int, typer.Option(help="the same seed gives the same panel")] = SEED,
    variant: Annotated[str, typer.Option(help="clean, realistic or one difficulty")] = "clean",
    chunk: Annotated[int | None, typer.Option(help="households at once, for small memory")] = None,
    like: Annotated[Path | None, typer.Option(help="make a twin of this panel instead")] = None,
    replace: Annotated[bool, typer.Option(help="also a panel of another tier or name")] = False,
) -> None:
    """Simulate a panel whose true effects are known, or a twin of a survey."""
    if like is not None:
        from analysis.panels.twin import twin

        panel = twin(like, to, seed, replace=replace)
        out.print(f"a twin of {like} is in {to}: {panel.account.rows_used:,} records", markup=False)
        return
    from analysis.panels.model.simulate import simulate as run

    report = run(
        to,
        households=households,
        villages=villages,
        periods=_years(periods),
        seed=seed,
        variant=variant,
        chunk=chunk,
        replace=replace,
    )
    lines = [
        f"simulated panel ({report.variant}, truth known) in {to}",
        f"  {report.households:,} households, {report.villages:,} villages",
        f"  {report.rows:,} records",
        *(f"  {n:,} records left out: {why}" for why, n in report.account.left_out.items()),
        f"  {report.seconds:.1f} s, {report.rows_per_second:,.0f} records a second, "
        f"peak memory {report.peak_memory / 2**20:,.0f} MiB, {report.chunks} chunks",
        *(f"  {name}: {digest[:16]}" for name, digest in report.digests.items()),
    ]
    out.print("\n".join(lines), highlight=False, markup=False)


def truth(
    panel: Annotated[Path, typer.Argument(help="folder of a simulated panel")],
    programme: Annotated[str, typer.Option(help="whose effects")],
    outcome: Annotated[str, typer.Option(help="total, or a source of income")] = "total",
) -> None:
    """Print the true effects of a simulated panel, to compare estimates with."""
    from analysis import printing
    from analysis.panels.model.simulate import read_truth
    from analysis.panels.model.truth import told

    known = read_truth(panel)
    rows = told(known, programme).filter(outcome=outcome)
    if rows.is_empty():
        programmes = ", ".join(sorted(known["programme"].unique()))
        raise typer.BadParameter(f"no such truth here; programmes: {programmes}")
    out.print("nominal yuan a year per household, all households of the programme")
    from rich.table import Table

    shown = Table("outcome", "estimand", "true effect", box=None)
    for row in rows.iter_rows(named=True):
        shown.add_row(row["outcome"], row["estimand"], printing.number(row["att"]))
    out.print(shown)


def _years(text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    try:
        return int(first), int(last)
    except ValueError:
        raise typer.BadParameter("write two years, as in 2012:2021") from None


def import_(
    survey: Annotated[list[Path], typer.Argument(help="files of the survey")],
    map_file: Annotated[
        Path | None, typer.Option("--map", help="the map, a TOML file; the record's own needs none")
    ] = None,
    to: Annotated[Path | None, typer.Option("--out", help="folder of the panel")] = None,
    init: Annotated[bool, typer.Option("--init", help="write a map to start from")] = False,
    replace: Annotated[bool, typer.Option(help="also a panel of another tier or name")] = False,
) -> None:
    """Import a survey of your own, or write a map to start from."""
    if init:
        from analysis.panels.importing.starter import init_map

        path = init_map(survey, map_file or Path(f"{survey[0].stem}.toml"))
        out.print(
            f"fill in what {path} marks with FILL, then: "
            f"analysis import {' '.join(map(str, survey))} --map {path} --out DIR",
            markup=False,
        )
        return
    if to is None:
        raise typer.BadParameter("name the folder: --out DIR")
    from analysis.panels.importing.run import import_survey

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def show(what: str, done: int, steps: int) -> None:
            bar.update(task, description=what, completed=done, total=steps)

        report = import_survey(survey, map_file, to, replace=replace, progress=show)
    out.print(report.summary(), highlight=False, markup=False)


def rejected(
    panel: Annotated[Path, typer.Argument(help="folder that was given to import as --out")],
    to: Annotated[Path | None, typer.Option("--out", help="a CSV or Parquet with all")] = None,
) -> None:
    """Show what the last import rejected: reasons, and three rows of each."""
    from analysis.panels.importing import rejected as records

    found = records.read(panel)
    out.print(records.summary(found), highlight=False, markup=False)
    if to is not None:
        records.export(found, to)
        out.print(f"written to {to}", highlight=False, markup=False)


def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="which data; by default all with a clear licence")
    ] = None,
) -> None:
    """Download data that licences keep out of the repository, into data/external."""
    from analysis.panels.external import catalogue
    from analysis.panels.external import fetch as run

    entries = catalogue()
    for entry in entries.values():
        if entry.by_name_only and entry.name in (names or ()):
            out.print(f"{entry.name}: terms: {entry.licence}", highlight=False, markup=False)

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show(entry: Entry, n_bytes: int) -> None:
            if entry.name not in tasks:
                tasks[entry.name] = progress.add_task(entry.name, total=entry.size)
            progress.update(tasks[entry.name], completed=n_bytes)

        done = run(names or None, progress=show)
    for item in done:
        out.print(f"{item.state}: {item.path}", highlight=False, markup=False)
        out.print(f"  licence: {item.entry.licence}", highlight=False, markup=False)
        out.print(f"  cite: {item.entry.citation}", highlight=False, markup=False)
    if not names:
        left = [entry.name for entry in entries.values() if entry.by_name_only]
        out.print(
            f"not fetched, because no licence could be confirmed: {', '.join(left)}. "
            f'One of them, under its terms: make data ARGS="{left[0]}"',
            highlight=False,
            markup=False,
        )
