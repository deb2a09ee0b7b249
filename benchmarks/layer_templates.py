"""Templates of repository, service, router, task and test functions of a generated backend.

Each value is one function; ``$verb`` is its key, the other placeholders are filled by ``Words``.
"""

from __future__ import annotations

REPOSITORY_HEAD = '''"""Queries of $names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Select, and_, func, or_, select, text, update
from sqlalchemy.orm import joinedload, selectinload

from app.core.database import utcnow
from app.core.repository import Repository
from ${package}.models import $Cls, ${Cls}Note


class ${Cls}Repository(Repository[$Cls]):
    """Reads and writes $names of one organization."""

    model = $Cls

    def _visible(self, organization_id: int) -> Select[tuple[$Cls]]:
        return select($Cls).where($Cls.organization_id == organization_id)
'''

REPOSITORY_METHODS = {
    "page": '''
    async def page(self, organization_id: int, *, limit: int = $limit, offset: int = 0) -> Sequence[$Cls]:
        """A page of $names, newest first."""
        statement = self._visible(organization_id).order_by($Cls.created_at.desc(), $Cls.id.desc())
        result = await self.session.execute(statement.limit(limit).offset(offset))
        return result.scalars().all()
''',
    "find_by": '''
    async def find_by_$text(self, organization_id: int, $text: str) -> $Cls | None:
        """The $name with this $text."""
        statement = self._visible(organization_id).where($Cls.$text == $text).limit(1)
        return (await self.session.execute(statement)).scalar_one_or_none()
''',
    "search": '''
    async def search(
        self, organization_id: int, term: str, statuses: list[str] | None = None
    ) -> Sequence[$Cls]:
        """$Cls rows that contain a term."""
        pattern = f"%{term.lower()}%"
        statement = self._visible(organization_id).where(
            or_(
                func.lower($Cls.$text).like(pattern),
                func.lower($Cls.$label).like(pattern),
            )
        )
        if statuses:
            statement = statement.where($Cls.status.in_(statuses))
        statement = statement.options(selectinload($Cls.notes)).limit($limit)
        return (await self.session.execute(statement)).scalars().unique().all()
''',
    "count_by_status": '''
    async def count_by_status(self, organization_id: int) -> dict[str, int]:
        """How many $names there are in each status."""
        statement = (
            select($Cls.status, func.count($Cls.id))
            .where($Cls.organization_id == organization_id, $Cls.$flag.is_(False))
            .group_by($Cls.status)
        )
        rows = (await self.session.execute(statement)).all()
        return {status: count for status, count in rows}
''',
    "total": '''
    async def total_$number(self, organization_id: int, since: datetime | None = None) -> Decimal:
        """Sum of $number, since a moment."""
        conditions = [$Cls.organization_id == organization_id, $Cls.status != "$state"]
        if since is not None:
            conditions.append($Cls.created_at >= since)
        statement = select(func.coalesce(func.sum($Cls.$number), 0)).where(and_(*conditions))
        return Decimal((await self.session.execute(statement)).scalar_one())
''',
    "overdue": '''
    async def overdue(self, organization_id: int, days: int = $days) -> Sequence[$Cls]:
        """Open $names whose $date lies some days back."""
        limit = utcnow() - timedelta(days=days)
        statement = (
            self._visible(organization_id)
            .where($Cls.status.in_(("$state", "$target")))
            .where($Cls.$date.is_not(None), $Cls.$date < limit)
            .options(joinedload($Cls.notes))
            .order_by($Cls.$date)
        )
        return (await self.session.execute(statement)).scalars().unique().all()
''',
    "move": '''
    async def move(self, organization_id: int, ids: list[int], target: str) -> int:
        """Sets the status of several $names at once."""
        if not ids:
            return 0
        statement = (
            update($Cls)
            .where($Cls.organization_id == organization_id, $Cls.id.in_(ids))
            .values(status=target, updated_at=utcnow())
            .execution_options(synchronize_session=False)
        )
        result = await self.session.execute(statement)
        return result.rowcount or 0
''',
    "report": '''
    async def report_by_month(self, organization_id: int, column: str) -> list[dict[str, object]]:
        """Monthly figures for the dashboard."""
        allowed = {"$number", "$other"}
        if column not in allowed:
            raise ValueError(f"no figure named {column!r}")
        statement = text(
            f"SELECT date_trunc('month', created_at) AS month, sum({column}) AS value "
            "FROM $names WHERE organization_id = :organization_id GROUP BY 1 ORDER BY 1"
        )
        rows = await self.session.execute(statement, {"organization_id": organization_id})
        return [{"month": row.month, "value": row.value} for row in rows]
''',
    "add_note": '''
    async def add_note(self, $name: $Cls, author_id: int, body: str) -> ${Cls}Note:
        """Adds a remark."""
        note = ${Cls}Note(${name}_id=$name.id, author_id=author_id, body=body)
        self.session.add(note)
        await self.session.flush()
        await self.session.refresh(note)
        return note
''',
}

