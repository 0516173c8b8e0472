"""The glossary as data: what its page says, term by term."""

from __future__ import annotations

import json

from analysis import paths
from analysis.site import glossary

PAGE = """---
title: "Glossary"
---

One word for one thing.

## Units

household
: People who live *together*.
  Income is counted per [head](a.qmd).

headcount, poverty gap
: Shares.

```
not a term
: nothing
```
"""


def entries(script: bytes) -> dict[str, list[dict[str, object]]]:
    text = script.decode()
    assert text.startswith("window.siteGlossary = ") and text.endswith(";\n")
    return dict(json.loads(text.removeprefix("window.siteGlossary = ").removesuffix(";\n")))


def test_terms_are_read_with_their_meaning_and_line() -> None:
    first, second = glossary.read(PAGE.partition("```")[0])
    assert first.names == ("household",)
    assert first.text == "People who live together. Income is counted per head."
    assert PAGE.split("\n")[first.line] == "household"
    assert second.names == ("headcount", "poverty gap")


def test_addresses_stand_on_the_page_and_no_other_line_changes() -> None:
    before, after = PAGE.split("\n"), glossary.with_anchors(PAGE).split("\n")
    changed = {old: new for old, new in zip(before, after, strict=True) if old != new}
    assert changed["household"] == "[household]{#term-household}"
    assert changed["headcount, poverty gap"] == "[headcount, poverty gap]{#term-headcount}"


def test_a_stage_without_a_glossary_stays_as_it_is() -> None:
    assert glossary.staged({"index.qmd": b""}) == {}


def test_languages_are_kept_apart() -> None:
    files = {"pages/glossary.qmd": b"mu\n: Land.\n", "zh/glossary.qmd": "农户\n: 土地。\n".encode()}
    made = glossary.staged(files)
    found = entries(made[glossary.SCRIPT])
    assert found["en"][0]["href"] == "pages/glossary.html#term-mu"
    assert found["zh"] == [
        {"forms": ["农户"], "text": "土地。", "href": "zh/glossary.html#term-农户"}
    ]
    assert "[农户]{#term-农户}".encode() in made["zh/glossary.qmd"]


def test_a_meaning_cannot_end_the_script() -> None:
    assert b"</script" not in glossary.script({"en": "x\n: </script><b>\n"})


def test_the_glossary_of_the_project_has_no_term_twice() -> None:
    for page in glossary.PAGES.values():
        path = paths.root() / page
        if path.is_file():
            terms = glossary.read(path.read_text(encoding="utf-8"))
            names = [name for term in terms for name in term.names]
            assert len(terms) > 10 and len(names) == len(set(names))
            assert all(len(term.text) > 10 for term in terms)
