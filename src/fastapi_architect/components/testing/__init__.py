"""Real servers and fixtures for development and tests; the service itself never imports this."""

__all__: list[str] = []
