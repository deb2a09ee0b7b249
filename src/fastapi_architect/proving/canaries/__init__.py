"""Canaries: they count effects of a running example. None looks at the clock.

At source text or at findings.
"""
