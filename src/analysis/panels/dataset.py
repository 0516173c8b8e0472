"""Public data sets by name: a Polars frame that carries its card, ready for any estimator.

>>> nsw = data("nsw")
>>> nsw.shape, nsw.card.money
((445, 10), 'US dollars, prices: 1982')
"""

from __future__ import annotations

import html
from typing import Any, Final

import polars as pl

from analysis import paths
from analysis.faults import Fault, FaultsError
from analysis.panels import cards, external, public
from analysis.panels.cards import Card, Download, Published
from analysis.results import Account, Comparison, Provenance, Result
from analysis.results.result import frame_of

SHOWN: Final = 12
"""Columns that a printed data set names; the card has them all."""
NORMAL: Final = 1.959963984540054
"""Quantile of the normal distribution at 97.5 per cent."""


class Dataset(pl.DataFrame):
    """A public data set: a Polars frame with the card of its source.

    Rows chosen from it (``filter``, ``drop_nulls``) and columns added (``with_columns``) keep the
    card; whatever else is made from it is a plain frame. Printed, it shows what the data are and
    never a row, so that a notebook can be passed on without its data.

    Attributes
    ----------
    card : Card
        Title, place, design, licence, citation, unit of money, columns with their units, and
        numbers that publications print.
    sha256 : str
        Checksum of the file that the rows were read from.
    """

    card: Card
    sha256: str

    @classmethod
    def of(cls, frame: pl.DataFrame, card: Card, sha256: str) -> Dataset:
        """Return a frame as a data set."""
        dataset = cls(frame)
        dataset.card, dataset.sha256 = card, sha256
        return dataset

    def filter(self, *predicates: Any, **constraints: Any) -> Dataset:
        """Return the rows that fit, as `polars.DataFrame.filter`, with the card."""
        return self._filtered(super().filter(*predicates, **constraints))

    def with_columns(self, *exprs: Any, **named_exprs: Any) -> Dataset:
        """Return the data with more columns, as `polars.DataFrame.with_columns`, with the card."""
        return self._filtered(super().with_columns(*exprs, **named_exprs))

    def drop_nulls(self, subset: Any = None) -> Dataset:
        """Return rows without missing values, as `polars.DataFrame.drop_nulls`, with the card."""
        return self._filtered(super().drop_nulls(subset))

    def _filtered(self, frame: pl.DataFrame) -> Dataset:
        # What Polars made of a data set (``vstack``) is of this class and has no card.
        known = vars(self)
        return Dataset.of(frame, known["card"], known["sha256"]) if "card" in known else frame  # type: ignore[return-value]

    def printed(self, *ids: str) -> Result:
        """Return what publications print of these data, as a result to be set beside another.

        Parameters
        ----------
        *ids : str
            Short names on the card; all if left out.

        Returns
        -------
        Result
            One row per number, evidence ``published``; intervals are by normal quantiles from the
            printed errors.

        Raises
        ------
        FaultsError
            If the card has no number of that name, or none at all.
        """
        known = {item.id: item for item in self.card.published}
        chosen = [known[name] for name in ids or known if name in known]
        if len(chosen) < max(len(ids), 1):
            remedy = f"it has: {', '.join(known) or 'none'}"
            asked = ", ".join(name for name in ids if name not in known)
            raise FaultsError(
                [Fault(self.card.file, "no such printed number", remedy, value=asked)]
            )
        units = {column.name: column.unit for column in self.card.columns}
        known_as = "; ".join(dict.fromkeys(cards.KNOWN[item.known] for item in chosen))
        return Result(
            frame=frame_of([_row(item, units.get(item.outcome, "")) for item in chosen]),
            comparison=Comparison(estimator=known_as, errors=known_as),
            account=Account(chosen[0].n, chosen[0].n),
            provenance=Provenance.of(
                Dataset.printed,
                evidence="published",
                method="; ".join(dict.fromkeys(f"{item.where} ({item.known})" for item in chosen)),
                inputs=(self.card.file,),
            ),
            title=f"{known_as[0].upper()}{known_as[1:]}: {self.card.title}",
        )

    def __repr__(self) -> str:
        if not hasattr(self, "card"):
            return super().__repr__()
        return "\n".join(f"{label + ':':9} {text}" for label, text in self._lines())

    def __str__(self) -> str:
        return repr(self) if hasattr(self, "card") else super().__str__()

    def _repr_html_(self, *_: Any, **__: Any) -> str:
        if not hasattr(self, "card"):
            return str(super()._repr_html_())
        rows = "".join(
            f'<tr><th scope="row">{label}</th><td>{html.escape(text)}</td></tr>'
            for label, text in self._lines()
        )
        return f"<table><tbody>{rows}</tbody></table>"

    def _lines(self) -> list[tuple[str, str]]:
        """Return what is printed, line by line."""
        card = self.card
        named = [f"{c.name} ({c.unit})" for c in card.columns[:SHOWN]]
        more = len(card.columns) - len(named)
        return [
            ("data", f"{card.id}: {card.title}"),
            ("place", f"{card.place}; {card.period}"),
            ("design", card.design),
            ("rows", f"{self.height:,}, one row is {card.unit}"),
            ("columns", "; ".join([*named, *([f"and {more} more"] if more else [])])),
            ("money", card.money or "none"),
            ("source", f"{card.origin_of_file}, sha256 {self.sha256[:12]}"),
            ("licence", card.licence),
            ("cite", card.citation),
        ]


