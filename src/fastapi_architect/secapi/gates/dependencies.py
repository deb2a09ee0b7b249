"""How an operation asks for verdicts."""

from typing import Annotated

from fastapi import Depends

from fastapi_architect.components.cache import CacheDep
from fastapi_architect.components.database import SessionDep
from fastapi_architect.components.tenancy import TenantMember

from ..membership import Member
from .service import GateService


async def get_gate_service(session: SessionDep, member: TenantMember, cache: CacheDep) -> GateService:
    """Return the service for the gates of the caller's organisation, on the session of this request."""
    return GateService(session, Member.of(member), cache)


GateServiceDep = Annotated[GateService, Depends(get_gate_service)]
