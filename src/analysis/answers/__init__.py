"""Answers: everything a programme page says about one programme, as values and small tables.

Read in this order: `missing` (what cannot be said, and why), `choices`, `design`, `estimates`,
`truth`, `naive`, `groups`, `reported`, `page` (one programme), `switches` and `overview` (all).
"""
