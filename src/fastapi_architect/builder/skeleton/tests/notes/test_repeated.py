"""A note that is sent again with the same `Idempotency-Key` is written once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Headers, SignIn

NOTES = "/api/v1/notes"
NOTE = {"title": "Groceries"}


@pytest.fixture
def anna(sign_in: SignIn) -> Headers:
    return sign_in("notes:read", "notes:write")


@pytest.fixture
def key() -> Headers:
    return {"Idempotency-Key": f'"{uuid4()}"'}


def count(client: TestClient, headers: Headers) -> int:
    return len(client.get(NOTES, headers=headers).json()["items"])


def test_the_same_request_writes_one_note_and_gets_the_same_answer(
    client: TestClient, anna: Headers, key: Headers
) -> None:
    first, second = (client.post(NOTES, json=NOTE, headers=anna | key) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json() == second.json()
    for name in ("etag", "location"):
        assert first.headers[name] == second.headers[name]
    assert count(client, anna) == 1


def test_many_at_once_write_one_note(client: TestClient, anna: Headers, key: Headers) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda _: client.post(NOTES, json=NOTE, headers=anna | key).status_code, "abcd")
        )

    assert 201 in answers
    assert set(answers) <= {201, 409}
    assert count(client, anna) == 1


def test_another_note_under_the_same_key_is_refused(client: TestClient, anna: Headers, key: Headers) -> None:
    client.post(NOTES, json=NOTE, headers=anna | key)

    answer = client.post(NOTES, json={"title": "Other"}, headers=anna | key)

    assert answer.status_code == 422
    assert count(client, anna) == 1


def test_without_a_key_each_request_writes_a_note(client: TestClient, anna: Headers) -> None:
    for _ in range(2):
        assert client.post(NOTES, json=NOTE, headers=anna).status_code == 201

    assert count(client, anna) == 2


def test_somebody_elses_key_is_another_one(
    client: TestClient, anna: Headers, key: Headers, sign_in: SignIn
) -> None:
    bert = sign_in("notes:read", "notes:write")

    first, second = (client.post(NOTES, json=NOTE, headers=who | key) for who in (anna, bert))

    assert first.json()["id"] != second.json()["id"]
