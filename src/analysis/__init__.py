"""What village programmes do to household income: claims, cells, effects, findings."""

from importlib.metadata import version

__version__ = version("analysis")