SERVICE_METHODS = {
    "get": '''
    async def get(self, ${name}_id: int, user: User) -> $Cls:
        """The $name, when the user's organization owns it."""
        $name = await self.repository.get(${name}_id)
        if $name is None or $name.organization_id != user.organization_id:
            raise NotFoundError("$name", ${name}_id)
        return $name
''',
    "create": '''
    async def create(self, data: ${Cls}Create, user: User) -> $Cls:
        """Creates a $name; its $text must be new."""
        existing = await self.repository.find_by_$text(user.organization_id, data.$text)
        if existing is not None:
            raise ConflictError("$name", "$text", data.$text)
        values = data.model_dump(exclude_unset=True)
        values.setdefault("status", "$state")
        $name = $Cls(**values, organization_id=user.organization_id, owner_id=user.id)
        try:
            await self.repository.add($name)
            await self.session.commit()
        except IntegrityError as error:
            await self.session.rollback()
            logger.warning("$name not created: %s", error.orig)
            raise ConflictError("$name", "$text", data.$text) from error
        logger.info("$name %s created by user %s", $name.id, user.id)
        await self.events.publish("$name.created", {"id": $name.id, "organization": user.organization_id})
        return $name
''',
    "change": '''
    async def change(self, ${name}_id: int, data: ${Cls}Update, user: User) -> $Cls:
        """Applies the fields that were sent."""
        $name = await self.get(${name}_id, user)
        changed = data.model_dump(exclude_unset=True)
        if "$number" in changed and $name.status == "$target":
            raise RuleError("$number cannot change once a $name is $target")
        for key, value in changed.items():
            if value is None and key in self.required:
                continue
            setattr($name, key, value)
        $name.updated_at = utcnow()
        await self.session.commit()
        await self.session.refresh($name)
        return $name
''',
    "transition": '''
    async def transition(self, ${name}_id: int, target: str, user: User) -> $Cls:
        """Moves a $name to another status, when the table allows it."""
        $name = await self.get(${name}_id, user)
        allowed = TRANSITIONS.get($name.status, ())
        if target not in allowed:
            options = ", ".join(allowed) or "nothing"
            raise RuleError(f"$name is {$name.status}; it can become {options}, not {target}")
        if target == "$target" and $name.$flag:
            raise RuleError("a $name with $flag cannot become $target")
        previous, $name.status = $name.status, target
        if target in ("$state", "closed"):
            $name.$date = utcnow()
        await self.session.commit()
        await self.audit.record(user.id, "$name", $name.id, before=previous, after=target)
        return $name
''',
    "summary": '''
    async def summary(self, user: User) -> ${Cls}Summary:
        """Figures for the dashboard, cached for a while."""
        key = f"$name:summary:{user.organization_id}"
        cached = await self.cache.get(key)
        if cached is not None:
            return ${Cls}Summary.model_validate_json(cached)
        counts = await self.repository.count_by_status(user.organization_id)
        total = sum(counts.values())
        summary = ${Cls}Summary(
            total=total,
            open=counts.get("$state", 0) + counts.get("$target", 0),
            $number=await self.repository.total_$number(user.organization_id),
            by_status=dict(sorted(counts.items())),
        )
        await self.cache.set(key, summary.model_dump_json(), expire=$limit)
        return summary
''',
    "import_rows": '''
    async def import_rows(self, rows: list[dict[str, str]], user: User) -> tuple[int, list[str]]:
        """Reads rows of a spreadsheet; returns how many were stored and what was wrong with the others."""
        stored, problems = 0, []
        for line, row in enumerate(rows, start=2):
            try:
                number = Decimal(row.get("$number") or "0")
            except InvalidOperation:
                problems.append(f"line {line}: $number is not a number: {row.get('$number')!r}")
                continue
            title = (row.get("$text") or "").strip()
            if not title:
                problems.append(f"line {line}: $text is empty")
                continue
            if number < 0 or number > Decimal(1_000_000):
                problems.append(f"line {line}: $number is out of range")
                continue
            self.session.add(
                $Cls(
                    organization_id=user.organization_id,
                    owner_id=user.id,
                    $text=title,
                    $number=number,
                    $flag=row.get("$flag", "").lower() in {"1", "true", "yes"},
                )
            )
            stored += 1
            if stored % $limit == 0:
                await self.session.flush()
        await self.session.commit()
        return stored, problems
''',
    "export": '''
    async def export(self, user: User, statuses: list[str] | None = None) -> AsyncIterator[str]:
        """Lines of a CSV file, a page at a time."""
        header = ["id", "status", "$text", "$number", "created_at"]
        yield ",".join(header) + "\\n"
        offset = 0
        while True:
            page = await self.repository.page(user.organization_id, limit=$limit, offset=offset)
            if not page:
                break
            for $name in page:
                if statuses and $name.status not in statuses:
                    continue
                cells = [str($name.id), $name.status, $name.$text.replace('"', '""'), f"{$name.$number:.2f}"]
                cells.append($name.created_at.isoformat())
                yield ",".join(f'"{cell}"' for cell in cells) + "\\n"
            offset += len(page)
''',
    "sync": '''
    async def sync(self, ${name}_id: int, user: User) -> dict[str, Any]:
        """Sends a $name to the partner and stores its answer."""
        $name = await self.get(${name}_id, user)
        payload = {
            "id": $name.id,
            "$text": $name.$text,
            "$number": float($name.$number),
            "status": $name.status,
        }
        for attempt in range(1, 4):
            try:
                url = f"{self.settings.partner_url}/$path"
                response = await self.http.post(url, json=payload, timeout=10)
                response.raise_for_status()
            except httpx.HTTPStatusError as error:
                if error.response.status_code < 500 or attempt == 3:
                    raise PartnerError("$name", error.response.status_code) from error
                await asyncio.sleep($factor * attempt)
            except httpx.TransportError:
                logger.exception("partner not reached for $name %s, attempt %d", $name.id, attempt)
                if attempt == 3:
                    raise
            else:
                answer: dict[str, Any] = response.json()
                $name.$label = str(answer.get("reference", ""))[:64]
                await self.session.commit()
                return answer
        return {}
''',
    "remind": '''
    async def remind(self, user: User) -> int:
        """Notifies the owners of overdue $names."""
        sent = 0
        by_owner: dict[int, list[$Cls]] = defaultdict(list)
        for $name in await self.repository.overdue(user.organization_id):
            by_owner[$name.owner_id].append($name)
        for owner_id, group in by_owner.items():
            owner = await self.users.get(owner_id)
            if owner is None or not owner.is_active:
                continue
            titles = [item.$text for item in group[:5]]
            more = f" and {len(group) - 5} more" if len(group) > 5 else ""
            await self.notifier.send(owner.email, "Overdue $names", ", ".join(titles) + more)
            sent += 1
        return sent
''',
    "delete": '''
    async def delete(self, ${name}_id: int, user: User, *, force: bool = False) -> None:
        """Deletes a $name, or archives it when it has been $target."""
        $name = await self.get(${name}_id, user)
        if not user.is_admin and $name.owner_id != user.id:
            raise ForbiddenError("only the owner or an administrator may delete a $name")
        if $name.status == "$target" and not force:
            $name.$flag = True
        else:
            await self.repository.delete($name)
        await self.session.commit()
        await self.cache.delete(f"$name:summary:{user.organization_id}")
''',
    "attach": '''
    async def attach(self, ${name}_id: int, upload: UploadFile, user: User) -> str:
        """Stores a file with a $name and returns its key."""
        $name = await self.get(${name}_id, user)
        suffix = PurePosixPath(upload.filename or "").suffix.lower()
        if suffix not in {".pdf", ".png", ".jpg", ".csv"}:
            raise RuleError(f"files of type {suffix or 'unknown'} are not accepted")
        key = f"{user.organization_id}/$names/{$name.id}/{uuid4().hex}{suffix}"
        size = 0
        async with self.storage.writer(key) as writer:
            while chunk := await upload.read(65536):
                size += len(chunk)
                if size > self.settings.upload_limit:
                    raise RuleError("the file is too large")
                await writer.write(chunk)
        return key
''',
}

