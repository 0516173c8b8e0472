"""From a file to an effect: `analysis did`, `rct`, `rdd`; `analysis pool` of a file of studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.terminal import out

if TYPE_CHECKING:
    from analysis.results.result import Result

File = Annotated[
    Path, typer.Argument(help="a file with one table, a panel, cells or a pack", metavar="FILE")
]
Outcomes = Annotated[list[str], typer.Option("--y", help="outcome; may be given several times")]
Out = Annotated[Path | None, typer.Option("--out", help="folder for csv, json, md, tex and svg")]
Sheet = Annotated[str, typer.Option(help="of a workbook with several")]
Encoding = Annotated[str, typer.Option(help="of a text, such as gb18030 or cp1252")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(did)
    app.command()(rct)
    app.command()(rdd)


def did(
    file: File,
    y: Outcomes = [],  # noqa: B006  # typer makes a list of its own
    unit: Annotated[str, typer.Option(help="who is followed; left out: others each period")] = "",
    time: Annotated[str, typer.Option(help="period")] = "",
    first: Annotated[str, typer.Option(help="first treated period, or whether treated")] = "",
    cluster: Annotated[str, typer.Option(help="cluster of the standard errors")] = "",
    never: Annotated[list[str] | None, typer.Option(help="code of the never treated")] = None,
    weight: str = "",
    strata: str = "",
    psu: str = "",
    within: str = "",
    covariate: Annotated[list[str] | None, typer.Option(help="adjusted for")] = None,
    controls: Annotated[str, typer.Option(help="never or not_yet treated")] = "never",
    where: Annotated[str, typer.Option(help="anywhere, other_villages, same_village")] = "",
    base: Annotated[str, typer.Option(help="varying or universal")] = "varying",
    anticipation: int = 0,
    method: Annotated[str, typer.Option(help="doubly_robust, imputation, two_way, …")] = (
        "doubly_robust"
    ),
    handling: Annotated[str, typer.Option(help="balanced, pairs, cross_sections")] = "",
    drop: Annotated[list[int] | None, typer.Option(help="a cohort to leave out")] = None,
    outcome_unit: Annotated[str, typer.Option(help="unit of the outcome, as printed")] = "",
    programme: Annotated[str, typer.Option(help="of a panel")] = "",
    estimands: Annotated[Path | None, typer.Option(help="of a panel: a file that declares")] = None,
    estimand: Annotated[str, typer.Option(help="of the file: one by its name")] = "",
    sheet: Sheet = "",
    encoding: Encoding = "",
    to: Out = None,
) -> None:
    """Difference in differences: from a file, panel, cells or pack to effects."""
    from analysis.did.estimate import did as estimate

    if estimands is not None or estimand:
        from analysis.did.declared import estimate as of_file

        declared = of_file(file, estimands)
        _show(declared.estimand(estimand) if estimand else declared, to)
        return
    fit = estimate(
        _source(file, sheet, encoding),
        y,
        unit,
        time,
        first,
        cluster,
        never=tuple(never or ()),
        weight=weight,
        strata=strata,
        psu=psu,
        within=within,
        covariates=covariate or (),
        controls=controls,  # type: ignore[arg-type]
        where=where,  # type: ignore[arg-type]
        base=base,  # type: ignore[arg-type]
        anticipation=anticipation,
        method=method,
        handling=handling,  # type: ignore[arg-type]
        drop=drop or (),
        outcome_unit=outcome_unit,
        programme=programme,
    )
    _show(fit, to)


def rct(
    file: File,
    y: Outcomes,
    treatment: Annotated[str, typer.Option(help="1 or 0: offered or not")],
    strata: str = "",
    cluster: str = "",
    covariate: Annotated[list[str] | None, typer.Option(help="adjusted for (Lin)")] = None,
    weight: str = "",
    take_up: Annotated[str, typer.Option(help="1 or 0: took part or not")] = "",
    sheet: Sheet = "",
    encoding: Encoding = "",
    to: Out = None,
) -> None:
    """Randomised experiment: effect of the offer, and on participants."""
    from analysis.designs.randomised import rct as estimate

    fit = estimate(
        _source(file, sheet, encoding),
        y[0] if len(y) == 1 else y,
        treatment,
        strata=strata or None,
        cluster=cluster or None,
        covariates=covariate or (),
        weight=weight or None,
        take_up=take_up or None,
    )
    _show(fit, to)


def rdd(
    file: File,
    y: Annotated[str, typer.Option("--y", help="outcome")],
    running: Annotated[str, typer.Option(help="score that decides")],
    cutoff: Annotated[float, typer.Option(help="value at which it decides")],
    treated_below: Annotated[bool, typer.Option(help="treated below the cut-off")] = False,
    cutoff_treated: Annotated[
        bool | None, typer.Option(help="whether rows at the cut-off itself are treated")
    ] = None,
    sheet: Sheet = "",
    encoding: Encoding = "",
    to: Out = None,
) -> None:
    """Regression discontinuity: effect at a cut-off."""
    from analysis.designs.regression_discontinuity import rdd as estimate

    fit = estimate(
        _source(file, sheet, encoding),
        y,
        running,
        cutoff,
        treated_below=treated_below,
        cutoff_treated=cutoff_treated,
    )
    _show(fit, to)


def _source(file: Path, sheet: str, encoding: str) -> Any:
    """Return a table of a file, or a folder's name."""
    if file.is_dir():
        return file
    from analysis.panels.table_files import read_table

    return read_table(file, sheet=sheet, encoding=encoding)


def _show(fit: Result, to: Path | None) -> None:
    out.print(repr(fit), markup=False, highlight=False)
    if to is not None:
        folder = fit.save(to)
        out.print(f"written to {folder}", markup=False, highlight=False)
