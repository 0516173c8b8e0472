"""The bibliography can be read, and no key stands for two sources."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pypandoc

FILE = Path(__file__).resolve().parents[2] / "references.bib"


def test_pandoc_reads_every_source() -> None:
    command = [pypandoc.get_pandoc_path(), "--from", "biblatex", "--to", "csljson", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    keys = re.findall(r"^@\w+\{([^,\s]+)", FILE.read_text(encoding="utf-8"), re.M)
    assert len(keys) == len(set(keys)), "a key stands twice"
    assert {source["id"] for source in json.loads(done.stdout)} == set(keys)
