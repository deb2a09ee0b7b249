"""The smallest application with structured logs: it logs in the ways in which real ones do, mistakes included."""

import logging
from uuid import uuid4

import structlog
from fastapi import APIRouter, FastAPI, Request

from fastapi_architect.components.service import Principal, install, remember_principal
from fastapi_architect.components.structured_logging import LoggingSettings, StructuredLogging

logger = logging.getLogger("shop")
CALLER = Principal(uuid4(), tenant_id=uuid4())

router = APIRouter(prefix="/books")


@router.get("/{title}", summary="Read a book")
async def read(title: str, request: Request) -> str:
    """Read a book, and log it twice."""
    remember_principal(request, CALLER)
    logger.info("book read", extra={"title": title, "authorization": request.headers.get("authorization")})
    structlog.get_logger("shop.structlog").info("book read", title=title, headers=dict(request.headers))
    return title


@router.post("/{title}", status_code=503, summary="Fail")
async def fail(title: str) -> str:
    """Fail with a secret in the text of the error."""
    try:
        _connect()
    except ConnectionError:
        logger.exception("shop is closed")
    return "later"


def _connect() -> None:
    raise ConnectionError("connecting to postgresql://shop:hunter2@db/shop failed")


def create_app(settings: LoggingSettings) -> FastAPI:
    """Return the application."""
    app = FastAPI()
    app.include_router(router, prefix="/api")

    @app.get("/health/live")
    async def live() -> str:
        """Live."""
        return "yes"

    install(app, [StructuredLogging(settings)])
    return app
