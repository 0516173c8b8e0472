"""All data of the site as files: CSV and Parquet of each table, its description, one archive.

What is offered: the committed data packages, the findings, and the data of every figure and table.
"""

from __future__ import annotations

import html
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from analysis import datapackage

LISTING = "pages/_datasets.qmd"
FOLDER = "downloads/data"
ARCHIVE = "downloads/all-data.zip"
# A zip file cannot say that it has no date; this is the first that it can say.
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_TYPES: Mapping[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "date": pl.Date(),
}
GROUPS: Mapping[str, str] = {
    "claims": "What was reported",
    "programmes": "The programmes",
    "prose": "Numerals that prose may type",
    "studies": "Published studies",
    "household": "The household: income, prices and what people earn",
    "parameters": "Prices, lines and assumptions",
    "findings": "Findings",
    "changes": "What changed",
    "methods": "How estimates are made",
    "validation": "Checks of the methods: what is expected",
    "reports": "Checks of the methods: what came out, and timings",
    "translations": "Pages in Chinese",
}
"""Folders of data in words."""


@dataclass(frozen=True)
class Dataset:
    """A table that readers can take.

    Attributes
    ----------
    name : str
        Its files are named so, without their ending.
    group : str
        Where it belongs: a folder of ``data``, ``reports``, or the page that shows it.
    what : str
        What it holds, in a sentence.
    csv : bytes
        The table as it is published.
    frame : polars.DataFrame
        The same with types.
    source : str
        Where it stands on the site: an address from the top, or nothing.
    fields : tuple of dict
        Its columns as its data package describes them; none for exhibits.
    """

    name: str
    group: str
    what: str
    csv: bytes
    frame: pl.DataFrame
    source: str = ""
    fields: tuple[dict[str, Any], ...] = field(default=())

    @property
    def is_exhibit(self) -> bool:
        """Whether it is the data of a figure or table."""
        return self.name.startswith(("fig-", "tbl-"))

    def address(self, ending: str) -> str:
        """Return where one of its files lies in the site.

        Examples
        --------
        >>> Dataset("tbl-a", "", "", b"", pl.DataFrame()).address("csv")
        'downloads/tbl-a.csv'
        """
        folder = "downloads" if self.is_exhibit or self.name == "findings" else FOLDER
        return f"{folder}/{self.name}.{ending}"


def typed(csv: bytes, fields: Iterable[Mapping[str, Any]] = ()) -> pl.DataFrame:
    r"""Read a table, with the types its description gives and guessed ones elsewhere.

    Parameters
    ----------
    csv : bytes
        A table with a head.
    fields : iterable of mapping
        Name and type of columns, as Frictionless has them.

    Examples
    --------
    >>> typed(b"a,b\n1,2\n", [{"name": "a", "type": "string"}]).dtypes
    [String, Int64]

    An exhibit of data that cannot be shown, such as a survey of one period, has no columns:

    >>> typed(b"\n").shape
    (0, 0)
    """
    if not csv.strip():
        return pl.DataFrame()
    by_name = {str(row["name"]): _TYPES[row["type"]] for row in fields if row["type"] in _TYPES}
    return pl.read_csv(csv, schema_overrides=by_name, infer_schema_length=None)


def committed(root: Path) -> tuple[Dataset, ...]:
    """Return the CSV tables of every data package below ``data``, and those of ``reports``.

    Findings are left out: a build offers those it has just noted.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    datasets = []
    found_in = [
        *sorted((root / "data").glob(f"*/{datapackage.NAME}")),
        *(root / "reports").glob(datapackage.NAME),
    ]
    for path in found_in:
        package = json.loads(path.read_text(encoding="utf-8"))
        for resource in package["resources"]:
            file = path.parent / str(resource.get("path", ""))
            if file.suffix != ".csv" or resource["name"] == "findings":
                continue
            csv, fields = file.read_bytes(), tuple(resource["schema"]["fields"])
            # Two packages may name a table alike.
            group, table = package["name"], resource["name"]
            name = table if table == group else f"{group}-{table}"
            what = f"Each row: {_lower(str(resource.get('description', '')))}"
            datasets.append(Dataset(name, group, what, csv, typed(csv, fields), "", fields))
    return tuple(datasets)


def _lower(text: str) -> str:
    """Return a sentence as it stands after a colon.

    Examples
    --------
    >>> _lower("An article."), _lower("Yuan a year")
    ('an article.', 'yuan a year')
    """
    return text[:1].lower() + text[1:]


def exhibits(
    downloads: Mapping[str, str],
    records: Sequence[Mapping[str, Any]],
    addresses: Mapping[str, str] | None = None,
) -> list[Dataset]:
    """Return the data of figures and tables.

    Parameters
    ----------
    downloads : mapping of str to str
        Texts by file name, as `analysis.site.annotate.dress` offers them.
    records : sequence of mapping
        The findings, which say what each shows and on which page.
    addresses : mapping of str to str, optional
        Where the page of a notebook stands in the site, by its name, where that is not
        ``notebooks/NAME.html``.
    """
    about = {str(record["id"]): record for record in records}
    datasets = []
    for file, text in downloads.items():
        name, _, ending = file.rpartition(".")
        if ending != "csv":
            continue
        record = about.get(name, {})
        page = str(record.get("page", ""))
        place = (addresses or {}).get(page, f"notebooks/{page}.html")
        source = f"{place}#{name}" if page else ""
        what, csv = str(record.get("what", "")), text.encode()
        datasets.append(Dataset(name, page, what, csv, typed(csv), source))
    return datasets


def parquet(frame: pl.DataFrame) -> bytes:
    """Return a table as a Parquet file; the same table gives the same bytes."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def description(datasets: Iterable[Dataset]) -> bytes:
    """Return the dictionary of all tables: a data package, its paths those of the archive."""
    resources = [
        {
            "name": dataset.name,
            "path": f"{dataset.name}.csv",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "description": dataset.what,
            "schema": {"fields": list(dataset.fields) or _guessed(dataset.frame)},
        }
        for dataset in datasets
    ]
    whole = {
        "profile": "data-package",
        "name": "village-programmes",
        "title": "Village programmes and household income: all data of the site",
        "licenses": [{"name": "CC-BY-4.0"}],
        "resources": resources,
    }
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode()


