"""Welfare: poverty and inequality, with the errors of the sampling design."""
