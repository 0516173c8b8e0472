"""Pages of reference: every public function of the package, from its docstring, by room.

The docstrings are read by griffe without importing anything. Each entry says where the function
stands and which tests hold it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import griffe

from analysis.methods.proof import PACKAGE, SOURCES, Proof, front_door
from analysis.templates import fill

TEMPLATES: Final = Path(__file__).parent / "templates"
FOLDER: Final = "reference"
SIGNATURE: Final = 78
"""Characters after which a signature is broken into lines."""
_CODE = re.compile(r"(``.+?``|`[^`]+`|\*\*\w[^*]*\*\*)", re.DOTALL)
"""What stays as it is in prose: code and bold words."""
_SPECIAL = re.compile(r"([\\@$<>*^~|])")
Room = list[tuple[Any, list[Any]]]
"""Modules of a room with their public members; the first is the room itself."""


def load(root: Path) -> Any:
    """Return the package as griffe sees it.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    return griffe.load(
        PACKAGE, search_paths=[root / "src"], docstring_parser="numpy", submodules=True
    )


def room_of(name: str) -> str:
    """Return the room that a dotted name belongs to.

    Examples
    --------
    >>> room_of("analysis.did.estimators.group_time.estimate"), room_of("analysis.money.load")
    ('did', 'money')
    """
    return name.split(".")[1]


def address(name: str) -> str:
    """Return where a function is described, relative to the site.

    Examples
    --------
    >>> address("analysis.money.load")
    'reference/money.qmd#analysis.money.load'
    """
    return f"{FOLDER}/{room_of(name)}.qmd#{name}"


def pages(root: Path, proof: Proof) -> dict[str, str]:
    """Return the pages of reference, Markdown by file name; none where there is no package.

    Parameters
    ----------
    root : Path
        The project folder.
    proof : Proof
        Where functions stand and what tests them.
    """
    if not (root / SOURCES).is_dir():
        return {}
    package = load(root)
    rooms = {
        name: [(module, list(public(module))) for module in modules(room)]
        for name, room in sorted(package.modules.items())
        if name != "__main__"
    }
    by_name = {f"{FOLDER}/{name}.qmd": _page(name, room, proof) for name, room in rooms.items()}
    by_name[f"{FOLDER}/front-door.qmd"] = _front_door(root, package, proof)
    by_name[f"{FOLDER}/index.qmd"] = _contents(rooms)
    return by_name


def _front_door(root: Path, package: Any, proof: Proof) -> str:
    entries = []
    door = front_door(root / SOURCES / "__init__.py")
    for name, place in sorted(door.items(), key=lambda pair: pair[0].lower()):
        member = package[place.removeprefix(f"{PACKAGE}.")].members.get(name)
        if member is not None and (member.is_function or member.is_class):
            text = "\n".join(_entry(member, proof))
        else:
            docstring = getattr(member, "docstring", None)
            text = escaped(docstring.value) if docstring else f"`{place}.{name}`"
        entries.append({"name": name, "text": text})
    return fill(TEMPLATES / "front-door.md.j2", entries=entries)


def public(module: Any) -> Iterator[Any]:
    """Yield the public functions and classes that a module itself defines, in file order."""
    own = [
        member
        for member in module.members.values()
        if not member.is_alias
        and (member.is_function or member.is_class)
        and not member.name.startswith("_")
    ]
    yield from sorted(own, key=lambda member: member.lineno)


def modules(room: Any) -> Iterator[Any]:
    """Yield a room and the modules in it, by name."""
    yield room
    for _, inner in sorted(room.modules.items()):
        yield from modules(inner)


def _contents(rooms: Mapping[str, Room]) -> str:
    listed = [
        {
            "name": name,
            "purpose": escaped(_first_line(room[0][0])),
            "members": sum(len(members) for _, members in room),
        }
        for name, room in rooms.items()
    ]
    return fill(TEMPLATES / "reference.md.j2", rooms=listed)


def _page(name: str, room: Room, proof: Proof) -> str:
    top = room[0][0]
    lines = ["---", f'title: "Reference: {name}"', f'description: "{_first_line(top)}"', "---", ""]
    for module, members in room:
        if not members and module is not top:
            continue
        if module is not top:
            lines += [f"## {module.path.removeprefix(PACKAGE + '.')} {{#{module.path}}}", ""]
        lines += [_text(module), ""]
        level = "##" if module is top else "###"
        for member in members:
            lines += [f"{level} {member.name} {{#{member.path}}}", "", *_entry(member, proof), ""]
    return "\n".join(lines)


