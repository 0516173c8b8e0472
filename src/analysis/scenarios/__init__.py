"""The articles' own targets, taken at their word: income, poverty and cost if they were met."""
