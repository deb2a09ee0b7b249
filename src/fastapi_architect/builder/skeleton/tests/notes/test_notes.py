"""Notes over HTTP, as those see them whose they are, and as others do."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.components.problem_details import NotFound
# [with tenancy]
from app.notes.dependencies import get_note_reader
# [without tenancy]
from app.notes.dependencies import get_note_service
# [end]
from tests.conftest import Headers, SignIn

NOTES = "/api/v1/notes"
NOTHING = f"{NOTES}/018f0000-0000-7000-8000-000000000000"


@pytest.fixture
def anna(sign_in: SignIn) -> Headers:
    return sign_in("notes:read", "notes:write")


@pytest.fixture
def mallory(sign_in: SignIn) -> Headers:
    return sign_in("notes:read", "notes:write")


def write(client: TestClient, owner: Headers, title: str = "Groceries", **fields: Any) -> dict[str, Any]:
    answer = client.post(NOTES, json={"title": title, **fields}, headers=owner)
    assert answer.status_code == 201, answer.text
    note: dict[str, Any] = answer.json()
    return note | {"etag": answer.headers["etag"], "location": answer.headers["location"]}


def test_what_was_written_can_be_read(client: TestClient, anna: Headers) -> None:
    note = write(client, anna, "  Groceries ", text="Bread,\nolives", is_pinned=True)

    read = client.get(note["location"], headers=anna)

    assert read.status_code == 200
    assert read.headers["etag"] == note["etag"] == '"1"'
    assert (read.json()["title"], read.json()["is_pinned"]) == ("Groceries", True)
    assert read.json()["excerpt"] == "Bread, olives"


def test_only_what_is_sent_changes(client: TestClient, anna: Headers) -> None:
    note = write(client, anna, text="Bread")

    changed = client.patch(note["location"], json={"is_pinned": True}, headers=anna | {"If-Match": '"1"'})

    assert changed.status_code == 200
    assert changed.headers["etag"] == '"2"'
    assert (changed.json()["text"], changed.json()["is_pinned"]) == ("Bread", True)


def test_a_change_of_what_somebody_else_changed_is_refused(client: TestClient, anna: Headers) -> None:
    note = write(client, anna)
    of_first = anna | {"If-Match": note["etag"]}
    assert client.patch(note["location"], json={"title": "First"}, headers=of_first).status_code == 200

    second = client.patch(note["location"], json={"title": "Second"}, headers=of_first)

    assert second.status_code == 412
    assert second.headers["content-type"] == "application/problem+json"
    assert client.get(note["location"], headers=anna).json()["title"] == "First"


def test_a_change_has_to_say_what_it_has_seen(client: TestClient, anna: Headers) -> None:
    note = write(client, anna)

    assert client.patch(note["location"], json={"title": "Blind"}, headers=anna).status_code == 428
    assert client.delete(note["location"], headers=anna).status_code == 428


def test_of_two_who_change_at_once_one_is_refused(client: TestClient, anna: Headers) -> None:
    note = write(client, anna)
    seen = anna | {"If-Match": note["etag"]}

    with ThreadPoolExecutor(4) as threads:
        answers = threads.map(
            lambda title: client.patch(note["location"], json={"title": title}, headers=seen), "abcd"
        )
        statuses = sorted(answer.status_code for answer in answers)

    assert statuses == [200, 412, 412, 412]
    assert client.get(note["location"], headers=anna).json()["version"] == 2


def test_what_is_deleted_is_gone_for_readers_and_kept_as_a_row(client: TestClient, anna: Headers) -> None:
    note = write(client, anna)

    deleted = client.delete(note["location"], headers=anna | {"If-Match": note["etag"]})

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client.get(note["location"], headers=anna).status_code == 404
    assert client.get(NOTES, headers=anna).json()["items"] == []


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_identifier_opens_nobody_elses_note(
    client: TestClient, anna: Headers, mallory: Headers, method: str
) -> None:
    note = write(client, anna)
    body = {"title": "Mine now"} if method == "PATCH" else None

    answer = client.request(method, note["location"], json=body, headers=mallory | {"If-Match": note["etag"]})

    assert answer.status_code == 404
    assert client.get(note["location"], headers=anna).json()["title"] == "Groceries"


def test_nobody_elses_notes_are_listed(client: TestClient, anna: Headers, mallory: Headers) -> None:
    write(client, anna)

    assert client.get(NOTES, headers=mallory).json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": "   "},
        {"title": "x" * 201},
        {"title": "nul\0"},
        {"title": "Groceries", "text": "nul\0"},
        {"title": None},
        {"title": "Groceries", "owner_id": "018f0000-0000-7000-8000-000000000000"},
        {"title": "Groceries", "version": 7},
        [],
        "text",
    ],
)
def test_what_no_note_may_be_is_refused(client: TestClient, anna: Headers, body: Any) -> None:
    answer = client.post(NOTES, json=body, headers=anna)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [{}, {"title": None}, {"is_pinned": None}, {"deleted_at": None}])
def test_a_change_of_nothing_or_to_nothing_is_refused(client: TestClient, anna: Headers, body: Any) -> None:
    note = write(client, anna)

    assert client.patch(note["location"], json=body, headers=anna | {"If-Match": '"1"'}).status_code == 422


def test_a_test_can_put_another_service_in_place(app: FastAPI, client: TestClient, anna: Headers) -> None:
    class NoNotes:
        async def read(self, _: object) -> None:
            raise NotFound("There are no notes today.")

    # [with tenancy]
    app.dependency_overrides[get_note_reader] = NoNotes
    # [without tenancy]
    app.dependency_overrides[get_note_service] = NoNotes
    # [end]

    answer = client.get(NOTHING, headers=anna)

    assert answer.json()["detail"] == "There are no notes today."