def _entry(member: Any, proof: Proof) -> Iterator[str]:
    """Yield the lines of a function or class, below its heading."""
    yield "```python"
    yield _signature(member)
    yield "```"
    yield ""
    yield from _sections(member)
    if member.is_class:
        for method in public(member):
            first = escaped(_first_line(method))
            yield f"- `{method.name}`: {first}" if method.docstring else f"- `{method.name}`"
        yield ""
    where = proof.places.get(member.path)
    tests = proof.tests(member.path)
    lines = [f"Source: `{where}`." if where else ""]
    if tests:
        names = "; ".join(
            f"`{test.name}`" + (f" (through `{test.through}`)" if test.through else "")
            for test in tests
        )
        lines.append(f"Tests: {names}.")
    yield f"::: {{.provenance}}\n{' '.join(part for part in lines if part)}\n:::"


def _signature(member: Any) -> str:
    if member.is_class:
        return f"class {member.name}"
    parts = [str(p) for p in _parameters(member)]
    returns = f" -> {member.returns}" if member.returns else ""
    line = f"{member.name}({', '.join(parts)}){returns}"
    if len(line) <= SIGNATURE:
        return line
    return "\n".join([f"{member.name}(", *(f"    {part}," for part in parts), f"){returns}"])


def _parameters(member: Any) -> Iterator[str]:
    """Yield parameters as they are written, with the star that begins the named ones."""
    starred = False
    for parameter in member.parameters:
        kind = parameter.kind.value if parameter.kind else ""
        if kind == "keyword-only" and not starred:
            yield "*"
            starred = True
        star = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        starred = starred or star == "*"
        text = star + parameter.name
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and not star:
            text += f" = {parameter.default}" if parameter.annotation else f"={parameter.default}"
        yield text


def _sections(member: Any) -> Iterator[str]:
    """Yield the docstring as Markdown."""
    if not member.docstring:
        return
    for section in member.docstring.parsed:
        kind, value = section.kind.value, section.value
        if kind == "text":
            yield escaped(value)
        elif kind == "examples":
            yield "**Examples**\n"
            for part, text in value:
                yield _example(text) if part.value == "examples" else escaped(text)
        elif kind == "admonition":
            yield f"**{escaped(section.title or '')}**\n\n{escaped(value.description)}"
        elif isinstance(value, list):
            yield f"**{kind.capitalize()}**\n"
            for item in value:
                yield _item(item)
        yield ""


def _example(text: str) -> str:
    return f"````python\n{_plain(text)}\n````"


def _item(item: Any) -> str:
    name = getattr(item, "name", "") or ""
    kind = f"`{item.annotation}`" if item.annotation is not None else ""
    head = ", ".join(part for part in (f"`{name}`" if name else "", kind) if part)
    description = " ".join(escaped(item.description).split())
    return f"- {head}: {description}" if head else f"- {description}"


def _first_line(member: Any) -> str:
    """Return the first line of a docstring, without the marks of code."""
    text = member.docstring.value if member.docstring else ""
    return text.split("\n\n")[0].replace("\n", " ").replace("`", "").replace('"', "”")


def _text(module: Any) -> str:
    return escaped(module.docstring.value) if module.docstring else ""


def escaped(text: str) -> str:
    r"""Return prose of a docstring as Markdown: code stays code, signs of Markdown stay signs.

    Examples
    --------
    >>> escaped("``a*b`` is a*b at 5 $")
    '`a*b` is a\\*b at 5 \\$'
    """
    parts = _CODE.split(text)
    return "".join(
        _code(part.strip("`")) if number % 2 else _SPECIAL.sub(r"\\\1", part)
        for number, part in enumerate(parts)
    )


def _code(text: str) -> str:
    """Return code that no renderer runs or takes for a shortcode; bold words as they are."""
    if text.startswith("*"):
        return text
    text = _plain(text).replace("`", "").strip()
    return f"`` {text} ``" if text.startswith("{") else f"`{text}`"


def _plain(text: str) -> str:
    """Return text in which a shortcode is shown, not followed."""
    return text.replace("{{<", "{{{<").replace(">}}", ">}}}")
