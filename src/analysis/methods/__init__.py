"""Where the code is described: every function for readers, every method, and what tests it."""
