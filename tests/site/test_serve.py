"""Serving: on this machine only; pages that are open learn of the next build."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.site.serve import PULSE, Live, server, stamp, watch, with_pulse


def saved(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site of one page."""
    saved(tmp_path / "index.html", "<html><body>home</body></html>")
    saved(tmp_path / "data.csv", "x\n1\n")
    return tmp_path


@pytest.fixture
def live() -> Live:
    """Nothing rebuilt so far."""
    return Live()


@pytest.fixture
def address(site: Path, live: Live) -> Iterator[str]:
    """Where the site is served and watched."""
    with server(site, 0, live) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def read(url: str) -> str:
    return str(urllib.request.urlopen(url).read().decode())


def status(address: str, path: str, host: str = "") -> int:
    """What is answered to a request for a path, under a name of one's own."""
    asked = urllib.request.Request(f"{address}{path}", headers={"Host": host} if host else {})
    try:
        return int(urllib.request.urlopen(asked).status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("", 200),
        ("localhost:1", 200),
        ("127.0.0.1", 200),
        ("site.example", 421),
        ("site.example:80", 421),
    ],
)
@pytest.mark.parametrize("path", ["/", "/data.csv", PULSE])
def test_only_its_own_name_is_answered(address: str, path: str, host: str, code: int) -> None:
    assert status(address, path, host) == code


def test_folders_are_not_listed_and_links_are_not_followed(
    site: Path, address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    saved(outside / "secret.txt", "x")
    saved(outside / "index.html", "x")
    saved(site / "folder" / "a.txt", "x")
    saved(site / "pages" / "index.html", "<html><body>pages</body></html>")
    (site / "file.txt").symlink_to(outside / "secret.txt")
    (site / "out").symlink_to(outside, target_is_directory=True)
    (site / "hidden").mkdir()
    (site / "hidden" / "index.html").symlink_to(outside / "index.html")
    found = {path: status(address, path) for path in ("/folder/a.txt", "/pages/", "/pages")}
    assert set(found.values()) == {200}
    refused = ("/folder/", "/folder", "/file.txt", "/out/", "/out/secret.txt", "/hidden/", "/../x")
    assert {path: status(address, path) for path in refused} == dict.fromkeys(refused, 404)


def test_only_pages_get_the_script_and_no_file_changes(site: Path, address: str) -> None:
    before = (site / "index.html").read_text()
    assert (
        read(f"{address}/") == read(f"{address}/index.html") == with_pulse(before.encode()).decode()
    )
    assert PULSE in read(f"{address}/")
    assert read(f"{address}/data.csv") == "x\n1\n"
    assert (site / "index.html").read_text() == before


def test_without_watching_pages_are_served_as_they_are(site: Path) -> None:
    with server(site, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        assert read(f"http://127.0.0.1:{running.server_port}/") == (site / "index.html").read_text()
        running.shutdown()


def test_a_page_that_waits_is_told_of_the_next_build(address: str, live: Live) -> None:
    assert f"{PULSE}?known=0" in read(address + PULSE)
    threading.Timer(0.2, live.rebuilt).start()
    begun = time.monotonic()
    assert read(f"{address}{PULSE}?known=0") == "location.reload();"
    assert time.monotonic() - begun >= 0.15
    assert f"{PULSE}?known=1" in read(address + PULSE)
    # A page that was asleep during the build is told at once.
    assert read(f"{address}{PULSE}?known=0") == "location.reload();"


def test_each_saved_source_rebuilds_once_and_a_failure_reloads_nothing(
    tmp_path: Path, live: Live
) -> None:
    saved(tmp_path / "pages" / "a.qmd", "one")
    results, made, ended = iter([False, True]), [], threading.Event()

    def make(root: Path) -> bool:
        made.append((root / "pages" / "a.qmd").read_text())
        return next(results)

    thread = threading.Thread(target=watch, args=(tmp_path, live, ended, make, 0.01))
    thread.start()
    time.sleep(0.1)
    for text in ("second", "the third"):
        count = len(made)
        saved(tmp_path / "pages" / "a.qmd", text)
        saved(tmp_path / "reports" / "site" / "index.html", "built")
        end = time.monotonic() + 300
        while len(made) == count and time.monotonic() < end:
            time.sleep(0.01)
    assert live.wait(0, 300) == 1
    ended.set()
    thread.join(300)
    assert made == ["second", "the third"]


def test_what_a_build_writes_is_no_source(tmp_path: Path) -> None:
    saved(tmp_path / "pages" / "a.qmd", "one")
    saved(tmp_path / "data" / "a.csv", "x\n")
    before = stamp(tmp_path)
    assert [name for name, _, _ in before] == ["data/a.csv", "pages/a.qmd"]
    for made in ("reports/site/a.html", "build/x", "src/__pycache__/a.pyc"):
        saved(tmp_path / made, "made")
    assert stamp(tmp_path) == before
    saved(tmp_path / "src" / "analysis" / "a.py", "new")
    assert stamp(tmp_path) != before
