"""After Quarto: take out what it loads from elsewhere, state the policy, fail if anything is left.

Quarto adds require.js and jQuery from a content network to pages of notebooks with HTML output,
whether or not anything uses them. ``project.post-render`` runs this module on what it rendered;
``QUARTO_PROJECT_OUTPUT_DIR`` and ``QUARTO_PROJECT_OUTPUT_FILES`` say where that is.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.faults import Fault
from analysis.files import write_if_changed
from analysis.site import quarto_navigation
from analysis.site.policy import with_policy
from analysis.site.project import read_project
from analysis.site.quarto_project import WHOLE
from analysis.site.webpage import is_external, parse_page

_SCRIPT = re.compile(
    r"[ \t]*<script\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^\"'>\s]*"
    r"(?:require(?:\.min)?\.js|jquery[^\"'>\s]*\.js)[^>]*>\s*</script>[ \t]*\n?",
    re.IGNORECASE,
)
# The shim that follows them and needs both.
_SHIM = re.compile(
    r"[ \t]*<script\b[^>]*>\s*define\(\s*['\"]jquery['\"].*?</script>[ \t]*\n?",
    re.IGNORECASE | re.DOTALL,
)


def without_loaders(html: str) -> str:
    """Return a page without require.js, jQuery and their shim.

    Examples
    --------
    >>> without_loaders('<script src="https://a.org/require.min.js"></script><p>x</p>')
    '<p>x</p>'
    """
    return _SHIM.sub("", _SCRIPT.sub("", html))


def output_files(environment: Mapping[str, str], project: Path) -> list[Path]:
    """Return the pages that Quarto rendered.

    Parameters
    ----------
    environment : mapping of str to str
        As Quarto sets it for a hook.
    project : Path
        The project folder, which relative names start from.
    """
    named = [
        project / line.strip()
        for line in environment.get("QUARTO_PROJECT_OUTPUT_FILES", "").splitlines()
        if line.strip().endswith(".html")
    ]
    folder = environment.get("QUARTO_PROJECT_OUTPUT_DIR")
    if named and all(path.is_file() for path in named):
        return named
    return sorted((project / folder).rglob("*.html")) if folder else []


def postprocess(
    files: Sequence[Path], site: Path, root: Path, *, policy: bool = True
) -> tuple[Fault, ...]:
    """Clean rendered pages in place.

    Parameters
    ----------
    files : sequence of Path
        HTML pages.
    site : Path
        The folder they stand in.
    root : Path
        The Quarto project they were made of; its navigation of further languages is used.
    policy : bool
        Whether to state what may run. A page under a policy cannot be reloaded by a preview.

    Returns
    -------
    tuple of Fault
        The external loads that are left.
    """
    faults = []
    project = read_project(root) if (root / "_quarto.yml").is_file() else None
    titles = quarto_navigation.titles(project) if project else {}
    for path in files:
        html = without_loaders(path.read_text(encoding="utf-8"))
        source = quarto_navigation.source_of(path, site, project) if project else ""
        if project and source:
            html = quarto_navigation.with_navigation(html, source, project, titles)
        if policy:
            html = with_policy(html, quarto=True)
        write_if_changed(path, html.encode())
        for load in parse_page(html).loads:
            if is_external(load.url):
                problem = f"<{load.tag}> loads from another machine"
                remedy = "bring the file into assets/, or do without it"
                faults.append(Fault(path.name, problem, remedy, row=load.line, value=load.url))
    return tuple(faults)


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run as a hook of Quarto, or on the folders named.

    Returns
    -------
    int
        1 if an external load is left, 2 if there is nothing to look at, 0 otherwise.
    """
    project = Path.cwd()
    if arguments:
        files = [page for folder in arguments for page in sorted(Path(folder).rglob("*.html"))]
    else:
        files = output_files(environment, project)
    if not files:
        print("no pages: name a folder, or run as project.post-render of Quarto", file=sys.stderr)
        return 2
    site = project / (environment.get("QUARTO_PROJECT_OUTPUT_DIR") or "reports/quarto")
    # In a clone a part of the project is rendered for a preview; a stage is always published.
    clone = (project / "tools").is_dir()
    whole = bool(arguments or environment.get(WHOLE) or not clone)
    faults = postprocess(files, site, project, policy=whole)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
