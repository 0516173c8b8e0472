"""The import of a survey from its files to the folder of a panel, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from analysis.contract import project_name
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.frames import nearly_agree
from analysis.panels import outcomes, panel, schemas
from analysis.panels.account import Account
from analysis.panels.digest import TableDigest
from analysis.panels.importing import convert, records, villages
from analysis.panels.importing.assemble import Part, assemble
from analysis.panels.importing.limits import REJECTED, check_limits
from analysis.panels.importing.mapfile import read_map
from analysis.panels.importing.mapping import SurveyMap
from analysis.panels.importing.parameters import parameters
from analysis.panels.importing.record import map_of
from analysis.panels.importing.report import FileCount, ImportReport
from analysis.panels.importing.sources import ROW
from analysis.panels.importing.staging import Staged, cuts, open_files, parts, stage

TIER = "yours"
REPORT = "import.json"
SUMMED = "summed into the household's row of the same period"

Progress = Callable[[str, int, int], None]
"""Told what is done, how many steps are behind, and of how many."""

REJECTED_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "reason": pl.String,
    "detail": pl.String,
    "file": pl.String,
    "row": pl.Int64,
    "period": pl.Int32,
    "household": pl.String,
    "original": pl.String,
}


def import_survey(
    files: Sequence[Path],
    map_file: Path | None,
    out: Path,
    *,
    rows_at_once: int | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a survey as a map says, and write the panel and its rejected rows.

    Parameters
    ----------
    files : sequence of Path
        The survey's files, or its folder.
    map_file : Path or None
        The map; `analysis.panels.importing.mapfile` reads it. None: the file is the spreadsheet of
        the page "what to record", whose map is known.
    out : Path
        Folder of the panel. It is replaced when the import has ended well, and untouched before.
    rows_at_once : int, optional
        Source rows held in memory; by default as ``data/parameters/import.toml`` says.
    replace : bool
        Whether the panel of another survey, or a simulated one, may be replaced.
    progress : callable, optional
        Told what is being done, and how many steps of how many are behind.

    Returns
    -------
    ImportReport
        Rows, records and reasons; also written to ``import.json`` in the folder.

    Raises
    ------
    FaultsError
        With everything wrong in the map and the files; if the folder holds another panel, unless
        `replace`; or if more is rejected than the limits allow: the rejected rows then lie beside
        the folder, named ``OUT.rejected.parquet``.
    """
    map_file = map_of(files) if map_file is None else map_file
    survey = read_map(map_file)
    if not files:
        raise FaultsError([Fault(project_name(map_file), "no survey is named", "name its files")])
    out = out.resolve()
    if not replace:
        panel.keep_another(out, name=survey.survey, tier=TIER)
    with (
        panel.staged(out) as folder,
        tempfile.TemporaryDirectory(
            prefix=f".{out.name}.{os.getpid()}.work.", dir=out.parent
        ) as scratch,
    ):
        told = progress or (lambda what, done, steps: None)
        told("reading files", 0, 2 * len(survey.files))
        opened, faults = open_files(survey, files, Path(scratch) / "text")
        raise_if_any(faults)
        staged: list[Staged] = []
        for entry, source in opened:
            told(f"laying out {source.path.name}", len(opened) + len(staged), 2 * len(opened))
            staged.append(stage(survey, entry, source, Path(scratch) / "rows"))
        work = _Work(survey, folder, staged, told)
        work.run(rows_at_once or parameters().rows_at_once)
        report = work.report(out)
        check_limits(report, survey, folder, out)
        work.finish(report, map_file, [source.path for _, source in opened])
    (out.parent / f"{out.name}.{REJECTED}").unlink(missing_ok=True)
    return report


