"""Figures for the owners of the shop, as an application of their own."""

from fastapi import Depends, FastAPI

from app.core.errors import ERROR_RESPONSES, register_error_handlers
from app.dependencies import limit_by_client
from app.schemas.order import SalesTotal
from app.services import reporting

reports_app = FastAPI(
    title="Bookshop reports", docs_url=None, redoc_url=None, openapi_url=None, responses=ERROR_RESPONSES
)
register_error_handlers(reports_app)


@reports_app.get("/revenue", tags=["reports"], dependencies=[Depends(limit_by_client)])
def get_revenue() -> SalesTotal:
    """What the shop has brought in since it opened."""
    return SalesTotal(period="all", total=reporting.revenue())
