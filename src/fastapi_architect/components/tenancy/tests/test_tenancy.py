"""Organisations see nothing of each other, whatever a query forgets, and keep an owner whatever happens."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import MetaData, create_engine, select, text
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from fastapi_architect.components.database import Base, Database, DatabaseSettings
from fastapi_architect.components.service import Environment, Principal
from fastapi_architect.components.tenancy import Organisation, Tenancy, every_tenant, tenant_of
from fastapi_architect.components.tenancy.component import TenantsNotSeparated
from fastapi_architect.components.tenancy.migrations import create_tenancy, drop_tenancy
from fastapi_architect.components.tenancy.models import Membership
from fastapi_architect.components.tenancy.repository import TenancyRepository
from fastapi_architect.components.tenancy.row_level_security import protect_by_tenant
from fastapi_architect.components.tenancy.tests.example import PEOPLE, Diary, PhoneBook, create_app
from fastapi_architect.components.testing.servers import for_sqlalchemy
from fastapi_architect.components.testing.statements import statements

ORGANISATIONS = "/api/v1/organisations"


@pytest.fixture
def client(separated_database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(separated_database)) as client:
        yield client


def as_(name: str, organisation: str | None = None, **more: str) -> dict[str, str]:
    return {"X-Name": name, **({"X-Organisation-ID": organisation} if organisation else {}), **more}


def found(client: TestClient, name: str, organisation: str = "Bakery") -> str:
    answer = client.post(ORGANISATIONS, json={"name": organisation}, headers=as_(name))
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json()["id"]
    return identifier


def invite(client: TestClient, name: str, organisation: str, role: str) -> str:
    url = f"{ORGANISATIONS}/{organisation}/invitations"
    answer = client.post(url, json={"role": role}, headers=as_(name))
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token


def join(client: TestClient, owner: str, organisation: str, name: str, role: str) -> None:
    token = invite(client, owner, organisation, role)
    answer = client.post("/api/v1/invitations/accept", json={"token": token}, headers=as_(name))
    assert answer.json() == {"organisation_id": organisation, "role": role}


def write(client: TestClient, name: str, organisation: str, text: str, **more: str) -> int:
    return client.post("/notes", json={"text": text}, headers=as_(name, organisation, **more)).status_code


# ── two walls ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_query_that_forgets_the_tenant_shows_the_own_rows_only(client: TestClient) -> None:
    bakery, forge = found(client, "anna", "Bakery"), found(client, "bert", "Forge")
    assert write(client, "anna", bakery, "flour") == 201
    assert write(client, "bert", forge, "iron") == 201

    assert client.get("/notes", headers=as_("anna", bakery)).json() == ["flour"]
    assert client.get("/notes", headers=as_("bert", forge)).json() == ["iron"]


def test_a_connection_carries_no_tenant_to_the_next_request(
    separated_database: Database, owner_url: str
) -> None:
    single = Database(separated_database.settings.model_copy(update={"pool_size": 1, "max_overflow": 0}))
    with TestClient(create_app(single)) as client:
        bakery, forge = found(client, "anna"), found(client, "bert")
        write(client, "anna", bakery, "flour")
        for _ in range(3):
            assert client.get("/notes", headers=as_("anna", bakery)).json() == ["flour"]
            assert client.get("/notes", headers=as_("bert", forge)).json() == []


def test_a_transaction_that_was_bound_to_nobody_sees_nothing(
    separated_database: Database, owner_url: str
) -> None:
    with TestClient(create_app(separated_database)) as client:
        write(client, "anna", found(client, "anna"), "flour")
    url = separated_database.settings.url.get_secret_value().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        for table in ("tenancy_notes", "organisations", "memberships", "invitations"):
            assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


def test_a_member_is_found_and_bound_by_one_statement(separated_database: Database) -> None:
    with TestClient(create_app(separated_database)) as client:
        bakery = found(client, "anna")
        write(client, "anna", bakery, "flour")
        with statements(separated_database.engine) as counted:
            assert client.get("/notes", headers=as_("anna", bakery)).json() == ["flour"]

    [entering, _] = counted.texts
    assert "memberships" in entering


@pytest.mark.anyio
async def test_where_nobody_belongs_or_to_several_no_tenant_is_bound(
    separated_database: Database, owner_url: str
) -> None:
    nobody, several, bound = uuid7(), uuid7(), "SELECT current_setting('app.tenant_id', true)"
    engine = create_engine(for_sqlalchemy(owner_url))
    with Session(engine) as owner:
        tenants = [Organisation(id=uuid7(), name="Acme") for _ in range(2)]
        owner.add_all(tenants)
        owner.flush()
        owner.add_all(Membership(tenant_id=each.id, account_id=several, role="owner") for each in tenants)
        owner.commit()
        [first, second] = [each.id for each in tenants]
    engine.dispose()

    async with separated_database.sessions() as session:
        tenancy = TenancyRepository(session)
        for person, wanted, found_there in (
            (nobody, None, 0), (nobody, first, 0), (several, uuid7(), 0), (several, None, 2),
        ):  # fmt: skip
            assert len(await tenancy.enter(person, wanted)) == found_there
            assert not (await session.execute(text(bound))).scalar()
        assert await tenancy.enter(several, second) == [(second, "owner")]
        for _ in range(2):
            # In the transaction that found it, and in the next one.
            assert (await session.execute(text(bound))).scalar() == str(second)
            await session.commit()
    await separated_database.engine.dispose()


def test_nobody_writes_a_row_for_another_tenant(separated_database: Database, owner_url: str) -> None:
    with TestClient(create_app(separated_database)) as client:
        bakery, forge = found(client, "anna"), found(client, "bert")
    url = separated_database.settings.url.get_secret_value().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", [bakery])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute("INSERT INTO tenancy_notes VALUES (%s, %s, 'x')", [uuid7(), forge])


def test_nobody_makes_themselves_a_member_by_knowing_an_identifier(
    separated_database: Database, owner_url: str
) -> None:
    with TestClient(create_app(separated_database)) as client:
        bakery = found(client, "anna")
    url = separated_database.settings.url.get_secret_value().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('app.principal_id', %s, true)", [str(PEOPLE["mallory"])])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO memberships (id, tenant_id, account_id, role) VALUES (%s, %s, %s, 'owner')",
                [uuid7(), bakery, PEOPLE["mallory"]],
            )


def test_a_service_that_connects_as_the_owner_of_the_tables_does_not_start(owner_url: str) -> None:
    settings = DatabaseSettings(url=SecretStr(for_sqlalchemy(owner_url)), environment=Environment.LOCAL)
    with (
        pytest.raises(TenantsNotSeparated, match="row-level security does not hold"),
        TestClient(create_app(Database(settings))),
    ):
        pass


# ── strangers ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/{id}"),
        ("PATCH", "/{id}"),
        ("GET", "/{id}/members"),
        ("PUT", "/{id}/members/{other}/role"),
        ("DELETE", "/{id}/members/{other}"),
        ("POST", "/{id}/invitations"),
        ("GET", "/{id}/invitations"),
        ("DELETE", "/{id}/invitations/{other}"),
    ],
)
def test_somebody_elses_organisation_looks_like_none(client: TestClient, method: str, path: str) -> None:
    bakery = found(client, "anna")
    body = {"name": "Mine now"} if method == "PATCH" else {"role": "owner"}
    answers = []
    for identifier in (bakery, str(uuid7())):
        url = ORGANISATIONS + path.format(id=identifier, other=PEOPLE["anna"])
        json = body if method in ("PATCH", "PUT", "POST") else None
        answers.append(client.request(method, url, json=json, headers=as_("mallory", **{"If-Match": "*"})))

    assert [answer.status_code for answer in answers] == [404, 404]
    details = [answer.json()["detail"] for answer in answers]
    assert details[0] == details[1]


def test_naming_a_foreign_organisation_in_the_header_gives_nothing(client: TestClient) -> None:
    bakery = found(client, "anna")
    found(client, "mallory")

    assert client.get("/notes", headers=as_("mallory", bakery)).status_code == 404
    assert write(client, "mallory", bakery, "spam") == 404


def test_whoever_belongs_to_several_has_to_say_for_which_they_act(client: TestClient) -> None:
    first = found(client, "anna")
    assert client.get("/notes", headers=as_("anna")).status_code == 200
    second = found(client, "anna", "Forge")

    answer = client.get("/notes", headers=as_("anna"))
    assert answer.status_code == 422
    assert "X-Organisation-ID" in answer.json()["detail"]
    for organisation in (first, second):
        assert client.get("/notes", headers=as_("anna", organisation)).status_code == 200


# ── roles ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_role_counts_in_its_organisation_only_and_permissions_from_elsewhere_do_not(
    client: TestClient,
) -> None:
    bakery = found(client, "anna")
    join(client, "anna", bakery, "bert", "viewer")
    forge = found(client, "bert", "Forge")

    assert client.get("/notes", headers=as_("bert", bakery)).status_code == 200
    assert write(client, "bert", bakery, "x") == 403
    assert write(client, "bert", forge, "x") == 201


def test_a_key_may_never_more_than_its_scopes_and_its_organisation(client: TestClient) -> None:
    bakery, forge = found(client, "anna"), found(client, "anna", "Forge")
    key = {"X-Key-Scopes": "notes:read", "X-Key-Tenant": bakery}

    assert client.get("/notes", headers=as_("anna", **key)).status_code == 200
    assert client.get("/notes", headers=as_("anna", forge, **key)).status_code == 404
    assert write(client, "anna", bakery, "x", **key) == 403


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "", "organisation:read"),
        ("GET", "/{id}", "organisation:read"),
        ("GET", "/{id}/members", "organisation:read"),
        ("GET", "/{id}/roles", "organisation:read"),
        ("GET", "/{id}/invitations", "organisation:manage"),
    ],
)
def test_a_key_without_the_scope_learns_nothing_of_the_organisation(
    client: TestClient, method: str, path: str, scope: str
) -> None:
    url = ORGANISATIONS + path.format(id=found(client, "anna"))

    narrow, wide = (as_("anna", **{"X-Key-Scopes": scopes}) for scopes in ("notes:read", scope))

    assert client.request(method, url, headers=narrow).status_code == 403
    assert client.request(method, url, headers=wide).status_code == 200


def test_a_key_neither_founds_nor_joins_nor_leaves_organisations(client: TestClient) -> None:
    bakery = found(client, "anna")
    token = invite(client, "anna", bakery, "member")
    join(client, "anna", bakery, "bert", "member")
    every = {"X-Key-Scopes": "organisation:read organisation:manage notes:read"}

    assert client.post(ORGANISATIONS, json={"name": "Forge"}, headers=as_("anna", **every)).status_code == 403
    accepting = client.post("/api/v1/invitations/accept", json={"token": token}, headers=as_("carl", **every))
    assert accepting.status_code == 403
    leaving = f"{ORGANISATIONS}/{bakery}/members/{PEOPLE['bert']}"
    assert client.delete(leaving, headers=as_("bert", **every)).status_code == 403
    assert client.delete(leaving, headers=as_("bert")).status_code == 204


def test_a_key_of_one_organisation_does_not_see_its_owners_others(client: TestClient) -> None:
    bakery = found(client, "anna")
    found(client, "anna", "Forge")
    key = {"X-Key-Scopes": "organisation:read", "X-Key-Tenant": bakery}

    listed = client.get(ORGANISATIONS, headers=as_("anna", **key)).json()["items"]

    assert [each["id"] for each in listed] == [bakery]


def test_a_role_that_is_left_out_is_nobodys(separated_database: Database) -> None:
    with TestClient(create_app(separated_database, without=["member"])) as client:
        bakery = found(client, "anna")
        url = f"{ORGANISATIONS}/{bakery}"
        answer = client.post(f"{url}/invitations", json={"role": "member"}, headers=as_("anna"))
        roles = client.get(f"{url}/roles", headers=as_("anna")).json()

    assert answer.status_code == 422
    assert "admin, owner, viewer" in answer.json()["detail"]
    assert {each["name"]: each["permissions"] for each in roles} == {
        "owner": ["notes:read", "organisation:manage", "organisation:read"],
        "admin": ["organisation:manage", "organisation:read"],
        "viewer": ["notes:read", "organisation:read"],
    }


@pytest.mark.parametrize(("roles", "without"), [({}, ["owner"]), ({"viewer": ["notes:read"]}, ["viewer"])])
def test_a_role_that_is_needed_cannot_be_left_out(roles: dict[str, list[str]], without: list[str]) -> None:
    with pytest.raises(ValueError, match="can be left out"):
        Tenancy(roles, without=without)


def test_members_are_listed_with_their_names_which_are_asked_for_once(separated_database: Database) -> None:
    book = PhoneBook()
    with TestClient(create_app(separated_database, more=[book])) as client:
        bakery = found(client, "anna")
        for name in ("bert", "carl"):
            join(client, "anna", bakery, name, "viewer")
        url = f"{ORGANISATIONS}/{bakery}/members"
        listed = client.get(url, headers=as_("carl")).json()["items"]
        page = client.get(url, params={"limit": 1}, headers=as_("anna")).json()
        stranger = client.get(url, headers=as_("mallory"))
        keyless = client.get(url, headers=as_("anna", **{"X-Key-Scopes": "notes:read"}))

    assert [(each["email"], each["display_name"]) for each in listed] == [
        ("anna@example.com", "Anna"),
        ("bert@example.com", None),
        (None, None),
    ]
    assert [each["email"] for each in page["items"]] == ["anna@example.com"]
    assert (stranger.status_code, keyless.status_code) == (404, 403)
    # Of whom is shown, by one question a page; and of nobody for whom it is not to be shown.
    assert book.asked == [[PEOPLE[name] for name in ("anna", "bert", "carl")], [PEOPLE["anna"]]]


def test_where_nobody_knows_people_members_are_listed_by_their_identifiers(client: TestClient) -> None:
    bakery = found(client, "anna")
    [member] = client.get(f"{ORGANISATIONS}/{bakery}/members", headers=as_("anna")).json()["items"]

    assert (member["account_id"], member["email"]) == (str(PEOPLE["anna"]), None)


def test_every_change_of_an_organisation_is_told_to_witnesses(separated_database: Database) -> None:
    diary = Diary()
    with TestClient(create_app(separated_database, diary=diary)) as client:
        bakery = found(client, "anna")
        url = f"{ORGANISATIONS}/{bakery}"
        seen = client.get(url, headers=as_("anna")).headers["ETag"]
        client.patch(url, json={"name": "Mill"}, headers=as_("anna", **{"If-Match": seen}))
        invite(client, "anna", bakery, "viewer")
        [invitation] = client.get(f"{url}/invitations", headers=as_("anna")).json()["items"]
        client.delete(f"{url}/invitations/{invitation['id']}", headers=as_("anna"))
        join(client, "anna", bakery, "bert", "member")
        bert = f"{url}/members/{PEOPLE['bert']}"
        client.put(f"{bert}/role", json={"role": "viewer"}, headers=as_("anna"))
        client.put(f"{bert}/role", json={"role": "emperor"}, headers=as_("anna"))
        client.delete(bert, headers=as_("anna"))

    assert [(act.action, act.actor.id == PEOPLE["anna"]) for act in diary.acts] == [
        ("organisation.founded", True),
        ("organisation.renamed", True),
        ("invitation.made", True),
        ("invitation.withdrawn", True),
        ("invitation.made", True),
        ("member.joined", False),
        ("member.role_given", True),
        ("member.removed", True),
    ]
    assert {act.tenant_id for act in diary.acts} == {UUID(bakery)}
    assert diary.acts[6].details == {"from": "member", "to": "viewer"}


def test_a_member_neither_invites_nor_changes_roles(client: TestClient) -> None:
    bakery = found(client, "anna")
    join(client, "anna", bakery, "bert", "member")
    url = f"{ORGANISATIONS}/{bakery}"

    assert client.post(f"{url}/invitations", json={"role": "viewer"}, headers=as_("bert")).status_code == 403
    role = f"{url}/members/{PEOPLE['bert']}/role"
    assert client.put(role, json={"role": "owner"}, headers=as_("bert")).status_code == 403
    assert client.delete(f"{url}/members/{PEOPLE['anna']}", headers=as_("bert")).status_code == 403


def test_an_admin_neither_makes_owners_nor_unmakes_them(client: TestClient) -> None:
    bakery = found(client, "anna")
    join(client, "anna", bakery, "bert", "admin")
    url = f"{ORGANISATIONS}/{bakery}"

    for name in ("anna", "bert"):
        role = f"{url}/members/{PEOPLE[name]}/role"
        new = {"role": "viewer" if name == "anna" else "owner"}
        assert client.put(role, json=new, headers=as_("bert")).status_code == 403
    assert client.delete(f"{url}/members/{PEOPLE['anna']}", headers=as_("bert")).status_code == 403
    assert client.post(f"{url}/invitations", json={"role": "owner"}, headers=as_("bert")).status_code == 403


def test_the_last_owner_stays(client: TestClient) -> None:
    bakery = found(client, "anna")
    url = f"{ORGANISATIONS}/{bakery}/members/{PEOPLE['anna']}"

    assert client.delete(url, headers=as_("anna")).status_code == 409
    assert client.put(f"{url}/role", json={"role": "admin"}, headers=as_("anna")).status_code == 409


def test_two_owners_who_leave_at_the_same_time_leave_one_behind(client: TestClient) -> None:
    for _ in range(5):
        bakery = found(client, "anna")
        join(client, "anna", bakery, "bert", "owner")

        def leave(name: str, organisation: str = bakery) -> int:
            url = f"{ORGANISATIONS}/{organisation}/members/{PEOPLE[name]}"
            return client.delete(url, headers=as_(name)).status_code

        with ThreadPoolExecutor() as pool:
            assert sorted(pool.map(leave, ("anna", "bert"))) == [204, 409]


def test_whoever_was_removed_has_no_access_any_more(client: TestClient) -> None:
    bakery = found(client, "anna")
    join(client, "anna", bakery, "bert", "member")
    assert client.get("/notes", headers=as_("bert", bakery)).status_code == 200

    removed = client.delete(f"{ORGANISATIONS}/{bakery}/members/{PEOPLE['bert']}", headers=as_("anna"))

    assert removed.status_code == 204
    assert client.get("/notes", headers=as_("bert", bakery)).status_code == 404


# ── invitations ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invitation_is_good_for_one_person_even_when_several_try_at_once(client: TestClient) -> None:
    bakery = found(client, "anna")
    token = invite(client, "anna", bakery, "viewer")

    def accept(name: str) -> int:
        return client.post("/api/v1/invitations/accept", json={"token": token}, headers=as_(name)).status_code

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(accept, ("bert", "carl", "mallory"))) == [200, 422, 422]


def test_an_invitation_neither_lowers_nor_raises_who_is_a_member_already(client: TestClient) -> None:
    bakery = found(client, "anna")
    token = invite(client, "anna", bakery, "viewer")

    answer = client.post("/api/v1/invitations/accept", json={"token": token}, headers=as_("anna"))

    assert answer.json()["role"] == "owner"


def test_a_withdrawn_or_expired_invitation_opens_nothing(client: TestClient, owner_url: str) -> None:
    bakery = found(client, "anna")
    withdrawn, expired = (invite(client, "anna", bakery, "viewer") for _ in range(2))
    url = f"{ORGANISATIONS}/{bakery}/invitations"
    newest, oldest = client.get(url, headers=as_("anna")).json()["items"]
    assert client.delete(f"{url}/{oldest['id']}", headers=as_("anna")).status_code == 204
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("UPDATE invitations SET expires_at = now() WHERE id = %s", [UUID(newest["id"])])

    for token in (withdrawn, expired, "x" * 43):
        answer = client.post("/api/v1/invitations/accept", json={"token": token}, headers=as_("bert"))
        assert answer.status_code == 422


def test_the_token_of_an_invitation_is_kept_as_a_hash(client: TestClient, owner_url: str) -> None:
    token = invite(client, "anna", found(client, "anna"), "viewer")

    with psycopg.connect(owner_url) as connection:
        row = connection.execute("SELECT invitations::text FROM invitations").fetchone()
    assert row is not None
    assert token not in row[0]


def test_the_contract_says_what_a_member_needs_and_may_be_told(separated_database: Database) -> None:
    operations = create_app(separated_database).openapi()["paths"]["/notes"]

    assert operations["post"]["security"] == [{"name": ["notes:write"]}]
    assert {"401", "403", "404", "422"} <= operations["post"]["responses"].keys()
    assert {"401", "404", "422"} <= operations["get"]["responses"].keys()
    assert "403" not in operations["get"]["responses"]


def test_who_was_not_asked_for_as_a_member_acts_for_nobody() -> None:
    with pytest.raises(ValueError, match="TenantMember"):
        tenant_of(Principal(uuid7(), frozenset()))


# ── input ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a\x00b"},
        {"name": ""},
        {"name": None},
        {"name": "x" * 101},
        {"name": "x", "id": str(uuid7())},
    ],
)
def test_bad_input_is_refused_as_such(client: TestClient, body: dict[str, object]) -> None:
    assert client.post(ORGANISATIONS, json=body, headers=as_("anna")).status_code == 422


def test_a_change_of_what_was_not_seen_is_refused(client: TestClient) -> None:
    url = f"{ORGANISATIONS}/{found(client, 'anna')}"
    seen = client.get(url, headers=as_("anna")).headers["ETag"]

    changed = client.patch(url, json={"name": "Mill"}, headers=as_("anna", **{"If-Match": seen}))
    again = client.patch(url, json={"name": "Forge"}, headers=as_("anna", **{"If-Match": seen}))

    assert (changed.status_code, again.status_code) == (200, 412)
    assert client.patch(url, json={"name": "Forge"}, headers=as_("anna")).status_code == 428


def test_the_migration_makes_the_tables_of_the_models_and_takes_them_back(empty_database_url: str) -> None:
    tables = ("organisations", "memberships", "invitations")
    wanted = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in tables:
        Base.metadata.tables[table].to_metadata(wanted)
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        create_tenancy(Operations(context))
        assert compare_metadata(context, wanted) == []
        drop_tenancy(Operations(context))
        for table in tables:
            assert connection.exec_driver_sql(f"SELECT to_regclass('{table}')").scalar() is None
    engine.dispose()


def test_periodic_work_finds_every_tenant_and_nothing_else_of_them(
    owner_url: str, separated_database: Database
) -> None:
    engine = create_engine(for_sqlalchemy(owner_url))
    with Session(engine) as owner:
        made = [uuid7(), uuid7()]
        owner.add_all(Organisation(id=each, name="Acme") for each in made)
        owner.commit()
    engine.dispose()

    with separated_database.sync_sessions() as session:
        found = every_tenant(session)
        seen = session.scalars(select(Organisation.name)).all()
    separated_database.sync_engine.dispose()

    assert (list(found), list(seen)) == (made, [])


def test_a_name_that_needs_quotes_is_no_name_of_a_protected_table() -> None:
    with pytest.raises(ValueError, match="lower-case"):
        protect_by_tenant(None, 'notes"; DROP TABLE notes; --')
