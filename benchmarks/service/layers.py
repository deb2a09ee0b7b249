"""The generated service with some of its components only: `BENCH_LAYERS` names their classes. It is run in its folder."""

import os

from app.api import api
from app.components.access import deny_by_default
from app.components.service import install
from app.registry import components
from fastapi import Depends, FastAPI


def create_app() -> FastAPI:
    """Return the service as its own `create_app` makes it, with fewer parts."""
    wanted = os.environ["BENCH_LAYERS"].split(",")
    app = FastAPI(dependencies=[Depends(deny_by_default)])
    app.include_router(api)
    install(app, [part for part in components() if type(part).__name__ in wanted])
    return app
