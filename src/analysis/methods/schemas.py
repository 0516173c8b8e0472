"""The definition of committed tables that no other room defines: methods, validation, reports."""

from __future__ import annotations

import dataframely as dy

from analysis import contract


class Helpers(contract.Row):
    """A function or module that the search for estimators meets and that is none."""

    name = dy.String(
        primary_key=True, regex=r"^[a-z_]+(\.[A-Za-z_]+)*$",
        description="dotted name without the package; a module stands for all in it",
    )  # fmt: skip
    why = dy.String(min_length=10, description="why it needs no record of its own")


class Decisions(contract.Row):
    """A choice that the estimates of this report rest on."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name")
    choice = dy.String(min_length=5, description="what had to be decided")
    alternatives = dy.String(min_length=5, description="what else was possible")
    decision = dy.String(min_length=5, description="what is done")
    why = dy.String(min_length=10, description="the reason")
    measured = dy.String(min_length=3, description="where it was measured, or that it was not")
    since = dy.Date(description="day from which it holds")
