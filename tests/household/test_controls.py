"""The controls in a real browser: each result is the one that Python gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import paths
from analysis.household.budget import household
from analysis.household.controls import RESULTS, SLIDERS, controls, outcome
from analysis.household.evidence import NormalPredictive

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

BUDGET = household("ngari", 2019)
OFFER = NormalPredictive(8.6, 3.0, outcome="earnings", effect="offer")
INCOME = NormalPredictive(-1.0, 3.0, outcome="household income", effect="participants")
MOVES: tuple[dict[str, float], ...] = (
    {},
    {"base": 9000, "people": 2, "take_up": 40, "share_kept": 55, "forgone": 730},
    {"size": 5.21, "cost": 4400, "years": 13, "fading": 0, "discount": 0},
    {"fading": 100, "years": 1, "discount": 12.5, "take_up": 1},
)
PHONE = {"width": 390, "height": 844}


def forms():
    """Each kind of form: a gain and its break-even, a scaled base, a break-even alone."""
    paid = BUDGET.break_even("training", base="trainee_earnings")
    return {
        "both": (BUDGET.add(OFFER, base="trainee_earnings", share_kept=(0.5, 1.0)), paid),
        "scaled": (BUDGET.add(INCOME, base="household_income"), None),
        "cost": (paid, None),
    }


def move(page: playwright.Page, name: str, value: float) -> None:
    """Move a control as a reader would."""
    page.locator(f"[name='{name}']").evaluate(
        "(field, value) => { field.value = value;"
        " field.dispatchEvent(new Event('input', { bubbles: true })); }",
        value,
    )


@pytest.mark.parametrize("kind", ["both", "scaled", "cost"])
def test_every_result_is_pythons(
    browser: playwright.Browser,
    bare_page: Callable[[Path, str, str], str],
    tmp_path: Path,
    kind: str,
) -> None:
    result, paid = forms()[kind]
    markup = controls(result, cost=paid).markup
    effect = None
    if kind != "cost":
        evidence = OFFER if kind == "both" else INCOME
        effect = tuple(evidence.quantile(p) for p in (0.025, 0.5, 0.975))
    page = browser.new_page()
    page.goto(bare_page(tmp_path, markup, "household.js"))
    names = [name for name in SLIDERS if page.locator(f"[name='{name}']").count()]
    for moves in MOVES:
        for name, value in moves.items():
            if name in names:
                move(page, name, value)
        at = {
            name: float(page.locator(f"[name='{name}']").input_value()) / SLIDERS[name][3]
            for name in names
        }
        assert all(at[n] == pytest.approx(v / SLIDERS[n][3]) for n, v in moves.items() if n in at)
        expected = outcome(
            at, effect=effect, income=BUDGET.facts["total"].value, scaled=result.scaled
        )
        found = {
            name: float(page.locator(f"[data-result='{name}']").get_attribute("data-value"))
            for name in RESULTS
            if page.locator(f"[data-result='{name}']").count()
        }
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)
    page.close()


def test_what_is_printed_before_the_script_is_what_it_prints(
    browser: playwright.Browser, bare_page: Callable[[Path, str, str], str], tmp_path: Path
) -> None:
    result, paid = forms()["both"]
    address = bare_page(tmp_path, controls(result, cost=paid).markup, "household.js")
    quiet = browser.new_context(java_script_enabled=False).new_page()
    quiet.goto(address)
    words = [quiet.locator(part).all_inner_texts() for part in ("dd", "output")]
    assert "need JavaScript" in quiet.locator("noscript").inner_text()
    assert quiet.get_by_label("Members of the household").is_disabled()
    page = browser.new_page(viewport=PHONE)
    page.goto(address)
    assert page.get_by_label("Members of the household").is_enabled()
    assert [page.locator(part).all_inner_texts() for part in ("dd", "output")] == words
    assert page.locator("[aria-live='polite']").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for opened in (quiet, page):
        opened.close()


def test_at_the_start_the_form_says_what_the_result_says() -> None:
    """Central inputs, so the median of the form is that of the gain but for steps of a control."""
    gain, _ = forms()["both"]
    at = {one.name: one.central for one in gain.inputs}
    effect = tuple(OFFER.quantile(p) for p in (0.025, 0.5, 0.975))
    income = BUDGET.facts["total"].value
    found = outcome(at, effect=effect, income=income, scaled=False)
    assert found["median"] == pytest.approx(gain.median.value)
    assert found["per_cent"] == pytest.approx(gain.per_cent.value)


def test_the_site_carries_the_script() -> None:
    assert "household.js" in (paths.root() / "assets" / "scripts.html").read_text()
    assert "assets/household.js" in (paths.root() / "_quarto.yml").read_text()
    script = (paths.root() / "assets" / "household.js").read_text()
    assert "eval(" not in script and "Function(" not in script
