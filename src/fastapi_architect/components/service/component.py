"""What every component is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI


class Component:
    """A part of a service. A subclass overrides what it needs; each default does nothing."""

    def install(self, app: FastAPI) -> None:
        """Add middleware, exception handlers and routes. Nothing is opened yet."""

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Hold open what the component needs while the service runs, and close it at the end."""
        yield

    async def check(self) -> None:
        """Raise if the service cannot work because of this component now; readiness asks."""
