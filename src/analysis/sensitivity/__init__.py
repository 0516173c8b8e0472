"""What would change an estimate: other trends, hidden causes, spillovers, other choices."""
