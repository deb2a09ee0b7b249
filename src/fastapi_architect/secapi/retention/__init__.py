"""Retention: what is deleted when its time is over. Findings and their history never are, but with their project."""
