"""From a panel to what leaves the room: `analysis cells`, `effects`, `pack`, `attack`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from analysis.terminal import out

if TYPE_CHECKING:
    from analysis.did.estimators.estimates import Estimates

Engine = Literal["polars", "duckdb", "spark"]
Convention = Literal["reported", "parity"]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(cells)
    app.command()(effects)
    app.command()(pack)
    app.command()(attack)


def cells(
    panel: Annotated[Path, typer.Argument(help="folder of the panel")],
    to: Annotated[Path, typer.Option("--out", help="folder of the cells")],
    estimands: Annotated[Path | None, typer.Option(help="estimands file, a TOML")] = None,
    programme: Annotated[str, typer.Option(help="instead of a file: one programme")] = "",
    engine: Annotated[Engine, typer.Option(help="who makes the scan")] = "polars",
) -> None:
    """Make cells in one scan: counts and sums by village, cohort, stratum and period."""
    from analysis.cells import declaration, result
    from analysis.cells.build import build
    from analysis.cells.interface import design_of
    from analysis.panels.panel import read

    if bool(programme) == (estimands is not None):
        raise typer.BadParameter("name an estimands file or a programme, one of the two")
    if estimands is not None:
        design = declaration.read(estimands).design
    else:
        design, notes = design_of(read(panel), programme)
        for note in notes:
            out.print(f"  {note}", highlight=False, markup=False)
    cells = build(panel, design, engine)
    result.write(cells, to)
    account = cells.account
    out.print(
        f"cells in {to}: {cells.totals.height:,} rows, {cells.n_villages:,} villages", markup=False
    )
    out.print(f"  {account.rows_used:,} of {account.rows_read:,} records used", highlight=False)
    for reason, n in account.left_out.items():
        out.print(f"  {n:,} left out: {reason}", highlight=False, markup=False)


def effects(
    folder: Annotated[Path, typer.Argument(metavar="CELLS", help="folder of cells or of a pack")],
    estimands: Annotated[Path | None, typer.Option(help="estimands file the cells are of")] = None,
    convention: Annotated[Convention, typer.Option(help="of the intervals")] = "reported",
) -> None:
    """Estimate effects from cells, or from a pack alone, with intervals by village."""
    from analysis import printing
    from analysis.cells import pack as packs
    from analysis.results import saving

    if (folder / packs.MANIFEST).is_file():
        effects = _of_pack(folder, estimands)
    else:
        effects = _of_cells(folder, estimands)
        out.print(saving.INSIDE)
    effects = effects.under(convention).in_yuan()
    about = effects.about
    if about.tier == "model":
        out.print("simulated panel: these say whether the design works, not what a programme does")
    out.print(
        f"controls: {about.controls}, {about.where}; base: {about.base}; {convention}",
        highlight=False,
    )
    from rich.table import Table

    shown = Table(
        "outcome", "estimand", "estimate", "std. error", "low", "high", "villages", box=None
    )
    for row in effects.effects():
        numbers = (row.estimate, row.std_error, row.ci_low, row.ci_high)
        shown.add_row(
            row.key.outcome,
            row.key.estimand,
            *("–" if x is None or x != x else printing.number(x) for x in numbers),
            f"{row.n_villages_treated} treated, {row.n_villages_control} control",
        )
    out.print(shown)
    for note in dict.fromkeys(note for note in effects.notes if note):
        out.print(note, markup=False)
    for key, why in effects.missing:
        out.print(f"not estimable: {key.outcome} {key.estimand}: {why}", markup=False)


def _of_cells(folder: Path, estimands: Path | None) -> Estimates:
    """Return declared effects of cells; without a file the aggregates of all that varies."""
    from analysis.cells import declaration, result
    from analysis.did.estimators import aggregate, declared, group_time, layout, table

    built = result.read(folder)
    if estimands is not None:
        return declared.estimate(built, declaration.read(estimands)).effects
    cells = layout.from_cells(built)
    still = table.constant(cells)
    if len(still) < len(cells.outcomes):
        # Nobody named these outcomes, so one that never varies must not stop the others.
        cells = cells.select(*(name for name in cells.outcomes if name not in still))
        for name, mean in still.items():
            out.print(f"left out: {name}: {table.CONSTANT} ({mean:g})", markup=False)
    return aggregate.aggregate(group_time.estimate(cells), cells)


def _of_pack(folder: Path, estimands: Path | None) -> Estimates:
    """Return the declared effects of a pack, every point derived again from its totals."""
    from analysis.cells import pack as packs
    from analysis.did.estimators import from_pack

    sent = packs.read(folder)
    if estimands is not None and estimands.read_text(encoding="utf-8") != sent.declaration:
        raise typer.BadParameter("the pack carries another estimands file; leave the option out")
    effects = from_pack.estimate(sent)
    carried = from_pack.derive(sent).carried_only
    again = sum(name not in carried for name in effects.names)
    out.print(
        f"pack {sent.name!r}: {again} of {len(effects)} points derived again from its totals,"
        " all as carried",
        markup=False,
    )
    for name, why in carried.items():
        out.print(f"carried, not derived: {name}: {why}", markup=False)
    for name, about in list(effects.abouts.items())[1:]:
        if about != effects.about:
            out.print(
                f"{name}: controls: {about.controls}, {about.where}; base: {about.base}",
                highlight=False,
                markup=False,
            )
    return effects


def pack(
    folder: Annotated[Path, typer.Argument(metavar="CELLS", help="folder of the cells")],
    estimands: Annotated[Path, typer.Option(help="estimands file the cells are of")],
    to: Annotated[Path, typer.Option("--out", help="folder of the pack")],
    log: Annotated[Path | None, typer.Option(help="log of releases, beside the panel")] = None,
    min_households: Annotated[int | None, typer.Option(help="stricter than the file")] = None,
    panel: Annotated[Path | None, typer.Option(help="folder of the panel")] = None,
    joint: Annotated[Path | None, typer.Option(help="cells as fine as all releases")] = None,
) -> None:
    """Make a publishable pack, or refuse and name every rule that stands against it."""
    from analysis.did import packs

    cells = packs.pack(
        folder, estimands, to, log=log, panel=panel, joint=joint, min_households=min_households
    )
    text = f"{cells!r}; in {to}; the data holder checks it before release"
    out.print(text, markup=False)


def attack(
    folder: Annotated[Path, typer.Argument(metavar="PACK", help="folder of the pack")],
    log: Annotated[Path | None, typer.Option(help="the data holder's log of releases")] = None,
    cells: Annotated[Path | None, typer.Option(help="the cells, where you hold them")] = None,
    joint: Annotated[Path | None, typer.Option(help="cells as fine as all releases")] = None,
) -> None:
    """Say what attacks on a pack were tried and what came out; exit code 1 if anything did."""
    from analysis.cells import attacks, releases, result
    from analysis.cells import pack as packs

    sent = packs.read(folder)
    found = attacks.run(
        sent,
        None if log is None else releases.read(log),
        None if cells is None else result.read(cells),
        None if joint is None else result.read(joint),
    )
    from rich.table import Table

    shown = Table("tried", "result", "what came out, or what was tried", box=None)
    for attack in found:
        shown.add_row(attack.rule, attack.state, attack.found)
    out.print(shown, markup=False)
    for gap in attacks.NOT_COVERED:
        out.print(f"not covered: {gap}", markup=False)
    out.print(packs.NOTE, markup=False)
    if any(item.state == "found" for item in found):
        raise typer.Exit(1)