@dataclass
class _Work:
    """An import under way: tables are written part by part, counts added up."""

    survey: SurveyMap
    folder: Path
    staged: Sequence[Staged]
    told: Progress
    counts: dict[str, FileCount] = field(default_factory=dict)
    digests: dict[str, TableDigest] = field(default_factory=dict)
    said: list[pl.DataFrame] = field(default_factory=list)
    of_villages: list[pl.DataFrame] = field(default_factory=list)
    periods: Counter[str] = field(default_factory=Counter)
    participation: Counter[str] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    decided: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    n_parts: int = 1

    def run(self, rows_at_once: int) -> None:
        """Go through the households, then the villages."""
        by_household = [s for s in self.staged if s.file.unit != "village"]
        at = cuts(by_household, rows_at_once)
        self.n_parts = len(at) + 1
        (self.folder / "rejected").mkdir()
        before = 2 * len(self.staged)
        for number, raw in enumerate(parts(by_household, at)):
            what = f"part {number + 1} of {self.n_parts}"
            self.told(what, before + number, before + self.n_parts)
            frames = {
                s.file.id: records.records(raw[s.file.id], self.survey, s.context)
                for s in by_household
            }
            part = assemble(frames, self.survey)
            self._take(part, number)
            for s in by_household:
                self._account(s, raw[s.file.id], part.records[s.file.id], number)
        self._villages()
        self._participation()
        self._rejected()

    def _take(self, part: Part, number: int) -> None:
        self._write("households", part.households, number)
        self._write("income", part.income, number)
        self.said.append(part.villages)
        self._decide(part.decided)
        (self.folder / "treated").mkdir(exist_ok=True)
        part.participation.write_parquet(self.folder / "treated" / f"{number:04d}.parquet")
        self.periods["households"] += part.households.height
        self.periods["income"] += part.income.height
        asked: list[str] = [s for s in schemas.SOURCES if s in self.survey.sources_read()]
        asked += [outcome.name for outcome in self.survey.panel_outcomes()]
        lacking = pl.any_horizontal(pl.col(name).is_null() for name in asked)
        self.periods["incomplete"] += part.income.filter(lacking).height if asked else 0
        self.periods["moved"] += part.moved
        self.periods["reweighted"] += part.reweighted
        if part.income.height:
            first, last = part.income["period"].min(), part.income["period"].max()
            assert isinstance(first, int)  # noqa: S101  # there are rows
            assert isinstance(last, int)  # noqa: S101
            self.periods["first"] = min(self.periods["first"] or first, first)
            self.periods["last"] = max(self.periods["last"], last)

    def _decide(self, decided: Mapping[tuple[str, str], frozenset[str]]) -> None:
        for key, units in decided.items():
            self.decided[key] = self.decided.get(key, frozenset()) | units

    def _write(self, table: str, frame: pl.DataFrame, number: int) -> None:
        """Write a part of a table that fits the contract; one part is a file by itself."""
        if table in schemas.TABLES:
            _must_fit(table, frame)
        self.digests.setdefault(table, TableDigest()).update(frame)
        if self.n_parts == 1:
            frame.write_parquet(self.folder / f"{table}.parquet")
            return
        (self.folder / table).mkdir(exist_ok=True)
        frame.write_parquet(self.folder / table / f"part-{number:04d}.parquet")

    def _account(self, staged: Staged, raw: pl.DataFrame, frame: pl.DataFrame, number: int) -> None:
        """Count what became of every record and write the rejected ones, as they stood."""
        accepted = frame.filter(pl.col(records.REASON).is_null())
        rejected = frame.filter(pl.col(records.REASON).is_not_null())
        reasons = dict(rejected.group_by(records.REASON).len().sort(records.REASON).iter_rows())
        name, row = self._name(staged), ROW
        count = FileCount(
            raw.height, accepted[row].n_unique(), frame.height, accepted.height, reasons
        )
        self.counts[name] = self.counts.get(name, FileCount()) + count
        self.cells.update(frame.select(pl.col(list(records.COUNTS)).sum()).row(0, named=True))
        if rejected.height:
            _rejected_rows(rejected, raw, staged, name).write_parquet(
                self.folder / "rejected" / f"{staged.file.id}-{number:04d}.parquet"
            )

    def _name(self, staged: Staged) -> str:
        """Return the name of a file; with its id if the map reads it more than once."""
        name = staged.source.path.name
        same = [s for s in self.staged if s.source.path.name == name]
        return name if len(same) == 1 else f"{name} ({staged.file.id})"

    def _villages(self) -> None:
        """Write the villages, from what households and village files say."""
        said = villages.from_households(pl.concat(self.said))
        if said.conflicts:
            self.notes.append(
                f"{said.conflicts} villages have two answers to one field; "
                "the first household's stays"
            )
        table = said.table
        self.notes += nearly_agree(table[records.KEY].to_list(), "village")
        for number, s in enumerate(s for s in self.staged if s.file.unit == "village"):
            raw = s.frame.collect()
            frame = records.records(raw, self.survey, s.context)
            table, frame, treated, gained = villages.with_file(table, frame, s.file, self.survey)
            self.of_villages.append(treated)
            self._decide(gained)
            self._account(s, raw, frame, number)
        n_parts, self.n_parts = self.n_parts, 1
        self._write("villages", villages.conformed(table), 0)
        self.n_parts = n_parts
        self.periods["villages"] = table.height

    def _participation(self) -> None:
        """Join what each part says; the earliest year stands."""
        key = ["programme", "unit_level", "unit"]
        frame = (
            pl.concat(
                [
                    pl.scan_parquet(self.folder / "treated" / "*.parquet"),
                    *(f.lazy() for f in self.of_villages),
                ]
            )
            .sort(*key, "first_period")
            .unique(key, keep="first", maintain_order=True)
            .collect()
        )
        shutil.rmtree(self.folder / "treated")
        # A unit treated after the last period is not treated in this panel.
        inside = frame.filter(pl.col("first_period") <= self.periods["last"])
        known = self._units_known(inside)
        always = known.filter(pl.col("first_period") <= self.periods["first"]).height
        self.notes += [
            what.format(f"{len(units):,}", programme)
            for (what, programme), units in self.decided.items()
        ]
        for n, words in (
            (frame.height - inside.height, "begin after the last period and count as not treated"),
            (inside.height - known.height, "belong to units that are not in the panel"),
            (always, "begin in the first period or before: there is no time before treatment"),
        ):
            if n:
                self.notes.append(f"{n} participations {words}")
        n_parts, self.n_parts = self.n_parts, 1
        self._write("participation", known, 0)
        self._write("collective", schemas.empty("collective"), 0)
        self.n_parts = n_parts
        counts = known.group_by("programme", maintain_order=True).len()
        self.participation.update(dict(counts.iter_rows()))

    def _units_known(self, frame: pl.DataFrame) -> pl.DataFrame:
        of_village = frame.filter(pl.col("unit_level") == "village")
        if of_village.is_empty():
            return frame  # households come from the panel's own rows
        known = pl.read_parquet(self.folder / "villages.parquet")["village"].implode()
        return frame.filter((pl.col("unit_level") == "household") | pl.col("unit").is_in(known))

    def _rejected(self) -> None:
        """Write the rejected records of all parts in the order of file, row and period."""
        written = sorted((self.folder / "rejected").glob("*.parquet"))
        frames = [pl.scan_parquet(written)] if written else []
        empty = pl.LazyFrame(schema=REJECTED_SCHEMA)
        pl.concat([empty, *frames]).sort("file", "row", "period").sink_parquet(
            self.folder / REJECTED
        )
        shutil.rmtree(self.folder / "rejected")

    def _merged_labels(self) -> list[str]:
        """Say where two codes have one label, and labels are read: they become one."""
        lines = []
        for s in self.staged:
            read = {c for cell in self.survey.cells() if cell.labels for c in cell.columns}
            for name in sorted(read & set(s.context.labels)):
                labels = s.context.labels[name]
                same = sorted(x for x, n in Counter(labels.values()).items() if n > 1)
                for label in same:
                    codes = " and ".join(code for code, text in labels.items() if text == label)
                    lines.append(
                        f"{s.source.path.name}: codes {codes} of {name} have one label, {label!r},"
                        " and become one"
                    )
        return lines

    def report(self, out: Path) -> ImportReport:
        """Return the report; the laws of the account are checked as it is made."""
        for s in self.staged:
            read = self.counts[self._name(s)].rows
            if read != s.source.n_rows:
                raise ValueError(f"{self._name(s)}: {s.source.n_rows} rows, {read} counted")
        if self.periods["moved"]:
            self.notes.append(
                f"{self.periods['moved']} households changed village; the baseline village stays"
            )
        if self.periods["reweighted"]:
            self.notes.append(
                f"{self.periods['reweighted']} households have weights that differ "
                "between records; the first one stays, as the contract has "
                "baseline weights"
            )
        self.notes += self._merged_labels()
        formulas = [s.source.path.name for s in self.staged if s.source.formulas]
        self.notes += [
            f"{name} has formulas: the values last stored are read, none is computed"
            for name in formulas
        ]
        self.notes += [
            f"{s.source.path.name}: {note}"
            for s in self.staged
            for note in s.source.cells.notes("not read: rows that need them are rejected")
        ]
        self.notes += [
            f"{s.source.path.name}: encoding {s.source.text.encoding}, as far as can be told"
            for s in self.staged
            if s.source.text and s.source.text.encoding != "utf-8" and not s.file.encoding
        ]
        self.notes += [
            f"{source} income is not in the survey: {why}"
            for source, why in self.survey.absent.items()
        ]
        return ImportReport(
            survey=self.survey.survey,
            status=self.survey.status,
            out=out,
            files=self.counts,
            account=self._panel_account(),
            n_households=self.periods["households"],
            n_villages=self.periods["villages"],
            n_periods=self.periods["income"],
            n_incomplete=self.periods["incomplete"],
            participation=dict(self.participation),
            cells={what: self.cells[name] for name, what in records.COUNTS.items()},
            notes=tuple(self.notes),
        )

    def _panel_account(self) -> Account:
        """Count the records of the main files; persons of one household fall into one period."""
        names = {self._name(s) for s in self.staged if s.file in self.survey.anchors()}
        main = sum((self.counts[n] for n in sorted(names)), start=FileCount())
        left_out = {convert.REASONS[reason]: n for reason, n in main.reasons.items()}
        summed = main.records_accepted - self.periods["income"]
        if summed:
            left_out[SUMMED] = summed
        return Account(main.records, self.periods["income"], left_out)

    def finish(self, report: ImportReport, map_file: Path, sources: Sequence[Path]) -> None:
        """Write report and manifest; a panel of one part is checked once more as a whole."""
        content = {
            "import": report.as_dict(),
            "map": {"name": map_file.name, "sha256": _sha256(map_file)},
            "sources": {path.name: _sha256(path) for path in sources},
        }
        survey = self.survey
        absent = [s for s in schemas.SOURCES if s not in survey.sources_read()]
        about = {
            "currency": survey.currency,
            "price_year": None,
            "calendar": survey.calendar,
            "prices": survey.prices,
            "absent": absent,
            "outcomes": outcomes.written(survey.panel_outcomes()),
        }
        panel.write_manifest(
            self.folder,
            name=report.survey,
            tier=TIER,
            account=report.account,
            tables=self.digests,
            about=about,
            more=content,
        )
        if self.n_parts == 1:
            raise_if_any(panel.check(panel.read(self.folder)))


