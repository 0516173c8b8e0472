"""A TOML table read key by key; what is wrong is collected, not raised."""

from __future__ import annotations

from collections.abc import KeysView, Mapping

from analysis.faults import Fault


def as_text(value: object) -> str:
    """Write a TOML value as the text a survey cell is compared with.

    Examples
    --------
    >>> as_text(-8), as_text(2.0), as_text(True), as_text("x ")
    ('-8', '2', 'true', 'x')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


class Table:
    """A cursor over one TOML table.

    Parameters
    ----------
    content : mapping
        The table.
    key : str
        Where it stands, e.g. ``income.items[2]``.
    file : str
        The map's name, for messages.
    faults : list of Fault
        Where faults are added.
    """

    def __init__(
        self, content: Mapping[str, object], key: str, file: str, faults: list[Fault]
    ) -> None:
        self._left = dict(content)
        self.key = key
        self.file = file
        self.faults = faults

    def at(self, key: str) -> str:
        """Return the full TOML key of an entry."""
        return ".".join(part for part in (self.key, key) if part)

    def fault(self, key: str, problem: str, remedy: str, value: str = "") -> None:
        """Note a fault under a key."""
        self.faults.append(Fault(self.file, problem, remedy, column=self.at(key), value=value))

    def keys(self) -> KeysView[str]:
        """Return the keys not taken yet."""
        return self._left.keys()

    def take(self, key: str) -> object:
        """Return a value and mark it as read; None if it is not there."""
        return self._left.pop(key, None)

    def rest(self) -> dict[str, object]:
        """Return everything not taken yet and mark it as read."""
        left, self._left = self._left, {}
        return left

    def nothing_else(self) -> None:
        """Note a fault for every key that nothing has read."""
        for key in self.rest():
            self.fault(key, "unknown key", "remove it or correct its name")

    def text(self, key: str, *, required: bool = True) -> str:
        """Return a text; empty if it is not there."""
        value = self.take(key)
        if value is None:
            if required:
                self.fault(key, "missing", f'add {key} = "…"')
            return ""
        if not isinstance(value, str) or (required and not value.strip()):
            self.fault(key, "not a text", "write it in quotation marks", str(value))
            return ""
        if value == "FILL":
            self.fault(key, "still to be filled in", "write the value", value)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return one text or a list of texts."""
        value = self.take(key)
        if value is None:
            return ()
        entries = value if isinstance(value, list) else [value]
        if not entries or not all(isinstance(v, str) and v for v in entries):
            self.fault(key, "not a name or a list of names", 'write "name"', str(value))
            return ()
        return tuple(entries)

    def word(
        self, key: str, words: tuple[str, ...], default: str, *, required: bool = False
    ) -> str:
        """Return one of a few words."""
        value = self.take(key)
        if value is None:
            if required:
                self.fault(key, "missing", f"use one of: {', '.join(words)}")
            return default
        if value not in words:
            problem = "still to be filled in" if value == "FILL" else "not in the vocabulary"
            self.fault(key, problem, f"use one of: {', '.join(words)}", str(value))
            return default
        return str(value)

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Return a number between two others."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(key, "not a number", f"write a number from {low} to {high}", str(value))
            return default
        if not low <= value <= high:
            self.fault(key, "out of range", f"write a number from {low} to {high}", str(value))
            return default
        return value

    def flag(self, key: str) -> bool:
        """Return true or false; false if it is not there."""
        value = self.take(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.fault(key, "not true or false", "write true or false", str(value))
        return False

    def codes(self, key: str) -> tuple[str, ...]:
        """Return a list of codes, numbers or texts, as texts."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or any(isinstance(v, dict | list) for v in value):
            self.fault(key, "not a list of codes", "write [-8, -9]", str(value))
            return ()
        return tuple(as_text(v) for v in value)

    def mapping(self, key: str) -> Mapping[str, object]:
        """Return a table of values; empty if it is not there."""
        value = self.take(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(key, "not a table", "write { … = … }", str(value))
            return {}
        return value

    def table(self, key: str, *, required: bool = True) -> Table:
        """Return a sub-table to read; empty if it is not there."""
        value = self.take(key)
        if value is None and required:
            self.fault(key, "missing", f"add [{key}]")
        if value is not None and not isinstance(value, dict):
            self.fault(key, "not a table", f"write [{key}]", str(value))
        return Table(value if isinstance(value, dict) else {}, self.at(key), self.file, self.faults)

    def tables(self, key: str, *, required: bool = False) -> list[Table]:
        """Return the sub-tables of a ``[[list]]``."""
        value = self.take(key)
        if value is None and required:
            self.fault(key, "missing", f"add [[{key}]]")
        items = value if isinstance(value, list) else []
        if value is not None and (not items or not all(isinstance(v, dict) for v in items)):
            self.fault(key, "not a list of tables", f"write [[{key}]]", str(value))
            return []
        return [
            Table(v, f"{self.at(key)}[{i}]", self.file, self.faults) for i, v in enumerate(items)
        ]
