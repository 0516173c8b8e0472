"""A household panel: a folder of Parquet files that fits the schemas, and what is known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from analysis import folders
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels import checks, package, schemas
from analysis.panels import outcomes as declared
from analysis.panels.account import Account
from analysis.panels.calendar import CALENDARS
from analysis.panels.digest import TableDigest
from analysis.panels.outcomes import PanelOutcome

TIERS = ("public", "model", "yours")
TWIN = "twin"
"""Entry of the manifest of a synthetic twin, and what stands on pages in place of its tier."""
MANIFEST = "panel.json"
KEYS = ("name", "tier", "account", "currency", "price_year", "files")
"""Entries of the manifest without which a panel cannot be read."""
REWRITE = "write the panel again"


@dataclass(frozen=True)
class Panel:
    """A household panel.

    Attributes
    ----------
    name : str
        What the panel is called on pages.
    tier : str
        ``public``, ``model`` (simulated) or ``yours``.
    households, villages, income, participation, collective : polars.LazyFrame
        The tables of `analysis.panels.schemas`. Money is Int64 fen a year.
    account : Account
        Rows read, used and left out, household × period.
    currency : str
        Main unit, as it is to be printed; money columns hold whole hundredths of it.
    price_year : int or None
        None: nominal, prices of each period; otherwise prices of that year.
    twin : bool
        Whether it is a synthetic twin: drawn column by column from another panel, no truth known.
    outcomes : tuple of PanelOutcome
        Outcomes besides income: further columns of the income table.
    absent : tuple of str
        Sources of income that were not asked for.
    calendar : str
        What a period is: a key of `analysis.panels.calendar.CALENDARS`.
    prices : str or mapping of int to str
        Price index of the place and currency: a series of ``prices.csv``, or the panel's own, year
        to index; empty without one.
    """

    name: str
    tier: str
    households: pl.LazyFrame
    villages: pl.LazyFrame
    income: pl.LazyFrame
    participation: pl.LazyFrame
    account: Account
    collective: pl.LazyFrame = field(default_factory=lambda: schemas.empty("collective").lazy())
    currency: str = "yuan"
    price_year: int | None = None
    twin: bool = False
    outcomes: tuple[PanelOutcome, ...] = ()
    absent: tuple[str, ...] = ()
    calendar: str = "year"
    prices: str | Mapping[int, str] = ""

    def __post_init__(self) -> None:
        if self.tier not in TIERS:
            raise ValueError(f"tier {self.tier!r} is none of {', '.join(TIERS)}")
        if self.calendar not in CALENDARS:
            raise ValueError(f"calendar {self.calendar!r} is none of {', '.join(CALENDARS)}")

    @property
    def outcome_names(self) -> tuple[str, ...]:
        """Every outcome that can be asked for: sources of income and total, then the others."""
        sources = tuple(name for name in schemas.SOURCES if name not in self.absent)
        total = () if self.absent else ("total",)
        return (*sources, *total, *(outcome.name for outcome in self.outcomes))

    @property
    def evidence(self) -> str:
        """What its numbers are called on pages: ``twin`` for a twin, else the tier."""
        return TWIN if self.twin else self.tier

    def table(self, name: str) -> pl.LazyFrame:
        """Return a table by its name in `schemas.TABLES`."""
        frame = getattr(self, name)
        assert isinstance(frame, pl.LazyFrame)  # noqa: S101  # the type checker cannot see it
        return frame


def staged(target: Path) -> AbstractContextManager[Path]:
    """Return a context that yields a new folder and puts it in the target's place at the end.

    See `analysis.folders.replaced`.
    """
    return folders.replaced(target, MANIFEST, "a panel")


def keep_another(target: Path, *, name: str, tier: str, twin: bool = False) -> None:
    """Refuse to write over a panel of another tier or survey: it may not be there a second time.

    One simulated panel takes the place of another, since that can be simulated again.

    Parameters
    ----------
    target : Path
        Folder to write to.
    name, tier, twin
        Of the panel to be written, as in `Panel`.

    Raises
    ------
    FaultsError
        If the folder holds such a panel, or one whose manifest cannot be read.
    """
    folders.recover(target.resolve())
    try:
        result = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        there = (result["tier"], bool(result.get(TWIN)), result["name"])
    except (FileNotFoundError, NotADirectoryError):
        return
    except (ValueError, KeyError, TypeError, AttributeError):
        there = None
    simulated = ("model", False)
    if there == (tier, twin, name) or (there and there[:2] == simulated == (tier, twin)):
        return
    problem = (
        f"holds {there[2]!r} ({TWIN if there[1] else there[0]})"
        if there
        else ("holds a panel that cannot be read")
    )
    raise FaultsError(
        [
            Fault(
                target.name,
                f"{problem}, which {name!r} ({TWIN if twin else tier}) would replace",
                "choose a new folder, or say --replace",
            )
        ]
    )


def write_manifest(
    folder: Path,
    *,
    name: str,
    tier: str,
    account: Account,
    tables: Mapping[str, TableDigest],
    about: Mapping[str, object],
    more: Mapping[str, object] | None = None,
) -> None:
    """Write ``panel.json`` and ``datapackage.json`` into a folder that already holds the tables.

    Parameters
    ----------
    folder : Path
        Usually the folder that `staged` yields.
    name, tier, account
        As in `Panel`.
    tables : mapping of str to TableDigest
        Rows and content digest of each table.
    about : mapping
        Further fields of a `Panel`, as `described` returns them.
    more : mapping, optional
        Further entries: the settings of a simulation, the source of an import.
    """
    content = {
        "schema_version": schemas.SCHEMA_VERSION,
        "name": name,
        "tier": tier,
        **about,
        "account": account.as_dict(),
        "tables": {key: {"rows": t.rows, "digest": t.hexdigest()} for key, t in tables.items()},
        "files": folders.seal(folder),
        **(more or {}),
    }
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    package.write(folder, name)
    # Households never enter a repository by accident: git passes over a folder that says so.
    (folder / ".gitignore").write_text("*\n", encoding="utf-8", newline="\n")


def described(panel: Panel) -> dict[str, object]:
    """Return what a manifest says of a panel besides its name, tier, account and tables."""
    return {
        "currency": panel.currency,
        "price_year": panel.price_year,
        "calendar": panel.calendar,
        "prices": panel.prices
        if isinstance(panel.prices, str)
        else {str(year): value for year, value in panel.prices.items()},
        "absent": list(panel.absent),
        "outcomes": declared.written(panel.outcomes),
    }


def write(
    panel: Panel,
    folder: Path,
    more: Mapping[str, object] | None = None,
    *,
    replace: bool = False,
) -> None:
    """Check a panel and write it, whole or not at all; rows are put in the order of their key.

    Parameters
    ----------
    panel : Panel
        The panel.
    folder : Path
        Where it goes.
    more : mapping, optional
        Further entries of the manifest.
    replace : bool
        Whether it may take the place of a panel of another tier or survey.

    Raises
    ------
    FaultsError
        With everything `check` finds, or if the folder holds another panel.
    """
    if not replace:
        keep_another(folder, name=panel.name, tier=panel.tier, twin=panel.twin)
    faults = check(panel)
    if faults:
        raise FaultsError(faults)
    with staged(folder) as stage:
        digests = {}
        for table, schema in schemas.TABLES.items():
            frame = schemas.conform(panel.table(table), table).sort(schema.primary_key()).collect()
            frame.write_parquet(stage / f"{table}.parquet")
            digests[table] = TableDigest()
            digests[table].update(frame)
        write_manifest(
            stage,
            name=panel.name,
            tier=panel.tier,
            account=panel.account,
            tables=digests,
            about=described(panel),
            more={**({TWIN: True} if panel.twin else {}), **(more or {})},
        )


def read_manifest(folder: Path) -> dict[str, object]:
    """Read ``panel.json``.

    Raises
    ------
    FaultsError
        If it is missing, is not JSON, or belongs to another version of the contract.
    """
    file = f"{folder.name}/{MANIFEST}"
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FaultsError(
            [Fault(file, "the file is missing", "name a folder that simulate or import wrote")]
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise FaultsError([Fault(file, "not JSON", REWRITE)]) from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != schemas.SCHEMA_VERSION:
        raise FaultsError(
            [
                Fault(
                    file,
                    f"version of the contract is not {schemas.SCHEMA_VERSION}",
                    REWRITE,
                    column="schema_version",
                    value=str(version),
                )
            ]
        )
    assert isinstance(content, dict)  # noqa: S101  # the version was read from it
    missing = [key for key in KEYS if key not in content]
    if missing or not isinstance(content["account"], dict):
        problem = "an entry is missing or of another kind"
        value = ", ".join(missing) or "account"
        raise FaultsError([Fault(file, problem, REWRITE, value=value)])
    return content


def read(folder: Path) -> Panel:
    """Open a panel: its files are those that were written; rows are read when they are asked for.

    Raises
    ------
    FaultsError
        If the manifest or a table is missing, a file was changed or cut short since it was
        written, or a table's columns or types are not the contract's. Values are checked by
        `check`.
    """
    folders.recover(folder.resolve())
    about = read_manifest(folder)
    raise_if_any(folders.broken(folder, about["files"], REWRITE))
    outcomes = declared.read(about.get("outcomes", ()))  # type: ignore[arg-type]
    prices = about.get("prices", "")
    frames, faults = {}, []
    for table in schemas.TABLES:
        frame = _scan(folder, table)
        if frame is None:
            faults.append(Fault(f"{folder.name}/{table}.parquet", "the file is missing", REWRITE))
            continue
        frames[table] = frame
        faults += checks.header_faults(frame, table, outcomes)
    if faults:
        raise FaultsError(faults)
    account = about["account"]
    assert isinstance(account, dict)  # noqa: S101  # read_manifest says so
    return Panel(
        name=str(about["name"]),
        tier=str(about["tier"]),
        account=Account(**account),
        currency=str(about["currency"]),
        price_year=about["price_year"],  # type: ignore[arg-type]
        twin=bool(about.get(TWIN)),
        outcomes=outcomes,
        absent=tuple(about.get("absent", ())),  # type: ignore[arg-type]
        calendar=str(about.get("calendar", "year")),
        prices={int(year): str(value) for year, value in prices.items()}
        if isinstance(prices, dict)
        else str(prices),
        **{table: schemas.conform(frame, table) for table, frame in frames.items()},
    )


def _scan(folder: Path, table: str) -> pl.LazyFrame | None:
    """Scan a table that is one file or a folder of numbered parts."""
    if (folder / f"{table}.parquet").is_file():
        return pl.scan_parquet(folder / f"{table}.parquet")
    parts = sorted((folder / table).glob("part-*.parquet"))
    return pl.scan_parquet(parts) if parts else None


def check(panel: Panel) -> tuple[Fault, ...]:
    """Return everything in which a panel breaks the contract, one fault per table and rule.

    Keys across tables are checked too: the village of each household, the household of each
    income row, the unit of each participation, the range of each first period, and
    the account against the income table.
    """
    faults = [
        f
        for table in schemas.TABLES
        for f in checks.header_faults(panel.table(table), table, panel.outcomes)
    ]
    if faults:
        return tuple(faults)
    for table in schemas.TABLES:
        faults += checks.value_faults(panel.table(table), table)
    faults += declared.value_faults(panel.income, panel.outcomes)
    return (*faults, *checks.reference_faults(panel), *checks.account_faults(panel))


def size_on_disk(folder: Path) -> int:
    """Return the bytes of all files of a panel."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