def _must_fit(table: str, frame: pl.DataFrame) -> None:
    """Raise if a table breaks the contract: the import should have refused such rows."""
    names = list(schemas.TABLES[table].columns())
    failure = schemas.TABLES[table].filter(frame.select(names)).failure
    raise_if_any(
        Fault(
            f"{table}.parquet",
            f"{n} rows break the rule {rule}",
            "this is a fault of the import: report it",
        )
        for rule, n in sorted(failure.counts().items())
    )


def _rejected_rows(
    rejected: pl.DataFrame, raw: pl.DataFrame, staged: Staged, name: str
) -> pl.DataFrame:
    """Return rejected records with the row they come from, as it stood in the file."""
    columns = [c for c in raw.columns if c not in (ROW, records.KEY, records.BROKEN)]
    rows = raw.join(rejected.select(ROW).unique(), on=ROW, how="semi").select(
        ROW, pl.struct(columns).struct.json_encode().alias("original")
    )
    frame = rejected.join(rows, on=ROW, how="left", maintain_order="left")
    broken = staged.source.text.broken if staged.source.text else {}
    if broken:
        cells = [pl.Series([list(row)]).to_frame("cells") for row in broken.values()]
        table = pl.DataFrame(
            {
                ROW: pl.Series(list(broken), dtype=frame.schema[ROW]),
                "_cells": [c.select(pl.struct("cells").struct.json_encode()).item() for c in cells],
            }
        )
        frame = frame.join(table, on=ROW, how="left", maintain_order="left")
        frame = frame.with_columns(pl.coalesce("_cells", "original").alias("original"))
    return frame.select(
        pl.col(records.REASON).alias("reason"),
        pl.col(records.DETAIL).alias("detail"),
        pl.lit(name).alias("file"),
        pl.col(ROW).cast(pl.Int64).alias("row"),
        pl.col(records.PERIOD).cast(pl.Int32).alias("period"),
        pl.col(records.KEY).alias("household"),
        "original",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
