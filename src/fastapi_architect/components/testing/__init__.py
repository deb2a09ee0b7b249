"""Real servers, fixtures and checks for development and tests; the service itself never imports this.

Each module is imported by itself, because `make run` needs servers where no test library is installed.
"""

__all__: list[str] = []
