"""Guessing is slow, tells nothing, and keeps nobody out."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from httpx2 import ASGITransport, AsyncClient

from fastapi_architect.components.accounts import PasswordHashing
from fastapi_architect.components.accounts.attempts import network_of
from fastapi_architect.components.accounts.tests.asking import (
    AUTH,
    EMAIL,
    ME,
    at_once,
    bearer,
    log_in,
    run,
    statements_of,
)
from fastapi_architect.components.accounts.tests.example import (
    OTHER_PASSWORD,
    PASSWORD,
    CountingHasher,
    Service,
    settings,
)
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import Unavailable

WRONG = "some entirely wrong phrase"


def attempt(client: TestClient, email: str = EMAIL, password: str = WRONG) -> Any:
    return client.post(f"{AUTH}/login", json={"email": email, "password": password})


def from_address(service: Service, address: str) -> TestClient:
    return TestClient(service.app, client=(address, 50000))


def test_who_signed_in_is_known(service: Service, client: TestClient) -> None:
    account_id = service.register(client)

    assert client.get("/who", headers=bearer(log_in(client))).json() == account_id


@pytest.mark.parametrize("case", ["unknown", "wrong", "deactivated"])
def test_every_refusal_is_the_same_and_costs_the_same(
    service: Service, client: TestClient, database_url: str, case: str
) -> None:
    service.register(client)
    seen = []
    for kind in ("wrong", case):
        if kind == "deactivated":
            run(database_url, "UPDATE accounts SET deactivated_at = now()")
        service.hasher.hashed = service.hasher.verified = 0
        with statements_of(service.database) as statements:
            email = "nobody@example.com" if kind == "unknown" else EMAIL
            answer = attempt(client, email, PASSWORD if kind == "deactivated" else WRONG)
        problem = answer.json() | {"request_id": ""}
        hashes = (service.hasher.hashed, service.hasher.verified)
        seen.append((answer.status_code, problem, list(statements), hashes))

    assert seen[0] == seen[1]
    assert seen[0][0] == 401
    assert seen[0][3] == (0, 1)


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
def test_guessing_ends_after_some_tries_for_known_and_unknown_addresses(
    service: Service, client: TestClient, email: str
) -> None:
    service.register(client)
    statuses = [attempt(client, email).status_code for _ in range(12)]

    assert statuses == [401] * 10 + [429] * 2
    refusal = attempt(client, email)
    assert 0 < int(refusal.headers["retry-after"]) <= 15 * 60
    # Not even the right password tells the guesser that it is right.
    assert attempt(client, email, PASSWORD).json() | {"request_id": ""} == refusal.json() | {"request_id": ""}


@pytest.mark.anyio
async def test_parallel_guesses_do_not_get_around_the_limit(service: Service, client: TestClient) -> None:
    service.register(client)
    service.hasher.verified = 0

    answers = await at_once(service, f"{AUTH}/login", [{"email": EMAIL, "password": WRONG}] * 30)

    assert sorted({answer.status_code for answer in answers}) == [401, 429]
    assert service.hasher.verified == 10


def test_a_limit_ends_by_itself(service: Service, client: TestClient, database_url: str) -> None:
    service.register(client)
    for _ in range(11):
        attempt(client)
    run(database_url, "UPDATE account_attempts SET window_ends_at = now() - interval '1 second'")

    assert log_in(client)


def test_trying_on_does_not_prolong_a_limit(service: Service, client: TestClient, database_url: str) -> None:
    service.register(client)
    for _ in range(11):
        attempt(client)
    before = run(database_url, "SELECT key, window_ends_at FROM account_attempts ORDER BY key")
    for _ in range(5):
        attempt(client)

    assert run(database_url, "SELECT key, window_ends_at FROM account_attempts ORDER BY key") == before


def test_signing_in_forgets_the_tries_before(service: Service, client: TestClient) -> None:
    service.register(client)
    for _ in range(4):
        for _ in range(9):
            assert attempt(client).status_code == 401
        log_in(client)


def test_one_place_does_not_try_many_accounts(database: Database) -> None:
    service = Service(database, settings(attempts_per_address=20))
    with TestClient(service.app) as client:
        statuses = [attempt(client, f"person{number}@example.com").status_code for number in range(21)]

    assert statuses == [401] * 20 + [429]


def test_nobody_is_kept_out_by_somebody_elses_guesses(database: Database) -> None:
    """Guesses from everywhere stop guesses, and not the owner where they have been before, nor after a reset."""
    service = Service(database, settings(attempts_per_account=20))
    with from_address(service, "198.51.100.1") as home:
        service.register(home)
        log_in(home)
        for number in range(30):
            with from_address(service, f"203.0.113.{number}") as guesser:
                attempt(guesser)

        with from_address(service, "203.0.113.200") as guesser:
            assert attempt(guesser).status_code == 429
        assert log_in(home)

        with from_address(service, "192.0.2.7") as travelling:
            assert attempt(travelling, password=PASSWORD).status_code == 429
            travelling.post(f"{AUTH}/forgot-password", json={"email": EMAIL})
            body = {"token": service.mailed_token(EMAIL), "password": OTHER_PASSWORD}
            assert travelling.post(f"{AUTH}/reset-password", json=body).status_code == 204
            for number in range(30):
                with from_address(service, f"203.0.113.{number}") as guesser:
                    attempt(guesser)
            assert log_in(travelling, password=OTHER_PASSWORD)


def test_one_customer_of_ipv6_is_one_client() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::1") != network_of("2001:db8:1:2::1")
    assert network_of("::ffff:203.0.113.7") == network_of("203.0.113.7") == "203.0.113.7"


def test_a_header_does_not_make_another_client(service: Service, client: TestClient) -> None:
    service.register(client)
    statuses = []
    for number in range(11):
        headers = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"}
        body = {"email": EMAIL, "password": WRONG}
        statuses.append(client.post(f"{AUTH}/login", json=body, headers=headers).status_code)

    assert statuses[-1] == 429


def test_a_weak_hash_is_replaced_when_its_owner_signs_in(
    service: Service, client: TestClient, database_url: str
) -> None:
    service.register(client)
    weak = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    run(database_url, f"UPDATE accounts SET password_hash = '{weak}'")
    log_in(client)

    ((stored,),) = run(database_url, "SELECT password_hash FROM accounts")
    assert stored != weak
    assert stored.startswith("$argon2id$")
    assert log_in(client)


class HeldHasher(CountingHasher):
    """Verifies only when it is let, and notes how many threads wait in it."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()
        self.let.set()
        self.inside = self.most_inside = 0
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - as its base names it
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.let.wait(20)
        with self._lock:
            self.inside -= 1
        return super().verify(hash, password)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


