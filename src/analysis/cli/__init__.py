"""The `analysis` command: each subcommand calls one function and prints what it returns.

Exit codes: 0 done; 1 an input is at fault, a check failed, or a number moved; 2 wrong usage.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis import paths
from analysis.cli import cells, designs, panels, proof
from analysis.faults import FaultsError, refused_by_machine
from analysis.site.environment import named_time
from analysis.terminal import err, out

if TYPE_CHECKING:
    from analysis.findings import Moved

# A traceback never shows variables: they may hold rows of somebody's survey.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help=__doc__.splitlines()[0],
    pretty_exceptions_show_locals=False,
)
claims_app = typer.Typer(no_args_is_help=True, help="The ledger of reported claims.")
site_app = typer.Typer(no_args_is_help=True, help="The report site.")
app.add_typer(claims_app, name="claims")
app.add_typer(site_app, name="site")
panels.add_to(app)
cells.add_to(app)
designs.add_to(app)
proof.add_to(app)


def main() -> None:
    """Run the command; an input at fault ends in its list of faults, not in a traceback.

    So does a machine that refuses: a full disk, a folder that can only be read.
    """
    try:
        named_time()
        app()
    except Exception as error:
        refused = refused_by_machine(error)
        if not isinstance(error, FaultsError) and refused is None:
            raise
        for fault in error.faults if isinstance(error, FaultsError) else (refused,):
            err.print(f"error: {fault}", style="red", markup=False, highlight=False)
        raise SystemExit(1) from None


@app.command()
def doctor() -> None:
    """Say what this machine has and lacks."""
    from analysis.doctor import examine

    checks = examine()
    from rich.table import Table

    table = Table("what", "state", "found", "remedy", box=None)
    for check in checks:
        table.add_row(check.name, check.state, check.found, check.remedy)
    out.print(table)
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(1)


@claims_app.command("check")
def claims_check(
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
) -> None:
    """Check the ledger: counts, verdicts, every inconsistency."""
    from analysis.claims.check import check

    report = check()
    if as_json:
        json.dump(report.as_dict(), sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
        return
    out.print(f"{report.n_claims} claims, of them {report.n_slogans} slogan numerals")
    for title, counts in (
        ("by source", report.by_source),
        ("by kind", report.by_kind),
        ("by programme", report.by_programme),
        ("by unit", report.by_unit),
    ):
        text = ", ".join(f"{name} {n}" for name, n in counts.items())
        out.print(f"  {title}: {text}", highlight=False)
    out.print(f"{report.n_relations} relations")
    for title, counts in (("by role", report.by_role), ("by verdict", report.by_verdict)):
        text = ", ".join(f"{name} {n}" for name, n in counts.items())
        out.print(f"  {title}: {text}", highlight=False)
    out.print(f"{report.n_implied} implied figures in yuan")
    out.print(f"{len(report.narrowed)} claims narrowed by others of the same article")
    for row in report.narrowed:
        text = f"{row['printed']} becomes {row['narrowed']} {row['unit']} ({row['by']})"
        out.print(f"  {row['claim']} {text}", highlight=False, markup=False)
    for title, rows in (
        ("cannot hold: identities and bounds that fail as printed", report.inconsistencies),
        ("rejected: a reading that cannot be right", report.rejected),
    ):
        out.print(f"{len(rows)} {title}", style="bold", highlight=False)
        for row in rows:
            out.print(f"  {row['id']} {row['question']}", highlight=False, markup=False)
            sides = f"{row['left']} against {row['right']} {row['unit']}"
            out.print(f"       {row['expression']}: {sides}", highlight=False, markup=False)
            if row["assumption"]:
                out.print(f"       read so: {row['assumption']}", highlight=False, markup=False)


@site_app.command("build")
def site_build() -> None:
    """Run the notebooks that changed, render the site, check it, put it in place."""
    from analysis.site.build import build

    report = build(paths.root())
    out.print(str(report), highlight=False, markup=False)


@site_app.command("check")
def site_check() -> None:
    """Check the built site: links, requests, alt text, weight, its manifest, both languages."""
    from analysis.site.built import agreement_faults, manifest_faults
    from analysis.site.check import check_site

    site = paths.root() / "reports" / "site"
    faults = [*check_site(site), *manifest_faults(site), *agreement_faults(site, paths.root())]
    if faults:
        raise FaultsError(faults)
    pages = sum(1 for _ in site.rglob("*.html"))
    out.print(f"{pages} pages checked, no fault", highlight=False)


@site_app.command("serve")
def site_serve(
    port: Annotated[int, typer.Option(help="port on this machine")] = 8000,
    watch: Annotated[bool, typer.Option(help="rebuild and reload when a source is saved")] = False,
) -> None:
    """Serve the built site on this machine."""
    from analysis.site.serve import serve

    serve(paths.root(), port, watching=watch)


@site_app.command("pdf")
def site_pdf() -> None:
    """Print the summary and the built report as PDFs, by headless Chromium."""
    from analysis.site.pdf import make, make_summaries

    for path in (*make_summaries(paths.root()), make(paths.root())):
        size = path.stat().st_size / 1e6
        out.print(f"{path.relative_to(paths.root().resolve())}, {size:.1f} MB", highlight=False)


@app.command()
def verify(
    against: Annotated[
        Path | None, typer.Option(help="another findings.csv, instead of the published one")
    ] = None,
) -> None:
    """Hold every published number, file and page against what is made here."""
    from analysis.site.verify import verify as hold

    verdict = hold(paths.root(), against)
    name = "reports/findings.csv" if against is None else str(against)
    for note in verdict.notes:
        out.print(f"note: {note}", highlight=False, markup=False)
    if verdict.green:
        out.print(
            f"every finding is as in {name}" if against else "every finding is as published",
            highlight=False,
            markup=False,
        )
        return
    _show_moved(verdict.moved)
    for fault in verdict.faults:
        err.print(f"error: {fault}", style="red", markup=False, highlight=False, soft_wrap=True)
    if verdict.moved:
        err.print(f"error: {len(verdict.moved)} differences from {name}", style="red", markup=False)
    raise typer.Exit(1)


def _show_moved(moved: Sequence[Moved]) -> None:
    from rich.table import Table

    if moved:
        table = Table("finding", "page", "what", "published", "now", box=None)
        for row in moved:
            table.add_row(row.id, row.page, row.column, row.before, row.after)
        out.print(table)


@app.command()
def publish(
    note: Annotated[
        str, typer.Option(help="why numbers moved: noted with each of them in data/changes")
    ] = "",
    stored: Annotated[
        bool, typer.Option(help="also stored tables whose code changed: run tests/validation first")
    ] = False,
) -> None:
    """Build, then sign the findings of the build off as the published ones."""
    from analysis.site.verify import publish as sign_off

    moved = sign_off(paths.root(), note=note, stored=stored)
    _show_moved(moved)
    text = f"{len({row.id for row in moved})} findings moved; reports/findings.csv is signed"
    out.print(f"{text}: look at it, then commit it with reports/published.csv", highlight=False)


@app.command()
def twice(
    only: Annotated[
        list[str] | None, typer.Option(help="a notebook, NN-name; all and the site if left out")
    ] = None,
) -> None:
    """Build the committed files twice, in two folders, from nothing; compare every byte."""
    from analysis.site import twice as twofold

    report = twofold.twice(paths.root(), only or ())
    for note in report.notes:
        out.print(f"note: {note}", highlight=False, markup=False)
    if report.differences:
        for line in report.differences:
            err.print(f"error: {line}", style="red", markup=False, highlight=False)
        raise typer.Exit(1)
    out.print(
        f"two builds of {report.commit} in {report.seconds:.0f} s: {report.files:,} files,"
        " the same to the byte",
        highlight=False,
        markup=False,
    )


@app.command()
def finding(
    name: Annotated[str, typer.Argument(metavar="ID", help="name of the finding")],
) -> None:
    """Print the record of one finding, with the line that made it and the tests that hold it."""
    from analysis import findings
    from analysis.methods import proof, registry
    from analysis.site import published

    records = findings.read_csv(paths.root() / published.LOCK)
    if not published.is_signed(paths.root()):
        err.print(
            f"error: {published.LOCK.as_posix()} is not what was signed off: make verify says why",
            style="red",
            markup=False,
        )
        raise typer.Exit(1)
    rows = [record for record in records if record["id"] == name]
    if not rows:
        close = get_close_matches(name, [str(record["id"]) for record in records])
        text = f"; is it {' or '.join(close)}?" if close else ""
        err.print(f"error: no finding {name} in reports/findings.csv{text}", style="red")
        raise typer.Exit(1)
    shown = {key: value for key, value in rows[0].items() if value not in (None, "")}
    known = proof.read(paths.root())
    function = str(rows[0]["function"])
    if function in known.places:
        shown["source"] = known.places[function]
    described = registry.load(paths.root()).of(function)
    if described is not None:
        shown["method record"] = f"{described.address} {described.name} ({described.status})"
    for number, test in enumerate(known.tests(function), start=1):
        shown[f"test {number}"] = test.name
    path = paths.root() / "build" / "findings.csv"
    here = [r for r in findings.read_csv(path) if r["id"] == name] if path.is_file() else rows
    if here and here[0]["text"] != rows[0]["text"]:
        shown["built here"] = f"{here[0]['text']} (not published)"
    width = max(map(len, shown)) + 1
    for column, value in shown.items():
        out.print(f"{column:{width}} {value}", highlight=False, markup=False, soft_wrap=True)
