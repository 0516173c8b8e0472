"""Pages in Chinese on their way into the stage, and values in Chinese."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.site import languages

WORDS = {"missed": "偏离"}


def record(identity: str, text: str, **more: Any) -> dict[str, Any]:
    """A record of a finding, as far as pages read it."""
    return {
        "id": identity,
        "kind": "number",
        "page": "05-a",
        "tier": "model",
        "text": text,
        "value": 1.0,
        "low": None,
        "high": None,
        **more,
    }


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("12,951", "12,951"),
        ("−26.9 to 44.2", "−26.9至44.2"),
        ("more than 42,000", "超过42,000"),
        ("at least 3", "至少3"),
        ("less than 0.5", "低于0.5"),
        ("at most 9", "至多9"),
        ("missed", "偏离"),
        ("a word", None),
        ("3 of 4", None),
    ],
)
def test_values_in_chinese(english: str, chinese: str | None) -> None:
    assert languages.in_chinese(english, WORDS) == chinese


def test_values_lead_to_the_same_record() -> None:
    found = languages.values(
        [
            record("n", "1,794", value=1794.3),
            record("w", "missed", kind="word", value=None),
            record("u", "unheard of", kind="word", value=None),
            record("f", "", kind="figure", value=None),
        ],
        WORDS,
    )
    assert found == {
        "n": "[1,794](/findings/05-a.qmd#n){.finding}",
        "w": "[偏离](/findings/05-a.qmd#w){.finding}",
        "u": "[[unheard of](/findings/05-a.qmd#u){.finding}]{lang=en}",
    }


def test_counterparts_have_one_name_and_generated_pages_have_none() -> None:
    pages = [
        "index.qmd",
        "notebooks/05-a.ipynb",
        "findings/05-a.qmd",
        "pages/b.qmd",
        "zh/05-a.qmd",
        "zh/index.qmd",
        "zh/c.qmd",
    ]
    assert languages.counterparts(pages) == {
        "zh/05-a.qmd": "notebooks/05-a.ipynb",
        "notebooks/05-a.ipynb": "zh/05-a.qmd",
        "zh/index.qmd": "index.qmd",
        "index.qmd": "zh/index.qmd",
    }


def test_a_page_without_counterpart_leads_to_the_landing_page() -> None:
    speaks = {
        "index.qmd": "en",
        "pages/b.qmd": "en",
        "zh/index.qmd": "zh-Hans",
        "zh/c.qmd": "zh-Hans",
    }
    assert languages.switch("pages/b.qmd", speaks) == languages.Switch(
        "zh/index.qmd", "zh-Hans", "中文", same=False
    )
    back = languages.switch("zh/c.qmd", speaks)
    assert back is not None and (back.target, back.same) == ("index.qmd", False)
    assert languages.switch("pages/b.qmd", {"index.qmd": "en", "pages/b.qmd": "en"}) is None


PAGE = """\
---
title: "题"
lang: zh-Hans
---

:::: {.when finding="truth" tier="model"}
真值是{{< var zh.truth >}}。
::::

:::: {.when finding="truth" tier="yours"}
你的数据。
::::

:::: {.when missing="other"}
没有这一项。
::::

- 一项{{< var zh.other >}}
- 另一项{{< var zh.truth >}}
"""


def test_what_a_build_cannot_say_is_left_out_or_said() -> None:
    tiers = {"truth": "model"}
    own = languages.fitted(PAGE, tiers, brought=False)
    assert "真值是" in own and "你的数据" not in own and "没有这一项" in own
    assert "一项{{< var zh.other >}}" in own, "a renderer refuses the unknown name"
    brought = languages.fitted(PAGE, {"truth": "yours"}, brought=True)
    assert "真值是" not in brought and "你的数据" in brought
    assert f"- {languages.NOT_HERE}\n- 另一项{{{{< var zh.truth >}}}}" in brought
    assert brought.startswith('---\ntitle: "题"\n')


NOTEBOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "raw", "source": "---\ntitle: A\n---"},
        {"cell_type": "code", "source": "x", "outputs": []},
    ]
}


def test_the_stage_gets_switches() -> None:
    files = {"zh/05-a.qmd": PAGE.encode(), "index.qmd": b"Text"}
    notebooks = {"notebooks/05-a.ipynb": NOTEBOOK}
    pages, changed = languages.staged(files, notebooks, [record("truth", "1")], brought=False)
    text = pages["zh/05-a.qmd"].decode()
    assert (
        "::: {.language-switch}\n[English](/notebooks/05-a.ipynb){lang=en hreflang=en}\n:::" in text
    )
    assert set(pages) == {"zh/05-a.qmd"}, "other pages stay as they are"
    cell = changed["notebooks/05-a.ipynb"]["cells"][1]
    assert "[中文](/zh/05-a.qmd){lang=zh-Hans hreflang=zh-Hans}" in cell["source"]
    assert len(notebooks["notebooks/05-a.ipynb"]["cells"]) == 2, (
        "the notebook itself is not changed"
    )
