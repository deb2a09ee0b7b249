"""Redis and other caches."""
