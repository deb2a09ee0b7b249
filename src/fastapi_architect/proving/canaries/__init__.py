"""Canaries: they count effects of a running example. None looks at the clock, at source text or at findings."""
