"""The files a generated backend has once: settings, database, accounts, base classes, entry points."""

from __future__ import annotations

CORE = {
    "pyproject.toml": """[project]
name = "generated-backend"
version = "1.0.0"
requires-python = ">=3.11"
dependencies = [
    "alembic==1.16.4",
    "celery==5.5.3",
    "fastapi==0.128.0",
    "httpx==0.28.1",
    "pydantic-settings==2.10.1",
    "pyjwt==2.10.1",
    "redis==6.2.0",
    "requests==2.32.4",
    "sqlalchemy[asyncio]==2.0.41",
]
""",
    "alembic.ini": """[alembic]
script_location = migrations
""",
    "migrations/env.py": '''"""Runs the revisions against the configured database."""

from alembic import context
from sqlalchemy import create_engine

from app.core.database import Base
from app.core.settings import get_settings

with create_engine(get_settings().sync_database_url).connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
''',
    "app/__init__.py": "",
    "app/core/__init__.py": "",
    "app/accounts/__init__.py": "",
    "app/core/settings.py": '''"""Settings, read from the environment."""

from functools import lru_cache

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """All that differs between deployments."""

    model_config = SettingsConfigDict(env_prefix="APP_", env_file=".env")

    database_url: str
    sync_database_url: str
    redis_url: str = "redis://localhost:6379/0"
    secret_key: SecretStr
    partner_url: str = "https://partner.example.com"
    upload_limit: int = 10_000_000
    cors_origins: list[str] = []
    token_minutes: int = 30


@lru_cache
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()
''',
    "app/core/database.py": '''"""Engine, sessions and base classes of the models."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends
from sqlalchemy import DateTime, create_engine, func
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from app.core.settings import get_settings

engine = create_async_engine(get_settings().database_url, pool_pre_ping=True, pool_size=10)
session_factory = async_sessionmaker(engine, expire_on_commit=False)
sync_factory = sessionmaker(create_engine(get_settings().sync_database_url, pool_pre_ping=True))


class Base(DeclarativeBase):
    """Base of all models."""


class TimestampMixin:
    """When a row was made and changed."""

    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def utcnow() -> datetime:
    """Now, with its time zone."""
    return datetime.now(UTC)


async def get_session() -> AsyncIterator[AsyncSession]:
    """The session of a request."""
    async with session_factory() as session:
        yield session


@contextmanager
def session_scope() -> Iterator[Session]:
    """A session in a worker."""
    with sync_factory() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]
''',
    "app/core/errors.py": '''"""Errors of the services and their responses."""

from fastapi import FastAPI, Request, status
from fastapi.responses import JSONResponse


class ServiceError(Exception):
    """A request that cannot be served."""

    status_code = status.HTTP_400_BAD_REQUEST


class NotFoundError(ServiceError):
    """No such row, or not visible."""

    status_code = status.HTTP_404_NOT_FOUND

    def __init__(self, kind: str, identity: int) -> None:
        super().__init__(f"{kind} {identity} not found")


class ConflictError(ServiceError):
    """A value that must be unique is taken."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, kind: str, field: str, value: object) -> None:
        super().__init__(f"a {kind} with {field} {value} exists")


class RuleError(ServiceError):
    """A rule of the business forbids it."""

    status_code = status.HTTP_409_CONFLICT


class ForbiddenError(ServiceError):
    """The user may not."""

    status_code = status.HTTP_403_FORBIDDEN


class PartnerError(ServiceError):
    """The partner refused."""

    status_code = status.HTTP_502_BAD_GATEWAY

    def __init__(self, kind: str, code: int) -> None:
        super().__init__(f"the partner answered {code} for a {kind}")


async def answer(request: Request, error: ServiceError) -> JSONResponse:
    """One shape for all errors."""
    return JSONResponse({"detail": str(error)}, status_code=error.status_code)


def register(app: FastAPI) -> None:
    """Installs the handler."""
    app.add_exception_handler(ServiceError, answer)
''',
    "app/core/pagination.py": '''"""Pages."""

from fastapi import Query
from pydantic import BaseModel


class PageInfo(BaseModel):
    """Which part of the rows a page is."""

    offset: int
    limit: int


class Pagination:
    """Query parameters of a page."""

    def __init__(self, limit: int = Query(20, ge=1, le=100), offset: int = Query(0, ge=0)) -> None:
        self.limit = limit
        self.offset = offset
''',
    "app/core/repository.py": '''"""Base of the repositories."""

from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.database import Base

Model = TypeVar("Model", bound=Base)


class Repository(Generic[Model]):
    """What all repositories can do."""

    model: type[Model]

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, identity: int) -> Model | None:
        """A row by its key."""
        return await self.session.get(self.model, identity)

    async def add(self, row: Model) -> Model:
        """Adds a row and reads its key."""
        self.session.add(row)
        await self.session.flush()
        return row

    async def delete(self, row: Model) -> None:
        """Deletes a row."""
        await self.session.delete(row)
''',
    "app/core/service.py": '''"""Base of the services, and the ports they use."""

from typing import Any

import httpx
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.repository import UserRepository
from app.core.settings import Settings


class Events:
    """Publishes to Redis."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    async def publish(self, topic: str, body: dict[str, Any]) -> None:
        """Adds to the stream of a topic."""
        await self.redis.xadd(topic, {key: str(value) for key, value in body.items()})

    async def record(self, user_id: int, kind: str, identity: int, **change: str) -> None:
        """Adds to the audit log."""
        await self.publish("audit", {"user": user_id, "kind": kind, "id": identity, **change})

    async def send(self, address: str, subject: str, body: str) -> None:
        """Adds to the outgoing mail."""
        await self.publish("mail", {"to": address, "subject": subject, "body": body})


class Service:
    """What all services have."""

    def __init__(self, session: AsyncSession, settings: Settings) -> None:
        self.session = session
        self.settings = settings
        self.cache: Redis = Redis.from_url(settings.redis_url)
        self.events = Events(self.cache)
        self.audit = self.events
        self.notifier = self.events
        self.http = httpx.AsyncClient()
        self.users = UserRepository(session)
        self.storage: Any = None
''',
    "app/accounts/models.py": '''"""Users and organizations."""

from sqlalchemy import Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.database import Base, TimestampMixin


class Organization(TimestampMixin, Base):
    """A customer."""

    __tablename__ = "organizations"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    users: Mapped[list["User"]] = relationship(back_populates="organization")


class User(TimestampMixin, Base):
    """A person who signs in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id"), index=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    hashed_password: Mapped[str] = mapped_column(String(200))
    roles: Mapped[str] = mapped_column(String(500), default="")
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    is_admin: Mapped[bool] = mapped_column(Boolean, default=False)
    organization: Mapped[Organization] = relationship(back_populates="users")
''',
    "app/accounts/repository.py": '''"""Queries of users."""

from sqlalchemy import select

from app.accounts.models import User
from app.core.repository import Repository


class UserRepository(Repository[User]):
    """Reads users."""

    model = User

    async def by_email(self, email: str) -> User | None:
        """The user with an address."""
        return (await self.session.execute(select(User).where(User.email == email))).scalar_one_or_none()
''',
    "app/accounts/dependencies.py": '''"""Who is calling, and what they may do."""

from collections.abc import Callable
from typing import Annotated

import jwt
from fastapi import Depends, HTTPException, status
from fastapi.security import OAuth2PasswordBearer

from app.accounts.models import User
from app.accounts.repository import UserRepository
from app.core.database import SessionDep
from app.core.settings import Settings, get_settings

oauth2_scheme = OAuth2PasswordBearer(tokenUrl="/accounts/token")


async def get_current_user(
    token: Annotated[str, Depends(oauth2_scheme)],
    session: SessionDep,
    settings: Annotated[Settings, Depends(get_settings)],
) -> User:
    """The user of the token."""
    try:
        claims = jwt.decode(token, settings.secret_key.get_secret_value(), algorithms=["HS256"])
    except jwt.PyJWTError as error:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, detail="invalid token") from error
    user = await UserRepository(session).get(int(claims["sub"]))
    if user is None or not user.is_active:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, detail="unknown user")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


def require_role(role: str) -> Callable[..., User]:
    """A dependency that refuses users without a role."""

    def check(user: CurrentUser) -> User:
        if not user.is_admin and role not in user.roles.split(","):
            raise HTTPException(status.HTTP_403_FORBIDDEN, detail=f"needs {role}")
        return user

    return check
''',
    "app/worker.py": '''"""The Celery application."""

from celery import Celery

from app.core.settings import get_settings

celery = Celery("backend", broker=get_settings().redis_url)
celery.autodiscover_tasks(["app"])
''',
    "app/main.py": '''"""The FastAPI application."""

from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from app.api import router
from app.core import errors
from app.core.database import engine
from app.core.settings import get_settings


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Closes the pool at the end."""
    yield
    await engine.dispose()


def create_app() -> FastAPI:
    """Wires the application."""
    app = FastAPI(title="Generated backend", lifespan=lifespan)
    origins = get_settings().cors_origins
    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"])
    app.include_router(router, prefix="/api/v1")
    errors.register(app)
    return app


app = create_app()
''',
}
