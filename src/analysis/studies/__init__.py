"""Published studies: estimates by programme, what may be pooled, and how they pool."""
