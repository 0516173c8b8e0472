"""Hand Quarto the executed copy of a notebook: a filter, `ipynb-filters` in _quarto.yml.

It reads a notebook and writes one. A notebook with outputs, as after `quarto render --execute`, is
written as it is; one without is replaced by the copy that the last whole render has made of the
same cells. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

INDEX = Path("build") / "quarto" / "notebooks.json"


def key_of(notebook: dict[str, Any]) -> str:
    """Return a digest of the sources of the cells, as analysis.site.quarto_project does."""
    texts = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode()).hexdigest()


def executed(text: str, root: Path) -> tuple[str, str]:
    """Return the notebook to render, and what to say of it."""
    notebook = json.loads(text)
    if any(cell.get("outputs") for cell in notebook["cells"]):
        return text, ""
    index = root / INDEX
    known = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
    copy = known.get(key_of(notebook))
    if copy and (root / copy).is_file():
        return (root / copy).read_text(encoding="utf-8"), ""
    return text, "no outputs for this notebook: render the whole project, or add --execute"


def main() -> None:
    """Filter standard input."""
    here = Path.cwd()
    root = next((p for p in [here, *here.parents] if (p / "_quarto.yml").is_file()), here)
    shown, note = executed(sys.stdin.buffer.read().decode("utf-8"), root)
    if note:
        print("WARNING: " + note, file=sys.stderr)
    sys.stdout.buffer.write(shown.encode("utf-8"))


if __name__ == "__main__":
    main()
