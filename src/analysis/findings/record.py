"""The record of one published number, figure or table, and how it prints itself."""

from __future__ import annotations

from dataclasses import dataclass

from analysis import printing


@dataclass(frozen=True)
class Finding:
    """One published number, figure or table.

    Attributes
    ----------
    id : str
        Permanent name; the anchor on the findings page.
    kind : str
        ``number``, ``word``, ``figure`` or ``table``.
    page : str
        Notebook that shows it.
    tier : str
        Evidence tier, a key of `analysis.results.badge.TIERS`.
    what : str
        The estimand, or what the number is.
    value : float or None
        The number; None for a figure or table, or where only an interval is known.
    low, high : float or None
        Ends of its interval; None where there is none on that side.
    unit : str
        Unit as in the ledger; yuan are nominal unless `what` names a price year.
    text : str
        As printed.
    rows_in, rows_used : int or None
        Rows that entered and rows that were used.
    n_villages_treated, n_villages_control : int or None
        Villages by arm, of an effect.
    method : str
        How it was obtained, in a few words.
    function : str
        The function that made it.
    inputs : str
        Input files with the first 12 digits of their sha256, joined by semicolons.
    digest : str
        For a figure or table: digest of its data to nine significant digits.
    tolerance : float
        Relative difference up to which two runs agree.
    """

    id: str
    kind: str
    page: str
    tier: str
    what: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    text: str
    rows_in: int | None
    rows_used: int | None
    n_villages_treated: int | None
    n_villages_control: int | None
    method: str
    function: str
    inputs: str
    digest: str
    tolerance: float

    def markdown(self) -> str:
        """Return the printed text as a link to its record."""
        return link(self.text, self.page, self.id)


def link(text: str, page: str, id: str) -> str:
    """Return a text as a link to the record of a finding, in Markdown; the text stays text.

    Examples
    --------
    >>> link("193", "01-claims", "claims_total")
    '[193](/findings/01-claims.qmd#claims_total){.finding}'
    """
    return f"[{printing.escaped(text)}](/findings/{page}.qmd#{id}){{.finding}}"


@dataclass(frozen=True)
class Printed:
    """A part of a finding, printed inline: plain in figures and tables, a link in the text."""

    text: str
    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __str__(self) -> str:
        return self.text
