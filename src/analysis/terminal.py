"""Where the command prints."""

import sys

from rich.console import Console

# Piped output is not cut at the width of a terminal that is not there.
out = Console(soft_wrap=True, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, soft_wrap=True, width=None if sys.stderr.isatty() else 200)
