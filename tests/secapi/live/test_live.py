"""Listening to a scan with a real client on a real server: from a cursor on, without a gap, without a repetition."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from tests.secapi.conftest import Headers, NamedCallers, People, archive
from uuid_utils.compat import uuid7
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from fastapi_architect.components.database import bind_worker_setting
from fastapi_architect.components.testing.servers import RedisServer
from fastapi_architect.components.testing.serving import serving
from fastapi_architect.secapi.app import create_app
from fastapi_architect.secapi.registry import components
from fastapi_architect.secapi.scans.completing import end, note, scan_of
from fastapi_architect.secapi.scans.models import ScanState

API = "/api/v1"
PAGE = "https://secapi.example.com"


class Watched:
    """A running service with one scan of one organisation, and a worker's hand on it."""

    def __init__(self, url: str, people: People, environment: Mapping[str, str]) -> None:
        self.url, self.people, self.environment = url, people, environment
        self.http = httpx2.Client(base_url=url, timeout=30)
        self.organisation = people.organisation()
        self.maintainer = people.member(self.organisation, "maintainer")
        self.scan = self._submit()

    def _submit(self) -> str:
        project = self.http.post(f"{API}/projects", json={"name": "x"}, headers=self.maintainer).json()["id"]
        upload = uuid7()
        headers = self.maintainer | {"Content-Type": "application/zip"}
        content = archive(main="x = 1")
        self.http.put(f"{API}/uploads/{upload}", params={"name": "x.zip"}, content=content, headers=headers)
        body = {"upload_id": str(upload)}
        answer = self.http.post(f"{API}/projects/{project}/scans", json=body, headers=self.maintainer)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    @contextmanager
    def working(self) -> Iterator[tuple[Session, Any]]:
        """A worker's transaction on the scan."""
        engine = create_engine(self.environment["DATABASE_URL"])
        with Session(engine) as session:
            bind_worker_setting(session, "app.tenant_id", self.organisation)
            yield session, scan_of(session, self.scan)  # type: ignore[arg-type]  # PostgreSQL reads the text
            session.commit()
        engine.dispose()

    def happen(self, *kinds: str) -> None:
        for kind in kinds:
            with self.working() as (session, scan):
                note(session, scan, kind, {"n": kind})

    def end(self) -> None:
        with self.working() as (session, scan):
            end(session, scan, ScanState.FAILED, "x", "y")

    def listen(
        self, caller: Headers | None = None, *, since: int = 0, query: str = "", **options: Any
    ) -> ClientConnection:
        url = f"{self.url.replace('http', 'ws')}{API}/scans/{self.scan}/live?since={since}{query}"
        headers = self.maintainer if caller is None else caller
        return connect(url, additional_headers=headers, proxy=None, **options)


def heard(connection: ClientConnection, count: int | None = None) -> list[dict[str, Any]]:
    """Return so many events, or all of them until the server says that there are no more."""
    found: list[dict[str, Any]] = []
    while count is None or len(found) < count:
        try:
            message = json.loads(connection.recv(20))
        except ConnectionClosed as closed:
            code = None if closed.rcvd is None else closed.rcvd.code
            if count is None and code == 1000:
                break
            raise
        if message["type"] == "event":
            found.append(message["data"])
    return found


def code(connection: ClientConnection) -> int:
    while True:
        try:
            connection.recv(20)
        except ConnectionClosed as closed:
            return 0 if closed.rcvd is None else closed.rcvd.code


Start = Callable[..., Watched]


@pytest.fixture
def start(
    service_environment: Mapping[str, str],
    named_callers: NamedCallers,
    people: People,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Start]:
    """Start the service, with changes of its environment."""
    with ExitStack() as stack:

        def start(**changes: str) -> Watched:
            environment = {**service_environment, "WEBSOCKETS_ALLOWED_ORIGINS": PAGE, **changes}
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            app: FastAPI = create_app([named_callers, *components()])
            watched = Watched(stack.enter_context(serving(app)), people, environment)
            stack.callback(watched.http.close)
            return watched

        yield start


