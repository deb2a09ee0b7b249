"""What an open socket has to bear, and when it ends."""

import json
import socket as socket_module
import time

import pytest

from fastapi_architect.components.service import begin_draining
from fastapi_architect.components.websockets.tests.conftest import (
    Server,
    Socket,
    StartServer,
    eventually,
    own_topic,
)
from fastapi_architect.components.websockets.tests.example import Directory, id_of


def test_a_client_says_something_and_gets_an_answer(start: StartServer) -> None:
    with start().socket() as socket:
        socket.say(type="message", data={"a": [1, None]})
        assert socket.hear() == {"type": "message", "data": {"a": [1, None]}}
        socket.say(type="message", data="refuse")
        assert socket.hear() == {"type": "message", "data": {"error": "Not now.", "status": 409}}


def test_a_topic_is_heard_by_those_who_may(start: StartServer) -> None:
    server = start()
    with server.socket() as socket:
        for topic, answer in [
            ("room:kitchen", "subscribed"),
            ("room:safe", "refused"),
            (own_topic("bob"), "refused"),
        ]:
            socket.say(type="subscribe", topic=topic)
            assert socket.hear() == {"type": answer, "topic": topic}
        server.publish("room:safe", "secret")
        server.publish(own_topic("bob"), "secret")
        server.publish("room:kitchen", "soup")
        assert socket.hear()["data"] == "soup"
        socket.say(type="unsubscribe", topic="room:kitchen")
        assert socket.hear()["type"] == "unsubscribed"
        server.publish("room:kitchen", "more soup")
        server.publish(own_topic(), "end")
        assert socket.hear()["data"] == "end"


def test_a_socket_hears_so_many_topics(start: StartServer, directory: Directory) -> None:
    directory.people[id_of("alice")] = frozenset({"room:1", "room:2"})
    with start(topics_per_socket=2).socket() as socket:
        socket.say(type="subscribe", topic="room:1")
        socket.say(type="subscribe", topic="room:2")
        assert [socket.hear()["type"], socket.hear()["type"]] == ["subscribed", "refused"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("x" * 20_000, 1009),
        ("\u20ac" * 6_000, 1009),
        ("x" * 2_000_000, 1009),
        (b"bytes", 1003),
        ("no json", 1008),
        ("[" * 16_000, 1008),
        ('{"type":"message","data":' + "[" * 8_000 + "]" * 8_000 + "}", 1008),
        ("{}", 1008),
        ('{"type":"admin"}', 1008),
        ('{"type":"pong","more":1}', 1008),
        ('{"type":"subscribe","topic":"*"}', 1008),
        ('{"type":"subscribe","topic":"a\\u0000"}', 1008),
        (json.dumps({"type": "subscribe", "topic": "x" * 201}), 1008),
    ],
    ids=str,
)
def test_a_message_that_is_not_as_agreed_ends_the_socket(
    start: StartServer, message: str | bytes, code: int
) -> None:
    server = start()
    with server.socket() as socket:
        socket.connection.send(message)
        assert socket.closing_code() == code
    assert eventually(lambda: len(server.sockets.hub) == 0)


def test_too_many_messages_end_the_socket(start: StartServer) -> None:
    with start(messages_per_second=1, burst=5).socket() as socket:
        for _ in range(5):
            socket.say(type="pong")
        assert socket.closing_code(0.3) is None
        for _ in range(5):
            socket.say(type="pong")
        assert socket.closing_code() == 1008


def flood(server: Server, socket: Socket) -> None:
    """Publish until the client, which does not read, counts as too slow."""
    deadline = time.monotonic() + 20
    while len(server.sockets.hub) > 1 and time.monotonic() < deadline:
        server.publish(own_topic("alice"), "x" * 60_000)


def test_a_slow_reader_is_let_go_and_holds_up_nobody(start: StartServer) -> None:
    server = start(queue_size=5, send_seconds=60)
    # The client's library reads ahead, unless its own queue is full.
    with (
        server.socket("alice", max_queue=1, close_timeout=1, compression=None) as slow,
        server.socket("bob") as quick,
    ):
        flood(server, slow)
        server.publish(own_topic("bob"), "for bob")

        assert quick.hear()["data"] == "for bob"
        assert len(server.sockets.hub) == 1
        assert slow.closing_code() == 1013


