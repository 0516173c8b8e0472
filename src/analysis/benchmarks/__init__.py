"""Stored timings of this package beside others, and the targets they are held against."""
