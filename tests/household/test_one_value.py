"""One claim, one value: across tables, pages and languages."""

import ast
import json
import re

import polars as pl
import pytest

import analysis as va
from analysis import paths
from analysis.results import formatting

ROOT = paths.root()
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [*ROOT.glob("*.qmd"), *(ROOT / "pages").glob("*.qmd"), *(ROOT / "zh").glob("*.qmd")]
TECHNICAL = ("bring-your-own-data.qmd", "dictionary.qmd", "spark.qmd")
"""Pages whose numbers are limits, lines and sizes of files; none is of an article."""
READ = ("number", "quantity", "amount")
"""Methods of the claims that return one number."""


def cells(notebook, kind):
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in content["cells"] if c["cell_type"] == kind]


def asked():
    """Every claim, relation and figure that a cell of a notebook asks for by its id."""
    found = {}
    for notebook in NOTEBOOKS:
        for source in cells(notebook, "code"):
            code = "\n".join(line for line in source.split("\n") if not line.startswith("%"))
            for node in ast.walk(ast.parse(code)):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in READ
                    and node.args
                    and isinstance(node.args[0], ast.Constant)
                    and re.fullmatch(r"(S\d_\d{3}|R\d{3}|I\d{2})", str(node.args[0].value))
                ):
                    found.setdefault((node.func.attr, node.args[0].value), set()).add(notebook.name)
    return found


@pytest.fixture(scope="module")
def everything():
    return va.claims()


@pytest.fixture(scope="module")
def by_programme(everything):
    return {name: va.claims(name) for name in set(everything.chosen["programme"])}


def test_what_pages_ask_for_is_there_and_there_is_much_of_it():
    """The pages of claims and arithmetic alone ask for fifteen."""
    assert len(asked()) >= 15


@pytest.mark.parametrize("kind", READ)
def test_a_number_is_the_same_whoever_asks(everything, by_programme, kind):
    """Asked of all claims or of those of one programme, it prints the same value and interval."""
    for (method, name), pages in asked().items():
        if method != kind:
            continue
        whole = getattr(everything, method)(name)
        expected = (str(whole), str(whole.interval), whole.unit)
        for programme, claims in by_programme.items():
            there = method != "quantity" or name in {v.id for v in claims.relations}
            if there:
                part = getattr(claims, method)(name)
                found = (str(part), str(part.interval), part.unit)
                assert found == expected, (name, programme, pages)


def test_tables_print_what_numbers_print(everything):
    """Each claim of the table of claims prints the interval that the claim has as a number."""
    for row in everything.rows().iter_rows(named=True):
        number = everything.number(row["claim"])
        says = row["says"].rpartition("→ ")[2]
        low, high = number.ends
        if None not in (low, high):
            assert says == str(number.interval), row["claim"]
        elif low is None and high is None:
            assert says == str(number), row["claim"]
        else:
            assert formatting.number(low if low is not None else high) in says, row["claim"]


def test_no_page_types_a_reported_number(everything):
    """In no language does prose hold a claim's number of four digits or more: code prints them."""
    values = everything.quantities.filter(pl.col("value").cast(pl.Float64) >= 1000)["value"]
    # 2,143 may be typed with or without a comma; years are no claims here.
    typed = {formatting.number(float(value), 0) for value in values if "." not in value}
    typed |= {value.replace(",", "") for value in typed}
    assert "15,000" in typed and len(typed) > 60
    number = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d])|(?<![\d.,])\d{4,}(?![\d])")
    read = [page for page in PAGES if page.name not in TECHNICAL]
    prose = {f"{page.parent.name}/{page.name}": page.read_text(encoding="utf-8") for page in read}
    for notebook in NOTEBOOKS:
        if any("import analysis as va" in source for source in cells(notebook, "code")):
            prose[notebook.name] = "\n".join(cells(notebook, "markdown"))
    found = {
        name: sorted(
            set(number.findall(re.sub(r"`[^`]*`|\]\([^)]*\)|\$[^$]*\$", "", text))) & typed
        )
        for name, text in prose.items()
    }
    assert {name: hits for name, hits in found.items() if hits} == {}
