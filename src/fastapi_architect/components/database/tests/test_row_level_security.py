"""A session sees the rows of its tenant only, and leaves nothing behind for the next one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.operations import Operations
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from fastapi_architect.components.database import (
    Database,
    SessionDep,
    bind_setting,
    bind_worker_setting,
    in_transaction,
    session_setting,
)
from fastapi_architect.components.database.privileges import isolate_rows, stop_isolating_rows
from fastapi_architect.components.database.tests.example import ExampleNote
from fastapi_architect.components.service import install
from fastapi_architect.components.testing.databases import run_operations

pytestmark = pytest.mark.anyio

OURS, THEIRS = uuid4(), uuid4()


def isolate(op: Operations) -> None:
    isolate_rows(op, "owned_notes", "owner_id", setting="app.owner_id")


@pytest.fixture
async def isolated(database: Database, owner_database_url: str) -> AsyncIterator[Database]:
    """A database with one connection: whoever comes next gets the connection of who was there before."""
    run_operations(owner_database_url, isolate)
    single = Database(database.settings.model_copy(update={"pool_size": 1, "max_overflow": 0}))
    for owner in (OURS, THEIRS):
        async with single.sessions() as session:
            await bind_setting(session, "app.owner_id", owner)
            session.add(ExampleNote(owner_id=owner, title=str(owner)))
            await session.commit()
    yield single
    await single.engine.dispose()
    single.sync_engine.dispose()


async def titles(session: AsyncSession) -> list[str]:
    return list((await session.execute(select(ExampleNote.title))).scalars())


async def backend(session: AsyncSession) -> int:
    return int((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())


async def test_a_session_sees_the_rows_of_its_setting(isolated: Database) -> None:
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)

        assert await titles(session) == [str(OURS)]
        assert await session.get(ExampleNote, OURS) is None


async def test_the_next_session_on_the_same_connection_sees_nothing(isolated: Database) -> None:
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)
        connection = await backend(session)
        assert await titles(session)
        await session.commit()

    async with isolated.sessions() as session:
        assert await backend(session) == connection
        assert await titles(session) == []


@pytest.mark.parametrize("ending", ["commit", "rollback", "close", "error", "cancel"])
async def test_nothing_stays_on_the_connection_however_the_session_ends(
    isolated: Database, ending: str
) -> None:
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)
        await titles(session)
        if ending == "commit":
            await session.commit()
        elif ending == "rollback":
            await session.rollback()
        elif ending == "error":
            with pytest.raises(DBAPIError):
                await session.execute(text("SELECT 1 / 0"))
        elif ending == "cancel":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.execute(text("SELECT pg_sleep(10)")), 0.05)

    async with isolated.engine.connect() as connection:
        setting = (
            await connection.execute(text("SELECT current_setting('app.owner_id', true)"))
        ).scalar_one()
    assert setting in (None, "")


async def test_the_setting_is_there_again_in_each_transaction(isolated: Database) -> None:
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)
        for _ in range(3):
            assert await titles(session) == [str(OURS)]
            await session.commit()
        await session.rollback()
        assert await titles(session) == [str(OURS)]


async def test_a_transaction_that_is_open_already_gets_it_too(isolated: Database) -> None:
    async with isolated.sessions() as session:
        assert await titles(session) == []
        await bind_setting(session, "app.owner_id", OURS)
        assert await titles(session) == [str(OURS)]


async def test_work_that_is_repeated_has_it_each_time(isolated: Database) -> None:
    seen = []
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)

        async def work() -> None:
            seen.append(await titles(session))
            if len(seen) == 1:
                await session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"))

        await in_transaction(session, work)

    assert seen == [[str(OURS)], [str(OURS)]]


async def test_it_can_be_bound_anew_and_taken_back(isolated: Database) -> None:
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)
        await bind_setting(session, "app.owner_id", THEIRS)
        assert await titles(session) == [str(THEIRS)]

        await bind_setting(session, "app.owner_id", None)
        assert await titles(session) == []
        await session.commit()
        assert await titles(session) == []


async def test_a_savepoint_that_is_rolled_back_takes_no_setting_with_it(isolated: Database) -> None:
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)
        savepoint = await session.begin_nested()
        await bind_setting(session, "app.owner_id", THEIRS)
        await savepoint.rollback()

        assert await titles(session) == [str(THEIRS)]


async def test_rows_of_another_tenant_cannot_be_written_or_taken(isolated: Database) -> None:
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)
        session.add(ExampleNote(owner_id=THEIRS, title="slipped in"))
        with pytest.raises(ProgrammingError, match="row-level security"):
            await session.commit()
        await session.rollback()

        for statement in ("UPDATE owned_notes SET title = 'ours now'", "DELETE FROM owned_notes"):
            changed: Any = await session.execute(text(statement))
            assert changed.rowcount == 1

    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", THEIRS)
        assert await titles(session) == [str(THEIRS)]


async def test_the_applications_role_cannot_switch_it_off(isolated: Database) -> None:
    for statement in (
        "ALTER TABLE owned_notes DISABLE ROW LEVEL SECURITY",
        "DROP POLICY owned_notes_isolation ON owned_notes",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "TRUNCATE owned_notes",
    ):
        async with isolated.sessions() as session:
            with pytest.raises(DBAPIError):
                await session.execute(text(statement))

    async with isolated.sessions() as session:
        await session.execute(text("SET row_security = off"))
        with pytest.raises(DBAPIError, match="row-level security"):
            await titles(session)


async def test_a_value_is_a_value_and_never_sql(isolated: Database) -> None:
    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", f"{OURS}', true); DROP TABLE owned_notes; --")
        with pytest.raises(DBAPIError):
            await titles(session)

    async with isolated.sessions() as session:
        await bind_setting(session, "app.owner_id", OURS)
        assert await titles(session) == [str(OURS)]


@pytest.mark.parametrize("name", ["role", "row_security", "app.a b", "App.x", "app.x'", "a.b.c", ""])
async def test_only_settings_of_an_application_can_be_bound(isolated: Database, name: str) -> None:
    async with isolated.sessions() as session:
        with pytest.raises(ValueError, match="not of the form"):
            await bind_setting(session, name, "x")
    with pytest.raises(ValueError, match="not of the form"):
        session_setting(name)


async def test_a_worker_is_isolated_too(isolated: Database) -> None:
    with isolated.sync_sessions() as session:
        bind_worker_setting(session, "app.owner_id", OURS)
        for _ in range(2):
            assert session.execute(select(func.count()).select_from(ExampleNote)).scalar_one() == 1
            session.commit()
    with isolated.sync_sessions() as session:
        assert session.execute(select(func.count()).select_from(ExampleNote)).scalar_one() == 0


async def test_isolation_can_be_taken_back(isolated: Database, owner_database_url: str) -> None:
    run_operations(owner_database_url, lambda op: stop_isolating_rows(op, "owned_notes"))

    async with isolated.sessions() as session:
        assert len(await titles(session)) == 2


@pytest.fixture
def service(database_url: str, owner_database_url: str, database: Database) -> Iterator[TestClient]:
    """Ten requests share two connections; each says whose rows it wants, or forgets to."""
    run_operations(owner_database_url, isolate)
    small = Database(
        database.settings.model_copy(
            # A busy machine is slow to serve 120 requests over two connections: what is tested is not the wait.
            update={"url": SecretStr(database_url), "pool_size": 2, "max_overflow": 0, "pool_timeout": 60.0}
        )
    )
    app = FastAPI()

    @app.post("/{owner}")
    async def write(owner: UUID, session: SessionDep) -> None:
        await bind_setting(session, "app.owner_id", owner)
        session.add(ExampleNote(owner_id=owner, title=str(owner)))
        await session.commit()

    @app.get("/forgotten")
    async def read_without(session: SessionDep) -> list[str]:
        return await titles(session)

    @app.get("/{owner}")
    async def read(owner: UUID, session: SessionDep) -> list[str]:
        await bind_setting(session, "app.owner_id", owner)
        return await titles(session)

    install(app, [small])
    with TestClient(app) as client:
        yield client


def test_requests_that_share_connections_never_see_each_others_rows(service: TestClient) -> None:
    owners = [uuid4() for _ in range(5)]
    for owner in owners:
        assert service.post(f"/{owner}").status_code == 200

    async def all_at_once() -> list[tuple[str, list[str]]]:
        import httpx2

        transport = httpx2.ASGITransport(service.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
            wanted = [str(owner) for owner in owners] + ["forgotten"]

            async def ask(path: str) -> tuple[str, list[str]]:
                return path, (await client.get(f"/{path}")).json()

            return await asyncio.gather(*(ask(path) for _ in range(20) for path in wanted))

    assert service.portal is not None
    for path, seen in service.portal.call(all_at_once):
        assert seen == ([] if path == "forgotten" else [path])
