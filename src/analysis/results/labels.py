"""Words that figures and tables print, in the language of the page."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache

from analysis.faults import Fault, FaultsError
from analysis.paths import data

LANGUAGES = ("en", "zh")
FILE = "parameters/figure_labels.csv"


@cache
def labels(language: str = "en") -> dict[str, str]:
    """Return the words of figures by their key.

    Parameters
    ----------
    language : str
        One of `LANGUAGES`.

    Raises
    ------
    FaultsError
        For a language without words.

    Examples
    --------
    >>> labels("zh")["prediction"], labels()["to"].format(low="1", high="3")
    ('预测区间', '1 to 3')
    """
    if language not in LANGUAGES:
        problem, remedy = "figures have no words in it", f"write one of {', '.join(LANGUAGES)}"
        raise FaultsError([Fault("language", problem, remedy, value=language)])
    with (data() / FILE).open(encoding="utf-8", newline="") as file:
        return {row["key"]: row[language] for row in csv.DictReader(file)}


def described(what: str, points: Iterable[str], language: str = "en") -> str:
    """Return the alternative text of a figure: what it shows, and every point of it.

    Examples
    --------
    >>> described("Income by source", ["wage 3", "transfer 1"])
    'Income by source: wage 3; transfer 1.'
    """
    words = labels(language)
    joined = words["alt_separator"].join(points)
    return words["alt_figure"].format(what=what, points=joined)


def word(key: str, language: str = "en") -> str:
    """Return the word of a key; the key itself, without underscores, where there is none.

    Examples
    --------
    >>> word("cooperatives", "zh"), word("crop_income")
    ('合作社', 'crop income')
    """
    return labels(language).get(key, key.replace("_", " "))


def country(name: str, language: str = "en") -> str:
    """Return a country as a page names it.

    Examples
    --------
    >>> country("Kenya", "zh"), country("Peru", "zh")
    ('肯尼亚', 'Peru')
    """
    return labels(language).get(f"country_{name}", name)


def span(interval: str, language: str = "en") -> str:
    """Return a printed interval in a language.

    Examples
    --------
    >>> span("1.2 to 3.4", "zh"), span("more than 30", "zh")
    ('1.2 至 3.4', '多于 30')
    """
    words = labels(language)
    low, middle, high = interval.partition(" to ")
    if middle:
        return words["to"].format(low=low, high=high)
    for key in ("more_than", "at_least", "less_than", "at_most"):
        before = labels("en")[f"interval_{key}"].partition("{value}")[0]
        if interval.startswith(before):
            return words[f"interval_{key}"].format(value=interval.removeprefix(before))
    return words["interval_any"] if interval == labels("en")["interval_any"] else interval
