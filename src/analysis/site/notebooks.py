"""Notebooks in memory, where a text is one string, and on disk, as nbformat writes them.

Quarto reads the source of a cell line by line from a list, as every editor saves it; of a cell
whose source is one string it drops all line ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def written(content: Mapping[str, Any]) -> str:
    r"""Return a notebook as nbformat writes it: sorted keys, texts as lists of lines.

    Parameters
    ----------
    content : mapping
        The notebook; not changed.

    Examples
    --------
    >>> cell = {"cell_type": "markdown", "metadata": {}, "source": "a\nb"}
    >>> text = written({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})
    >>> json.loads(text)["cells"][0]["source"]
    ['a\n', 'b']
    """
    import nbformat

    node = nbformat.from_dict(content)  # type: ignore[no-untyped-call]
    return str(nbformat.v4.writes(node)) + "\n"  # type: ignore[no-untyped-call]


def parsed(text: str | bytes) -> dict[str, Any]:
    r"""Return a notebook from its file, each text as one string.

    Raises
    ------
    ValueError
        If it is not JSON, or has no list of cells.

    Examples
    --------
    >>> cell = {"cell_type": "markdown", "metadata": {}, "source": ["a\n", "b"]}
    >>> parsed(json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell]}))["cells"][0]["source"]
    'a\nb'
    """
    content = json.loads(text)
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise ValueError("no list of cells")
    import nbformat

    try:
        node = nbformat.v4.to_notebook(content)  # type: ignore[no-untyped-call]
    except AttributeError as error:
        raise ValueError(f"no {error}") from None
    # Through text and back: plain dicts, whatever made them.
    return dict(json.loads(json.dumps(node)))
