"""Notes: the findings, sentences and exhibits of a programme page, made of an answer.

A notebook calls `programme` once and shows what it gets. Sentences depend on whose panel it is: in
the model panel they say what a design would have found, never what a programme does.
"""

from analysis.notes.programme import Notes, programme

__all__ = ["Notes", "programme"]
