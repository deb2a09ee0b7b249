"""Who gets a socket, and who does not."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from websockets.exceptions import InvalidStatus

from fastapi_architect.components.websockets.tests.conftest import (
    ALSO_HERE,
    HERE,
    Server,
    Socket,
    StartServer,
    eventually,
    own_topic,
)

ELSEWHERE = "https://evil.example"


def status_of(server: Server, ticket: str, origin: str | None = HERE) -> int:
    """Return the status of a handshake."""
    try:
        with server.connect(ticket, origin):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_a_ticket_opens_a_socket_that_hears_its_owner_s_events(start: StartServer) -> None:
    server = start()
    with server.socket("alice") as alice, server.socket("bob") as bob:
        server.publish(own_topic("alice"), {"order": 7})
        server.publish(own_topic("bob"), "for bob")

        assert alice.hear() == {"type": "event", "topic": own_topic("alice"), "data": {"order": 7}}
        assert bob.hear()["data"] == "for bob"


@pytest.mark.parametrize(
    "origin", [None, ELSEWHERE, "null", f"{HERE}.evil.example", HERE.replace("https", "http")]
)
def test_no_other_website_opens_a_socket(start: StartServer, origin: str | None) -> None:
    server = start()

    assert status_of(server, server.ticket(), origin) == 403
    assert server.buy("alice", origin).status_code == 403
    assert len(server.sockets.hub) == 0


def test_another_website_does_not_use_up_a_ticket(start: StartServer) -> None:
    server = start()
    ticket = server.ticket()

    assert status_of(server, ticket, ELSEWHERE) == 403
    assert status_of(server, ticket) == 101


def test_a_ticket_is_good_for_the_website_that_asked_for_it(start: StartServer) -> None:
    server = start()

    assert status_of(server, server.ticket(origin=ALSO_HERE), HERE) == 403
    assert status_of(server, server.ticket(origin=ALSO_HERE), ALSO_HERE) == 101


def test_a_program_without_origin_gets_in_only_where_that_is_allowed(start: StartServer) -> None:
    server = start(allow_without_origin=True)

    assert status_of(server, server.ticket(origin=None), None) == 101
    assert status_of(server, server.ticket(origin=HERE), None) == 403  # a page's ticket in somebody's hands


def test_a_ticket_is_good_once(start: StartServer) -> None:
    server = start()
    ticket = server.ticket()

    assert status_of(server, ticket) == 101
    assert status_of(server, ticket) == 403


def test_a_ticket_is_good_once_also_at_the_same_moment(start: StartServer) -> None:
    servers = [start(), start()]
    ticket = servers[0].ticket()

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(lambda number: status_of(servers[number % 2], ticket), range(6)))
    assert statuses == [101, 403, 403, 403, 403, 403]


def test_a_ticket_is_good_for_seconds(start: StartServer) -> None:
    server = start(ticket_seconds=1)
    ticket = server.ticket()
    time.sleep(1.1)

    assert status_of(server, ticket) == 403


@pytest.mark.parametrize("ticket", ["", "x" * 43, "x" * 5000, "%00" * 20, "*" * 43])
def test_a_ticket_that_nobody_sold_opens_nothing(start: StartServer, ticket: str) -> None:
    assert status_of(start(), ticket) in {403, 422}


def test_a_stranger_gets_no_ticket(start: StartServer) -> None:
    assert start().buy("nobody").status_code == 401


def test_redis_does_not_know_tickets(start: StartServer, redis_url: str) -> None:
    server = start()
    ticket = server.ticket()

    with redis.Redis.from_url(redis_url) as client:
        stored = b"".join(key + (client.get(key) or b"") for key in client.keys("*ticket*"))
    assert stored
    assert ticket.encode() not in stored


def test_one_principal_has_so_many_sockets_in_all_processes(start: StartServer) -> None:
    one, other = start(sockets_per_principal=2), start(sockets_per_principal=2)
    with one.socket() as first, other.socket():
        with one.connect(one.ticket()) as third:
            assert Socket(third).closing_code() == 1013
        with one.socket("bob"):
            pass
        first.connection.close()
        assert eventually(lambda: len(one.sockets.hub) == 0)
        with other.socket() as again:
            assert again.closing_code(0.3) is None


def test_two_at_once_do_not_get_the_same_last_place(start: StartServer) -> None:
    servers = [start(sockets_per_principal=2), start(sockets_per_principal=2)]
    tickets = [server.ticket() for server in servers * 3]

    def is_closed(number: int) -> bool:
        with servers[number % 2].connect(tickets[number]) as connection:
            return Socket(connection).closing_code(1.5) is not None

    with ThreadPoolExecutor(6) as pool:
        closed = list(pool.map(is_closed, range(6)))
    assert closed.count(False) <= 2


def test_a_process_has_so_many_sockets(start: StartServer) -> None:
    server = start(max_sockets=1)
    with server.socket("alice"), server.connect(server.ticket("bob")) as second:
        assert Socket(second).closing_code() == 1013


def test_an_open_socket_holds_no_connection_to_the_database(start: StartServer) -> None:
    server = start(recheck_seconds=0.1)
    with server.socket() as socket:
        socket.say(type="subscribe", topic="room:kitchen")
        assert socket.hear()["type"] == "subscribed"
        assert eventually(lambda: server.database.engine.pool.checkedout() == 0)  # type: ignore[attr-defined]
