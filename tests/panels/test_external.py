"""Fetching data: resumed, refused, atomic; against a server of our own on this machine."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.faults import FaultsError
from analysis.panels import download, external, reading
from analysis.panels.download import Entry

CONTENT = bytes(range(256)) * 1024  # four chunks

NAMED = os.environ.get(download.VARIABLE, "")
"""Where this run has the real files, if anywhere; the tests of fetching do not look there."""


@dataclass
class Server:
    """A web server that can misbehave.

    Attributes
    ----------
    ranges : bool
        Whether it answers a range with that range.
    cut_after : int or None
        Bytes after which it closes the connection.
    announces : bool
        Whether it says how long the answer is.
    status : int
        What it answers.
    asked : list of str
        The ranges it was asked for.
    """

    url: str = ""
    content: bytes = CONTENT
    ranges: bool = True
    cut_after: int | None = None
    announces: bool = True
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        self.asked.append(wanted)
        if self.status != 200:
            handler.send_error(self.status)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-") or 0) if self.ranges else 0
        if start > len(self.content):
            handler.send_error(416)
            return
        body = self.content[start:]
        handler.send_response(206 if start else 200)
        if start:
            size = len(self.content)
            handler.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if self.announces:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.cut_after])


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_port}/data.bin"
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment must not stand between a test and its own machine."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(download.VARIABLE, raising=False)


def entry(server: Server, name: str = "data") -> Entry:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return Entry(name, f"{name}.bin", server.url, digest, len(CONTENT), "MIT", "Us", "bytes")


def fetch(server: Server, folder: Path, **changes: object) -> download.Fetched:
    one = replace(entry(server), **changes)
    return external.fetch(["data"], folder, entries={"data": one}, timeout=5)[0]


def part_of(folder: Path) -> Path:
    return folder / ".data.bin.part"


def test_a_file_is_fetched_whole_and_left_alone_the_next_time(
    server: Server, tmp_path: Path
) -> None:
    first = fetch(server, tmp_path / "new" / "folder")
    again = fetch(server, tmp_path / "new" / "folder")
    assert first.path.read_bytes() == CONTENT
    assert (first.state, first.n_bytes) == ("downloaded", len(CONTENT))
    assert (again.state, again.n_bytes) == ("present", 0)
    assert server.asked == [""]
    assert [path.name for path in first.path.parent.iterdir()] == ["data.bin"]


def test_progress_is_told_up_to_the_last_byte(server: Server, tmp_path: Path) -> None:
    seen: list[int] = []
    one = entry(server)
    external.fetch(None, tmp_path, entries={"data": one}, progress=lambda _, n: seen.append(n))
    assert seen == sorted(seen)
    assert seen[-1] == len(CONTENT)


@pytest.mark.parametrize("announces", [True, False])
def test_a_connection_that_ends_early_is_gone_on_from(
    server: Server, tmp_path: Path, announces: bool
) -> None:
    server.cut_after, server.announces = 100_000, announces
    with pytest.raises(
        FaultsError, match=r"ended after 100,000 of 262,144 bytes.*make data ARGS=.data."
    ):
        fetch(server, tmp_path)
    assert not (tmp_path / "data.bin").exists()
    server.cut_after = None
    second = fetch(server, tmp_path)
    assert second.path.read_bytes() == CONTENT
    assert (second.state, second.n_bytes) == ("resumed", len(CONTENT) - 100_000)
    assert server.asked == ["", "bytes=100000-"]
    assert not part_of(tmp_path).exists()


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    part_of(tmp_path).write_bytes(b"x" * 1000)
    assert fetch(server, tmp_path).state == "downloaded"
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("there", [b"x" * 1000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 1)])
def test_a_part_of_something_else_is_thrown_away(
    server: Server, tmp_path: Path, there: bytes
) -> None:
    part_of(tmp_path).write_bytes(there)
    assert fetch(server, tmp_path).path.read_bytes() == CONTENT


def test_a_range_the_server_refuses_is_given_up(server: Server, tmp_path: Path) -> None:
    part_of(tmp_path).write_bytes(CONTENT[:1000])
    server.content = CONTENT[:500]
    with pytest.raises(FaultsError, match="500 bytes or more where 262,144 are expected"):
        fetch(server, tmp_path)
    assert server.asked == ["bytes=1000-", ""]


def test_a_whole_part_needs_no_connection(server: Server, tmp_path: Path) -> None:
    part_of(tmp_path).write_bytes(CONTENT)
    assert fetch(server, tmp_path).n_bytes == 0
    assert server.asked == []


def test_a_wrong_checksum_is_refused_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.content = CONTENT[::-1]
    with pytest.raises(FaultsError, match="wrong checksum"):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("announces", [True, False])
def test_a_longer_file_is_refused(server: Server, tmp_path: Path, announces: bool) -> None:
    server.content, server.announces = CONTENT + b"more", announces
    with pytest.raises(FaultsError, match="bytes or more where 262,144 are expected"):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_went_bad_is_replaced_and_kept_until_then(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "data.bin").write_bytes(b"old")
    server.cut_after = 10
    with pytest.raises(FaultsError):
        fetch(server, tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == b"old"
    server.cut_after = None
    assert fetch(server, tmp_path).path.read_bytes() == CONTENT


def test_an_answer_of_the_server_is_passed_on(server: Server, tmp_path: Path) -> None:
    server.status = 404
    with pytest.raises(FaultsError, match=r"answered 404 Not Found; try again later, or put data"):
        fetch(server, tmp_path)


def test_without_a_network_the_way_by_hand_is_told(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match=r"cannot be reached.*check the network.*put data\.bin"):
        fetch(server, tmp_path, url="http://127.0.0.1:9/data.bin")


def test_a_full_disk_says_so_and_keeps_what_arrived(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = [100_000]

    class FullFile:
        def __init__(self, path: Path) -> None:
            self.file = path.open("wb", buffering=0)

        def __enter__(self) -> FullFile:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: memoryview) -> int:
            if not room[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            written = self.file.write(data[: room[0]])
            room[0] -= written
            return written

    monkeypatch.setattr(download, "_open", lambda part, resume: FullFile(part))
    with pytest.raises(FaultsError, match=r"No space left on device.*make room"):
        fetch(server, tmp_path)
    monkeypatch.undo()
    assert part_of(tmp_path).read_bytes() == CONTENT[:100_000]
    assert fetch(server, tmp_path).state == "resumed"


def test_a_folder_that_cannot_be_made_says_so(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FaultsError, match="the folder cannot be made"):
        fetch(server, tmp_path / "file" / "folder")


def test_one_file_that_fails_does_not_keep_the_others(server: Server, tmp_path: Path) -> None:
    good = entry(server, "good")
    bad = replace(entry(server, "bad"), sha256="0" * 64)
    worse = replace(bad, name="worse", file="worse.bin", size=1)
    with pytest.raises(FaultsError) as caught:
        external.fetch(folder=tmp_path, entries={"bad": bad, "worse": worse, "good": good})
    assert [fault.column for fault in caught.value.faults] == ["bad", "worse"]
    assert (tmp_path / "good.bin").exists()


def test_a_file_of_unclear_licence_is_fetched_only_by_its_name(
    server: Server, tmp_path: Path
) -> None:
    clear, unclear = entry(server, "clear"), replace(entry(server, "unclear"), by_name_only=True)
    entries = {"clear": clear, "unclear": unclear}
    done = external.fetch(folder=tmp_path, entries=entries)
    assert [item.entry.name for item in done] == ["clear"]
    done = external.fetch(["unclear"], tmp_path, entries=entries)
    assert done[0].path.read_bytes() == CONTENT


def test_no_file_is_free_to_fetch_whose_licence_is_not_stated() -> None:
    for name, known in external.catalogue().items():
        assert known.by_name_only == ("never redistribute" in known.licence), name


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(FaultsError, match=r"'nothing': no data set.*use one of: bangladesh"):
        external.fetch(["nothing"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('url = "ftp://a/b"', "not a web address"),
        ('sha256 = "abc"', "not a checksum"),
        ('file = "../b"', "not a bare file name"),
        ("size = 0", "no size"),
        ("size = 1.5", "write a whole number"),
        ('colour = "red"', "unknown key"),
    ],
)
def test_a_broken_entry_says_what_to_mend(tmp_path: Path, line: str, said: str) -> None:
    good = {
        "file": '"b"',
        "url": '"https://a/b"',
        "sha256": f'"{"0" * 64}"',
        "size": "1",
        "licence": '"MIT"',
        "citation": '"Us"',
        "content": '"bytes"',
    }
    key, _, value = line.partition(" = ")
    path = tmp_path / "external.toml"
    table = good | {key: value}
    path.write_text("\n".join(["[data]", *(f"{k} = {v}" for k, v in table.items())]))
    with pytest.raises(FaultsError, match=said):
        external.catalogue(path)


def test_a_file_is_looked_for_in_the_named_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(download.VARIABLE, str(tmp_path))
    assert external.default_folder() == tmp_path
    (tmp_path / "hh_98.dta").write_bytes(b"another file")
    assert external.available("bangladesh_microcredit_1998") == tmp_path / "hh_98.dta"
    with pytest.raises(
        FaultsError, match=r"not the one that the card describes; delete hh_98\.dta"
    ):
        external.load("bangladesh_microcredit_1998")


def test_a_file_not_fetched_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "available", lambda name: None)
    with pytest.raises(
        FaultsError,
        match=r'not fetched yet; run: make data ARGS="hyderabad_spandana" \(terms: no licence',
    ):
        external.load("hyderabad_spandana")


def test_nothing_is_available_where_no_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = entry(Server())
    monkeypatch.setattr(external, "catalogue", lambda: {"data": one})
    monkeypatch.setenv(download.VARIABLE, str(tmp_path))
    assert external.available("data") is None


def test_the_r_file_without_its_reader_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdata", None)  # so that importing it fails
    with pytest.raises(FaultsError, match=r"rdata is not installed.*\[public\]"):
        reading.optional_module("rdata")


# What needs the files themselves.


@pytest.fixture
def fetched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> pl.DataFrame:
    """Load the data set that the test names, or skip where it has not been fetched."""
    name = str(request.param)
    if NAMED:
        monkeypatch.setenv(download.VARIABLE, NAMED)
    if external.available(name) is None:
        pytest.skip(f'{name} has not been fetched: make data ARGS="{name}"')
    if name == "pakistan_graduation" and find_spec("rdata") is None:
        pytest.skip(f"the optional package rdata is not installed: {reading.REMEDY}")
    return external.load(name).frame


def slope(outcome: np.ndarray, weight: np.ndarray, *columns: np.ndarray) -> float:
    """Return the weighted least-squares coefficient of the first column."""
    root = np.sqrt(weight)
    design = np.column_stack([*columns, np.ones(len(outcome))]) * root[:, None]
    return float(np.linalg.lstsq(design, outcome * root, rcond=None)[0][0])


@pytest.mark.parametrize("fetched", ["bangladesh_microcredit_1998"], indirect=True)
def test_the_handbook_s_placement_effect_comes_out(fetched: pl.DataFrame) -> None:
    """Khandker, Koolwal and Samad 2010, chapter 12: 0.1298466, from a published Stata log."""
    frame = fetched.with_columns(
        pl.col("female_borrower").max().over("thana", "village").alias("placed"),
        (1 + pl.col("expenditure")).log().alias("log_expenditure"),
    )
    outcome = frame["log_expenditure"].to_numpy()
    found = slope(outcome, np.ones(len(outcome)), frame["placed"].to_numpy())
    assert abs(found - 0.1298466) < 5e-7


@pytest.mark.parametrize("fetched", ["bangladesh_microcredit_panel"], indirect=True)
def test_the_panel_has_each_household_in_both_years(fetched: pl.DataFrame) -> None:
    """Khandker, Koolwal and Samad 2010: 826 households of 1991/92 found again in 1998/99."""
    years = fetched.group_by("household").agg(pl.col("year").sort())
    assert years.height == 826
    assert years["year"].to_list() == [[0, 1]] * 826


@pytest.mark.parametrize("fetched", ["hyderabad_spandana"], indirect=True)
@pytest.mark.parametrize(
    ("outcome", "expected", "margin"),
    [
        ("spandana_loan", 0.127, 0.0005),
        ("microfinance_loan", 0.083, 0.0006),
        ("business_profit", 354, 0.5),
        ("business_assets", 598, 0.5),
    ],
)
def test_the_published_effects_of_lending_come_out(
    fetched: pl.DataFrame, outcome: str, expected: float, margin: float
) -> None:
    """Banerjee et al. 2015, tables 2 and 3, endline 1, from memory."""
    controls = [name for name in fetched.columns if name.startswith("area_")]
    frame = fetched.drop_nulls(outcome)
    columns = [frame[name].to_numpy() for name in ["treatment", *controls]]
    found = slope(frame[outcome].to_numpy(), frame["weight"].to_numpy(), *columns)
    assert abs(found - expected) <= margin


@pytest.mark.parametrize("fetched", ["pakistan_graduation"], indirect=True)
def test_the_graduation_file_is_the_one_its_manual_describes(fetched: pl.DataFrame) -> None:
    """The manual of the R package longterm: 854 households; consumption is food and the rest."""
    assert fetched.height == fetched["household"].n_unique() == 854
    assert set(fetched["treatment"]) == {0, 1}
    assert (fetched["food_endline"] <= fetched["consumption_endline"] + 1e-3).all()
