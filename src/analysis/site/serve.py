"""Serve a built site on this machine, and while its sources are edited rebuild and reload.

The pages allow no connection (`analysis.site.policy`), and serving does not loosen that: the script
added to a served page asks by loading a further script, which the server holds back until there is
something new. Files of the site are never changed.

Only this machine is answered, and only by its own name: a page from elsewhere whose name leads here
learns nothing. Folders are not listed and links are not followed.
"""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from analysis.faults import Fault, FaultsError
from analysis.site.inputs import source_files

HOST = "127.0.0.1"
OWN_NAMES = (HOST, "localhost")
SITE = Path("reports") / "site"
PULSE = "/-/pulse.js"
"""Address of the script that says when to reload; no file of a site begins with a dash."""
HOLD = 20.0
"""Seconds after which the server answers that nothing is new, so that no browser gives up."""
PAUSE = 0.5
"""Seconds between two looks at the sources."""


class Live:
    """Which build of the site is the newest; threads wait here for the next."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._number = 0

    @property
    def number(self) -> int:
        """Return how often the site has been rebuilt."""
        return self._number

    def rebuilt(self) -> None:
        """Tell whoever waits."""
        with self._changed:
            self._number += 1
            self._changed.notify_all()

    def wait(self, known: int, seconds: float) -> int:
        """Return the newest number once it differs from the known one, or when time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != known, seconds)
            return self._number


def pulse(known: int | None, number: int) -> str:
    """Return the script that asks again, or reloads.

    Examples
    --------
    >>> pulse(2, 3)
    'location.reload();'
    >>> "known=3" in pulse(None, 3)
    True
    """
    if known is not None and known != number:
        return "location.reload();"
    # A script that is held back would hold back the page, were it asked for before that has loaded.
    return (
        '(function(){function ask(){var s=document.createElement("script");'
        f's.src="{PULSE}?known={number}&at="+Date.now();'
        "s.onload=s.onerror=function(){s.remove()};document.head.append(s)}"
        'if(document.readyState==="complete")ask();else addEventListener("load",ask)})();'
    )


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files quietly, and the site's own page for what is not there."""

    def __init__(self, *args: object, live: Live | None = None, **kwargs: str) -> None:
        self._live = live
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing per request."""

    def parse_request(self) -> bool:
        """Refuse whoever asks for a site of another name."""
        if not super().parse_request():
            return False
        if self.headers.get("Host", "").partition(":")[0] in OWN_NAMES:
            return True
        self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        return False

    def translate_path(self, path: str) -> str:
        """Return the file behind an address; a name that is none where a link stands in the way."""
        file = Path(super().translate_path(path))
        site = Path(self.directory)
        page = file / "index.html" if file.is_dir() else file
        stands = page.resolve() == site.resolve() / page.relative_to(site)
        # An address with a slash at its end is a folder; a file of this name is not there.
        slash = os.sep if path.partition("?")[0].endswith("/") and file.is_dir() else ""
        return f"{file}{slash}" if stands else os.fspath(site / "-")

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        """Show the page for what is not there: folders are not listed."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """Let no browser keep a page that may be rebuilt."""
        if self._live:
            self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def do_GET(self) -> None:
        """Answer with a file; while sources are watched, pages learn of the next build."""
        parts = urlsplit(self.path)
        if self._live and parts.path == PULSE:
            text = parse_qs(parts.query).get("known", [""])[0]
            known = int(text) if text.isdecimal() else None
            number = self._live.number if known is None else self._live.wait(known, HOLD)
            self._send(pulse(known, number).encode(), "text/javascript")
            return
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if parts.path.endswith("/") else path
        if self._live and path.suffix == ".html" and path.is_file():
            self._send(with_pulse(path.read_bytes()), "text/html")
            return
        super().do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with ``404.html`` where the site has one."""
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            super().send_error(code, message, explain)
            return
        self._send(page.read_bytes(), "text/html", code)

    def _send(self, content: bytes, kind: str, code: int = HTTPStatus.OK) -> None:
        try:
            self.send_response(code)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the reader has gone on


