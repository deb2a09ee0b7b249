"""What clients can do to a list, to a note, and to each other."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import InstrumentedAttribute

from fastapi_architect.components.database import Database, Order, PageQuery, at_least
from fastapi_architect.components.database.tests.example import (
    ExampleNote,
    NewNote,
    NoteRepository,
    create_app,
)
from fastapi_architect.components.problem_details import NotFound

OWNER = str(uuid4())
STRANGER = str(uuid4())


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    with TestClient(
        create_app(database), headers={"X-Owner": OWNER}, raise_server_exceptions=False
    ) as client:
        yield client


def write(client: TestClient, title: str = "a note", **fields: Any) -> dict[str, Any]:
    answer = client.post("/notes", json={"title": title, **fields})
    assert answer.status_code == 201, answer.text
    written: dict[str, Any] = answer.json()
    return written


def pages(client: TestClient, **query: Any) -> list[list[str]]:
    """Return the titles of all pages."""
    found = []
    cursor = None
    while True:
        answer = client.get("/notes", params=query | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found.append([note["title"] for note in answer.json()["items"]])
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return found


def cursor_of(*place: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def test_pages_hold_every_row_once_in_order(client: TestClient) -> None:
    for title in ("d", "b", "a", "e", "c"):
        write(client, title)

    assert pages(client, limit=2) == [["c", "e"], ["a", "b"], ["d"]]
    assert pages(client, limit=2, sort="title") == [["a", "b"], ["c", "d"], ["e"]]
    assert pages(client, limit=2, sort="-title") == [["e", "d"], ["c", "b"], ["a"]]


def test_rows_with_equal_values_are_neither_lost_nor_repeated(client: TestClient) -> None:
    for number in range(7):
        write(client, f"{number}", rank=number // 3)

    found = pages(client, limit=2, sort="-rank")

    assert [len(page) for page in found] == [2, 2, 2, 1]
    assert sorted(title for page in found for title in page) == [str(number) for number in range(7)]


def test_a_row_that_is_added_meanwhile_moves_no_page(client: TestClient) -> None:
    for title in ("a", "b", "c"):
        write(client, title)
    first = client.get("/notes", params={"limit": 2}).json()

    write(client, "newest")

    second = client.get("/notes", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [note["title"] for note in first["items"] + second["items"]] == ["c", "b", "a"]


def test_a_full_last_page_says_that_it_is_the_last(client: TestClient) -> None:
    write(client)
    write(client)

    assert client.get("/notes", params={"limit": 2}).json()["next_cursor"] is None


def test_an_empty_list_is_a_page(client: TestClient) -> None:
    assert client.get("/notes").json() == {"items": [], "next_cursor": None}


def test_filters_mean_what_they_say(client: TestClient) -> None:
    for title in ("100%", "1000", "Apples"):
        write(client, title)

    assert pages(client, title="100%") == [["100%"]]
    assert pages(client, title="apple") == [["Apples"]]
    assert pages(client, created_after="2999-01-01T00:00:00Z") == [[]]


@pytest.mark.parametrize(
    "query",
    [
        {"limit": -1},
        {"limit": 0},
        {"limit": 101},
        {"limit": 2**70},
        {"limit": "ten"},
        {"sort": "owner_id"},
        {"sort": "title; DROP TABLE owned_notes"},
        {"owner_id": STRANGER},
        {"title": "a\x00b"},
        {"title": "x" * 201},
        {"created_after": "2026-01-01T00:00:00"},
        {"created_after": "99999999-01-01T00:00:00Z"},
        {"cursor": ""},
        {"cursor": "x"},
        {"cursor": "not base64!"},
        {"cursor": "a" * 2_001},
        {"cursor": cursor_of()},
        {"cursor": cursor_of("newest", "not a uuid", "not a uuid")},
        {"cursor": cursor_of("title", "a\x00b", OWNER), "sort": "title"},
        {"cursor": cursor_of("title", "x" * 201, OWNER), "sort": "title"},
        {"cursor": cursor_of("title", ["a"], OWNER), "sort": "title"},
        {"cursor": cursor_of("title", "a", OWNER)},
        {"cursor": cursor_of("-title", "a", OWNER), "sort": "title"},
        {"cursor": cursor_of("-rank", 2**70, OWNER), "sort": "-rank"},
        {"cursor": cursor_of("-rank", 2**31, OWNER), "sort": "-rank"},
        {"cursor": cursor_of("-rank", "1", OWNER), "sort": "-rank"},
        {"cursor": cursor_of("-rank", None, OWNER), "sort": "-rank"},
        {"cursor": base64.urlsafe_b64encode(b"[" * 1_400).decode().rstrip("=")},
        {"cursor": base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("=")},
    ],
)
def test_a_bad_query_is_refused(client: TestClient, query: dict[str, Any]) -> None:
    write(client)

    answer = client.get("/notes", params=query)

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": None},
        {"title": "a\x00b"},
        {"title": "x" * 201},
        {"title": "x" * 1_000_000},
        {"title": "note", "rank": 2**70},
        {"title": "note", "rank": -(2**31) - 1},
        {"title": "note", "owner_id": STRANGER},
        {"title": "note", "version": 7},
        {"title": "note", "a\x00b": 1},
        [],
        None,
    ],
)
def test_a_bad_body_is_refused(client: TestClient, body: Any) -> None:
    assert client.post("/notes", json=body).status_code == 422


@pytest.mark.parametrize("body", [{"title": "a\x00b"}, {"a\x00b": 1}, {"title": ["deep", {"er": "\x00"}]}])
def test_nul_does_not_get_as_far_as_the_database(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="NUL"):
        NewNote.model_validate(body)


def test_a_lone_surrogate_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/notes", content=b'{"title": "\\ud800"}', headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422


@pytest.mark.parametrize("note_id", ["1", "-1", str(2**70), "a%00b", "null", "x" * 5_000])
def test_a_bad_identifier_is_refused(client: TestClient, note_id: str) -> None:
    assert client.get(f"/notes/{note_id}").status_code == 422


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_note_of_another_owner_looks_like_none(client: TestClient, method: str) -> None:
    note_id = write(client)["id"]
    headers = {"X-Owner": STRANGER, "If-Match": '"1"'}
    body = {"title": "mine now"} if method == "PATCH" else None

    theirs = client.request(method, f"/notes/{note_id}", headers=headers, json=body)
    none = client.request(method, f"/notes/{uuid4()}", headers=headers, json=body)

    assert theirs.status_code == none.status_code == 404
    assert theirs.json()["detail"] == none.json()["detail"]
    assert client.get(f"/notes/{note_id}").json()["title"] == "a note"
    assert pages(TestClient(client.app, headers={"X-Owner": STRANGER})) == [[]]


def test_a_deleted_note_is_gone_everywhere(client: TestClient) -> None:
    note_id = write(client)["id"]

    assert client.delete(f"/notes/{note_id}").status_code == 204

    assert client.get(f"/notes/{note_id}").status_code == 404
    assert client.delete(f"/notes/{note_id}").status_code == 404
    assert (
        client.patch(f"/notes/{note_id}", json={"title": "b"}, headers={"If-Match": "*"}).status_code == 404
    )
    assert pages(client) == [[]]


def test_a_change_names_the_version_that_was_seen(client: TestClient) -> None:
    note = write(client)
    path = f"/notes/{note['id']}"

    def change(if_match: str | None) -> int:
        headers = {} if if_match is None else {"If-Match": if_match}
        return client.patch(path, json={"title": "changed"}, headers=headers).status_code

    assert client.get(path).headers["etag"] == '"1"'
    assert change(None) == 428
    assert change('"2"') == 412
    assert change('W/"1"') == 412
    assert change("one") == 412
    assert change('"' + "9" * 30 + '"') == 412
    assert change('"7", "1"') == 200
    assert change('"1"') == 412
    assert change("*") == 200
    assert client.get(path).headers["etag"] == '"2"'


def test_an_answer_after_a_change_shows_what_the_database_computed(client: TestClient) -> None:
    note = write(client)

    changed = client.patch(f"/notes/{note['id']}", json={"title": "b"}, headers={"If-Match": '"1"'})

    assert changed.status_code == 200
    assert changed.json()["version"] == 2
    assert changed.json()["updated_at"] > note["updated_at"]


def test_of_two_writers_at_once_one_wins(client: TestClient) -> None:
    path = f"/notes/{write(client)['id']}"

    def change(number: int) -> int:
        return client.patch(path, json={"title": f"{number}"}, headers={"If-Match": '"1"'}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(change, range(8)))

    assert answers == [200] + [412] * 7
    assert client.get(path).json()["version"] == 2


def test_of_many_who_take_the_same_name_at_once_one_gets_it(client: TestClient) -> None:
    def take(number: int) -> int:
        return client.post("/notes", json={"title": f"{number}", "slug": "the-one"}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(take, range(8)))

    assert answers == [201] + [409] * 7


def test_nothing_stays_of_a_request_that_failed(client: TestClient) -> None:
    assert client.post("/half-done").status_code == 500

    assert pages(client) == [[]]


def test_identifiers_are_in_the_order_of_their_making(client: TestClient) -> None:
    identifiers = [UUID(write(client)["id"]) for _ in range(5)]

    assert identifiers == sorted(identifiers)
    assert {identifier.version for identifier in identifiers} == {7}


def test_the_contract_names_limits_and_orders(client: TestClient) -> None:
    parameters = {
        parameter["name"]: parameter["schema"]
        for parameter in client.get("/openapi.json").json()["paths"]["/notes"]["get"]["parameters"]
    }

    assert parameters["limit"]["maximum"] == 100
    assert {"cursor", "sort", "title", "created_after"} < parameters.keys()


def test_errors_hold_nothing_that_people_typed(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    write(client, slug="taken")

    answer: httpx2.Response = client.post("/notes", json={"title": "confidential", "slug": "taken"})

    assert answer.status_code == 409
    assert answer.json()["detail"] == "You have a note with this slug."
    assert "confidential" not in answer.text + caplog.text


class RankQuery(PageQuery):
    """Leaves low ranks out, unless the caller asks for them."""

    least_rank: int | None = 1


class RankedNotes(NoteRepository):
    """Notes by rank."""

    orders = {"rank": Order(ExampleNote.rank)}  # noqa: RUF012
    filters = {"least_rank": at_least(ExampleNote.rank)}  # noqa: RUF012


@pytest.mark.anyio
async def test_the_default_of_a_filter_filters_too(database: Database) -> None:
    async with database.sessions() as session:
        notes = RankedNotes(session, UUID(OWNER))
        for rank in range(3):
            await notes.add(ExampleNote(owner_id=UUID(OWNER), title="a note", rank=rank))

        assert [note.rank for note in (await notes.list(RankQuery())).items] == [1, 2]
        assert [note.rank for note in (await notes.list(RankQuery(least_rank=None))).items] == [0, 1, 2]
    await database.engine.dispose()


@pytest.mark.anyio
async def test_rows_with_equal_values_have_an_order_without_an_index_too(database: Database) -> None:
    identifiers = [UUID(int=number) for number in (5, 2, 9, 1, 7, 3, 8, 4, 6)]
    async with database.sessions() as session:
        for setting in ("enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan"):
            await session.execute(text(f"SET LOCAL {setting} = off"))
        notes = RankedNotes(session, UUID(OWNER))
        for identifier in identifiers:
            await notes.add(ExampleNote(id=identifier, owner_id=UUID(OWNER), title="a note", rank=1))

        found: list[UUID] = []
        cursor = None
        while cursor is not None or not found:
            page = await notes.list(RankQuery(limit=2, cursor=cursor))
            found += [note.id for note in page.items]
            cursor = page.next_cursor

    assert found == sorted(identifiers)
    await database.engine.dispose()


@pytest.mark.parametrize(
    "column", [ExampleNote.slug, ExampleNote.deleted_at], ids=["nullable text", "nullable time"]
)
def test_a_list_cannot_be_sorted_by_what_may_be_missing(column: InstrumentedAttribute[Any]) -> None:
    with pytest.raises(ValueError, match="may be NULL"):
        Order(column)


@pytest.mark.anyio
async def test_what_is_locked_is_read_anew(database: Database) -> None:
    async with database.sessions() as session, database.sessions() as other:
        notes = NoteRepository(session, UUID(OWNER))
        note = await notes.add(ExampleNote(owner_id=UUID(OWNER), title="before"))
        await session.commit()
        (await NoteRepository(other, UUID(OWNER)).get(note.id)).title = "after"
        await other.commit()

        assert (await notes.get_locked(note.id)).title == "after"
        with pytest.raises(NotFound):
            await notes.get_locked(uuid4())
    await database.engine.dispose()
