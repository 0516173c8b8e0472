"""One scan of household microdata to sums by village × cohort × stratum × period, and packs."""
