"""What is known of every function of this package, read once for all tests of methods."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.methods import proof


@pytest.fixture(scope="session")
def places() -> proof.Proof:
    """Where the functions of this project stand, and what tests them."""
    return proof.read(Path(__file__).resolve().parents[2])
