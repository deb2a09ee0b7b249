"""The application: `uvicorn fastapi_architect.secapi.app:create_app --factory`."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, FastAPI

from fastapi_architect import __version__
from fastapi_architect.components.access import deny_by_default
from fastapi_architect.components.service import Component, ComponentSettings, install

from .branches.router import router as branches
from .findings.router import router as findings
from .gates.router import router as gates
from .live.router import router as live
from .projects.router import router as projects
from .registry import components
from .reports.router import router as reports
from .scans.router import router as scans
from .work.router import router as work


def create_app(parts: Sequence[Component] | None = None) -> FastAPI:
    """Return the application; it opens what it needs when the server starts, and closes it at the end.

    Args:
        parts: what it is made of, by default all of the registry. Tests add their own.
    """
    is_local = ComponentSettings().is_local
    # architect: allow(unauthenticated-state-changing-route): deny_by_default refuses strangers; it lies in components/, above this folder
    app = FastAPI(
        title="SecAPI",
        summary="Scans of FastAPI backends that are never lost.",
        version=__version__,
        dependencies=[Depends(deny_by_default)],
        openapi_url="/openapi.json" if is_local else None,
        docs_url="/docs" if is_local else None,
        redoc_url=None,
    )
    api = APIRouter(prefix="/api/v1")
    for router in (projects, branches, scans, live, findings, gates, reports, work):
        api.include_router(router)
    app.include_router(api)
    install(app, components() if parts is None else parts)
    return app
