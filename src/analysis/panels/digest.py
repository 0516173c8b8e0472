"""A digest of a table's content that does not depend on how the table was cut into parts."""

from __future__ import annotations

import hashlib

import polars as pl


class TableDigest:
    """Digest of a table fed in parts, in the order of its rows.

    Every column has a running sha256 of its own, so parts may be of any size. Files would not do:
    the same rows in other row groups are other bytes.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, ""]})
    >>> whole, parts = TableDigest(), TableDigest()
    >>> whole.update(frame)
    >>> parts.update(frame[:1])
    >>> parts.update(frame[1:])
    >>> whole.hexdigest() == parts.hexdigest(), parts.rows
    (True, 3)
    """

    def __init__(self) -> None:
        self.rows = 0
        self._values: dict[str, hashlib._Hash] = {}
        self._missing: dict[str, hashlib._Hash] = {}

    def update(self, part: pl.DataFrame) -> None:
        """Add the next rows; every part must have the same columns in the same order."""
        names = [f"{name}:{_kind(kind)}" for name, kind in part.schema.items()]
        if not self._values:
            self._values = {name: hashlib.sha256() for name in names}
            self._missing = {name: hashlib.sha256() for name in names}
        for name, column in zip(names, part.get_columns(), strict=True):
            if part.is_empty():
                break
            self._values[name].update(_bytes(column))
            if column.null_count():
                # The row a value is missing in, counted from the start of the table.
                rows = column.is_null().arg_true().cast(pl.Int64).to_numpy() + self.rows
                self._missing[name].update(rows.astype("<i8").tobytes())
        self.rows += part.height

    def hexdigest(self) -> str:
        """Return the digest of everything fed so far: 64 hexadecimal digits."""
        total = hashlib.sha256()
        for name, values in self._values.items():
            missing = self._missing[name]
            total.update(f"{name}\0{values.hexdigest()}\0{missing.hexdigest()}\0".encode())
        total.update(str(self.rows).encode())
        return total.hexdigest()


def _kind(kind: pl.DataType) -> str:
    return "String" if isinstance(kind, pl.Enum) else str(kind)


def _bytes(column: pl.Series) -> bytes:
    """Return the values row by row, zero or nothing where one is missing."""
    if isinstance(column.dtype, pl.String | pl.Enum):
        # A unit separator cannot stand in a name that a person can type.
        joined = column.cast(pl.String).fill_null("").str.join("\x1f").item()
        return f"{joined}\x1f".encode()
    if column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    values = column.fill_null(0).to_numpy()
    return values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
