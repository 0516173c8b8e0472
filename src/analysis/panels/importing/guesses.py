"""What a column of an unknown survey may be, guessed from its name, its label and its values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from analysis.columns import CODES
from analysis.panels.importing.parameters import parameters
from analysis.panels.importing.sources import Column
from analysis.panels.schemas import SOURCES

_ID: Final = r"_?(?:id|no|nr|num|number|code|key)"
_OF_PLACE: Final = rf"(?:{_ID}|_?name)?"

# A whole name in lower case with underscores, the most certain first; a guess is only ever a guess.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "household": (
        rf"(?:hh|hhold|household|fam|family){_ID}",
        r"id_?(?:hh|household|family)",
        r"fid",
        r"nh",
        r"户编码|户编号|家庭编号",
        r"hh|household",
        r"case_?id",
        r"id|key",
    ),
    "person": (rf"(?:p|person|ind|indiv|individual|mem|member){_ID}", r"个人编码"),
    "period": (
        r"year",
        r"(?:survey|interview|income|calendar|c)_?year",
        r"period",
        r"年份|调查年",
        r"round|wave",
    ),
    "village": (
        rf"vil+(?:age)?{_OF_PLACE}",
        r"v_?(?:id|code)",
        r"cid|comm(?:unity)?_?id",
        r"ea(?:_?id|_?code)?|enumeration_area|clust(?:er)?(?:_?id)?",
        r".*村.*",
    ),
    "county": (rf"county{_OF_PLACE}", rf"(?:district|thana|upazila){_OF_PLACE}", r".*县.*"),
    "size": (
        r"(?:hh|household|family|fam)_?size",
        r"(?:hh|household|family|fam)_?(?:members|mem|persons)",
        r"(?:n|no|num|number)_?(?:of_)?(?:in_)?(?:hh_?|household_|family_|fam_?)?(?:members?|mem|"
        r"persons?|people|hh|household|family)",
        r"家庭人口.*|人口数",
        r"members",
        r"size",
    ),
    "weight": (
        r"(?:p|hh|household|sample|sampling|survey)_?(?:weight|wgt|wt)",
        r"fswt\w*",
        r"weights?|wgt|wt",
        r".*权重",
    ),
    "design_stratum": (r"(?:design_?|sampling_?|survey_?)?strat(?:um|a)(?:_?id)?", r"分层"),
    "registered_poor": (
        r"(?:is_)?registered_?poor|jdlk|bpl|poor_?reg\w*",
        r"(?:is_)?poor(?:_?hh)?",
        r".*(?:贫困户|建档立卡).*",
    ),
}
WAVE_ENDING: Final = r"(?:_?(?:19|20)?\d\d|_[twr]\d{1,2}|_\d)?"
WAVE_BEGINNING: Final = r"(?:[twr]\d{1,2}_)?"

# Anywhere in a label, for what no name tells.
LABELS: Final[Mapping[str, str]] = {
    "household": r"\b(?:household|family) (?:id\w*|no|number|code|key)\b|户编码|户编号|家庭编号",
    "person": r"\b(?:person|individual|member) (?:id\w*|no|number|code)\b|个人编码",
    "period": r"^year$|\b(?:survey|interview|income|calendar) year\b|年份|调查年",
    "village": r"^village(?: (?:id\w*|no|number|code|name))?$|村",
    "county": r"^(?:county|district)(?: (?:id\w*|no|number|code|name))?$|县",
    "size": r"\b(?:household|family) (?:size|members)\b|^members\b|家庭人口|人口数",
    "weight": r"\b(?:sampling|sample|household|survey) weight\b|权重",
    "design_stratum": r"\bsampling strat|\bdesign strat",
    "registered_poor": r"\bregistered (?:as )?poor\b|\bpoor household\b|贫困户|建档立卡",
}
MONEY: Final[Mapping[str, str]] = {
    "wage": r"wage|salar|工资",
    "business": r"business|farm|crop|livestock|agri|enterprise|selfemp|foperate|经营",
    "property": r"propert|rent|interest|dividend|fproperty|财产",
    "transfer": r"transfer|(?:^|_)trans(?:_|$)|pension|remit|subsid|转移|补贴",
}
SPENDING: Final = r"consum|expend|spend|outlay|消费|支出"
"""What is spent, an outcome of its own, where it is not a cost of a source of income."""
ITEM: Final = r"(?:^|_)(?:items?|goods?|commodit\w*|products?)(?:_|$)|品目|商品"
ITEM_VALUE: Final = r"values?|amounts?|costs?|spent|金额|数额"
"""Long form: a row an item, and what was spent on it."""
WORDS_FOR_NONE: Final = ("NA", "N/A", ".", "nan", "NaN", "NULL", "null", "-")
KEYS: Final = frozenset({"household", "person"})
MOST_ROWS_A_KEY: Final = 40
"""A column with fewer different values, on average, is hardly the name of a household."""


@dataclass(frozen=True)
class Look:
    """What the first rows of a column show.

    Attributes
    ----------
    name, label, type : str
        As the file has them; the type of a text file is what most of its cells can be read as.
    values : mapping of str to str
        Code to value label.
    range : str
        Smallest and largest number, or examples where there are few texts.
    codes : tuple of str
        Values that look like codes for no answer.
    is_number : bool
        Whether at least half of the cells are numbers.
    n_different, n_seen : int
        Different values, and cells that are not empty.
    """

    name: str
    label: str
    type: str
    values: Mapping[str, str]
    range: str
    codes: tuple[str, ...] = ()
    is_number: bool = False
    n_different: int = 0
    n_seen: int = 0


def look(column: Column, cells: pl.Series) -> Look:
    """Look at the first cells of a column, as text.

    Examples
    --------
    >>> seen = look(Column("farm"), pl.Series(["-1", "-8", "30"]))
    >>> seen.type, seen.range, seen.codes
    ('number', '-8 to 30; 3 different', ('-1', '-8'))

    Where other numbers are negative too, a -1 is a loss as likely as a code:

    >>> look(Column("farm"), pl.Series(["-1", "-250", "30"])).codes
    ()
    """
    values = cells.drop_nulls()
    if values.is_empty():
        return Look(
            column.name, column.label, column.type, column.values, "empty in the rows looked at"
        )
    distinct = values.unique(maintain_order=True)
    n = distinct.len()
    numbers = values.cast(pl.Float64, strict=False).drop_nulls()
    is_number = numbers.len() >= values.len() / 2
    if is_number:
        text = values.len() - numbers.len()
        mixed = f", and text in {text} cells" if text else ""
        ends = sorted(numbers.to_list())
        line = f"{ends[0]:g} to {ends[-1]:g}; {n} different{mixed}"
    else:
        # A column with many texts may name people or places: none of it goes into the map.
        some = ", ".join(repr(v[:20]) for v in distinct.head(3)) + "; "
        line = f"{some * (n <= parameters().texts_shown)}{n} different"
    kind = ("number" if is_number else "text") if column.type == "text" else column.type
    return Look(
        column.name,
        column.label,
        kind,
        column.values,
        line,
        tuple(_codes(distinct, numbers)),
        is_number,
        n,
        values.len(),
    )


def _codes(distinct: pl.Series, numbers: pl.Series) -> Iterator[str]:
    """Yield what looks like no answer; no negative number where others are negative too."""
    seen = set(distinct.to_list())
    others = set(numbers.filter(numbers < 0)) - {float(code) for code in CODES}
    for code in (*CODES, *WORDS_FOR_NONE):
        if code in seen and not (others and code.startswith("-") and code != "-"):
            yield code


def fields(columns: Sequence[Look]) -> dict[str, str]:
    """Return the column guessed for each field, empty if none; no column is guessed twice.

    Examples
    --------
    >>> names = ["household_id", "hh size", "villid"]
    >>> found = fields([Look(name, "", "number", {}, "1 to 2; 2 different") for name in names])
    >>> found["household"], found["size"], found["village"], found["county"]
    ('household_id', 'hh size', 'villid', '')
    """
    by_name: dict[str, str] = {}
    for field in NAMES:
        left = [c for c in columns if c.name not in by_name.values()]
        candidates = [(_trust(c, field), c) for c in left]
        ranked = sorted(
            (
                (field in KEYS and _few(c), trust, -c.n_different, c.name)
                for trust, c in candidates
                if trust is not None
            ),
            key=lambda entry: entry[:3],
        )
        by_name[field] = ranked[0][3] if ranked else ""
    return by_name


def _trust(column: Look, field: str) -> int | None:
    """Return how far down the list of names a column stands; labels come last; None: not there."""
    name = re.sub(r"[\W_]+", "_", column.name).strip("_").lower()
    for place, pattern in enumerate(NAMES[field]):
        if re.fullmatch(f"{WAVE_BEGINNING}(?:{pattern}){WAVE_ENDING}", name):
            return place
    match = re.search(LABELS[field], column.label.strip(), re.IGNORECASE)
    return len(NAMES[field]) if match else None


def _few(column: Look) -> bool:
    return column.n_different * MOST_ROWS_A_KEY < column.n_seen


def money(columns: Sequence[Look]) -> dict[str, tuple[str, ...]]:
    """Return the columns guessed for each source of income; a column adds to one source only.

    Examples
    --------
    >>> names = ["trans_gov", "farm_rent", "wage", "wage"]
    >>> money([Look(name, "", "number", {}, "", is_number=True) for name in names])["transfer"]
    ('trans_gov',)
    """
    labels = set(fields(columns).values())
    by_name: dict[str, list[str]] = {source: [] for source in SOURCES}
    for column in columns:
        source = _source(column) if column.is_number and column.name not in labels else None
        if source:
            by_name[source].append(column.name)
    return {source: tuple(dict.fromkeys(names)) for source, names in by_name.items()}


def spending(columns: Sequence[Look]) -> tuple[str, ...]:
    """Return the columns that look like consumption or spending and add to no source of income.

    Examples
    --------
    >>> names = ["food_spending", "wage", "farm_expend"]
    >>> spending([Look(name, "", "number", {}, "", is_number=True) for name in names])
    ('food_spending',)
    """
    labels = {name for names in money(columns).values() for name in names}
    labels |= set(fields(columns).values())
    items = any(re.search(ITEM, c.name, re.IGNORECASE) for c in columns)
    return tuple(
        c.name
        for c in columns
        if c.is_number
        and c.name not in labels
        and (
            re.search(SPENDING, f"{c.name} {c.label}", re.IGNORECASE)
            or (items and re.fullmatch(ITEM_VALUE, c.name, re.IGNORECASE))
        )
    )


def _source(column: Look) -> str | None:
    """Return the first source whose word stands in the name, else in the label."""
    for text in (re.sub(r"[\W_]+", "_", column.name), column.label):
        for source, clue in MONEY.items():
            if re.search(clue, text, re.IGNORECASE):
                return source
    return None