SERVICE_HEAD = '''"""What may happen to $names."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from decimal import Decimal, InvalidOperation
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

import httpx
from fastapi import UploadFile
from sqlalchemy.exc import IntegrityError

from app.core.database import utcnow
from app.core.errors import ConflictError, ForbiddenError, NotFoundError, PartnerError, RuleError
from app.core.service import Service
from app.accounts.models import User
$imports
from ${package}.models import $Cls
from ${package}.repository import ${Cls}Repository
from ${package}.schemas import ${Cls}Create, ${Cls}Summary, ${Cls}Update

logger = logging.getLogger(__name__)

TRANSITIONS: dict[str, tuple[str, ...]] = $transitions


class ${Cls}Service(Service):
    """Rules over ${Cls}Repository; every method checks the organization of the user."""

    required = frozenset({"$text", "$label", "$number"})

    @property
    def repository(self) -> ${Cls}Repository:
        """Queries in the session of this request."""
        return ${Cls}Repository(self.session)
'''

ROUTER_HEAD = '''"""HTTP operations of $names."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, File, Path, Query, Response, UploadFile, status
from fastapi.responses import StreamingResponse

from app.accounts.dependencies import CurrentUser, require_role
from app.accounts.models import User
from app.core.pagination import PageInfo, Pagination
from ${package}.dependencies import ${Cls}ServiceDep, get_$name
from ${package}.models import $Cls
from ${package}.schemas import (
    ${Cls}Create,
    ${Cls}Page,
    ${Cls}Read,
    ${Cls}Summary,
    ${Cls}Update,
)
from ${package}.tasks import send_${name}_reminders, sync_$name

router = APIRouter(prefix="/$path", tags=["$area"])
'''

