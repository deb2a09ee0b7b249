"""Scans: a backend is submitted, a worker reviews it, and every accepted scan ends exactly once."""
