"""The example under a server with its usual settings, for a process of its own."""

import uvicorn

from fastapi_architect.components.service import Environment
from fastapi_architect.components.structured_logging import LoggingSettings
from fastapi_architect.components.structured_logging.tests.example import create_app


def main(host: str, port: int) -> None:
    """Serve until a signal comes."""
    config = uvicorn.Config(
        lambda: create_app(LoggingSettings(environment=Environment.LOCAL)), factory=True, host=host, port=port
    )
    uvicorn.Server(config).run()