ROUTER_FUNCTIONS = {
    "list": '''

@router.get("", response_model=${Cls}Page, summary="List $names")
async def list_$names(
    service: ${Cls}ServiceDep,
    user: CurrentUser,
    page: Annotated[Pagination, Depends()],
    term: Annotated[str | None, Query(max_length=100)] = None,
) -> ${Cls}Page:
    """A page of the $names of the user's organization."""
    if term:
        found = await service.repository.search(user.organization_id, term)
        items = [${Cls}Read.model_validate(item) for item in found]
        return ${Cls}Page(items=items, page=PageInfo(offset=0, limit=len(items)))
    rows = await service.repository.page(user.organization_id, limit=page.limit, offset=page.offset)
    items = [${Cls}Read.model_validate(row) for row in rows]
    return ${Cls}Page(items=items, page=PageInfo(offset=page.offset, limit=page.limit))
''',
    "create": '''

@router.post("", response_model=${Cls}Read, status_code=status.HTTP_201_CREATED)
async def create_$name(
    body: ${Cls}Create, service: ${Cls}ServiceDep, user: CurrentUser, response: Response
) -> $Cls:
    """Create a $name."""
    $name = await service.create(body, user)
    response.headers["Location"] = f"/$path/{$name.id}"
    return $name
''',
    "read": '''

@router.get("/{${name}_id}", response_model=${Cls}Read)
async def read_$name($name: Annotated[$Cls, Depends(get_$name)]) -> $Cls:
    """Read one $name."""
    return $name
''',
    "change": '''

@router.patch("/{${name}_id}", response_model=${Cls}Read)
async def change_$name(
    ${name}_id: Annotated[int, Path(ge=1)],
    body: ${Cls}Update,
    service: ${Cls}ServiceDep,
    user: CurrentUser,
) -> $Cls:
    """Change the fields that are sent."""
    return await service.change(${name}_id, body, user)
''',
    "delete": '''

@router.delete("/{${name}_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_$name(
    ${name}_id: Annotated[int, Path(ge=1)],
    service: ${Cls}ServiceDep,
    user: Annotated[User, Depends(require_role("$area:write"))],
    force: bool = False,
) -> None:
    """Delete a $name."""
    await service.delete(${name}_id, user, force=force)
''',
    "transition": '''

@router.post("/{${name}_id}/status/{target}", response_model=${Cls}Read)
async def move_$name(
    ${name}_id: int,
    target: Annotated[str, Path(pattern="^[a-z]+$$")],
    service: ${Cls}ServiceDep,
    user: CurrentUser,
    background: BackgroundTasks,
) -> $Cls:
    """Move a $name to another status."""
    $name = await service.transition(${name}_id, target, user)
    if target == "$target":
        background.add_task(service.remind, user)
        sync_$name.delay($name.id)
    return $name
''',
    "summary": '''

@router.get("/summary/figures", response_model=${Cls}Summary)
async def ${name}_figures(service: ${Cls}ServiceDep, user: CurrentUser) -> ${Cls}Summary:
    """Figures over all $names."""
    return await service.summary(user)
''',
    "export": '''

@router.get("/export/csv")
async def export_$names(
    service: ${Cls}ServiceDep,
    user: Annotated[User, Depends(require_role("$area:export"))],
    status_in: Annotated[list[str] | None, Query()] = None,
) -> StreamingResponse:
    """All $names as a spreadsheet."""
    headers = {"Content-Disposition": 'attachment; filename="$names.csv"'}
    return StreamingResponse(service.export(user, status_in), media_type="text/csv", headers=headers)
''',
    "attach": '''

@router.post("/{${name}_id}/files", status_code=status.HTTP_201_CREATED)
async def attach_to_$name(
    ${name}_id: int,
    upload: Annotated[UploadFile, File()],
    service: ${Cls}ServiceDep,
    user: CurrentUser,
) -> dict[str, str]:
    """Store a file with a $name."""
    return {"key": await service.attach(${name}_id, upload, user)}
''',
    "remind": '''

@router.post("/reminders", status_code=status.HTTP_202_ACCEPTED)
async def remind_owners_of_$names(
    user: Annotated[User, Depends(require_role("$area:admin"))],
) -> dict[str, str]:
    """Ask a worker to remind the owners of overdue $names."""
    task = send_${name}_reminders.delay(user.organization_id, user.id)
    return {"task": task.id}
''',
}

