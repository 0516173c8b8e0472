"""The style of figures: letters that can be read on a phone, and enough contrast."""

import pytest

from analysis.figures.style import DARK, LIGHT, SMALL, WIDTH


def test_letters_stay_readable_on_a_phone():
    """At 350 of 390 px, the width of the text on a phone, the smallest letter keeps 8 px."""
    assert SMALL * 350 / (WIDTH * 72) >= 8


def contrast(one, other):
    """WCAG 2.1 contrast ratio of two #rrggbb colours (definition of relative luminance)."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("theme", "paper"), [(LIGHT, "#ffffff"), (DARK, "#14181d")])
def test_ink_has_enough_contrast(theme, paper):
    assert contrast(theme.ink, paper) >= 7
    assert contrast(theme.faint, paper) >= 4.5
