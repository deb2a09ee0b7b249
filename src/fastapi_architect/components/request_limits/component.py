"""Gives an application its limits."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import FastAPI
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ..service import Component, ComponentSettings, RequestLimit, components_of
from .limits import Budget, OwnLimits
from .middleware import RequestLimitsMiddleware


class RequestLimitSettings(ComponentSettings):
    """REQUEST_*: what one request may cost."""

    model_config = SettingsConfigDict(env_prefix="REQUEST_")

    max_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    #: Seconds from the first byte of a request until its answer begins.
    seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    #: Seconds of waiting for a body before its rate counts, and the slowest rate then.
    body_grace: Annotated[float, Field(gt=0, le=600)] = 5.0
    body_bytes_per_second: Annotated[int, Field(ge=1)] = 1024


class RequestLimits(Component):
    """Refuses bodies that are too large or too slow, and ends requests that take too long.

    Args:
        settings: for every path.
        by_path: for single templates of paths: `{"/api/v1/imports": RequestLimit(max_bytes=50_000_000, seconds=300)}`.
    """

    def __init__(
        self, settings: RequestLimitSettings, by_path: Mapping[str, RequestLimit] | None = None
    ) -> None:
        self.settings = settings
        self.by_path = dict(by_path or {})

    def install(self, app: FastAPI) -> None:
        """Add the middleware; other components may ask for limits of their own."""
        settings = self.settings
        by_path = dict(self.by_path)
        for component in components_of(app):
            if isinstance(component, OwnLimits):
                by_path |= component.request_limits
        budget = Budget(RequestLimit(settings.max_bytes, settings.seconds), by_path)
        app.add_middleware(
            RequestLimitsMiddleware,
            budget=budget,
            grace=settings.body_grace,
            bytes_per_second=settings.body_bytes_per_second,
        )
