"""What would change an estimate: other trends, hidden causes, people who leave, other choices."""
