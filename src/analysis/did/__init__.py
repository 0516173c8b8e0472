"""Difference in differences: from a frame, a panel, cells or a pack to effects."""