def _row(item: Published, unit: str) -> dict[str, Any]:
    """Return a printed number as a row of a result."""
    if not item.std_error:
        note = "no error printed"
        return {
            "term": item.term,
            "outcome": item.outcome or item.what,
            "estimate": item.estimate,
            "unit": unit,
            "note": note,
            "n": item.n or None,
        }
    reach = NORMAL * item.std_error
    return {
        "term": item.term,
        "outcome": item.outcome or item.what,
        "estimate": item.estimate,
        "std_error": item.std_error,
        "ci_low": item.estimate - reach,
        "ci_high": item.estimate + reach,
        "unit": unit,
        "n": item.n or None,
    }


def data(name: str) -> Dataset:
    """Return a public data set by name.

    Data that come inside an installed package are read from there; others must have been fetched
    into ``data/external``. Either way the file is held against its checksum and its card first.

    Parameters
    ----------
    name : str
        The id of a card: see `data_sets`.

    Returns
    -------
    Dataset
        A Polars frame, columns and units as on its card; it prints the card.

    Raises
    ------
    FaultsError
        If there is no such data set, it has not been fetched (the fault names the command), or
        its file is another one than the card describes.

    Examples
    --------
    >>> experiment = data("nsw")
    >>> experiment.group_by("treat").len().sort("treat")["len"].to_list()
    [260, 185]
    >>> experiment.card.published[0].estimate
    1794.0
    """
    files = sorted(path.stem for path in (paths.data() / "public").glob("*.toml"))
    if name not in files:
        remedy = f"use one of: {', '.join(files)}"
        raise FaultsError([Fault("data/public", "no data set of that name", remedy, value=name)])
    if isinstance(cards.get(name).source, Download):
        loaded, digest = external.load(name), external.catalogue()[name].sha256
    else:
        loaded, digest = public.load(name), public.sha256(name)
    frame = FIRST_PERIOD[name](loaded.frame) if name in FIRST_PERIOD else loaded.frame
    return Dataset.of(frame, loaded.card, digest)


def data_sets() -> pl.DataFrame:
    """Return the public data sets: what each is, and whether it is on this machine.

    Returns
    -------
    polars.DataFrame
        One row per data set: ``name``, ``title``, ``design``, ``n_rows``, ``money``, ``source``,
        ``here`` (whether `data` can read it now), ``command`` (what fetches it, empty where it
        comes with a package).

    Examples
    --------
    >>> data_sets().filter(pl.col("name") == "nsw")["here"].item()
    True
    """
    entries = external.catalogue()
    rows = []
    for card in cards.load().values():
        fetched = isinstance(card.source, Download)
        path = external.available(card.id) if fetched else public.available(card.id)
        rows.append(
            {
                "name": card.id,
                "title": card.title,
                "design": card.design,
                "n_rows": card.rows,
                "money": card.money,
                "source": card.origin_of_file,
                "here": path is not None,
                "command": entries[card.id].command if fetched else "",
            }
        )
    return pl.DataFrame(rows)


def _castle(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the year in which a state's law takes effect; null where it has none."""
    starts = pl.col("year").filter(pl.col("law_starts") == 1).first()
    return frame.with_columns(first_year=starts.over("state"))


FIRST_PERIOD: Final = {"castle": _castle}
"""Data sets whose file marks the first treated period row by row: it is made a column."""
