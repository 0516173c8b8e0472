"""Designing a study: variances from a panel, minimum detectable effects, villages needed."""
