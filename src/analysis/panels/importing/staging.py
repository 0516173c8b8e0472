"""Survey files laid out as Parquet of text, and read back household by household.

Files go to disk once, in the order of their rows; parts are ranges of the household key. So memory
is bounded by one part, and the tables come out in the order of their key however many parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels.importing import convert, names, records
from analysis.panels.importing.convert import Context
from analysis.panels.importing.mapping import SurveyFile, SurveyMap
from analysis.panels.importing.sources import ROW, Source, batches, open_source

KEY, BROKEN = records.KEY, records.BROKEN


@dataclass(frozen=True)
class Staged:
    """A survey file on disk as text, with row numbers and keys.

    Attributes
    ----------
    file : SurveyFile
        Its entry in the map.
    source : Source
        The file itself.
    frame : polars.LazyFrame
        `ROW`, `KEY`, `BROKEN` and the columns the map uses.
    context : Context
        What the file knows of its cells.
    """

    file: SurveyFile
    source: Source
    frame: pl.LazyFrame
    context: Context


def open_files(
    survey: SurveyMap, paths: Sequence[Path], scratch: Path
) -> tuple[list[tuple[SurveyFile, Source]], list[Fault]]:
    """Find and open every file of a map; return them and everything wrong with any."""
    opened: list[tuple[SurveyFile, Source]] = []
    faults: list[Fault] = []
    for entry, path in zip(survey.files, find_files(survey, paths), strict=True):
        folder = scratch / entry.id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            source = open_source(path, folder, entry)
        except FaultsError as error:
            faults += error.faults
            continue
        lacking = [c for c in records.columns_read(survey, entry) if c not in source.names()]
        faults += [_no_column(survey, entry, source, name) for name in lacking]
        faults += [
            Fault(
                source.path.name, "a name the import uses itself", "rename the column", column=name
            )
            for name in source.names()
            if name in (ROW, KEY, BROKEN)
        ]
        faults += _errors_as_zero(survey, entry, source)
        opened.append((entry, source))
    return opened, faults


def _errors_as_zero(survey: SurveyMap, entry: SurveyFile, source: Source) -> Iterator[Fault]:
    """Yield a fault where an error of a spreadsheet would come as empty, and empty as zero."""
    amounts = (*survey.items, *survey.outcomes)
    zero = [i.cell.key for i in amounts if i.empty == "zero" and entry.id in i.cell.files]
    cells = source.cells
    if source.kind == "workbook" and zero and (cells.unplaced or cells.unknown):
        found = f"holds {cells.unplaced:,} errors of the spreadsheet, and" if cells.unplaced else ""
        yield Fault(
            source.path.name,
            f"{found} errors cannot be told from empty cells, which the map takes as zero".strip(),
            f'save it as .xlsx, or take empty = "zero" out of {", ".join(zero)}',
        )


def find_files(survey: SurveyMap, paths: Sequence[Path]) -> list[Path]:
    """Return the path of each file of a map.

    A named file stands for the entry with its name; one file for a map of one entry, whatever its
    name. Other entries lie in the folder of the first, and not behind a link that leaves it.
    """
    raise_if_any(
        Fault(path.name, "no file or folder of this name", "check its name and folder")
        for path in paths
        if not path.exists()
    )
    if len(survey.files) == 1 and len(paths) == 1 and paths[0].is_file():
        return [paths[0]]
    given = {path.name: path for path in paths if not path.is_dir()}
    first = paths[0] if paths else Path()
    folder = first if first.is_dir() else first.parent
    result = []
    for entry in survey.files:
        path = given.get(Path(entry.file).name) or folder / entry.file
        inside = path.resolve().is_relative_to(folder.resolve()) or path.name in given
        result.append(path if inside else folder / "outside" / path.name)
    return result


def _no_column(survey: SurveyMap, entry: SurveyFile, source: Source, name: str) -> Fault:
    near = [n for n in source.names() if n.lower() == name.lower()]
    words = [*entry.waves, ""]
    keys = [
        c.key
        for c in survey.cells()
        if entry.id in c.files and any(name in convert.columns_of(c, w) for w in words)
    ]
    remedy = f"did you mean {near[0]}" if near else f"its columns: {_some(source.names())}"
    return Fault(
        source.path.name,
        f"no such column, named under {', '.join(dict.fromkeys(keys))}",
        remedy,
        column=name,
    )


def _some(names: Sequence[str], n: int = 12) -> str:
    return ", ".join(names[:n]) + (f" and {len(names) - n} more" if len(names) > n else "")


def stage(survey: SurveyMap, entry: SurveyFile, source: Source, folder: Path) -> Staged:
    """Write a file's rows to disk as text and note what each needs.

    Raises
    ------
    FaultsError
        If the file cannot be read to its end, or two names would become one.
    """
    target = folder / entry.id
    target.mkdir(parents=True, exist_ok=True)
    context = Context(
        entry,
        survey.limits,
        {c.name: c.values for c in source.columns if c.values},
        source.serial_dates,
        calendar=survey.calendar,
    )
    household = convert.key(KEY, entry.keys, context, "").value.alias(KEY)
    broken = pl.lit(value=False)
    if source.text is not None and source.text.broken:
        broken = pl.col(ROW).is_in(list(source.text.broken))
    for number, batch in enumerate(batches(source, records.columns_read(survey, entry))):
        batch.with_columns(household, broken.alias(BROKEN)).sink_parquet(
            target / f"{number:05d}.parquet", compression="lz4", row_group_size=100_000
        )
    staged = Staged(entry, source, pl.scan_parquet(target / "*.parquet"), context)
    raise_if_any([*names.too_few_digits(survey, staged), *names.of_one_label(survey, staged)])
    return staged


def cuts(files: Sequence[Staged], rows_at_once: int) -> list[str]:
    """Return keys that cut the households into parts of about so many rows."""
    rows = sum(s.source.n_rows * max(len(s.file.waves), 1) for s in files)
    n_parts = -(-rows // rows_at_once)
    if n_parts < 2:
        return []
    # Every hundredth key of each file finds the cuts closely enough.
    keys = pl.concat([s.frame.select(pl.col(KEY).gather_every(100)).collect() for s in files])
    ordered = keys[KEY].drop_nulls().sort()
    if ordered.is_empty():
        return []
    at = [ordered.len() * i // n_parts for i in range(1, n_parts)]
    return sorted(set(ordered.gather(at)))


def parts(files: Sequence[Staged], at: Sequence[str]) -> Iterator[dict[str, pl.DataFrame]]:
    """Yield, range by range, the rows of each file by its id; rows without a key come first."""
    bounds = [None, *at, None]
    for low, high in pairwise(bounds):
        inside = pl.lit(value=True)
        if low is not None:
            inside &= pl.col(KEY) >= low
        if high is not None:
            inside &= pl.col(KEY) < high
        wanted = inside.fill_null(value=False)
        if low is None:
            wanted |= pl.col(KEY).is_null()
        yield {s.file.id: s.frame.filter(wanted).collect() for s in files}
