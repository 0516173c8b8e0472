"""Where numbers of stored results come from: the files, each with its digest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analysis import paths
from analysis.files import digest_files
from analysis.results.provenance import Provenance


def of_files(function: Callable[..., Any], *names: str, **parts: Any) -> Provenance:
    """Return a provenance that names a function and the stored files that it read.

    Parameters
    ----------
    function : callable
        What made the number of them.
    *names : str
        The files, from the root of the project; each is recorded with its digest.
    **parts
        Further attributes of the provenance.

    Examples
    --------
    >>> found = of_files(digest_files, "reports/benchmarks.csv", evidence="model")
    >>> str(found.inputs[0]).partition(":")[0], found.function
    ('reports/benchmarks.csv', 'analysis.files.digest_files')
    """
    root = paths.root()
    inputs = tuple(f"{name}:{digest_files(root, [root / name])[:12]}" for name in names)
    return Provenance.of(function, inputs=inputs, **parts)
