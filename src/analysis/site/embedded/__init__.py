"""The renderer used where Quarto is not installed: pandoc, one Lua filter, one page shell.

It reads the same project as ``quarto render`` and prints the same text. What it does not support
it refuses, naming file and line.
"""
