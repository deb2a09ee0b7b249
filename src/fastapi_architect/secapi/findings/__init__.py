"""Findings: the same one over all scans and branches, what people decided about it, and its whole history."""
