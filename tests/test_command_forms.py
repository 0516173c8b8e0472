"""Every `analysis` command that a page shows is one: its options and arguments are read as written."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from analysis import paths
from analysis.cli import app

INLINE = re.compile(r"`(?:\.venv/bin/)?(analysis [a-z][^`]*)`")
FENCED = re.compile(r"^```(?:bash|sh|text)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^\s*(?:\.venv/bin/)?(analysis [a-z].*)$", re.MULTILINE)


def prose() -> Iterator[tuple[str, str]]:
    """Yield each page and the text of its Markdown."""
    root = paths.root()
    for path in (
        root / "README.md",
        root / "REPLICATION.md",
        *root.glob("pages/*.qmd"),
        *root.glob("zh/*.qmd"),
    ):
        yield path.name, path.read_text(encoding="utf-8")
    for path in root.glob("notebooks/**/*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield (
            path.name,
            "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] != "code"),
        )


def forms() -> list[tuple[str, str]]:
    found = []
    for name, text in prose():
        blocks = "\n".join(FENCED.findall(text)).replace("\\\n", " ")
        found += [(name, line) for line in LINE.findall(blocks)]
        found += [(name, " ".join(form.split())) for form in INLINE.findall(FENCED.sub("", text))]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "form"), forms())
def test_a_command_on_a_page_is_read_as_written(page: str, form: str) -> None:
    words = shlex.split(form, comments=True)[1:]
    if len(words) == 1 or words[-1] == "…" or not words[0].isalpha():
        words = words[:1]
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"{page}: {form}: there is no {name}"
        command = command.commands[name]
    if words:
        command.make_context(command.name, words)


def test_there_are_commands_on_pages() -> None:
    assert len(forms()) > 20
    assert Path(paths.root() / "README.md").is_file()
