"""Whether the service answers."""

from fastapi import APIRouter

from app.schemas.admin import ServiceStatus

router = APIRouter(prefix="/health", tags=["health"])


@router.get("")
async def get_health() -> ServiceStatus:
    """Say that the process answers."""
    return ServiceStatus()
