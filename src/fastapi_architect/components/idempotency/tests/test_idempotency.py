"""How often does it happen, and what does whoever repeats it get?"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter
from sqlalchemy import Connection, event, func, select, text

from fastapi_architect.components.database import Database
from fastapi_architect.components.idempotency import (
    IdempotentAnswer,
    IdempotentRequest,
    KeyMalformed,
    RequestInFlight,
    begin,
    perform_once,
    record,
)
from fastapi_architect.components.idempotency.repository import IdempotentAnswerRepository
from fastapi_architect.components.idempotency.requests import digest_of, parse_key
from fastapi_architect.components.idempotency.tests.example import ExampleOrder, PlacedOrder, create_app
from fastapi_architect.components.problem_details import Conflict

pytestmark = pytest.mark.anyio

KEY = '"8e03978e-40d5-43e8-bc93-6894a57f9324"'
EMMA = {"title": "Emma"}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[FastAPI]:
    app = create_app(database)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def post(
    client: httpx2.AsyncClient,
    body: dict[str, Any],
    key: str | None = KEY,
    *,
    path: str = "/orders",
    name: str | None = "ann",
) -> httpx2.Response:
    headers = {"Idempotency-Key": key, "X-Name": name}
    return await client.post(path, json=body, headers={k: v for k, v in headers.items() if v is not None})


async def orders(database: Database) -> int:
    async with database.sessions() as session:
        return await session.scalar(select(func.count()).select_from(ExampleOrder)) or 0


async def test_a_repeated_request_gets_the_answer_of_the_first(
    client: httpx2.AsyncClient, database: Database
) -> None:
    first = await post(client, EMMA)
    second = await post(client, EMMA)

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await orders(database) == 1


async def test_without_a_key_each_request_is_one(client: httpx2.AsyncClient, database: Database) -> None:
    for _ in range(2):
        assert (await post(client, EMMA, None)).status_code == 201
    assert await orders(database) == 2


async def test_fifty_at_once_have_one_effect(client: httpx2.AsyncClient, database: Database) -> None:
    answers = await asyncio.gather(*(post(client, {"title": "slow"}) for _ in range(50)))

    # 503: on a slow machine fifty may wait longer for a connection than the pool lets them.
    assert {201} < {answer.status_code for answer in answers} <= {201, 409, 503}
    assert await orders(database) == 1
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert (await post(client, {"title": "slow"})).headers["idempotency-replayed"] == "true"


async def test_one_that_is_in_flight_is_not_waited_for(client: httpx2.AsyncClient) -> None:
    first = asyncio.create_task(post(client, {"title": "slow"}))
    await asyncio.sleep(0.15)
    second = await post(client, {"title": "slow"})

    assert second.status_code == 409
    assert second.headers["retry-after"] == "1"
    assert second.json()["title"] == "A request is outstanding for this Idempotency-Key"
    assert not first.done()
    await first


async def test_other_content_under_the_same_key_is_refused(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await post(client, EMMA)
    for body in ({"title": "Emma", "copies": 2}, {"title": "Persuasion"}):
        answer = await post(client, body)
        assert answer.status_code == 422
        assert answer.json()["title"] == "Idempotency-Key is already used"
    assert await orders(database) == 1


async def test_a_refusal_keeps_nothing(client: httpx2.AsyncClient, database: Database) -> None:
    assert (await post(client, {"title": "sold out"})).status_code == 409
    # The same key with a corrected order.
    assert (await post(client, EMMA)).status_code == 201
    assert await orders(database) == 1


async def test_an_error_keeps_nothing_and_does_nothing(
    client: httpx2.AsyncClient, database: Database
) -> None:
    for _ in range(2):
        assert (await post(client, {"title": "crash"})).status_code == 500
    assert await orders(database) == 0
    async with database.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(IdempotentAnswer)) == 0


async def test_keys_of_different_callers_never_meet(client: httpx2.AsyncClient, database: Database) -> None:
    mine, yours = await post(client, EMMA), await post(client, EMMA, name="ben")

    assert yours.status_code == 201
    assert "idempotency-replayed" not in yours.headers
    assert mine.json()["id"] != yours.json()["id"]
    assert await orders(database) == 2


async def test_strangers_have_no_keys(client: httpx2.AsyncClient, database: Database) -> None:
    assert (await post(client, EMMA, name=None)).status_code == 401
    assert await orders(database) == 0


async def test_keys_of_different_operations_never_meet(
    client: httpx2.AsyncClient, database: Database
) -> None:
    await post(client, EMMA)
    answer = await post(client, EMMA, path="/payments")

    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers
    assert await orders(database) == 2


async def test_where_a_key_is_required_its_lack_is_refused(
    client: httpx2.AsyncClient, database: Database
) -> None:
    answer = await post(client, EMMA, None, path="/payments")
    assert answer.status_code == 400
    assert answer.json()["title"] == "Idempotency-Key is missing"
    assert await orders(database) == 0


async def test_files_are_part_of_the_content(client: httpx2.AsyncClient, database: Database) -> None:
    async def send(content: bytes) -> httpx2.Response:
        # Each request has another boundary.
        return await client.post(
            "/scans",
            data={"title": "page"},
            files={"file": ("page.png", content)},
            headers={"Idempotency-Key": KEY, "X-Name": "ann"},
        )

    first, second, other = await send(b"a" * 200_000), await send(b"a" * 200_000), await send(b"b" * 200_000)

    assert first.json()["title"] == "page of 200000 bytes"
    assert second.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422
    assert await orders(database) == 1


async def test_an_expired_answer_is_no_answer(client: httpx2.AsyncClient, database: Database) -> None:
    first = await post(client, EMMA)
    async with database.sessions() as session:
        await session.execute(text("UPDATE idempotent_answers SET expires_at = now() - interval '1 second'"))
        await session.commit()
    second = await post(client, EMMA)

    assert second.status_code == 201
    assert first.json()["id"] != second.json()["id"]
    assert (await post(client, EMMA)).json() == second.json()


async def test_expired_answers_are_taken_away(database: Database) -> None:
    async with database.sessions() as session:
        answers = IdempotentAnswerRepository(session)
        for number in range(5):
            await answers.add(digest_of([str(number)]), b"", b"", timedelta(hours=number - 2))
        await session.commit()
        assert await answers.delete_expired(2) == 2
        assert await answers.delete_expired(100) == 1
        await session.commit()
        assert await session.scalar(select(func.count()).select_from(IdempotentAnswer)) == 2
    await database.engine.dispose()


async def test_the_answer_is_committed_with_the_effect_or_not_at_all(database: Database) -> None:
    request = IdempotentRequest(digest_of(["place"]), digest_of(["content"]))
    async with database.sessions() as session:
        assert await begin(session, request, PlacedOrder) is None
        order = ExampleOrder(title="Emma")
        session.add(order)
        await session.flush()
        await record(session, request, PlacedOrder, PlacedOrder(id=order.id, title="Emma"))
        # ... and the process dies here.
    async with database.sessions() as session:
        assert await begin(session, request, PlacedOrder) is None
    assert await orders(database) == 0
    await database.engine.dispose()


def break_off_in_the_commit(database: Database, url: str, *, is_done: bool) -> None:
    """Let PostgreSQL end the connection in the next commit: before it is done, or before anybody hears of it."""

    def end_connections(connection: Connection) -> None:
        if is_done:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("SELECT 1")
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    event.listen(database.engine.sync_engine, "commit", end_connections, once=True)


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_commit_in_doubt_is_repeated_under_its_key(
    client: httpx2.AsyncClient, database: Database, superuser_database_url: str, is_done: bool
) -> None:
    break_off_in_the_commit(database, superuser_database_url, is_done=is_done)
    doubtful, repeated = await post(client, EMMA), await post(client, EMMA)

    assert doubtful.status_code == 503
    assert int(doubtful.headers["retry-after"]) >= 1
    assert doubtful.json()["type"] == "urn:problem-type:outcome-unknown"
    assert "Repeat the request with the same Idempotency-Key" in doubtful.json()["detail"]
    assert repeated.status_code == 201
    assert ("idempotency-replayed" in repeated.headers) is is_done
    assert await orders(database) == 1


async def test_without_a_key_a_commit_in_doubt_is_looked_after(
    client: httpx2.AsyncClient, database: Database, superuser_database_url: str
) -> None:
    break_off_in_the_commit(database, superuser_database_url, is_done=False)
    doubtful = await post(client, EMMA, None)

    assert doubtful.status_code == 503
    assert (
        doubtful.json()["detail"] == "It is not known whether the change was made. Look before you try again."
    )


async def test_an_effect_whose_answer_cannot_be_kept_does_not_happen(database: Database) -> None:
    request = IdempotentRequest(digest_of(["place"]), digest_of(["content"]))
    async with database.sessions() as session:

        async def work() -> object:
            session.add(ExampleOrder(title="Emma"))
            await session.flush()
            return object()

        with pytest.raises(ValueError, match="serialize"):
            await perform_once(session, request, TypeAdapter(Any), work)
    assert await orders(database) == 0
    await database.engine.dispose()


async def test_who_looked_a_moment_too_early_does_not_do_it_again(database: Database) -> None:
    request = IdempotentRequest(digest_of(["place"]), digest_of(["content"]))
    async with database.sessions() as early, database.sessions() as other:
        assert await begin(early, request, int) is None
        # As if the other one had held the lock until after the look, and committed before the lock was taken.
        await IdempotentAnswerRepository(other).add(request.place, request.fingerprint, b"1", request.keep)
        await other.commit()
        with pytest.raises(RequestInFlight):
            await record(early, request, int, 2)
    await database.engine.dispose()


async def test_a_service_that_is_no_web_service_uses_it_too(database: Database) -> None:
    request = IdempotentRequest(digest_of(["import", "row 17"]), digest_of(["content"]))
    done: list[int] = []

    async def work() -> int:
        done.append(1)
        return len(done)

    for _ in range(3):
        async with database.sessions() as session:
            assert await perform_once(session, request, int, work) == 1
    assert done == [1]
    await database.engine.dispose()


async def test_an_answer_that_can_no_longer_be_read_does_not_do_it_again(database: Database) -> None:
    request = IdempotentRequest(digest_of(["place"]), digest_of(["content"]))

    async def work() -> str:
        return "of the last version"

    async with database.sessions() as session:
        await perform_once(session, request, str, work)
        with pytest.raises(Conflict, match="done before"):
            await begin(session, request, PlacedOrder)
    await database.engine.dispose()


async def test_the_documentation_speaks_of_keys(app: FastAPI) -> None:
    responses = app.openapi()["paths"]["/payments"]["post"]["responses"]
    assert {"400", "409", "422"} <= set(responses)
    assert "Idempotency-Replayed" in responses["201"]["headers"]


@pytest.mark.parametrize(
    ("field", "key"),
    [
        (KEY, KEY[1:-1]),
        ("abc-123", "abc-123"),
        (r'"a \"b\" \\c"', 'a "b" \\c'),
        (' "x" ', "x"),
        ('"' + "k" * 255 + '"', "k" * 255),
    ],
)
def test_a_key_is_a_string_of_the_draft_or_what_clients_send(field: str, key: str) -> None:
    assert parse_key(field) == key


@pytest.mark.parametrize(
    "field", ["", '""', '"a', "two words", "ü", '"\x00"', "k" * 256, '"a"; p=1', "a,b\n"]
)
def test_what_is_no_key_is_refused(field: str) -> None:
    with pytest.raises(KeyMalformed):
        parse_key(field)


def test_parts_do_not_run_into_each_other() -> None:
    assert digest_of(["ab", "c"]) != digest_of(["a", "bc"])