def with_pulse(page: bytes) -> bytes:
    """Return a page that loads the script of `PULSE`; its policy allows it as a file of the site.

    Examples
    --------
    >>> with_pulse(b"<p>x</p></body>")
    b'<p>x</p><script src="/-/pulse.js" defer></script></body>'
    """
    tag = f'<script src="{PULSE}" defer></script>'.encode()
    return page.replace(b"</body>", tag + b"</body>", 1)


def server(site: Path, port: int, live: Live | None = None) -> http.server.ThreadingHTTPServer:
    """Return a server of a built site on this machine only, not yet running.

    Parameters
    ----------
    site : Path
        The folder of the site.
    port : int
        0 takes any free one.
    live : Live, optional
        Whom pages ask for the next build; without it they are served as they are.

    Raises
    ------
    FaultsError
        If there is no site, or the port is taken.
    """
    if not (site / "index.html").is_file():
        fault = Fault(SITE.as_posix(), "there is no site yet", "run make report first")
        raise FaultsError([fault])
    handler = partial(_Handler, directory=os.fspath(site), live=live)
    try:
        return http.server.ThreadingHTTPServer((HOST, port), handler)
    except OSError as error:
        remedy = "name another one: analysis site serve --port 0"
        fault = Fault("port", f"cannot be used: {error.strerror}", remedy, value=str(port))
        raise FaultsError([fault]) from None


def stamp(root: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, time and size of every source of the site: it differs once one is saved."""
    kept = []
    for file in sorted(source_files(root)):
        try:
            known = file.stat()
        except FileNotFoundError:  # a file of an editor, gone again
            continue
        kept.append((file.relative_to(root).as_posix(), known.st_mtime_ns, known.st_size))
    return tuple(kept)


def rebuild(root: Path) -> bool:
    """Build in a process of its own, which sees edited code too; say whether it succeeded."""
    command = [sys.executable, "-m", "analysis", "site", "build"]
    return subprocess.run(command, cwd=root, check=False).returncode == 0


def watch(
    root: Path,
    live: Live,
    ended: threading.Event,
    make: Callable[[Path], bool] = rebuild,
    pause: float = PAUSE,
) -> None:
    """Rebuild whenever a source was saved, until told to end.

    Parameters
    ----------
    root : Path
        The project folder.
    live : Live
        Told of each build that succeeded; after a failed one pages stay as they are.
    ended : threading.Event
        Set to end.
    make : callable
        Builds the site of a project.
    pause : float
        Seconds between two looks.
    """
    known = stamp(root)
    while not ended.wait(pause):
        seen = stamp(root)
        if seen == known:
            continue
        while (later := stamp(root)) != seen:  # an editor may still be saving
            seen = later
            time.sleep(pause)
        known = seen
        if make(root):
            live.rebuilt()


def serve(
    root: Path, port: int = 8000, *, watching: bool = False, say: Callable[[str], None] = print
) -> None:
    """Serve the site of a project until interrupted.

    Parameters
    ----------
    root : Path
        The project folder.
    port : int
        0 takes any free one.
    watching : bool
        Build first, then again whenever a source was saved, and reload the pages that are open.
    say : callable
        Told the address.
    """
    live, ended = (Live() if watching else None), threading.Event()
    if watching:
        rebuild(root)
    with server(root / SITE, port, live) as running:
        # A page that waits for the next build must not keep the server from ending.
        running.daemon_threads = True
        if live:
            threading.Thread(target=watch, args=(root, live, ended), daemon=True).start()
        how = "rebuilds what is saved; Ctrl-C ends" if watching else "Ctrl-C ends"
        say(f"http://{HOST}:{running.server_port}/ ({how})")
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            say("")
        finally:
            ended.set()
