"""Figures: one style, each drawn light and dark from a result, with its data and alt text."""
