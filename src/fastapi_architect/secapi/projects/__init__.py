"""Projects: what is scanned, and by which gate it is judged."""
