"""The data as described to people and to other programs: a page, and a data package per folder.

All are generated from the schemas and committed; a test says when they are out of date, and
``python -m analysis.panels.dictionary`` writes them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dataframely as dy

from analysis import changes, contract, datapackage, money, paths, programmes
from analysis.benchmarks import timings
from analysis.claims import places, spending
from analysis.claims import schemas as ledger
from analysis.files import write_atomic
from analysis.household import calibration, costs
from analysis.panels import cards, package, schemas
from analysis.panels.model import parameters
from analysis.studies import contracts as library
from analysis.templates import fill

TYPES = {
    "String": "text",
    "Enum": "word",
    "Bool": "true or false",
    "Int32": "whole number, 32 bits",
    "Int64": "whole number, 64 bits",
    "Float64": "number, 64 bits",
}
REFERS: Mapping[str, Mapping[str, datapackage.Keys]] = {
    "claims": {
        "claims": {"source": ("sources", "id")},
        "implied": {"official": ("official", "id")},
    },
    "studies": {
        "estimates": {"work": ("works", "id")},
        "merge": {"estimate": ("estimates", "id")},
        "checks": {"estimate": ("estimates", "id")},
    },
    "programmes": {
        "systems": {"programme": ("programmes", "id")},
        "designs": {"programme": ("programmes", "id")},
        "payments": {"programme": ("programmes", "id")},
    },
}
"""Keys across committed CSV files, by folder and file."""
PARAMETERS = {
    "disclosure": "How strict disclosure control of packs is",
    "evidence_map": "When an estimate counts as precise on the evidence map",
    "import": "Limits of an import, units and periods of amounts",
    "inference": "Parameters of intervals: intraclass correlation, fewest clusters",
    "model": "Parameters of the model panel",
    "model_programmes": "True effects of the programmes in the model panel",
    "site": "Settings of the site",
}
"""Parameter files in TOML; each value in them stands with its unit, source and status."""


class FigureLabels(contract.Row):
    """One word that figures print, in both languages."""

    key = dy.String(primary_key=True, description="name of the word in code")
    en = dy.String(description="in English")
    zh = dy.String(description="in Chinese")


def legal(column: dy.Column) -> str:
    """Return the legal values of a column in words.

    Examples
    --------
    >>> legal(dy.Int32(min=1, max=100)), legal(dy.Enum(["a", "b"])), legal(dy.String())
    ('1 to 100', 'a, b', '')
    """
    if isinstance(column, dy.Enum):
        return ", ".join(column.categories)
    least, most = (getattr(column, name, None) for name in ("min", "max"))
    if least is not None and most is not None:
        return f"{_number(least)} to {_number(most)}"
    if least is not None:
        return f"{_number(least)} or more"
    above = getattr(column, "min_exclusive", None)
    return "" if above is None else f"more than {_number(above)}"


def _number(value: float) -> str:
    if abs(value) == schemas.LARGEST_FEN:
        return "10¹²" if value > 0 else "−10¹²"
    return f"{value:g}" if abs(value) < 1000 or value > 3000 else str(int(value))


def packages() -> dict[str, dict[str, Any]]:
    """Return the data package of each folder of committed data, by the folder's name."""
    return {
        "changes": _csv_package(
            "changes",
            "Changes",
            "Published numbers that moved, and why",
            {"changes": changes.Changes},
        ),
        "claims": _csv_package(
            "claims",
            "Claims",
            "Every figure of the articles, the relations among them and what they imply",
            {**ledger.SCHEMAS, "places": places.Places, "spending": spending.Spending},
        ),
        "household": _csv_package(
            "household",
            "Households",
            "Official incomes by place and year, household sizes, spread of incomes, and what "
            "reported programmes can have added to the average of a place",
            calibration.SCHEMAS,
        ),
        "panels": package.of_contract(),
        "parameters": datapackage.package(
            "parameters",
            "Parameters",
            "Prices, poverty lines, official incomes, assumed ranges, and the parameters of "
            "the model panel; every value with its unit, source and status",
            [
                *(
                    datapackage.csv_file(name, schema)
                    for name, schema in (
                        ("prices", money.Prices),
                        ("poverty_lines", money.PovertyLines),
                        ("income_path", parameters.IncomePath),
                        ("assumed_ranges", costs.Assumed),
                        ("unit_costs", costs.UnitCost),
                        ("speed_targets", timings.SpeedTargets),
                    )
                ),
                *(_toml_file(name, what) for name, what in PARAMETERS.items()),
                datapackage.csv_file("figure_labels", FigureLabels),
            ],
        ),
        "programmes": _csv_package(
            "programmes",
            "Programmes",
            "The programmes, the systems that articles describe, and "
            "the design in which each programme's effect is looked for",
            {
                "programmes": programmes.Programmes,
                "systems": programmes.Systems,
                "designs": programmes.Designs,
                "payments": programmes.Payments,
            },
        ),
        "public": datapackage.package(
            "public",
            "Public data sets",
            "Cards of public data sets: what each is and can say. The fields are those of the "
            "table that a card describes, which an installed package or a download holds.",
            (_card(card) for card in cards.load().values()),
        ),
        "studies": _csv_package(
            "studies",
            "Published studies",
            "Estimates that were published elsewhere, the works they stand in, how the files were "
            "merged, priors and the rule for how sure an answer is",
            library.SCHEMAS,
        ),
    }