def test_a_listener_that_comes_back_hears_what_it_missed_and_nothing_twice(start: Start) -> None:
    watched = start()
    watched.happen("started", "root")
    with watched.listen() as connection:
        first = heard(connection, 2)
        watched.happen("root")
        first += heard(connection, 1)
    watched.happen("root-done", "root")
    with watched.listen(since=first[-1]["id"]) as connection:
        watched.end()
        rest = heard(connection)

    over_http = watched.http.get(f"{API}/scans/{watched.scan}/events", headers=watched.maintainer).json()
    assert [*first, *rest] == over_http
    assert [each["kind"] for each in rest] == ["root-done", "root", "finished"]


def test_a_listener_of_a_scan_that_has_ended_hears_all_of_it(start: Start) -> None:
    watched = start()
    with watched.working() as (session, scan):
        for number in range(230):  # more than two looks, and more than may wait for one client
            note(session, scan, "root", {"done": number})
    watched.end()

    with watched.listen() as connection:
        found = heard(connection)

    assert [each["details"].get("done") for each in found[:-1]] == list(range(230))
    assert found[-1]["kind"] == "finished"


def test_a_listener_hears_everything_while_redis_is_gone(
    start: Start, restartable_redis: RedisServer
) -> None:
    watched = start(REDIS_URL=restartable_redis.url)
    watched.happen("started")
    with watched.listen() as connection:
        found = heard(connection, 1)
        restartable_redis.stop()
        watched.happen("root")
        found += heard(connection, 1)
    with watched.listen(since=found[-1]["id"]) as connection:
        watched.end()
        found += heard(connection)

    assert [each["kind"] for each in found] == ["started", "root", "finished"]


def test_nobody_listens_who_may_not_read_the_scan(start: Start) -> None:
    watched = start(WEBSOCKETS_RECHECK_SECONDS="0.2")
    mallory = watched.people.member(watched.people.organisation("Evil"), "admin")
    narrow = watched.people.member(watched.organisation, "admin", scopes=frozenset({"findings:read"}))
    viewer = watched.people.member(watched.organisation, "viewer")

    with watched.listen(mallory) as connection:
        assert code(connection) == 4404
    with watched.listen(narrow) as connection:
        assert code(connection) == 4403
    for headers in ({}, {"X-Named-Caller": "nobody"}):
        with pytest.raises(InvalidStatus) as refused:
            watched.listen(headers)
        assert refused.value.response.status_code == 403
    watched.happen("started")
    with watched.listen(viewer) as connection:
        heard(connection, 1)
        engine = create_engine(watched.environment["DATABASE_OWNER_URL"])
        with engine.begin() as owner:
            owner.execute(
                text("DELETE FROM memberships WHERE account_id = :account"),
                {"account": viewer["X-Named-Caller"]},
            )
        engine.dispose()
        assert code(connection) == 3000


def test_a_page_needs_a_ticket_and_no_other_website_gets_in(start: Start) -> None:
    watched = start()
    watched.end()
    of_page = watched.maintainer | {"Origin": PAGE}
    ticket = watched.http.post(f"{API}/websockets/tickets", headers=of_page).json()["ticket"]

    # A page cannot send headers of its own; cookies travel along, and must not be enough.
    for origin, query in (
        (PAGE, ""),
        ("https://evil.example.com", f"&ticket={ticket}"),
        (PAGE, f"&ticket={'x' * 43}"),
    ):
        with pytest.raises(InvalidStatus) as refused:
            watched.listen(watched.maintainer, query=query, origin=origin)
        assert refused.value.response.status_code == 403
    with watched.listen({}, query=f"&ticket={ticket}", origin=PAGE) as connection:
        assert [each["kind"] for each in heard(connection)] == ["finished"]
    with pytest.raises(InvalidStatus):
        watched.listen({}, query=f"&ticket={ticket}", origin=PAGE)
