"""Welfare: poverty, inequality and the whole distribution of income, in a panel and as effects."""
