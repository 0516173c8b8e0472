"""From a file to a result: `analysis did`, `rct`, `rdd`, `pool`, `poverty`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.faults import Fault, FaultsError
from analysis.terminal import out

if TYPE_CHECKING:
    from analysis.panels.table_files import HowRead
    from analysis.results.result import Result

File = Annotated[
    Path, typer.Argument(help="a file with one table, a panel, cells or a pack", metavar="FILE")
]
Outcomes = Annotated[list[str], typer.Option("--y", help="outcome; may be given several times")]
Out = Annotated[Path | None, typer.Option("--out", help="folder for csv, json, md, tex and svg")]


def _how_read(
    sheet: Annotated[str, typer.Option(help="of a workbook with several")] = "",
    encoding: Annotated[str, typer.Option(help="of a text, such as gb18030 or cp1252")] = "",
    delimiter: Annotated[str, typer.Option(help="between the cells of a text")] = "",
    decimal: Annotated[str, typer.Option(help="decimal mark of a text")] = "",
    thousands: Annotated[str, typer.Option(help="thousands mark of a text")] = "",
    missing: Annotated[
        list[str] | None, typer.Option(help="code for no answer; may be given several times")
    ] = None,
    header: Annotated[int, typer.Option(help="line that names the columns, from 1")] = 0,
) -> HowRead:
    """Return how a file is read, as every command that reads one is told."""
    from analysis.panels.table_files import HowRead

    return HowRead(encoding, delimiter, decimal, thousands, tuple(missing or ()), sheet, header)


def _reads_a_file(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that takes ``how`` the options of `_how_read` in its place."""
    later = {"HowRead": Any}  # imported where a file is read
    options = inspect.signature(_how_read, eval_str=True, locals=later).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        if not given["file"].exists():  # said before the libraries of the estimators are loaded
            problem, remedy = "the file is missing", "check its name and folder"
            raise FaultsError([Fault(given["file"].name, problem, remedy)])
        how = _how_read(**{name: given.pop(name) for name in options})
        command(**given, how=how)

    signature = inspect.signature(command, eval_str=True, locals=later)
    own = [parameter for name, parameter in signature.parameters.items() if name != "how"]
    every = [*own[:-1], *options.values(), own[-1]]
    run.__signature__ = signature.replace(parameters=every)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
    return run


def add_to(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (did, rct, rdd, pool, poverty):
        app.command()(_reads_a_file(command))


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
    to: Out = None,
    *,
    how: HowRead,
) -> None:
    """Difference in differences: from a file, panel, cells or pack to effects."""
    from analysis.did.estimate import did as estimate

    if estimands is not None or estimand:
        from analysis.did.declared import estimate as of_file

        declared = of_file(file, estimands)
        _show(declared.estimand(estimand) if estimand else declared, to)
        return
    numbers = [*y, *(covariate or ()), weight]
    with _table(file, numbers, how) as data:
        fit = estimate(
            data,
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
    unit: Annotated[str, typer.Option(help="who a row is of: nobody may occur twice")] = "",
    outcome_unit: Annotated[str, typer.Option(help="unit of the outcome, as printed")] = "",
    to: Out = None,
    *,
    how: HowRead,
) -> None:
    """Randomised experiment: effect of the offer, and on participants."""
    from analysis.designs.randomised import rct as estimate

    numbers = [*y, *(covariate or ()), weight, take_up, treatment]
    with _table(file, numbers, how) as data:
        fit = estimate(
            data,
            y[0] if len(y) == 1 else y,
            treatment,
            strata=strata or None,
            cluster=cluster or None,
            covariates=covariate or (),
            weight=weight or None,
            take_up=take_up or None,
            unit=unit or None,
            outcome_unit=outcome_unit or None,
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
    to: Out = None,
    *,
    how: HowRead,
) -> None:
    """Regression discontinuity: effect at a cut-off."""
    from analysis.designs.regression_discontinuity import rdd as estimate

    with _table(file, [y, running], how) as data:
        fit = estimate(
            data,
            y,
            running,
            cutoff,
            treated_below=treated_below,
            cutoff_treated=cutoff_treated,
        )
    _show(fit, to)


def pool(
    file: File,
    outcome: Annotated[str, typer.Option(help="family of outcomes, where there are several")] = "",
    dependent: Annotated[
        bool, typer.Option(help="use every estimate of a study, in a three-level model")
    ] = False,
    to: Out = None,
    *,
    how: HowRead,
) -> None:
    """Pool estimates of studies: a file with study, estimate and std_error."""
    from analysis.studies.meta_analysis import pool as estimate

    numbers = ["estimate", "std_error"]
    with _table(file, numbers, how) as data:
        fit = estimate(data, outcome or None, dependent=dependent)
    _show(fit, to)


def poverty(
    file: File,
    income: Annotated[str, typer.Option(help="of the household if --size is given")],
    line: Annotated[str, typer.Option(help="a number, or the column of a line of each row")],
    size: Annotated[str, typer.Option(help="members of the household")] = "",
    weight: str = "",
    by: Annotated[list[str] | None, typer.Option(help="groups measured apart")] = None,
    strata: str = "",
    psu: str = "",
    outcome_unit: Annotated[str, typer.Option(help="unit of income, as printed")] = "",
    to: Out = None,
    *,
    how: HowRead,
) -> None:
    """Poverty at a line: headcount, gap and squared gap."""
    from analysis.welfare.interface import poverty as measure

    number = line.replace(".", "", 1).isdigit()
    numbers = [income, size, weight, "" if number else line]
    with _table(file, numbers, how) as data:
        fit = measure(
            data,
            income,
            float(line) if number else line,
            size=size or None,
            weight=weight or None,
            by=by or (),
            strata=strata or None,
            psu=psu or None,
            outcome_unit=outcome_unit,
        )
    _show(fit, to)


@contextmanager
def _table(
    file: Path,
    numbers: Sequence[str],
    how: HowRead,
) -> Iterator[Any]:
    """Yield the table of a file, or a folder; faults of the data are named by the file."""
    if file.is_dir():
        yield file
        return
    from analysis.panels.table_files import read

    frame, notes = read(file, how, [name for name in numbers if name])
    for note in notes:
        out.print(f"note: {note}", markup=False, highlight=False)
    try:
        yield frame
    except FaultsError as error:
        where = f', where data = va.read_table("{file.name}")'
        raise FaultsError(
            replace(
                fault,
                file=file.name if fault.file == "data" else fault.file,
                remedy=fault.remedy + where * ("data.with_columns" in fault.remedy),
            )
            for fault in error.faults
        ) from None


def _show(fit: Result, to: Path | None) -> None:
    out.print(repr(fit), markup=False, highlight=False, soft_wrap=True)
    if to is not None:
        folder = fit.save(to)
        out.print(f"written to {folder}", markup=False, highlight=False)
