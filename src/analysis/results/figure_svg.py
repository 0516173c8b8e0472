"""A Matplotlib figure as one inline SVG of a page: text as text, colours by the page's style sheet.

Vertical positions and letters keep their size on every screen, and so does the margin left of the
axes; horizontal positions right of it are shares of the width, so that one drawing fills a column
of 1,000 pixels and a phone of 390. Colours of the
palette become classes, which resolve to variables of the style sheet: one drawing serves the light
and the dark theme. Marks carry their values as data for assets/figures.js.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

from analysis.results.marks import Mark, gids, marks_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOKENS: Final[Mapping[str, str]] = {
    "#0072b2": "blue",
    "#d55e00": "vermilion",
    "#009e73": "green",
    "#cc79a7": "pink",
    "#56b4e9": "sky",
    "#e69f00": "orange",
    "#000000": "ink",
    "#333333": "ink",
    "#262626": "ink",
    "#6b6b6b": "muted",
    "#808080": "muted",
    "#7f7f7f": "muted",
    "#d9d9d9": "line",
    "#b0b0b0": "line",
    "#ffffff": "page",
    "#1f77b4": "blue",
    "#ff7f0e": "vermilion",
    "#2ca02c": "green",
    "#d62728": "pink",
    "#9467bd": "sky",
    "#8c564b": "orange",
}
"""Colours of this project's palette and of Matplotlib's defaults, as names of style variables."""
PIXEL: Final = 4 / 3
"""CSS pixels of a point."""
WIDEST_MARGIN: Final = 0.3
"""Of the width: a wider margin would leave a phone nothing to draw in, so it shrinks too."""
_SVG: Final = "{http://www.w3.org/2000/svg}"
_LINK: Final = "{http://www.w3.org/1999/xlink}href"
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_ROTATED: Final = re.compile(r"rotate\((-?[\d.]+)(?: (-?[\d.]+) (-?[\d.]+))?\)")
_MOVED: Final = re.compile(r"translate\((-?[\d.]+) (-?[\d.]+)\)")
_KEPT: Final = (
    *("stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-opacity", "fill-opacity"),
    *("opacity", "stroke-linejoin"),
)
_SOLID: Final = {"stroke-linejoin": "round", "stroke-dashoffset": "0", "stroke-linecap": "butt"}


def drawing(figure: Figure, salt: str = "analysis") -> str:
    """Return a figure as Matplotlib writes it: SVG that stands alone, the same text every time.

    Parameters
    ----------
    figure : matplotlib Figure
        Not changed.
    salt : str
        Decides the ids of its parts.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": salt}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # Letters are laid out by the reader's machine, which has them.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def inline_svg(figure: Figure, label: str, title: str = "", alt: str = "") -> str:
    """Return a figure as an ``svg`` element for a page.

    Parameters
    ----------
    figure : matplotlib Figure
        Not changed.
    label : str
        Label of its cell; every id begins with it.
    title : str
        Caption, in short.
    alt : str
        Alternative text.

    Returns
    -------
    str
        HTML: the same text for the same figure.
    """
    with gids(figure) as marks:
        root = ElementTree.fromstring(drawing(figure, label))  # noqa: S314 -- our own drawing
    _, _, width, height = (float(x) for x in root.attrib["viewBox"].split())
    left = min((axes.get_position().x0 for axes in figure.axes), default=0.0) * width
    if left > WIDEST_MARGIN * width:
        left = 0.0
    writer = _Writer(label, width, height, left, marks)
    for child in root:
        writer.walk(child, {}, "", glyphs=False)
    return writer.finish(title, alt)


def _style(element: ElementTree.Element, inherited: Mapping[str, str]) -> dict[str, str]:
    parts = (part.partition(":") for part in element.get("style", "").split(";") if ":" in part)
    return {**inherited, **{name.strip(): value.strip() for name, _, value in parts}}


def _short(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _path(d: str, scale: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)) -> str:
    """Return path data, moved and scaled, with two decimals."""
    turn = 0

    def moved(match: re.Match[str]) -> str:
        nonlocal turn
        value = (float(match[0]) - shift[turn % 2]) * scale
        turn += 1
        return _short(value)

    return " ".join(_NUMBER.sub(moved, d).split())


