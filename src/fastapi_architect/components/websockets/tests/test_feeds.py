"""What one socket alone is told, however much it is, and programs that bring their credentials."""

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from fastapi_architect.components.websockets.tests.conftest import HERE, Socket, StartServer, eventually


def test_a_feed_may_be_longer_than_the_queue_and_all_of_it_arrives_before_the_end(start: StartServer) -> None:
    server = start(queue_size=5)

    with server.connect(server.ticket(), path="/numbers?to=300&") as connection:
        socket = Socket(connection)
        found = [socket.hear()["data"]["number"] for _ in range(300)]

        assert found == list(range(300))
        assert socket.closing_code() == 1000


def test_a_feed_waits_for_a_slow_reader_and_not_for_long(start: StartServer) -> None:
    server = start(queue_size=5, send_seconds=0.5)

    with server.connect(
        server.ticket(),
        path="/numbers?to=1000000&",
        max_queue=1,
        close_timeout=1,
        compression=None,
    ):
        assert eventually(lambda: len(server.sockets.hub) == 1)
        assert eventually(lambda: len(server.sockets.hub) == 0, 15)

    # What the kernel takes for the client, and nothing that grows with the feed.
    assert server.app.state.counted < 100_000


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_a_program_may_bring_its_credentials_in_place_of_a_ticket(start: StartServer, name: str) -> None:
    server = start(allow_without_origin=True)
    url = f"{server.url.replace('http', 'ws')}/numbers?to=1"

    if name == "alice":
        with connect(url, additional_headers={"X-Name": name}, proxy=None) as connection:
            assert Socket(connection).hear()["data"]["number"] == 0
    else:
        with pytest.raises(InvalidStatus):
            connect(url, additional_headers={"X-Name": name}, proxy=None)


def test_a_page_may_not_bring_credentials_in_place_of_a_ticket(start: StartServer) -> None:
    server = start(allow_without_origin=True)
    url = f"{server.url.replace('http', 'ws')}/numbers?to=1"

    with pytest.raises(InvalidStatus):
        connect(url, additional_headers={"X-Name": "alice"}, origin=Origin(HERE), proxy=None)