def test_a_client_that_takes_nothing_is_let_go_in_time(start: StartServer) -> None:
    server = start(queue_size=10_000, send_seconds=0.5)
    with server.socket("alice", max_queue=1, close_timeout=1, compression=None), server.socket("bob"):
        for _ in range(150):
            server.publish(own_topic("alice"), "x" * 60_000)
        assert eventually(lambda: len(server.sockets.hub) == 1)


def test_a_silent_client_is_let_go(start: StartServer) -> None:
    with start(heartbeat_seconds=0.2).socket() as socket:
        assert socket.closing_code() == 3008


def test_a_client_that_answers_stays(start: StartServer) -> None:
    server = start(heartbeat_seconds=0.2, messages_per_second=100)
    with server.socket() as socket:
        started = time.monotonic()
        while time.monotonic() - started < 1.2:
            assert json.loads(socket.connection.recv(2)) == {"type": "ping"}
            socket.say(type="pong")
        assert len(server.sockets.hub) == 1


def test_withdrawn_access_ends_the_socket(start: StartServer, directory: Directory) -> None:
    with start(recheck_seconds=0.2).socket() as socket:
        assert socket.closing_code(0.6) is None
        del directory.people[id_of("alice")]
        assert socket.closing_code() == 3000


def test_a_withdrawn_permission_ends_the_topic(start: StartServer, directory: Directory) -> None:
    server = start(recheck_seconds=0.2)
    with server.socket() as socket:
        socket.say(type="subscribe", topic="room:kitchen")
        assert socket.hear()["type"] == "subscribed"
        directory.people[id_of("alice")] = frozenset()
        assert socket.hear() == {"type": "refused", "topic": "room:kitchen"}
        server.publish("room:kitchen", "secret")
        server.publish(own_topic(), "end")
        assert socket.hear()["data"] == "end"


def test_a_permission_of_later_is_not_added_to_an_old_ticket(
    start: StartServer, directory: Directory
) -> None:
    with start(recheck_seconds=0.1).socket() as socket:
        directory.people[id_of("alice")] |= {"room:safe"}
        time.sleep(0.4)
        socket.say(type="subscribe", topic="room:safe")
        assert socket.hear()["type"] == "refused"


def test_the_end_of_the_token_ends_the_socket(start: StartServer, directory: Directory) -> None:
    directory.proof_seconds = 1.0
    started = time.monotonic()
    with start().socket() as socket:
        assert socket.closing_code() == 3000
    assert time.monotonic() - started < 4


def test_a_socket_is_renewed_now_and_then(start: StartServer) -> None:
    with start(max_seconds=0.5).socket() as socket:
        assert socket.closing_code() == 3000


def test_a_client_that_vanishes_leaves_nothing(start: StartServer) -> None:
    server = start(sockets_per_principal=1)
    for _ in range(3):
        with server.connect(server.ticket(), close_timeout=0) as connection:
            assert eventually(lambda: len(server.sockets.hub) == 1)
            connection.socket.shutdown(socket_module.SHUT_RDWR)  # without a word
            assert eventually(lambda: len(server.sockets.hub) == 0)


def test_clients_are_sent_elsewhere_before_the_process_ends(start: StartServer) -> None:
    server = start()
    with server.socket("alice") as socket:
        begin_draining(server.app)
        assert socket.closing_code() == 1001
    with server.connect(server.ticket("bob")) as late:
        assert Socket(late).closing_code() == 1001


def test_a_server_that_stops_at_once_lets_its_sockets_go(start: StartServer) -> None:
    server = start()
    with server.socket() as socket:
        started = time.monotonic()
        server.stop()
        assert socket.closing_code() in {1001, 1012}  # uvicorn may be quicker than we
    assert time.monotonic() - started < 5
    assert len(server.sockets.hub) == 0
