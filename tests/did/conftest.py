"""Every pack that a test here makes is attacked."""

from tests.cells.village_attack import attack_every_pack  # noqa: F401
