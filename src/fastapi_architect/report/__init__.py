"""The same `Review` for different readers: one renderer each, deciding nothing."""
