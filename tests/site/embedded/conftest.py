"""A small project that uses everything the embedded renderer supports."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from analysis.paths import root
from analysis.site.embedded.render import render_project

QUARTO = """\
project:
  type: website
  output-dir: site
  render:
    - index.qmd
    - "pages/*.qmd"
    - "notebooks/*.ipynb"
  resources:
    - downloads
    - assets/site.js
lang: en
execute:
  enabled: false
bibliography: references.bib
link-citations: true
website:
  title: "A small site"
  description: "Everything once"
  site-url: https://example.org/small
  search: true
  page-navigation: true
  navbar:
    left:
      - text: "Report"
        href: index.qmd
      - text: "Claims"
        href: notebooks/01-claims.ipynb
  sidebar:
    style: docked
    contents:
      - section: "The report"
        contents:
          - text: "Summary"
            href: index.qmd
          - notebooks/01-claims.ipynb
      - pages/more.qmd
  page-footer:
    left: "Text [CC BY](/pages/more.qmd)."
    right: "Code MIT."
format:
  html:
    theme:
      light: assets/light.scss
      dark: assets/dark.scss
    css: assets/site.css
    include-after-body: assets/scripts.html
    html-math-method: mathml
    toc: true
    toc-depth: 3
    code-fold: true
    code-summary: "Code"
"""
INDEX = """\
---
title: "What was *reported*"
subtitle: "A summary"
description: "The answer in plain words"
author: [First Person, {name: Second Person}]
date: 2024-03-05
---

[reported claim]{.badge .tier-reported} [public data]{.badge .tier-public}
[model panel]{.badge .tier-model} [published]{.badge .tier-published} [yours]{.badge .tier-yours}

There are {{< var finding.claims_total >}} claims on {{< meta title >}}, as @key2020 says
[see also @other2019, p. 3]. Written {{</* var x */>}} stays. See @sec-first, [Fig @fig-plain],
[-@fig-plain], @fig-box, @tbl-one, @tbl-box, @eq-sum and [@fig-plain; @fig-box].[^note]

[^note]: A footnote with $x^2$.

## First part {#sec-first}

