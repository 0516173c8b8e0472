"""A map to start from: the columns of a survey's files, and guesses that say they are guesses."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from analysis.contract import project_name
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels.importing import guesses, keys, wave_names
from analysis.panels.importing.guesses import Look
from analysis.panels.importing.mapcells import TO_FILL
from analysis.panels.importing.mapping import WAVE, Cell, SurveyFile
from analysis.panels.importing.parameters import parameters
from analysis.panels.importing.sources import Source, batches, open_source, sheets_of
from analysis.panels.schemas import SOURCES

ROWS_LOOKED_AT: Final = 20_000
COMMA: Final = r"^-?\d+,\d+$"
TEXTS: Final = pl.col(pl.String)
COST: Final = re.compile(r"cost|expens|outlay|paid|fare|成本|支出|费用", re.IGNORECASE)
YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


@dataclass(frozen=True)
class Seen:
    """A file of the survey, and what it seems to be.

    Attributes
    ----------
    source : Source
        The file.
    columns : tuple of Look
        What its first rows show.
    fields : mapping of str to str
        Column guessed for each field.
    unit : str
        What a row is: ``household``, ``person`` or ``village``.
    waves : tuple of str
        Words for waves in the names of its columns; empty if it has a row per period.
    key : str
        Whether the key tells rows apart, in words.
    """

    source: Source
    columns: tuple[Look, ...]
    fields: Mapping[str, str]
    unit: str
    waves: tuple[str, ...]
    key: str


def init_map(files: Sequence[Path], out_map: Path) -> Path:
    """Write a commented map to start from.

    Parameters
    ----------
    files : sequence of Path
        The survey's files.
    out_map : Path
        A new TOML file. Guesses in it are marked ``GUESS``; what a person must decide is ``FILL``,
        and the map is not read before all of it is filled in.

    Raises
    ------
    FaultsError
        If a file cannot be read, or the map exists.
    """
    if out_map.exists():
        raise FaultsError([Fault(project_name(out_map), "the map exists", "choose a new name")])
    if not files:
        raise FaultsError([Fault(project_name(out_map), "no survey is named", "name its files")])
    faults: list[Fault] = []
    sources: dict[str, Source] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for path, sheet in ((p, s) for p in files for s in sheets_of(p) or ("",)):
            name = _id_of(Path(sheet or path.stem), sources)
            how = SurveyFile(
                name, path.name, "household", "long", Cell(""), sheet=sheet or None, header=0
            )
            folder = Path(scratch) / name
            folder.mkdir()
            try:
                sources[name] = open_source(path, folder, how)
            except FaultsError as error:
                faults += error.faults
        raise_if_any(faults)
        several = len(sources) > 1
        seen = {name: look_at(source, several=several) for name, source in sources.items()}
        text = "\n".join(_lines(seen)) + "\n"
    out_map.parent.mkdir(parents=True, exist_ok=True)
    part = out_map.with_name(f".{out_map.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    return part.replace(out_map)


def _id_of(path: Path, by_name: Mapping[str, object]) -> str:
    stem = re.sub(r"\W+", "_", path.stem).strip("_").lower() or "file"
    return stem if stem not in by_name else f"{stem}_{len(by_name) + 1}"


def look_at(source: Source, *, several: bool) -> Seen:
    """Look at the first rows of a file, alone or one of several."""
    first = next(batches(source, source.names())).head(ROWS_LOOKED_AT).collect()
    if decimal_comma(source):
        commas = pl.when(TEXTS.str.contains(COMMA)).then(TEXTS.str.replace(",", "."))
        first = first.with_columns(commas.otherwise(TEXTS))
    columns = tuple(guesses.look(c, first[c.name]) for c in source.columns)
    found = guesses.fields(columns)
    waves = () if found["period"] else wave_names.waves_of(source.names())
    unit, key = keys.told_apart(first, found, several=several)
    return Seen(source, columns, found, unit, waves, key)


def decimal_comma(source: Source) -> bool:
    """Return whether a text whose cells are parted by no comma writes its decimals with one."""
    if source.text is None or source.text.delimiter == ",":
        return False
    first = next(batches(source, source.names())).head(ROWS_LOOKED_AT)
    return any(first.select(TEXTS.str.contains(COMMA).any()).collect().row(0))


def _lines(seen: Mapping[str, Seen]) -> Iterator[str]:
    first = next(iter(seen.values()))
    yield "# A map: how the columns of a survey become the household panel of this project."
    yield f'# Replace every "{TO_FILL}". Check every line marked GUESS: it was guessed from a name.'
    yield "# All keys are explained on the page: bring your own data."
    yield ""
    yield "[map]"
    yield f"survey = {_quoted(first.source.path.stem)}"
    yield 'status = "unverified"         # or verified: tried on the files, totals compared'
    yield f'currency = "{TO_FILL}"             # main unit of money, as "dollars"; none: delete it'
    yield 'calendar = "year"             # or half_year, quarter, month; number: waves, rounds'
    yield "# prices = { 2019 = 100, 2020 = 102.5 }   price index of the place, by year"
    for name, file in seen.items():
        yield from _file_lines(name, file)
    yield from ("", "[household]")
    yield _field("village", _places(seen, "village"), "column, list of columns, or constant")
    weight = _places(seen, "weight")
    if weight:
        yield _field("weight", weight, "")
        yield 'weight_type = "sampling"      # GUESS: sampling or frequency'
    else:
        yield '# weight = "…"                # and weight_type = "sampling" or "frequency"'
    poor = _places(seen, "registered_poor")
    if poor:
        yield _field("registered_poor", poor, "")
    else:
        yield '# registered_poor = "…"       # yes or no; recode = { 1 = 1, 5 = 0 } if need be'
    stratum = _places(seen, "design_stratum")
    if stratum:
        yield _field("design_stratum", stratum, "")
    yield '# stratum = "…"   primary_sampling_unit = "…"   design_stratum = "…"   workers = "…"'
    yield '# x_education = "…"             # any further baseline number; text = true for a word'
    yield from ("", "[village]")
    county = _places(seen, "county", units=("village", "household", "person"))
    if county:
        yield _field("county", county, "")
    yield '# county = "…"   prefecture = "…"   n_households = "…"   remoteness_km = "…"'
    yield from ("", "[income]")
    yield from _members(seen)
    yield from _income_lines(seen)
    yield from _participation_lines()


def _places(
    seen: Mapping[str, Seen], field: str, units: tuple[str, ...] = ("household", "person")
) -> dict[str, str]:
    """Return the column guessed for a field by file; of the first unit whose files have one."""
    for unit in units:
        found = {
            name: wave_names.templated(file.fields[field], file.waves)
            for name, file in seen.items()
            if file.unit == unit and file.fields[field]
        }
        if found:
            return found if len(seen) > 1 else {"": next(iter(found.values()))}
    return {}


def _field(key: str, places: Mapping[str, str], hint: str) -> str:
    """Write a field: the guessed column, with its files where there are several."""
    remark = "GUESS: check" if places else hint
    return f"{key} = {_cell(places)}".ljust(29) + f" # {remark}"


def _cell(places: Mapping[str, str]) -> str:
    """Write where a value stands, as TOML: a column, or a column of some files."""
    if not places:
        return _quoted(TO_FILL)
    by_column: dict[str, list[str]] = {}
    for file, column in places.items():
        by_column.setdefault(column, []).append(file)
    if "" in places:
        return _quoted(places[""])
    cells = [
        f"{{ column = {_quoted(column)}, from = {_files(files)} }}"
        for column, files in by_column.items()
    ]
    return cells[0] if len(cells) == 1 else f"[{', '.join(cells)}]"


def _files(names: Sequence[str]) -> str:
    listed = ", ".join(map(_quoted, names))
    return listed if len(names) == 1 else f"[{listed}]"


def _file_lines(name: str, seen: Seen) -> Iterator[str]:
    source, by_name = seen.source, seen.fields
    yield from ("", "[[files]]", f"id = {_quoted(name)}", f"file = {_quoted(source.path.name)}")
    yield f'unit = "{seen.unit}"'.ljust(30) + "# GUESS: household, person (summed) or village"
    if seen.unit == "village":
        yield _field("village", {"": by_name["village"]}, "")
        yield 'layout = "fixed"'.ljust(30) + "# GUESS: no periods; or long"
    else:
        hint = "column, or list of columns, that names the household"
        household = by_name["household"]
        yield _field("household", {"": household} if household else {}, hint)
        if by_name["person"] and seen.unit == "person":
            yield _field("person", {"": by_name["person"]}, "")
        yield from _layout_lines(seen)
    if seen.key:
        yield f"# {seen.key}"
    codes = list(dict.fromkeys(c for column in seen.columns for c in column.codes))
    written = ", ".join(c if re.fullmatch(r"-?\d+", c) else _quoted(c) for c in codes)
    remark = "GUESS: codes for no answer" if codes else "codes for no answer, e.g. [-8, -9]"
    yield f"missing = [{written}]".ljust(30) + f"# {remark}"
    if decimal_comma(source):
        yield 'decimal = ","'.ljust(30) + "# GUESS: 1234,5"
    if source.sheet is not None:
        yield f"sheet = {_quoted(source.sheet)}"
    header = source.text.header if source.text is not None else source.header
    if header > 1:
        yield f"header = {header}".ljust(30) + "# GUESS: the line that names the columns"
    if source.text is not None:
        yield f"# encoding {source.text.encoding}, delimiter {source.text.delimiter!r}: found"
    yield "#"
    looked_at = f"ranges: first {ROWS_LOOKED_AT:,}"
    yield f"# Columns of {source.path.name}, {source.n_rows:,} rows ({looked_at}):"
    most = parameters().texts_shown
    for column in seen.columns:
        label = f"  {_one_line(column.label)}" if column.label else ""
        yield f"#   {_one_line(column.name)}  [{column.type}]{label}  ({_one_line(column.range)})"
        if len(column.values) > most:
            yield f"#       {len(column.values)} value labels"
        elif column.values:
            pairs = column.values.items()
            yield "#       " + "; ".join(f"{k} = {_one_line(v)}" for k, v in pairs)


def _layout_lines(seen: Seen) -> Iterator[str]:
    period = seen.fields["period"]
    if seen.waves:
        shown = ", ".join(
            f"{_quoted(w)} = {wave_names.year_of(w) or _quoted(TO_FILL)}" for w in seen.waves
        )
        yield 'layout = "wide"'.ljust(30) + "# GUESS: a column per wave"
        yield f"waves = {{ {shown} }}  # GUESS: word in the column names = period"
        return
    yield 'layout = "long"'.ljust(30) + "# a row per household and period; or wide, or fixed"
    if period:
        yield _field("period", {"": period}, "")
        yield "# period = { column = …, recode = { 0 = 1991, 1 = 1998 } }  if it counts waves"
        return
    years = set(YEAR.findall(seen.source.path.stem))
    if len(years) == 1:
        yield f"period = {{ constant = {years.pop()} }}".ljust(30) + "# GUESS: of the file's name"
    else:
        yield f'period = {{ constant = "{TO_FILL}" }}  # the year, or name the column of years'


def _members(seen: Mapping[str, Seen]) -> Iterator[str]:
    rosters = [name for name, file in seen.items() if file.unit == "person"]
    rosters = [name for name in rosters if seen[name].fields["person"]]
    size = _places(seen, "size")
    if rosters and not size:
        yield f"count_persons = {_files(rosters)}".ljust(29) + " # GUESS: persons are counted"
        return
    yield _field("members", size, 'members of the household; { column = "…" } or { constant = 1 }')
    yield '# count_persons = "…"           # or: id of a person file whose rows are counted'


def _amounts(seen: Mapping[str, Seen], source: str) -> dict[str, list[str]]:
    """Return the columns guessed for a source of income, or for spending, with their files."""
    found: dict[str, list[str]] = {}
    for name, file in seen.items():
        if file.unit == "village":
            continue
        columns = (
            guesses.spending(file.columns) if not source else guesses.money(file.columns)[source]
        )
        for column in dict.fromkeys(wave_names.templated(c, file.waves) for c in columns):
            found.setdefault(column, []).append(name)
    return found


def _income_lines(seen: Mapping[str, Seen]) -> Iterator[str]:
    by_name = {source: _amounts(seen, source) for source in SOURCES}
    costs = {
        wave_names.templated(c.name, file.waves)
        for file in seen.values()
        for c in file.columns
        if COST.search(f"{c.name} {c.label}")
    }
    lacking = [source for source in SOURCES if not by_name[source]]
    if 0 < len(lacking) < len(SOURCES):
        yield "#"
        yield "# Sources without a guess. Say why the survey has none, or delete the line and add"
        yield "# [[income.items]] as below."
        yield "[income.absent]"
        yield from (f'{source} = "{TO_FILL}"' for source in lacking)
    yield ""
    yield "# One block for each amount; the blocks of a source are summed. unit: unit, thousand,"
    yield "# million, hundredth; yuan, wan_yuan (10,000), thousand_yuan, jiao, fen. per: year,"
    yield '# half_year, quarter, month, week, day. sign = "-" for a cost. empty = "zero" where an'
    yield '# empty cell means none. times = "…": column to multiply by (months worked).'
    yield "# per_head = true where it is per member."
    for source in SOURCES:
        for column, files in by_name[source].items():
            yield from ("", "[[income.items]]", f"source = {_quoted(source)}".ljust(30) + "# GUESS")
            yield from _amount_lines(column, files if len(seen) > 1 else ())
            if column in costs:
                yield 'sign = "-"'.ljust(30) + "# GUESS: a cost"
    yield from _outcome_lines(seen)


def _amount_lines(column: str, files: Sequence[str]) -> Iterator[str]:
    yield f"column = {_quoted(column)}"
    if files:
        yield f"from = {_files(files)}"
    yield f'unit = "{TO_FILL}"'
    yield f'per = "{TO_FILL}"'


def _outcome_lines(seen: Mapping[str, Seen]) -> Iterator[str]:
    """Write a block for each other outcome that a name tells; how further ones are written."""
    yield ""
    yield "# Other outcomes. kind: money (by unit and per, as above), stock (money at a point in"
    yield '# time: unit), number (unit = "hours a week", any words), share (0 to 1, or unit ='
    yield '# "per_cent"), yes_no.'
    yield "# [[outcomes]]"
    yield '# name = "hours"'
    yield '# kind = "number"'
    yield '# column = "…"'
    yield '# unit = "hours a week"'
    for column, files in _amounts(seen, "").items():
        name = re.sub(r"\W+", "_", column.replace(WAVE, "")).strip("_").lower()
        yield from ("", "[[outcomes]]", f"name = {_quoted(name)}")
        yield 'kind = "money"'.ljust(30) + "# GUESS"
        yield from _amount_lines(column, files if len(seen) > 1 else ())


def _participation_lines() -> Iterator[str]:
    yield ""
    yield "# One block for each programme; its id is yours: lower case and underscores."
    yield "# [[participation]]"
    yield '# programme = "training"'
    yield '# level = "household"           # or village'
    yield '# first_year = "…"              # column of the first period, or of a date;'
    yield '# indicator = "…"               # or: 0 or 1 in each wave'
    yield '# dose = "…"                    # and dose_unit = "days"'


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _one_line(text: str) -> str:
    """Keep a label of the file inside its comment: no line end may close it."""
    return "".join(c if c.isprintable() else " " for c in text)
