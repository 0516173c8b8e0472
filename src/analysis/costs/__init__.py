"""Money spent beside income gained: what is reported, what is assumed, and when it pays back."""
