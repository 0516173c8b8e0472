"""Proof: published tables, other packages, and known truth."""
