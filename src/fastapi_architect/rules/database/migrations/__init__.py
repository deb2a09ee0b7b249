"""Schema changes on a living database."""
