"""GET one finding, written by hand on the tables of SecAPI: the same look-up of the key, tenant setting and select, nothing else."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from fastapi_architect.components.accounts.models import Account
from fastapi_architect.components.api_keys.models import ApiKey
from fastapi_architect.components.tenancy.models import Membership
from fastapi_architect.secapi.branches.models import Branch
from fastapi_architect.secapi.findings.models import Finding, FindingInBranch
from fastapi_architect.secapi.projects.models import Project

sessions: async_sessionmaker[AsyncSession] | None = None


class FindingRead(BaseModel):
    """A finding as JSON."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    project_id: UUID
    rule: str
    title: str
    category: str
    severity: str
    confidence: str
    cwe: str | None
    cvss_score: float | None
    triage: str
    reason: str | None
    expires_at: AwareDatetime | None
    created_at: AwareDatetime
    fingerprint: str
    version: int
    branch: str
    file: str
    line: int
    presence: str
    document: dict[str, Any]


async def get_session() -> AsyncIterator[AsyncSession]:
    """One session a request."""
    global sessions  # noqa: PLW0603 - the engine belongs to the loop of the server
    if sessions is None:
        sessions = async_sessionmaker(
            create_async_engine(os.environ["DATABASE_URL"], pool_pre_ping=True), expire_on_commit=False
        )
    async with sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def tenant_of_key(session: SessionDep, x_api_key: Annotated[str, Header()]) -> UUID:
    """Look the key, its owner and their membership up, and bind the session to the organisation."""
    hashed = hashlib.sha256(x_api_key.encode()).hexdigest()
    key = (
        await session.execute(
            select(ApiKey).where(
                ApiKey.key_hash == hashed, ApiKey.revoked_at.is_(None), ApiKey.expires_at > func.now()
            )
        )
    ).scalar_one_or_none()
    if key is None or "findings:read" not in key.scopes:
        raise HTTPException(401)
    owner = (await session.execute(select(Account).where(Account.id == key.owner_id))).scalar_one_or_none()
    if owner is None or not owner.is_active:
        raise HTTPException(401)
    await session.execute(text("SELECT set_config('app.principal_id', :id, true)"), {"id": str(owner.id)})
    tenant = (
        await session.execute(select(Membership.tenant_id).where(Membership.account_id == owner.id))
    ).scalar_one()
    await session.execute(text("SELECT set_config('app.tenant_id', :id, true)"), {"id": str(tenant)})
    return tenant


app = FastAPI()


@app.get("/findings/{finding_id}")
async def read_finding(
    finding_id: UUID, session: SessionDep, tenant: Annotated[UUID, Depends(tenant_of_key)]
) -> FindingRead:
    """Return a finding as it is in the default branch."""
    statement = (
        select(Finding, FindingInBranch, Branch.name)
        .join(Project, Project.id == Finding.project_id)
        .join(FindingInBranch, FindingInBranch.finding_id == Finding.id)
        .join(Branch, Branch.id == FindingInBranch.branch_id)
        .where(Finding.id == finding_id, Finding.tenant_id == tenant, Branch.name == Project.default_branch)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise HTTPException(404)
    finding, place, branch = row
    own = {name: getattr(finding, name) for name in FindingRead.model_fields if hasattr(finding, name)}
    there = {name: getattr(place, name) for name in ("file", "line", "presence", "document")}
    return FindingRead.model_validate({**own, **there, "branch": branch})
