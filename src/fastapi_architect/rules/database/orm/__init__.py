"""Sessions, queries, models."""