DEPENDENCIES_FILE = '''"""Dependencies of the $name operations."""

from typing import Annotated

from fastapi import Depends, HTTPException, Path, status

from app.accounts.dependencies import CurrentUser
from app.core.database import SessionDep
from app.core.settings import Settings, get_settings
from ${package}.models import $Cls
from ${package}.service import ${Cls}Service


def get_${name}_service(
    session: SessionDep, settings: Annotated[Settings, Depends(get_settings)]
) -> ${Cls}Service:
    """The service, in the session of the request."""
    return ${Cls}Service(session, settings)


${Cls}ServiceDep = Annotated[${Cls}Service, Depends(get_${name}_service)]


async def get_$name(
    ${name}_id: Annotated[int, Path(ge=1)], service: ${Cls}ServiceDep, user: CurrentUser
) -> $Cls:
    """The $name of the path, when the user may see it."""
    $name = await service.repository.get(${name}_id)
    if $name is None or $name.organization_id != user.organization_id:
        raise HTTPException(status.HTTP_404_NOT_FOUND, detail="$name not found")
    return $name
'''

TASKS_FILE = '''"""Work on $names that happens in a worker."""

from __future__ import annotations

import logging
from typing import Any

import requests
from celery import shared_task
from sqlalchemy import select

from app.core.database import session_scope, utcnow
from app.core.settings import get_settings
from ${package}.models import $Cls

logger = logging.getLogger(__name__)


@shared_task(bind=True, max_retries=3, acks_late=True)
def sync_$name(self: Any, ${name}_id: int) -> str | None:
    """Sends one $name to the partner."""
    settings = get_settings()
    with session_scope() as session:
        $name = session.get($Cls, ${name}_id)
        if $name is None:
            logger.info("$name %s is gone", ${name}_id)
            return None
        body = {"id": $name.id, "$text": $name.$text, "$number": str($name.$number)}
        try:
            answer = requests.post(f"{settings.partner_url}/$path", json=body, timeout=15)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise self.retry(exc=error, countdown=2**self.request.retries) from error
        $name.$label = answer.json().get("reference", "")
        session.commit()
        return $name.$label


@shared_task(acks_late=True)
def send_${name}_reminders(organization_id: int, user_id: int) -> int:
    """Reminds the owners of overdue $names."""
    count = 0
    with session_scope() as session:
        rows = session.scalars(
            select($Cls).where($Cls.organization_id == organization_id, $Cls.status == "$state").limit($limit)
        )
        for $name in rows:
            if $name.$date is not None and $name.$date < utcnow():
                logger.info("user %s reminds of $name %s", user_id, $name.id)
                count += 1
        session.commit()
    return count
'''

