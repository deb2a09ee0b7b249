"""What an installation on one machine needs beside its processes: servers from wheels, secrets, tables, a first administrator."""

import asyncio
import fcntl
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from dotenv import dotenv_values
from sqlalchemy import make_url
from uuid_utils.compat import uuid7

from fastapi_architect.components.accounts.initial_passwords import LIFETIME
from fastapi_architect.components.accounts.passwords import PasswordHashing
from fastapi_architect.components.accounts.repository import AccountRepository
from fastapi_architect.components.database import Database, DatabaseSettings, bind_setting
from fastapi_architect.components.database.roles import Login, prepare_database
from fastapi_architect.components.tenancy import Membership, Organisation
from fastapi_architect.components.testing.servers import PostgresServer, RedisServer

from ..membership import TENANT
from ..migrating import APPLICATION, OWNER, alembic_config

DATABASE = "secapi"
#: Made once for an installation, and kept in its folder for nobody else to read.
SECRETS = ("ACCOUNTS_SIGNING_KEY", "WEBHOOK_SIGNING_KEY")


class InstallationInUse(Exception):
    """Another process runs on the same folder."""


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the folder of an installation.

    Raises:
        InstallationInUse: another process holds it.
    """
    # PostgreSQL does not run as root; the user that it then runs as has to pass through here, and sees nothing else.
    data.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"SecAPI runs on {data} already; end it first, or name another folder with --data"
            raise InstallationInUse(message) from None
        yield


def environment(data: Path, stack: ExitStack, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the processes; servers that no URL names are started, and end with the stack.

    Args:
        data: the folder of the installation.
        stack: ends what is started.
        given: what the operator says; it wins.
    """
    chosen = {
        "ENVIRONMENT": "local",
        "LOG_FORMAT": "console",
        "MAIL_SENDER": "SecAPI <secapi@localhost.localdomain>",
        "ACCOUNTS_WEBSITE_URL": "http://127.0.0.1",
        **_kept_secrets(data / "secrets.env"),
    }
    if (data / "uploads").exists():
        # It began with archives in a folder: those that wait there are found.
        chosen["UPLOADS_DIRECTORY"] = str(data / "uploads")
    if "DATABASE_URL" not in given:
        postgres = PostgresServer(data / "postgresql")
        stack.callback(postgres.stop)
        if not postgres.directory.is_relative_to(data):
            where = f"PostgreSQL keeps its data in {postgres.directory}: the user that it runs as cannot go into {data}"
            print(where, file=sys.stderr)
        url = make_url(postgres.url).set(drivername="postgresql+psycopg", database=DATABASE)
        chosen["DATABASE_URL"] = url.set(username=APPLICATION).render_as_string(hide_password=False)
        chosen["DATABASE_OWNER_URL"] = url.set(username=OWNER).render_as_string(hide_password=False)
        prepare(postgres.url, chosen["DATABASE_OWNER_URL"], chosen["DATABASE_URL"])
    if "REDIS_URL" not in given:
        (data / "redis").mkdir(mode=0o700, exist_ok=True)
        redis = RedisServer(data / "redis")
        stack.callback(redis.stop)
        chosen["REDIS_URL"] = redis.url
        # Messages for workers lie apart from what may be forgotten.
        chosen["CELERY_BROKER_URL"] = redis.url.removesuffix("/0") + "/1"
    return {**chosen, **given}


def prepare(superuser_url: str, owner_url: str, application_url: str) -> None:
    """Make the database of these URLs and their two roles, where they are missing.

    Raises:
        ValueError: the URLs name different databases.
    """
    owner, application = make_url(owner_url), make_url(application_url)
    if owner.database is None or owner.database != application.database:
        raise ValueError("DATABASE_OWNER_URL and DATABASE_URL have to name the same database")
    prepare_database(
        superuser_url,
        owner.database,
        owner=Login(owner.username or "", owner.password or ""),
        application=Login(application.username or "", application.password or ""),
    )


def migrate() -> None:
    """Bring the tables up to date, as the role in DATABASE_OWNER_URL."""
    command.upgrade(alembic_config(), "head")


def make_administrator(email: str, organisation: str) -> str | None:
    """Open the first account, which owns an organisation, and return its password, with which its owner chooses another.

    None: there is such an account. If its owner did not come while the first password was good, a new one is made.
    """
    return asyncio.run(_make_administrator(email, organisation))


async def _make_administrator(email: str, organisation: str) -> str | None:
    password = secrets.token_urlsafe(18)
    password_hash = await PasswordHashing().hash(password)
    until = datetime.now(UTC) + LIFETIME
    database = Database(DatabaseSettings())
    try:
        # All of it or nothing: an account whose password nobody was told is of no use.
        async with database.sessions.begin() as session:
            account_id = await AccountRepository(session).add_unless_known(
                email, password_hash, "", ["operator"], initial_password_until=until
            )
            if account_id is None:
                is_new = await AccountRepository(session).renew_initial_password(email, password_hash, until)
                return password if is_new else None
            tenant = Organisation(id=uuid7(), name=organisation)
            await bind_setting(session, TENANT, tenant.id)
            session.add(tenant)
            await session.flush()
            session.add(Membership(tenant_id=tenant.id, account_id=account_id, role="owner"))
        return password
    finally:
        await database.engine.dispose()


def _kept_secrets(file: Path) -> dict[str, str]:
    """Secrets that were made once, and those that are missing."""
    kept = {name: value or "" for name, value in dotenv_values(file).items()} if file.exists() else {}
    for name in SECRETS:
        kept.setdefault(name, secrets.token_urlsafe(48))
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write("".join(f"{name}={value}\n" for name, value in sorted(kept.items())))
    return kept
