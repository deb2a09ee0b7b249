"""Transactions give way, connections break, and no change is lost or made twice."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from fastapi_architect.components.database import (
    Database,
    OutcomeUnknown,
    in_transaction,
    in_worker_transaction,
)
from fastapi_architect.components.database.tests.example import ExampleNote

pytestmark = pytest.mark.anyio

OWNER = uuid4()
KILL_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
async def opened(database: Database) -> AsyncIterator[Database]:
    yield database
    await database.engine.dispose()
    database.sync_engine.dispose()


async def write(database: Database, title: str, rank: int = 0) -> UUID:
    async with database.sessions() as session:
        note = ExampleNote(owner_id=OWNER, title=title, rank=rank)
        session.add(note)
        await session.commit()
        return note.id


async def count(database: Database) -> int:
    async with database.sessions() as session:
        return (await session.execute(select(func.count()).select_from(ExampleNote))).scalar_one()


async def kill_connections(database: Database) -> None:
    """End every connection to this database but our own, as a failover does."""
    other = Database(database.settings)
    async with other.engine.connect() as connection:
        await connection.execute(text(KILL_OTHERS))
        await connection.rollback()
    await other.engine.dispose()


async def test_two_that_conflict_both_succeed_in_the_end(opened: Database) -> None:
    """Each reads the sum and adds a row with it: without a retry one of them fails, without isolation one is wrong."""
    met = asyncio.Barrier(2)

    async def add_sum(number: int) -> int:
        attempts = 0
        async with opened.sessions() as session:

            async def work() -> None:
                nonlocal attempts
                attempts += 1
                total = (await session.execute(select(func.count()).select_from(ExampleNote))).scalar_one()
                if attempts == 1:
                    await met.wait()
                session.add(ExampleNote(owner_id=OWNER, title=f"{number}", rank=total))

            await in_transaction(session, work, isolation_level="SERIALIZABLE")
        return attempts

    attempts = await asyncio.gather(add_sum(1), add_sum(2))

    assert sorted(attempts) == [1, 2]
    async with opened.sessions() as session:
        ranks = (await session.execute(select(ExampleNote.rank).order_by(ExampleNote.rank))).scalars().all()
    assert list(ranks) == [0, 1]


async def test_a_deadlock_is_survived(opened: Database) -> None:
    first, second = await write(opened, "first"), await write(opened, "second")
    met = asyncio.Barrier(2)

    async def change(order: tuple[UUID, UUID]) -> None:
        attempts = 0
        async with opened.sessions() as session:

            async def work() -> None:
                nonlocal attempts
                attempts += 1
                for number, note_id in enumerate(order):
                    if number == 1 and attempts == 1:
                        await met.wait()
                    note = await session.get_one(ExampleNote, note_id, with_for_update=True)
                    note.rank += 1

            await in_transaction(session, work)

    await asyncio.gather(change((first, second)), change((second, first)))

    async with opened.sessions() as session:
        ranks = (await session.execute(select(ExampleNote.rank))).scalars().all()
    assert list(ranks) == [2, 2]


async def test_it_gives_up_after_three_retries(opened: Database) -> None:
    attempts = 0
    async with opened.sessions() as session:

        async def work() -> None:
            nonlocal attempts
            attempts += 1
            await session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40001'; END $$"))

        with pytest.raises(OperationalError):
            await in_transaction(session, work)

    assert attempts == 4


async def test_other_errors_are_not_repeated(opened: Database) -> None:
    attempts = 0
    async with opened.sessions() as session:

        async def work() -> None:
            nonlocal attempts
            attempts += 1
            await session.execute(text("SELECT 1 / 0"))

        with pytest.raises(DBAPIError):
            await in_transaction(session, work)

    assert attempts == 1


async def test_work_is_repeated_on_another_connection_if_its_own_was_lost(opened: Database) -> None:
    attempts = 0
    async with opened.sessions() as session:

        async def work() -> None:
            nonlocal attempts
            attempts += 1
            session.add(ExampleNote(owner_id=OWNER, title="once"))
            await session.flush()
            if attempts == 1:
                await kill_connections(opened)

            await session.execute(text("SELECT 1"))

        await in_transaction(session, work)

    assert attempts == 2
    assert await count(opened) == 1


async def test_a_commit_that_breaks_is_not_repeated(opened: Database) -> None:
    attempts = 0
    async with opened.sessions() as session:

        async def work() -> None:
            nonlocal attempts
            attempts += 1
            session.add(ExampleNote(owner_id=OWNER, title="perhaps"))
            await session.flush()
            await kill_connections(opened)

        with pytest.raises(OutcomeUnknown):
            await in_transaction(session, work)

    assert attempts == 1


async def test_a_plain_commit_that_breaks_says_so(opened: Database) -> None:
    async with opened.sessions() as session:
        session.add(ExampleNote(owner_id=OWNER, title="perhaps"))
        await session.flush()
        await kill_connections(opened)

        with pytest.raises(OutcomeUnknown):
            await session.commit()


async def test_a_connection_that_breaks_while_rows_are_sent_is_no_doubtful_commit(opened: Database) -> None:
    async with opened.sessions() as session:
        await session.execute(text("SELECT 1"))
        session.add(ExampleNote(owner_id=OWNER, title="not made"))
        await kill_connections(opened)

        with pytest.raises(DBAPIError):
            await session.commit()

    assert await count(opened) == 0


async def test_a_deferred_constraint_that_fails_at_the_commit_is_no_doubtful_commit(opened: Database) -> None:
    async with opened.sessions() as session:
        await session.execute(
            text("CREATE TEMPORARY TABLE one (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        )
        await session.execute(text("INSERT INTO one VALUES (1), (1)"))

        with pytest.raises(DBAPIError, match="one_id_key"):
            await session.commit()


async def test_what_was_read_before_is_committed_and_not_lost(opened: Database) -> None:
    async with opened.sessions() as session:
        session.add(ExampleNote(owner_id=OWNER, title="before"))
        await session.flush()
        attempts = 0

        async def work() -> None:
            nonlocal attempts
            attempts += 1
            if attempts == 1:
                await session.execute(
                    text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40P01'; END $$")
                )

        await in_transaction(session, work)

    assert await count(opened) == 1


async def test_what_was_there_before_is_not_lost_in_a_repetition(opened: Database) -> None:
    called = False
    async with opened.sessions() as session:
        session.add(ExampleNote(owner_id=OWNER, title="before"))
        await session.flush()
        session.add(ExampleNote(owner_id=OWNER, title="still to be sent"))

        def give_way(flushing: Session, *rest: object) -> None:
            flushing.execute(text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40001'; END $$"))

        event.listen(session.sync_session, "before_flush", give_way, once=True)

        async def work() -> None:
            nonlocal called
            called = True

        with pytest.raises(OperationalError):
            await in_transaction(session, work)

    assert not called


async def test_work_that_raises_leaves_nothing(opened: Database) -> None:
    async with opened.sessions() as session:

        async def work() -> None:
            session.add(ExampleNote(owner_id=OWNER, title="half"))
            await session.flush()
            raise LookupError("no")

        with pytest.raises(LookupError):
            await in_transaction(session, work)
        assert not session.in_transaction()

    assert await count(opened) == 0


async def test_the_isolation_level_ends_with_its_transaction(opened: Database) -> None:
    async def level(session: AsyncSession) -> str:
        return str((await session.execute(text("SHOW transaction_isolation"))).scalar_one())

    async with opened.sessions() as session:
        inside = await in_transaction(session, lambda: level(session), isolation_level="SERIALIZABLE")
    async with opened.sessions() as session:
        outside = await level(session)

    assert (inside, outside) == ("serializable", "read committed")


async def test_a_cancelled_request_leaves_the_pool_usable(opened: Database) -> None:
    async def slow() -> None:
        async with opened.sessions() as session:
            await session.execute(text("SELECT pg_sleep(10)"))

    for _ in range(12):
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await count(opened) == 0
    assert opened.engine.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_dead_connections_in_the_pool_are_replaced(opened: Database) -> None:
    sessions = [opened.sessions() for _ in range(5)]
    for session in sessions:
        await session.execute(text("SELECT 1"))
    for session in sessions:
        await session.close()
    await kill_connections(opened)

    for _ in range(5):
        assert await count(opened) == 0


async def test_a_statement_that_takes_too_long_is_cancelled_by_the_server(opened: Database) -> None:
    fast = Database(opened.settings.model_copy(update={"statement_timeout": 100}))
    async with fast.sessions() as session:
        with pytest.raises(OperationalError, match="statement timeout"):
            await session.execute(text("SELECT pg_sleep(5)"))
    await fast.engine.dispose()


async def test_an_error_holds_nothing_that_people_typed(opened: Database) -> None:
    async with opened.sessions() as session:
        with pytest.raises(DBAPIError) as raised:
            await session.execute(text("SELECT 1 / 0, CAST(:typed AS text)"), {"typed": "confidential"})

    assert "confidential" not in str(raised.value)


async def test_an_option_that_is_added_keeps_the_limits(opened: Database) -> None:
    options = {"connect_args": {"prepare_threshold": None}, "pool_size": 1}
    changed = Database(opened.settings, engine_options=options)
    async with changed.sessions() as session:
        assert (await session.execute(text("SHOW statement_timeout"))).scalar_one() == "5s"
        assert (await session.execute(text("SHOW lock_timeout"))).scalar_one() == "2s"
    await changed.engine.dispose()


async def test_an_idle_session_holds_no_connection(opened: Database) -> None:
    async with opened.sessions():
        assert opened.engine.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def repeat_once(session: Session) -> int:
    attempts = 0

    def work() -> int:
        nonlocal attempts
        attempts += 1
        session.add(ExampleNote(owner_id=OWNER, title=f"{attempts}"))
        session.flush()
        if attempts == 1:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40001'; END $$"))
        return attempts

    return in_worker_transaction(session, work, isolation_level="SERIALIZABLE")


async def test_a_worker_gives_way_too(opened: Database) -> None:
    with opened.sync_sessions() as session:
        assert repeat_once(session) == 2

    assert await count(opened) == 1


async def test_a_worker_is_told_of_a_doubtful_commit(opened: Database) -> None:
    with opened.sync_sessions() as session:
        session.add(ExampleNote(owner_id=OWNER, title="perhaps"))
        session.flush()
        await kill_connections(opened)

        with pytest.raises(OutcomeUnknown):
            session.commit()