TEST_HEAD = '''"""Tests of $names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from httpx import AsyncClient

from app.accounts.models import User
from ${package}.models import $Cls

pytestmark = pytest.mark.anyio


@pytest.fixture
async def $name(session, user: User) -> $Cls:
    $name = $Cls(organization_id=user.organization_id, owner_id=user.id, status="$state", $text="first")
    session.add($name)
    await session.commit()
    return $name
'''

TEST_FUNCTIONS = {
    "creates": """

async def test_creates_a_$name(client: AsyncClient, headers: dict[str, str]) -> None:
    body = {"$text": "first", "$label": "second", "$number": "12.50", "$flag": False}
    response = await client.post("/$path", json=body, headers=headers)
    assert response.status_code == 201
    assert response.json()["$text"] == "first"
    assert Decimal(response.json()["$number"]) == Decimal("12.50")
""",
    "hides": """

async def test_hides_a_${name}_of_another_organization(
    client: AsyncClient, $name: $Cls, stranger_headers: dict[str, str]
) -> None:
    response = await client.get(f"/$path/{$name.id}", headers=stranger_headers)
    assert response.status_code == 404
""",
    "pages": """

@pytest.mark.parametrize("limit", [1, 2, $limit])
async def test_pages_$names(client: AsyncClient, headers: dict[str, str], limit: int) -> None:
    for index in range(3):
        body = {"$text": f"item-{index}", "$label": "x", "$number": str(index)}
        assert (await client.post("/$path", json=body, headers=headers)).status_code == 201
    response = await client.get("/$path", params={"limit": limit}, headers=headers)
    assert len(response.json()["items"]) == min(limit, 3)
""",
    "moves": """

async def test_refuses_an_unknown_status(client: AsyncClient, $name: $Cls, headers: dict[str, str]) -> None:
    response = await client.post(f"/$path/{$name.id}/status/nowhere", headers=headers)
    assert response.status_code == 409
    assert "it can become" in response.json()["detail"]
""",
    "deletes": """

async def test_only_writers_delete_a_$name(client: AsyncClient, $name: $Cls, headers: dict[str, str]) -> None:
    response = await client.delete(f"/$path/{$name.id}", headers=headers)
    assert response.status_code == 403
    response = await client.delete(f"/$path/{$name.id}", headers={**headers, "X-Role": "$area:write"})
    assert response.status_code == 204
""",
}
