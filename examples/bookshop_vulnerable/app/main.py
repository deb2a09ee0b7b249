"""The bookshop service; run `uvicorn app.main:app`."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware

from app.core.cache import redis_client
from app.core.config import settings
from app.core.database import SessionFactory, async_engine, engine
from app.core.errors import ERROR_RESPONSES, register_error_handlers
from app.core.guard import require_test_environment
from app.core.logs import configure_logging
from app.core.middleware import PartnerKeyMiddleware, RequestIdMiddleware, SecurityHeadersMiddleware
from app.reports_app import reports_app
from app.routers import (
    admin,
    auth,
    authors,
    books,
    covers,
    feeds,
    health,
    orders,
    partners,
    quotes,
    reviews,
    support,
    users,
    webhooks,
    wishlists,
)
from app.schemas.admin import ServiceStatus
from app.services import account_service

logger = logging.getLogger(__name__)

require_test_environment()


def prepare_installation() -> None:
    """Make sure that somebody can log in to a new installation."""
    with SessionFactory() as session:
        account_service.ensure_administrator(session)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Prepare the installation; close every connection at the end."""
    configure_logging()
    await run_in_threadpool(prepare_installation)
    try:
        yield
    finally:
        await async_engine.dispose()
        await run_in_threadpool(engine.dispose)
        await run_in_threadpool(redis_client.close)


app = FastAPI(
    title="Bookshop",
    version="1.4.0",
    debug=settings.debug,
    lifespan=lifespan,
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
    responses=ERROR_RESPONSES,
)
register_error_handlers(app)

api = APIRouter(prefix="/api/v1")
api.include_router(health.router)
api.include_router(auth.router)
api.include_router(users.router)
api.include_router(books.router)
api.include_router(authors.router)
api.include_router(covers.router)
api.include_router(reviews.router)
api.include_router(orders.router)
api.include_router(quotes.router)
api.include_router(wishlists.router)
api.include_router(feeds.router)
api.include_router(partners.router)
api.include_router(webhooks.router)
api.include_router(support.router)
api.include_router(admin.router)
app.include_router(api)


@app.get("/api/v1/health", tags=["health"])
async def check_health() -> ServiceStatus:  # finding: duplicate-route-or-operation-id
    """Say that the process answers, for the load balancer."""
    return ServiceStatus()


@app.on_event("startup")  # finding: deprecated-or-removed-api-use
async def announce_start() -> None:  # finding: startup-code-never-runs
    """Say in the logs that a new version serves."""
    logger.info("bookshop %s serves", app.version)


app.mount("/api/v1/reports", reports_app)  # finding: mounted-app-outside-global-auth

app.add_middleware(PartnerKeyMiddleware)
app.add_middleware(SecurityHeadersMiddleware)
app.add_middleware(RequestIdMiddleware)
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["*"], allow_headers=["*"])  # finding: cors-wildcard-with-credentials