def _guessed(frame: pl.DataFrame) -> list[dict[str, str]]:
    """Return the columns of an exhibit: their names are their labels."""
    return [{"name": name, "type": datapackage.kind(dtype)} for name, dtype in frame.schema.items()]


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip archive; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _NO_DATE)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, files[name])
    return buffer.getvalue()


def files(
    datasets: Sequence[Dataset], licence: bytes = b"", titles: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """Return every download and the listing of them, by name in the stage.

    Parameters
    ----------
    datasets : sequence of Dataset
        Tables in the order of the listing, no name twice.
    licence : bytes
        Text of the data licence, for the archive.
    titles : mapping of str to str, optional
        Titles of pages by name; a page without one is listed by its name.
    """
    by_name = {}
    for dataset in datasets:
        by_name[dataset.address("csv")] = dataset.csv
        by_name[dataset.address("parquet")] = parquet(dataset.frame)
    about = description(datasets)
    packed = {Path(name).name: content for name, content in by_name.items()}
    packed[datapackage.NAME] = about
    if licence:
        packed["LICENSE-DATA"] = licence
    return {
        **by_name,
        f"{FOLDER}/{datapackage.NAME}": about,
        ARCHIVE: archive(packed),
        LISTING: listing(datasets, titles).encode(),
    }


def listing(datasets: Sequence[Dataset], titles: Mapping[str, str] | None = None) -> str:
    """Return the table of all data, for the page that includes it."""
    called = {**GROUPS, **(titles or {})}
    groups = {dataset.group for dataset in datasets if not dataset.is_exhibit}
    rows = "\n".join(_row(dataset, called) for dataset in datasets)
    head = "".join(
        f'<th scope="col"{extra}>{html.escape(name)}</th>'
        for name, extra in (
            ("Table", ""),
            ("What it holds", ""),
            ("Belongs to", " data-filter"),
            ("Rows", ' class="gt_right"'),
            ("Columns", ' class="gt_right"'),
            ("Files", ""),
        )
    )
    tables = sum(not dataset.is_exhibit for dataset in datasets)
    return f"""{len(datasets):,} tables: {tables:,} of the report's sources and findings, in
{len(groups):,} groups, and the data of {len(datasets) - tables:,} figures and tables.

```{{=html}}
<div class="table-scroll filterable" tabindex="0" role="region" aria-label="All data of this site">
<table data-filterable>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
```
"""


def _row(dataset: Dataset, called: Mapping[str, str]) -> str:
    name = f"<code>{html.escape(dataset.name)}</code>"
    if dataset.source:
        name = f'<a href="../{html.escape(dataset.source)}">{name}</a>'
    links = " · ".join(
        f'<a class="download" href="../{html.escape(dataset.address(ending))}">{word}</a>'
        for ending, word in (("csv", "CSV"), ("parquet", "Parquet"))
    )
    height, width = dataset.frame.shape
    return (
        f"<tr><td>{name}</td><td>{html.escape(dataset.what)}</td>"
        f"<td>{html.escape(called.get(dataset.group, dataset.group))}</td>"
        f'<td class="gt_right">{height:,}</td><td class="gt_right">{width:,}</td>'
        f'<td class="nowrap">{links}</td></tr>'
    )