![The *caption*](/downloads/plain.svg){#fig-plain fig-alt="A line that rises"}

::: {#fig-box}
![](downloads/plain.svg){fig-alt="The same line again"}

Caption of the box
:::

| Place | Number |
|:------|-------:|
| A     |     12 |
| B     |      3 |

: A table {#tbl-one}

::: {#tbl-box}
| a | b |
|---|---|
| 1 | 2 |

Caption below
:::

$$
\\sum_{i=1}^{n} \\left( \\frac{x_i}{n} \\right)
$$ {#eq-sum}

### Inner part {#sec-inner}

See @sec-inner. 干部队伍在村里工作。

::: {.callout-note}
A note without a title.
:::

::: {.callout-warning title="With a *title*" collapse="true"}
Hidden at first.
:::

::: {.callout-tip}
## Heading as title

Text.
:::

::: {.callout-important appearance="simple"}
Simple one.
:::

::: {.callout-caution collapse="false" icon=false}
Open.
:::

::: {.panel-tabset}
### One

First tab.

### Two

Second tab, [link](#sec-first).
:::

::: {.column-margin}
A note in the margin.
:::

Text with an [aside]{.aside}.

::: {.light-content}
Seen in the light.
:::

::: {.dark-content}
Seen in the dark.
:::

{{< include pages/_part.qmd >}}

{{< embed notebooks/01-claims.ipynb#fig-embed >}}

```python
x = 1  # a comment
print(f"{x:.2f}")
```

Term
:   Definition

- [Notebook](notebooks/01-claims.ipynb#tbl-html)
- [Data](/downloads/data.csv){.download}
"""
MORE = """\
---
title: "更多内容"
lang: zh
---

## 说明 {#sec-zh}

见 @sec-zh。乡村干部培训。[返回](../index.qmd#sec-first)
"""
PART = """\
Included {{< var plain >}} text, see [more](/pages/more.qmd).
"""
BIB = """\
@article{key2020, author={Key, Anna}, title={A title}, journal={Journal}, year={2020}}
@book{other2019, author={Other, Bo}, title={A book}, publisher={House}, year={2019}}
"""
VARIABLES = """\
plain: "*plain*"
finding:
  claims_total: "[193](/notebooks/01-claims.ipynb#claims_total){.finding}"
"""
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="504pt" height="252pt" viewBox="0 0 504 252">'
    '<path d="M20 230 L480 20" stroke="{}" stroke-width="4" fill="none"/></svg>'
)
TABLE = """<div class="table-scroll"><table class="gt_table" data-quarto-disable-processing="true">
<thead><tr><th scope="col">Place</th><th scope="col" data-filter>Kind</th>
<th scope="col" class="gt_right">Persons</th></tr></thead>
<tbody><tr id="claims_total"><td>阿里地区</td><td>count</td><td class="gt_right">1,234</td></tr>
<tr><td><a href="/pages/more.qmd">Lhasa</a></td><td>amount</td><td class="gt_right">98</td></tr>
<tr><td>Nagqu</td><td>count</td><td class="gt_right">7,000</td></tr></tbody></table></div>"""


def display(mime: str, data: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {mime: data}, "metadata": {}}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": f"c{abs(hash(source)) % 1000}",
        "metadata": {},
        "execution_count": 1,
        "source": source,
        "outputs": list(outputs),
    }


def markdown(source: str, **values: str) -> dict[str, Any]:
    expressions = [
        {
            "expression": name,
            "result": {"status": "ok", "data": {"text/plain": text}, "metadata": {}},
        }
        for name, text in values.items()
    ]
    metadata = {"user_expressions": expressions} if values else {}
    return {"cell_type": "markdown", "metadata": metadata, "source": source}


def notebook(*cells: dict[str, Any]) -> str:
    raw = {"cell_type": "raw", "metadata": {}, "source": "---\ntitle: Claims\n---"}
    return json.dumps({"cells": [raw, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def full_notebook() -> str:
    drawing = display("image/svg+xml", SVG.format("#17548d"))
    stream = {"output_type": "stream", "name": "stdout", "text": ["printed\n"]}
    error = {"output_type": "stream", "name": "stderr", "text": "a warning\n"}
    plain = {"output_type": "execute_result", "data": {"text/plain": "42"}, "metadata": {}}
    figure = '#| label: fig-embed\n#| fig-cap: "Embedded *too*"\n#| fig-alt: A "line"\nplot()'
    return notebook(
        markdown("## Values\n\nA number `{python} n` and `{python} name`.", n="7", name="'seven'"),
        code(figure, drawing),
        code("#| label: one-look\n#| fig-alt: One look\nplot()", drawing),
        markdown("::: {#fig-framed}"),
        code("#| label: framed\n#| echo: false\n#| fig-alt: Looks\nplot()", drawing),
        markdown("In a frame\n:::\n\n::: {.figure-links}\n[CSV](/downloads/data.csv)\n:::"),
        code(
            '#| label: tbl-html\n#| tbl-cap: "By place"\n#| classes: filterable\ntable()',
            display("text/html", TABLE),
        ),
        code("print('printed')", stream),
        code("#| warning: false\nwarn()", error),
        code("#| code-fold: false\n40 + 2", plain),
        code("#| output: asis\nprint('## Printed heading')", {**stream, "text": "\n### Printed\n"}),
        code("#| include: false\nsecret = 1", stream),
        code("#| echo: false\nshow()", display("text/markdown", "Some **bold** words.")),
        markdown("See @fig-embed, @fig-framed, and @tbl-html; so says [@key2020]."),
    )


def make_stage(folder: Path) -> Path:
    """Write the project and return its folder."""
    texts = {
        "_quarto.yml": QUARTO,
        "_variables.yml": VARIABLES,
        "index.qmd": INDEX,
        "pages/more.qmd": MORE,
        "pages/_part.qmd": PART,
        "references.bib": BIB,
        "downloads/data.csv": "a,b\n1,2\n",
        "downloads/plain.svg": SVG.format("#17548d"),
        "notebooks/01-claims.ipynb": full_notebook(),
    }
    for name in ("site.css", "site.js", "scripts.html"):
        texts[f"assets/{name}"] = (root() / "assets" / name).read_text(encoding="utf-8")
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    return make_stage(tmp_path / "stage")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rendered project, made once for the tests that only look at it."""
    folder = tmp_path_factory.mktemp("rendered")
    out = folder / "site"
    report = render_project(make_stage(folder / "stage"), out)
    assert report.warnings == ()
    made = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert made == {*report.pages, *report.files}
    return out


@pytest.fixture(scope="module")
def browser(launch: Callable[[], AbstractContextManager[Any]]) -> Iterator[Any]:
    """A browser without a window; the report's own site is not needed here."""
    with launch() as opened:
        yield opened
