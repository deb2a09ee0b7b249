"""Endpoints as source, whole, in the project's own way: its session, its base of models, its folder."""

from __future__ import annotations

from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.replies.models import base_of, folder_of
from fastapi_architect.persona.replies.sessions import SessionSource, session_source
from fastapi_architect.persona.replies.wording import code

_ACCOUNTS = '''\
# {path}
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from fastapi import APIRouter, Depends, HTTPException, status
from pydantic import BaseModel, ConfigDict, EmailStr, Field, SecretStr, StringConstraints
from sqlalchemy import DateTime, String, func
from sqlalchemy.exc import IntegrityError
{imports}

router = APIRouter(prefix="{prefix}", tags=["users"])
hasher = PasswordHasher()


{base}class Account({base_name}):
    """What somebody signs in with. The password itself is stored nowhere."""

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    username: Mapped[str] = mapped_column(String(32), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class NewAccount(BaseModel):
    """What a client sends; anything else is refused."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[EmailStr, Field(max_length=320)]
    username: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9_]{{3,32}}$")]
    password: Annotated[SecretStr, Field(min_length=12, max_length=128)]


class PublishedAccount(BaseModel):
    """What a client sees: neither the address nor the hash."""

    id: UUID
    username: str


TAKEN = {{409: {{"description": "The address or the name is taken."}}}}


@router.post("", status_code=status.HTTP_201_CREATED, responses=TAKEN{limited})
{register}
'''
_REGISTER_SYNC = """\
def register(new: NewAccount, session: Annotated[Session, Depends({dependency})]) -> PublishedAccount:
    password_hash = hasher.hash(new.password.get_secret_value())
    account = Account(id=uuid4(), email=new.email.lower(), username=new.username, password_hash=password_hash)
    published = PublishedAccount(id=account.id, username=account.username)
    session.add(account)
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise HTTPException(status.HTTP_409_CONFLICT, "The address or the name is taken.") from error
    return published"""
_REGISTER_ASYNC = """\
async def register(new: NewAccount, session: Annotated[AsyncSession, Depends({dependency})]) -> PublishedAccount:
    password_hash = await run_in_threadpool(hasher.hash, new.password.get_secret_value())
    account = Account(id=uuid4(), email=new.email.lower(), username=new.username, password_hash=password_hash)
    published = PublishedAccount(id=account.id, username=account.username)
    session.add(account)
    try:
        await session.commit()
    except IntegrityError as error:
        await session.rollback()
        raise HTTPException(status.HTTP_409_CONFLICT, "The address or the name is taken.") from error
    return published"""
_BASE = '''\
class Base(DeclarativeBase):
    """The metadata of the service."""


'''

_TASKS = '''\
# {folder}{noun}_tasks.py
from celery import shared_task
from {module} import DurableTask


@shared_task(base=DurableTask, bind=True, name="{noun}.run", queue_name="bulk")
def run_{noun}(self: DurableTask, target: str) -> dict[str, str]:
    """Runs in a worker. What it returns is kept with the task; what it writes to its session is committed with its end."""
    return {{"target": target, "attempt": str(self.context.attempt)}}
'''
_TASK_ROUTES = '''\
# {folder}{noun}_routes.py
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Response, status
from pydantic import BaseModel, ConfigDict, StringConstraints
{imports}

from {module} import queue_task
from {outbox} import OutboxEvent
from {session_module} import {dependency}
from {tasks_module} import run_{noun}

router = APIRouter(prefix="/{noun}s", tags=["{noun}s"])
SessionDep = Annotated[{session}, Depends({dependency})]


class New{title}(BaseModel):
    """What a client sends."""

    model_config = ConfigDict(extra="forbid")

    target: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class {title}Status(BaseModel):
    """Where the work stands: queued, running, retrying, done or dead."""

    task_id: UUID
    state: str


@router.post("", status_code=status.HTTP_202_ACCEPTED)
{a}def start(new: New{title}, session: SessionDep, response: Response) -> {title}Status:
    task_id = queue_task(session, run_{noun}, target=new.target)
    {w}session.commit()  # the task exists exactly when this commit does; nothing is sent before it
    response.headers["Location"] = f"/{noun}s/{{task_id}}"
    return {title}Status(task_id=task_id, state="queued")


@router.get("/{{task_id}}", responses={{404: {{"description": "There is no such task."}}}})
{a}def read_status(task_id: UUID, session: SessionDep) -> {title}Status:
    event = {w}session.get(OutboxEvent, task_id)
    if event is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "There is no such task.")
    return {title}Status(task_id=task_id, state=str(event.state))
'''


def accounts_endpoint(hands: Hands, prefix: str, limits_module: str) -> str:
    """`POST prefix` that takes an address, a name and a password; "" where nothing says how routes get their session.

    Args:
        hands: the project.
        prefix: of the path.
        limits_module: where `limit` will be; "" where the component is not planned.
    """
    source = session_source(hands)
    if source is None:
        return ""
    base_module, base_name = base_of(hands)
    orm = [
        "Mapped",
        "mapped_column",
        *([] if base_module else ["DeclarativeBase"]),
        *([] if source.is_async else ["Session"]),
    ]
    lines = [f"from sqlalchemy.orm import {', '.join(sorted(orm, key=str.lower))}"]
    if source.is_async:
        lines = [
            "from fastapi.concurrency import run_in_threadpool",
            "from sqlalchemy.ext.asyncio import AsyncSession",
            *lines,
        ]
    own = {f"from {source.module} import {source.function}"}
    if base_module:
        own.add(f"from {base_module} import {base_name}")
    if limits_module:
        own.add(f"from {limits_module} import limit")
    register = (_REGISTER_ASYNC if source.is_async else _REGISTER_SYNC).format(dependency=source.function)
    return code(
        _ACCOUNTS.format(
            path=f"{_folder(hands)}account_registration.py",
            imports="\n".join([*lines, "", *sorted(own)]),
            limited=', dependencies=[Depends(limit("5/minute", "50/day"))]' if limits_module else "",
            prefix=prefix,
            base="" if base_module else _BASE,
            base_name=base_name or "Base",
            register=register,
        )
    )


def task_endpoints(hands: Hands, noun: str, celery_module: str, outbox_module: str) -> list[str]:
    """`POST /nouns` that answers 202 with the id of a task, `GET /nouns/{id}` that says where it stands, and the task."""
    source = session_source(hands)
    if source is None or not celery_module or not outbox_module:
        return []
    folder = _folder(hands)
    tasks_module = f"{folder}{noun}_tasks".removeprefix("src/").replace("/", ".")
    common = {"folder": folder, "noun": noun, "module": celery_module}
    return [
        code(_TASKS.format(**common)),
        code(
            _TASK_ROUTES.format(
                **common,
                title="".join(part.capitalize() for part in noun.split("_")),
                imports=_session_import(source),
                outbox=outbox_module,
                session_module=source.module,
                dependency=source.function,
                tasks_module=tasks_module,
                session="AsyncSession" if source.is_async else "Session",
                a="async " if source.is_async else "",
                w="await " if source.is_async else "",
            )
        ),
    ]


def _session_import(source: SessionSource) -> str:
    return (
        "from sqlalchemy.ext.asyncio import AsyncSession"
        if source.is_async
        else "from sqlalchemy.orm import Session"
    )


def _folder(hands: Hands) -> str:
    folder = folder_of(hands)
    return f"{folder}/" if folder else ""
