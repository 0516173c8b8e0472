"""A map to start from: a file's own columns, and guesses that say they are guesses."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from analysis.contract import project_name
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels.importing import guesses
from analysis.panels.importing.guesses import Look
from analysis.panels.importing.mapcells import TO_FILL
from analysis.panels.importing.mapping import WAVE, Cell, SurveyFile
from analysis.panels.importing.sources import Source, batches, open_source, sheets_of
from analysis.panels.schemas import SOURCES

ROWS_LOOKED_AT: Final = 20_000
MOST_LABELS: Final = 12

COMMA: Final = r"^-?\d+,\d+$"
TEXTS: Final = pl.col(pl.String)
COST: Final = re.compile(r"cost|expens|outlay|paid|fare|成本|支出|费用", re.IGNORECASE)
WAVED: Final = re.compile(r"^(?P<stem>.*?)(?P<wave>(?:19|20)\d\d|\d\d)$")


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
    looks: dict[str, tuple[Source, tuple[Look, ...]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for path, sheet in ((p, s) for p in files for s in sheets_of(p) or ("",)):
            name = _id_of(Path(sheet or path.stem), looks)
            how = SurveyFile(name, path.name, "household", "long", Cell(""), sheet=sheet or None)
            try:
                source = open_source(path, Path(scratch), how)
            except FaultsError as error:
                faults += error.faults
                continue
            looks[name] = (source, look(source))
        raise_if_any(faults)
        text = "\n".join(_lines(looks)) + "\n"
    out_map.parent.mkdir(parents=True, exist_ok=True)
    part = out_map.with_name(f".{out_map.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    return part.replace(out_map)


def _id_of(path: Path, taken: Mapping[str, object]) -> str:
    stem = re.sub(r"\W+", "_", path.stem).strip("_").lower() or "file"
    return stem if stem not in taken else f"{stem}_{len(taken) + 1}"


def look(source: Source) -> tuple[Look, ...]:
    """Look at the first rows of every column."""
    first = next(batches(source, source.names())).head(ROWS_LOOKED_AT).collect()
    if decimal_comma(source):
        commas = pl.when(TEXTS.str.contains(COMMA)).then(TEXTS.str.replace(",", "."))
        first = first.with_columns(commas.otherwise(TEXTS))
    return tuple(guesses.look(c, first[c.name]) for c in source.columns)


def decimal_comma(source: Source) -> bool:
    """Return whether a text whose cells are parted by no comma writes its decimals with one."""
    if source.text is None or source.text.delimiter == ",":
        return False
    first = next(batches(source, source.names())).head(ROWS_LOOKED_AT)
    return any(first.select(TEXTS.str.contains(COMMA).any()).collect().row(0))


def _lines(looks: Mapping[str, tuple[Source, tuple[Look, ...]]]) -> Iterator[str]:
    several = len(looks) > 1
    main, (source, columns) = next(iter(looks.items()))
    yield "# A map: how the columns of a survey become the household panel of this project."
    yield f'# Replace every "{TO_FILL}". Check every line marked GUESS: it was guessed from a name.'
    yield "# All keys are explained on the page: bring your own data."
    yield ""
    yield "[map]"
    yield f"survey = {_quoted(source.path.stem)}"
    yield 'status = "unverified"         # or verified: tried on the files, totals compared'
    yield f'currency = "{TO_FILL}"             # main unit of money, as "dollars"; none: delete it'
    yield 'calendar = "year"             # or half_year, quarter, month; number: waves, rounds'
    yield "# prices = { 2019 = 100, 2020 = 102.5 }   price index of the place, by year"
    for name, (file, seen) in looks.items():
        yield from _file_lines(name, file, seen, several=several)
    waves = _waves(columns)
    main = main if several else ""
    yield from ("", "[household]")
    found = guesses.fields(columns)
    yield _field("village", found["village"], main, "column, list of columns, or constant")
    if found["weight"]:
        yield _field("weight", found["weight"], main, "")
        yield 'weight_type = "sampling"      # GUESS: sampling or frequency'
    else:
        yield '# weight = "…"                # and weight_type = "sampling" or "frequency"'
    poor = found["registered_poor"]
    if poor:
        yield _field("registered_poor", poor, main, "")
    else:
        yield '# registered_poor = "…"       # yes or no; recode = { 1 = 1, 5 = 0 } if need be'
    yield '# stratum = "…"   primary_sampling_unit = "…"   design_stratum = "…"   workers = "…"'
    yield '# x_education = "…"             # any further baseline number; text = true for a word'
    yield from ("", "[village]")
    county = found["county"]
    if county:
        yield _field("county", county, main, "")
    yield '# county = "…"   prefecture = "…"   n_households = "…"   remoteness_km = "…"'
    yield from ("", "[income]")
    size = _stem(found["size"], waves)
    yield _field("members", size, main, 'members of the household; { column = "…" }')
    yield '# count_persons = "…"           # or: id of a person file whose rows are counted'
    yield from _income_lines(columns, waves, main)
    yield from _participation_lines()


def _field(key: str, guess: str, file: str, hint: str) -> str:
    """Write a field: the guessed column, with its file where there are several."""
    value = _quoted(guess or TO_FILL)
    if guess and file:
        value = f"{{ column = {value}, from = {_quoted(file)} }}"
    remark = "GUESS: check" if guess else hint
    return f"{key} = {value}".ljust(29) + f" # {remark}"


def _file_lines(
    name: str, source: Source, columns: tuple[Look, ...], *, several: bool
) -> Iterator[str]:
    found, waves = guesses.fields(columns), _waves(columns)
    period = found["period"]
    yield from ("", "[[files]]", f"id = {_quoted(name)}", f"file = {_quoted(source.path.name)}")
    unit = "person" if several and found["person"] else "household"
    yield f'unit = "{unit}"'.ljust(30) + "# GUESS: household, person (summed) or village"
    yield _field(
        "household", found["household"], "", "column, or list of columns, that names the household"
    )
    if unit == "person":
        yield _field("person", found["person"], "", "")
    if period or not waves:
        yield 'layout = "long"'.ljust(30) + "# a row per household and period; or wide, or fixed"
        if period:
            yield _field("period", period, "", "")
            yield "# period = { column = …, recode = { 0 = 1991, 1 = 1998 } }  if it counts waves"
        else:
            yield f'period = {{ constant = "{TO_FILL}" }}  # the year, or name the column of years'
    else:
        shown = ", ".join(f"{_quoted(w)} = {_year(w)}" for w in waves)
        yield 'layout = "wide"'.ljust(30) + "# GUESS: a column per wave"
        yield f"waves = {{ {shown} }}  # GUESS: word in the column names = year"
    codes = list(dict.fromkeys(c for column in columns for c in column.codes))
    written = ", ".join(c if re.fullmatch(r"-?\d+", c) else _quoted(c) for c in codes)
    remark = "GUESS: codes for no answer" if codes else "codes for no answer, e.g. [-8, -9]"
    yield f"missing = [{written}]".ljust(30) + f"# {remark}"
    if decimal_comma(source):
        yield 'decimal = ","'.ljust(30) + "# GUESS: 1234,5"
    if source.sheet is not None:
        yield f"sheet = {_quoted(source.sheet)}"
    if source.text is not None:
        yield f"# encoding {source.text.encoding}, delimiter {source.text.delimiter!r}: found"
    yield "#"
    looked_at = f"ranges: first {ROWS_LOOKED_AT:,}"
    yield f"# Columns of {source.path.name}, {source.n_rows:,} rows ({looked_at}):"
    for column in columns:
        label = f"  {_one_line(column.label)}" if column.label else ""
        yield f"#   {_one_line(column.name)}  [{column.type}]{label}  ({_one_line(column.range)})"
        if column.values:
            pairs = list(column.values.items())[:MOST_LABELS]
            more = " …" if len(column.values) > MOST_LABELS else ""
            yield "#       " + "; ".join(f"{k} = {_one_line(v)}" for k, v in pairs) + more


def _income_lines(columns: tuple[Look, ...], waves: tuple[str, ...], file: str) -> Iterator[str]:
    found = {
        source: tuple(dict.fromkeys(_stem(name, waves) for name in names))
        for source, names in guesses.money(columns).items()
    }
    costs = {_stem(c.name, waves) for c in columns if COST.search(f"{c.name} {c.label}")}
    lacking = [source for source in SOURCES if not found[source]]
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
        for column in found[source]:
            yield from ("", "[[income.items]]", f"source = {_quoted(source)}".ljust(30) + "# GUESS")
            yield f"column = {_quoted(column)}"
            if file:
                yield f"from = {_quoted(file)}"
            yield f'unit = "{TO_FILL}"'
            yield f'per = "{TO_FILL}"'
            if column in costs:
                yield 'sign = "-"'.ljust(30) + "# GUESS: a cost"
    yield from _outcome_lines(columns, waves, file)


def _outcome_lines(columns: tuple[Look, ...], waves: tuple[str, ...], file: str) -> Iterator[str]:
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
    for column in dict.fromkeys(_stem(name, waves) for name in guesses.spending(columns)):
        name = re.sub(r"\W+", "_", column.replace(WAVE, "")).strip("_").lower()
        yield from ("", "[[outcomes]]", f"name = {_quoted(name)}")
        yield 'kind = "money"'.ljust(30) + "# GUESS"
        yield f"column = {_quoted(column)}"
        if file:
            yield f"from = {_quoted(file)}"
        yield f'unit = "{TO_FILL}"'
        yield f'per = "{TO_FILL}"'


def _participation_lines() -> Iterator[str]:
    yield ""
    yield "# One block for each programme; its id is yours: lower case and underscores."
    yield "# [[participation]]"
    yield '# programme = "training"'
    yield '# level = "household"           # or village'
    yield '# first_year = "…"              # column of the first period, or of a date;'
    yield '# indicator = "…"               # or: 0 or 1 in each wave'
    yield '# dose = "…"                    # and dose_unit = "days"'


def _waves(columns: tuple[Look, ...]) -> tuple[str, ...]:
    """Return endings of column names that look like years and that several names share."""
    stems: dict[str, list[str]] = {}
    for column in columns:
        match = WAVED.match(column.name)
        if match and match["stem"]:
            stems.setdefault(match["stem"], []).append(match["wave"])
    sets = [tuple(waves) for waves in stems.values() if len(waves) > 1]
    common = [waves for waves in sets if sets.count(waves) > 1]
    return common[0] if common else ()


def _year(wave: str) -> int:
    number = int(wave)
    # Two digits: the century that makes it no later than 2035.
    return number if number > 99 else number + (2000 if number <= 35 else 1900)


def _stem(name: str, waves: tuple[str, ...]) -> str:
    match = WAVED.match(name)
    return f"{match['stem']}{WAVE}" if match and match["wave"] in waves else name


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'


def _one_line(text: str) -> str:
    """Keep a label of the file inside its comment: no line end may close it."""
    return "".join(c if c.isprintable() else " " for c in text)
