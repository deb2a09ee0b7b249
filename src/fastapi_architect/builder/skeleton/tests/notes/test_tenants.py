"""Organisations see nothing of each other's notes: by the queries, and by PostgreSQL where a query forgets."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from uuid_utils.compat import uuid7

from app.api import api
from app.components.access import deny_by_default
from app.components.database import DatabaseSettings, Repository
from app.components.testing.isolation import cross_tenant_violations
from app.notes.repository import NoteRepository
from tests.conftest import Headers, NamedCallers, SignIn
from tests.organisations import Organisations

NOTES = "/api/v1/notes"
BOTH = ("notes:read", "notes:write")


@pytest.fixture
def bakery(organisations: Organisations) -> UUID:
    return organisations.found()


@pytest.fixture
def anna(sign_in: SignIn, bakery: UUID) -> Headers:
    """A member of the bakery."""
    return sign_in(*BOTH, organisation_id=bakery, role="member")


@pytest.fixture
def mallory(sign_in: SignIn) -> Headers:
    """Owns another organisation, and may do everything there."""
    return sign_in(*BOTH)


def write(client: TestClient, headers: Headers, title: str = "Flour") -> dict[str, Any]:
    answer = client.post(NOTES, json={"title": title}, headers=headers)
    assert answer.status_code == 201, answer.text
    note: dict[str, Any] = answer.json()
    return note | {"location": answer.headers["location"]}


def titles(client: TestClient, headers: Headers) -> list[str]:
    answer = client.get(NOTES, headers=headers)
    assert answer.status_code == 200, answer.text
    return [note["title"] for note in answer.json()["items"]]


def test_members_share_the_notes_of_their_organisation(
    client: TestClient, anna: Headers, bakery: UUID, sign_in: SignIn
) -> None:
    bert = sign_in(*BOTH, organisation_id=bakery, role="member")
    note = write(client, anna)

    changed = client.patch(note["location"], json={"text": "rye"}, headers=bert | {"If-Match": '"1"'})

    assert changed.status_code == 200
    assert titles(client, bert) == ["Flour"]
    assert client.get(note["location"], headers=anna).json()["text"] == "rye"


def test_a_viewer_reads_and_changes_nothing(
    client: TestClient, anna: Headers, bakery: UUID, sign_in: SignIn
) -> None:
    viewer = sign_in(*BOTH, organisation_id=bakery, role="viewer") | {"If-Match": '"1"'}
    note = write(client, anna)

    assert titles(client, viewer) == ["Flour"]
    assert client.post(NOTES, json={"title": "Mine"}, headers=viewer).status_code == 403
    assert client.patch(note["location"], json={"text": "x"}, headers=viewer).status_code == 403
    assert client.delete(note["location"], headers=viewer).status_code == 403


def test_who_belongs_to_no_organisation_has_no_notes(client: TestClient, named_callers: NamedCallers) -> None:
    nobody = named_callers.sign_in(*BOTH)

    assert client.get(NOTES, headers=nobody).status_code == 422
    assert client.post(NOTES, json={"title": "Mine"}, headers=nobody).status_code == 422


def test_an_organisation_is_chosen_by_its_members_only(
    client: TestClient, anna: Headers, mallory: Headers, bakery: UUID
) -> None:
    write(client, anna)
    for identifier in (bakery, uuid7()):
        chosen = mallory | {"X-Organisation-ID": str(identifier)}
        assert client.get(NOTES, headers=chosen).status_code == 404
        assert client.post(NOTES, json={"title": "Mine"}, headers=chosen).status_code == 404


def test_a_member_of_two_sees_each_by_itself(
    client: TestClient, organisations: Organisations, bakery: UUID, named_callers: NamedCallers
) -> None:
    forge, both = organisations.found(), uuid7()
    for organisation in (bakery, forge):
        organisations.join(organisation, both, "member")
    headers = named_callers.sign_in(*BOTH, principal_id=both)
    in_bakery = headers | {"X-Organisation-ID": str(bakery)}
    in_forge = headers | {"X-Organisation-ID": str(forge)}
    note = write(client, in_bakery, "Flour")
    write(client, in_forge, "Iron")

    assert (titles(client, in_bakery), titles(client, in_forge)) == (["Flour"], ["Iron"])
    assert client.get(note["location"], headers=in_forge).status_code == 404
    assert client.get(NOTES, headers=headers).status_code == 422


# [with idempotency]
def test_a_key_of_a_repeated_request_counts_in_one_organisation(
    client: TestClient, organisations: Organisations, bakery: UUID, named_callers: NamedCallers
) -> None:
    forge, both = organisations.found(), uuid7()
    for organisation in (bakery, forge):
        organisations.join(organisation, both, "member")
    headers = named_callers.sign_in(*BOTH, principal_id=both) | {"Idempotency-Key": '"the same"'}

    in_bakery, in_forge = (
        client.post(NOTES, json={"title": "Flour"}, headers=headers | {"X-Organisation-ID": str(each)})
        for each in (bakery, forge)
    )

    assert (in_bakery.status_code, in_forge.status_code) == (201, 201)
    assert in_bakery.json()["id"] != in_forge.json()["id"]


# [end]
def test_tenants_are_kept_apart_on_every_route(client: TestClient, anna: Headers, mallory: Headers) -> None:
    own = FastAPI(dependencies=[Depends(deny_by_default)])
    own.include_router(api)
    owned = {"note_id": write(client, anna)["id"]}
    seen = {
        f"{method} {NOTES}/{{note_id}}": {"headers": {"If-Match": '"1"'}} for method in ("PATCH", "DELETE")
    }

    found = cross_tenant_violations(client, own, owner=anna, stranger=mallory, owned=owned, requests=seen)

    assert found == []


@pytest.fixture(params=["the repository", "PostgreSQL"])
def without_a_wall(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, organisations: Organisations
) -> None:
    """One of the two forgets to ask whose a note is."""
    if request.param == "PostgreSQL":
        organisations.execute("ALTER TABLE notes DISABLE ROW LEVEL SECURITY")
    else:
        monkeypatch.setattr(NoteRepository, "visible", Repository.visible)


def test_either_wall_holds_alone(
    client: TestClient, anna: Headers, mallory: Headers, without_a_wall: None
) -> None:
    note = write(client, anna)
    seen = mallory | {"If-Match": '"1"'}

    assert titles(client, anna) == ["Flour"]
    assert titles(client, mallory) == []
    assert client.get(note["location"], headers=mallory).status_code == 404
    assert client.patch(note["location"], json={"title": "Mine"}, headers=seen).status_code == 404
    assert client.delete(note["location"], headers=seen).status_code == 404
    assert client.get(note["location"], headers=anna).json()["title"] == "Flour"


def test_the_role_of_the_service_sees_no_note_that_nobody_asked_for(
    client: TestClient, anna: Headers, bakery: UUID
) -> None:
    write(client, anna)
    url = DatabaseSettings().url.get_secret_value().replace("+psycopg", "")

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [str(bakery)])
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute("UPDATE notes SET tenant_id = %s", [uuid7()])
