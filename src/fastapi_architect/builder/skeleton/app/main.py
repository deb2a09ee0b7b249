"""The application: `uvicorn app.main:create_app --factory`."""

from collections.abc import Sequence

from fastapi import Depends, FastAPI

from app.api import api
from app.components.access import deny_by_default
from app.components.service import Component, ComponentSettings, install
from app.registry import components


def create_app(parts: Sequence[Component] | None = None) -> FastAPI:
    """Return the application; it opens what it needs when the server starts, and closes it at the end.

    Args:
        parts: what it is made of, by default all of the registry. Tests add their own.
    """
    is_local = ComponentSettings().is_local
    app = FastAPI(
        title="My service",
        version="0.1.0",
        dependencies=[Depends(deny_by_default)],
        # Who may read the contract in production is a decision of its own: until it is taken, nobody.
        openapi_url="/openapi.json" if is_local else None,
        docs_url="/docs" if is_local else None,
        redoc_url=None,
    )
    app.include_router(api)
    install(app, components() if parts is None else parts)
    return app
