"""The two probes of a service."""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import FastAPI
from pydantic import Field
from pydantic_settings import SettingsConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ..service import Component, ComponentSettings, GeneratedSecret, components_of, is_draining, public
from .readiness import Check, Readiness


class HealthSettings(ComponentSettings):
    """HEALTH_*: how long to wait for an answer, and who may see it in full."""

    model_config = SettingsConfigDict(env_prefix="HEALTH_")

    #: Seconds after which a component counts as down; less than the platform waits for the probe.
    timeout: Annotated[float, Field(gt=0, le=30)] = 2.0
    #: Seconds for which an answer is given again.
    fresh_for: Annotated[float, Field(ge=0, le=60)] = 1.0
    #: Whoever sends it as a bearer token is told which component is down.
    token: GeneratedSecret | None = None


class HealthChecks(Component):
    """`/health/live` and `/health/ready`.

    Args:
        settings: of the probes.
        checks: further checks by name, for what is no component: `{"search": ping_search}`. Each raises if all is not well.
        prefix: the path before `/live` and `/ready`.
    """

    def __init__(
        self,
        settings: HealthSettings,
        checks: Mapping[str, Check] | None = None,
        prefix: str = "/health",
    ) -> None:
        self.settings = settings
        self.checks = dict(checks or {})
        self.prefix = prefix

    def install(self, app: FastAPI) -> None:
        """Add the probes before all other routes.

        They are routes of Starlette: dependencies of the whole application, such as a login, do not apply to them. And they
        stand first, so that a route for every path does not hide them.
        """
        readiness = Readiness(lambda: self._checks_of(app), self.settings.timeout, self.settings.fresh_for)

        @public
        async def live(request: Request) -> JSONResponse:
            return _answer(HTTPStatus.OK, {"status": "alive"})

        @public
        async def ready(request: Request) -> JSONResponse:
            if is_draining(app):
                return _answer(HTTPStatus.SERVICE_UNAVAILABLE, {"status": "draining"})
            results = await readiness.ask()
            is_ready = all(results.values())
            content: dict[str, object] = {"status": "ready" if is_ready else "not ready"}
            if self._may_see_details(request):
                content["checks"] = {name: "up" if up else "down" for name, up in results.items()}
            return _answer(HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE, content)

        app.router.routes[:0] = [
            Route(f"{self.prefix}/live", live, include_in_schema=False),
            Route(f"{self.prefix}/ready", ready, include_in_schema=False),
        ]

    def _checks_of(self, app: FastAPI) -> dict[str, Check]:
        """Return the checks of all components that have one of their own."""
        own = {
            type(component).__name__: component.check
            for component in components_of(app)
            if type(component).check is not Component.check
        }
        return own | self.checks

    def _may_see_details(self, request: Request) -> bool:
        token = self.settings.token
        offered = request.headers.get("authorization", "")
        return token is not None and hmac.compare_digest(
            offered.encode(), f"Bearer {token.get_secret_value()}".encode()
        )


def _answer(status: HTTPStatus, content: dict[str, object]) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return JSONResponse(content, status_code=status, headers=headers)
