"""Figures for the owners of the shop, as an application of their own."""

from fastapi import FastAPI

from app.core.errors import ERROR_RESPONSES, register_error_handlers
from app.schemas.order import SalesTotal
from app.services import reporting

reports_app = FastAPI(
    title="Bookshop reports", docs_url=None, redoc_url=None, openapi_url=None, responses=ERROR_RESPONSES
)
register_error_handlers(reports_app)


@reports_app.get("/revenue", tags=["reports"])
def get_revenue() -> SalesTotal:
    """What the shop has brought in since it opened."""
    return SalesTotal(period="all", total=reporting.revenue())
