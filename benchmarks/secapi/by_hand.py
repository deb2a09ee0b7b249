"""GET one finding, written by hand on the tables of SecAPI: the same look-up of the key, tenant setting and select, nothing else.

Twice. `/findings/{id}` is how it is usually written: one query for each thing that has to be known. `/at-once/findings/{id}` asks in
the three statements in which SecAPI asks, so that what is left between the two is what a framework of components costs. Both answer
with the document with which SecAPI answers; the benchmark compares them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import Uuid, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from fastapi_architect.components.accounts.models import Account
from fastapi_architect.components.api_keys.models import ApiKey
from fastapi_architect.components.tenancy.models import Membership
from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.secapi.branches.models import Branch
from fastapi_architect.secapi.findings.models import Finding, FindingInBranch, Presence, Triage
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
    severity: Severity
    confidence: Confidence
    cwe: str | None
    cvss_score: float | None
    root: str
    branch: str
    file: str
    line: int
    presence: Presence
    triage: Triage
    reason: str | None
    expires_at: AwareDatetime | None
    is_proposed_ignored: bool
    first_scan_id: UUID
    last_scan_id: UUID
    created_at: AwareDatetime
    version: int
    approved_by: UUID | None
    triaged_by: UUID | None
    triaged_at: AwareDatetime | None
    fingerprint: str
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


async def tenant_of_key_at_once(session: SessionDep, x_api_key: Annotated[str, Header()]) -> UUID:
    """Do the same in two statements, made once as SecAPI's are."""
    found = (
        await session.execute(_KEY_AND_OWNER, {"key_hash": hashlib.sha256(x_api_key.encode()).hexdigest()})
    ).one_or_none()
    if found is None or found.roles is None or "findings:read" not in found.scopes:
        raise HTTPException(401)
    values = {"account_id": found.owner_id, "tenant_id": found.tenant_id}
    entered = (await session.execute(_ENTERING, values)).one_or_none()
    if entered is None:
        raise HTTPException(404)
    return UUID(entered.bound)


_KEY_AND_OWNER = (
    select(ApiKey.owner_id, ApiKey.tenant_id, ApiKey.scopes, Account.roles)
    .join(Account, Account.id == ApiKey.owner_id)
    .where(
        ApiKey.key_hash == bindparam("key_hash"),
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > func.now(),
        Account.deactivated_at.is_(None),
    )
)
_ENTERING = text("""
    SELECT found.role, set_config('app.tenant_id', found.tenant_id::text, true) AS bound
    FROM (SELECT set_config('app.principal_id', CAST(:account_id AS uuid)::text, true)::uuid AS id) AS caller,
    LATERAL (SELECT tenant_id, role FROM memberships
             WHERE account_id = caller.id AND tenant_id = CAST(:tenant_id AS uuid) LIMIT 2) AS found
""").bindparams(bindparam("account_id", type_=Uuid()), bindparam("tenant_id", type_=Uuid()))


app = FastAPI()


@app.get("/findings/{finding_id}")
async def read_finding(
    finding_id: UUID, session: SessionDep, tenant: Annotated[UUID, Depends(tenant_of_key)]
) -> FindingRead:
    """Return a finding as it is in the default branch."""
    return await select_finding(finding_id, session, tenant)


@app.get("/at-once/findings/{finding_id}")
async def read_finding_at_once(
    finding_id: UUID, session: SessionDep, tenant: Annotated[UUID, Depends(tenant_of_key_at_once)]
) -> FindingRead:
    """Return the same."""
    return await select_finding(finding_id, session, tenant)


async def select_finding(finding_id: UUID, session: AsyncSession, tenant: UUID) -> FindingRead:
    """Select a finding of a tenant."""
    statement = (
        select(Finding, FindingInBranch, Branch.name)
        .join(Project, Project.id == Finding.project_id)
        .join(FindingInBranch, FindingInBranch.finding_id == Finding.id)
        .join(Branch, Branch.id == FindingInBranch.branch_id)
        .where(
            Finding.id == finding_id,
            Finding.tenant_id == tenant,
            Project.deleted_at.is_(None),
            Branch.name == Project.default_branch,
        )
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise HTTPException(404)
    finding, place, branch = row
    own = {name: getattr(finding, name) for name in OF_FINDING}
    there = {name: getattr(place, name) for name in OF_PLACE}
    return FindingRead.model_validate({**own, **there, "branch": branch})


OF_PLACE = (
    "root", "file", "line", "presence", "is_proposed_ignored", "first_scan_id", "last_scan_id", "document",
)  # fmt: skip
OF_FINDING = tuple(name for name in FindingRead.model_fields if name not in (*OF_PLACE, "branch"))
