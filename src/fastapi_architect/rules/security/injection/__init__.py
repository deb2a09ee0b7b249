"""Input that becomes code, a query, a path or an address."""