def _points(d: str) -> list[tuple[float, float]]:
    numbers = [float(x) for x in _NUMBER.findall(d)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _paint(style: Mapping[str, str], fallback: str) -> tuple[str, str]:
    """Return classes and further attributes of a style."""
    classes, rest = [], []
    for name in ("fill", "stroke"):
        colour = style.get(name, fallback if name == "fill" else "none")
        if colour == "none":
            rest += ['fill="none"'] if name == "fill" else []
        elif colour.lower() in TOKENS:
            classes.append(f"{name}-{TOKENS[colour.lower()]}")
        else:
            rest.append(f'{name}="{html.escape(colour)}"')
    strokes = style.get("stroke", "none") != "none"
    for name in _KEPT:
        value = style.get(name)
        idle = name.startswith("stroke") and not strokes
        if value is None or _SOLID.get(name) == value or idle:
            continue
        if name in ("stroke-width", "stroke-dasharray"):
            value = _NUMBER.sub(lambda m: _short(float(m[0]) * PIXEL), value)
        rest.append(f'{name}="{html.escape(value)}"')
    return " ".join(classes), (" " + " ".join(rest)) if rest else ""


@dataclass
class _Writer:
    """Writes the parts of one drawing, in their order."""

    label: str
    width: float
    height: float
    left: float
    marks: Mapping[str, Mark]
    shapes: dict[str, str] = field(default_factory=dict)
    clips: dict[str, tuple[str, tuple[float, ...]]] = field(default_factory=dict)
    glyphs: dict[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    stretching: bool = False

    def walk(
        self, element: ElementTree.Element, style: Mapping[str, str], clip: str, *, glyphs: bool
    ) -> None:
        """Write an element and what is in it."""
        tag, identity = element.tag.removeprefix(_SVG), element.get("id", "")
        clip = element.get("clip-path", clip)
        own = _style(element, style)
        if tag == "defs":
            self._define(element)
        elif tag == "g":
            mark = self.marks.get(identity)
            if mark:
                self._add(_opening(mark))
            inside = glyphs or identity.startswith("PathCollection") or bool(mark and mark.glyph)
            for child in element:
                self.walk(child, own, clip, glyphs=inside)
            if mark:
                self._add(_closing(mark))
        elif tag == "path" and glyphs:
            self._glyph_path(element, own)
        elif tag == "path":
            self._stretched(_path(element.attrib["d"]), own, clip)
        elif tag == "use":
            self._use(element, own, clip)
        elif tag == "text":
            self._text(element, own)
        elif tag == "image":
            self._image(element)

    def _add(self, text: str) -> None:
        if self.stretching:
            self.parts.append("</svg>")
            self.stretching = False
        self.parts.append(text)

    def _define(self, defs: ElementTree.Element) -> None:
        for child in defs:
            name = child.get("id", "")
            if child.tag == f"{_SVG}path":
                self.shapes[name] = child.attrib["d"]
            elif child.tag == f"{_SVG}clipPath":
                rect = child.find(f"{_SVG}rect")
                if rect is not None:
                    box = tuple(float(rect.attrib[x]) for x in ("x", "y", "width", "height"))
                    self.clips[name] = (f"{self.label}-c{len(self.clips)}", box)

    def _stretched(self, d: str, style: Mapping[str, str], clip: str, moved: str = "") -> None:
        classes, rest = _paint(style, "#000000")
        if not classes and "stroke=" not in rest and 'fill="none"' in rest:
            return
        if not self.stretching:
            self.parts.append(
                f'<svg viewBox="{_short(self.left)} 0 {_short(self.width - self.left)} '
                f'{_short(self.height)}" '
                f'preserveAspectRatio="none" width="100%" height="100%">'
            )
            self.stretching = True
        cut = f' clip-path="{clip}"' if clip else ""
        self.parts.append(f'<path class="{classes}"{rest}{cut}{moved} d="{d}"/>')

    def _use(self, element: ElementTree.Element, style: Mapping[str, str], clip: str) -> None:
        name = element.get(_LINK, "").removeprefix("#")
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        d = self.shapes[name]
        xs = [point[0] for point in _points(d)]
        if xs and max(xs) - min(xs) > self.width / 5:  # an area, its points relative to (x, y)
            self._stretched(_path(d, shift=(-x, -y)), style, clip)
        else:
            self._glyph(_path(d, PIXEL), x, y, style)

    def _glyph_path(self, element: ElementTree.Element, style: Mapping[str, str]) -> None:
        points = _points(element.attrib["d"])
        x, y = ((min(v) + max(v)) / 2 for v in zip(*points, strict=True))
        self._glyph(_path(element.attrib["d"], PIXEL, (x, y)), x, y, style)

    def _glyph(self, d: str, x: float, y: float, style: Mapping[str, str]) -> None:
        name = self.glyphs.setdefault(d, f"{self.label}-g{len(self.glyphs)}")
        classes, rest = _paint(style, "#000000")
        self._add(
            f'<use href="#{name}" x="{self._share(x)}" y="{_short(y * PIXEL)}" '
            f'class="{classes}"{rest}/>'
        )

    def _share(self, x: float) -> str:
        """Return a position as a share of what is right of the margin, in pixels inside it."""
        if x < self.left:
            return _short((x - self.left) * PIXEL)
        return f"{_short(100 * (x - self.left) / (self.width - self.left))}%"

    def _text(self, element: ElementTree.Element, style: Mapping[str, str]) -> None:
        place = element.get("transform", "")
        moved, turned = _MOVED.search(place), _ROTATED.search(place)
        x, y = float(element.get("x", 0)), float(element.get("y", 0))
        if moved:
            x, y = float(moved[1]), float(moved[2])
        angle = float(turned[1]) if turned else 0.0
        classes, rest = _paint(
            {k: v for k, v in style.items() if k in ("fill", "opacity", "fill-opacity")}, "#000000"
        )
        size = _short(float(_NUMBER.findall(style.get("font-size", "10"))[0]) * PIXEL)
        for name in ("text-anchor", "font-weight", "font-style"):
            if name in style and style[name] not in ("start", "normal", "400"):
                rest += f' {name}="{style[name]}"'
        words = html.escape("".join(element.itertext()), quote=False)
        at, down = self._share(x), _short(y * PIXEL)
        attributes = f'class="{classes}" font-size="{size}"{rest}'
        if angle % 360:
            self._add(
                f'<svg x="{at}" y="{down}" overflow="visible"><text {attributes} '
                f'transform="rotate({_short(angle)})">{words}</text></svg>'
            )
        else:
            self._add(f'<text x="{at}" y="{down}" {attributes}>{words}</text>')

    def _image(self, element: ElementTree.Element) -> None:
        place = _NUMBER.findall(element.get("transform", ""))[-2:]
        x, y = (float(v) for v in place) if len(place) == 2 else (0.0, 0.0)
        x, y = float(element.get("x", x)), float(element.get("y", y))
        width = float(element.get("width", 0))
        self._add(
            f'<image href="{element.get(_LINK, "")}" x="{self._share(x)}" '
            f'y="{_short(y * PIXEL)}" width="{self._share(width + self.left)}" '
            f'height="{_short(float(element.get("height", 0)) * PIXEL)}" '
            'preserveAspectRatio="none"/>'
        )

    def finish(self, title: str, alt: str) -> str:
        """Return the whole element."""
        self._add("")
        body = "\n".join(part for part in self.parts if part)
        for old, (new, _) in self.clips.items():
            body = body.replace(f'"url(#{old})"', f'"url(#{new})"')
        defs = [f'<path id="{name}" d="{d}"/>' for d, name in self.glyphs.items()]
        defs += [
            f'<clipPath id="{new}"><rect x="{_short(x)}" y="{_short(y)}" width="{_short(w)}" '
            f'height="{_short(h)}"/></clipPath>'
            for new, (x, y, w, h) in self.clips.values()
            if f"#{new})" in body
        ]
        links = any(mark.href for mark in self.marks.values())
        role = "group" if links else "img"
        pixels, margin = _short(self.height * PIXEL), _short(self.left * PIXEL)
        style = f"margin-left:{margin}px;width:calc(100% - {margin}px);height:{pixels}px"
        names = f"{self.label}-title {self.label}-alt" if alt else f"{self.label}-title"
        text = f'<desc id="{self.label}-alt">{html.escape(alt, quote=False)}</desc>' if alt else ""
        # Inside an empty group, so that no browser shows the title where the pointer rests.
        titled = (
            f'<g><title id="{self.label}-title">'
            f"{html.escape(title or self.label, quote=False)}</title>{text}</g>"
        )
        head = (
            f'<svg role="{role}" aria-labelledby="{names}" height="{pixels}" '
            f'style="{style}" xmlns="http://www.w3.org/2000/svg">'
        )
        return "\n".join(
            [head, titled, *([f"<defs>{''.join(defs)}</defs>"] if defs else []), body, "</svg>"]
        )


def _opening(mark: Mark) -> str:
    group = f' data-group="{html.escape(mark.group)}"' if mark.group else ""
    value = f' data-value="{html.escape(mark.text)}"' if mark.text else ""
    if mark.href:
        name = html.escape(mark.text)
        return f'<a class="mark" href="{html.escape(mark.href)}" aria-label="{name}"{value}{group}>'
    return f'<g class="mark"{value}{group}>'


def _closing(mark: Mark) -> str:
    return "</a>" if mark.href else "</g>"


def values(figure: Figure) -> Iterator[str]:
    """Return what the marks of a figure say, in drawing order."""
    return (mark.text for mark in marks_of(figure) if mark.text)
