"""The gate: whether a branch may be merged, and because of which findings it may not."""