def _csv_package(
    folder: str, title: str, what: str, tables: Mapping[str, type[dy.Schema]]
) -> dict[str, Any]:
    refers = REFERS.get(folder, {})
    resources = (datapackage.csv_file(n, schema, refers.get(n)) for n, schema in tables.items())
    return datapackage.package(folder, title, what, resources)


def _toml_file(name: str, what: str) -> dict[str, Any]:
    return {
        "name": name,
        "path": f"{name}.toml",
        "format": "toml",
        "encoding": "utf-8",
        "description": what,
    }


def _card(card: cards.Card) -> dict[str, Any]:
    """Describe a card and the columns of the table that it describes."""
    fields = [
        {
            "name": c.name,
            "type": datapackage.kind(cards.TYPES[c.type]()),
            "description": c.about,
            "unit": c.unit,
        }
        for c in card.columns
    ]
    return {
        **_toml_file(card.id, f"{card.says} {card.does_not_say}"),
        "title": card.title,
        "sources": [{"title": card.citation}],
        "schema": {"fields": fields},
    }


def page() -> str:
    """Return the dictionary page, Markdown for the site."""
    result = money.load()
    return fill(
        Path(__file__).parent / "templates" / "dictionary.md.j2",
        rules=_rules(),
        prefix=schemas.COVARIATE_PREFIX,
        tables=[_described(name, schema) for name, schema in schemas.TABLES.items()],
        price_index=money.PRICE_INDEX,
        lines=[
            {
                "name": line,
                "year": year,
                "yuan": f"{float(value):g}",
                "status": result.status[line, year].replace("_", " "),
            }
            for (line, year), value in result.lines.items()
        ],
        changes=[
            {
                "series": series,
                "year": year,
                "ratio": f"{float(change):.3f}",
                "status": result.change_status[series, year].replace("_", " "),
            }
            for (series, year), change in result.changes.items()
        ],
    )


def _described(name: str, schema: type[dy.Schema]) -> dict[str, Any]:
    """Return a table of the contract, with a row of cells for each column."""
    return {
        "name": name,
        "about": datapackage.first_line(schema),
        "key": [f"`{key}`" for key in schema.primary_key()],
        "columns": [
            (
                f"`{column_name}`",
                column.description or "",
                (column.metadata or {})["unit"],
                TYPES[type(column).__name__],
                legal(column),
                "yes" if column.nullable else "no",
            )
            for column_name, column in schema.columns().items()
        ],
    }


def _rules() -> str:
    """Return the rule for moves, splits and merges, as the schemas state it."""
    text = (schemas.__doc__ or "").split("\n\n", 1)[1]
    return text.strip().replace(" So:", "")


def outputs() -> dict[Path, str]:
    """Return every generated file and what it should hold."""
    described = {
        paths.data() / folder / datapackage.NAME: datapackage.as_json(content)
        for folder, content in packages().items()
    }
    return {**described, paths.root() / "pages" / "dictionary.qmd": page()}


def write() -> None:
    """Write the generated files."""
    for path, text in outputs().items():
        write_atomic(path, text.encode())


if __name__ == "__main__":
    write()
