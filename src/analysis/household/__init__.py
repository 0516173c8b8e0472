"""What a programme would mean for a household, if it worked as in the studied places.

Read in this order: `calibration` (official facts), `budget` (an average household of a place and
year), `scenario` (what a programme would add), `break_even` and `costs` (what it must add to pay),
`accounts` (what reported programmes come to at most).
"""