@pytest.mark.anyio
async def test_the_event_loop_serves_others_while_passwords_are_hashed(database: Database) -> None:
    hasher = HeldHasher()
    service = Service(database, hasher=hasher, hashing=PasswordHashing(hasher, at_once=2, waiting=3))
    transport = ASGITransport(app=service.app)
    async with (
        service.app.router.lifespan_context(service.app),
        AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        hasher.let.clear()
        body = {"email": "nobody@example.com", "password": WRONG}
        logins = [asyncio.create_task(client.post(f"{AUTH}/login", json=body)) for _ in range(4)]
        await until(lambda: hasher.inside == 2)

        assert (await client.get("/open")).status_code == 200
        hasher.let.set()
        statuses = [(await login).status_code for login in logins]

    assert hasher.most_inside == 2
    assert statuses == [401] * 4


@pytest.mark.anyio
async def test_no_connection_is_held_while_a_password_is_hashed(database: Database) -> None:
    hasher = HeldHasher()
    service = Service(database, hasher=hasher, hashing=PasswordHashing(hasher))
    transport = ASGITransport(app=service.app)
    async with (
        service.app.router.lifespan_context(service.app),
        AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        hasher.let.clear()
        body = {"email": "nobody@example.com", "password": WRONG}
        login = asyncio.create_task(client.post(f"{AUTH}/login", json=body))
        await until(lambda: hasher.inside == 1)
        held = database.engine.pool.checkedout()  # type: ignore[attr-defined]
        hasher.let.set()
        await login

    assert held == 0


@pytest.mark.anyio
async def test_who_comes_when_too_many_wait_is_told_to_come_back() -> None:
    hasher = HeldHasher()
    hashing = PasswordHashing(hasher, at_once=1, waiting=2)
    await hashing.prepare()
    hasher.let.clear()
    served = [asyncio.create_task(hashing.verify(None, WRONG)) for _ in range(3)]
    await until(lambda: hasher.inside == 1)

    with pytest.raises(Unavailable):
        await hashing.verify(None, WRONG)
    hasher.let.set()

    assert [await one for one in served] == [False] * 3


@pytest.mark.anyio
async def test_a_login_that_overlaps_with_a_reset_begins_a_dead_session(database: Database) -> None:
    hasher = HeldHasher()
    service = Service(database, hasher=hasher, hashing=PasswordHashing(hasher, at_once=2))
    with TestClient(service.app) as setting_up:
        service.register(setting_up)
        setting_up.post(f"{AUTH}/forgot-password", json={"email": EMAIL})
        token = service.mailed_token(EMAIL)
    await database.engine.dispose()
    transport = ASGITransport(app=service.app)
    async with (
        service.app.router.lifespan_context(service.app),
        AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        hasher.let.clear()
        body = {"email": EMAIL, "password": PASSWORD}
        login = asyncio.create_task(client.post(f"{AUTH}/login", json=body))
        await until(lambda: hasher.inside == 1)
        reset = {"token": token, "password": OTHER_PASSWORD}
        assert (await client.post(f"{AUTH}/reset-password", json=reset)).status_code == 204
        hasher.let.set()
        tokens = (await login).json()

        assert (await client.get(ME, headers=bearer(tokens))).status_code == 401
        refreshing = {"refresh_token": tokens["refresh_token"]}
        assert (await client.post(f"{AUTH}/refresh", json=refreshing)).status_code == 401


STRANGE_LOGINS: list[dict[str, Any]] = [
    {},
    {"email": EMAIL},
    {"email": EMAIL, "password": None},
    {"email": EMAIL, "password": ""},
    {"email": EMAIL, "password": "x" * 129},
    {"email": "a\u0000b", "password": WRONG},
    {"email": "x" * 255, "password": WRONG},
    {"email": EMAIL, "password": WRONG, "roles": ["admin"]},
    {"email": {"$ne": ""}, "password": {"$ne": ""}},
]


def test_strange_input_is_refused(client: TestClient) -> None:
    for body in STRANGE_LOGINS:
        answer = client.post(f"{AUTH}/login", json=body)

        assert answer.status_code == 422, body
        assert WRONG not in answer.text


def test_half_a_character_is_refused(client: TestClient) -> None:
    raw = b'{"email": "\\ud800@example.com", "password": "\\ud800 and some more"}'
    answer = client.post(f"{AUTH}/login", content=raw, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
