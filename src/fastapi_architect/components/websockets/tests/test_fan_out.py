"""Events between processes, with Redis and without."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from fastapi_architect.components.redis_pool import RedisPool, RedisSettings
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.servers import RedisServer
from fastapi_architect.components.websockets import announce
from fastapi_architect.components.websockets.fan_out import Envelope, FanOut, channel_of
from fastapi_architect.components.websockets.tests.conftest import StartServer, eventually, own_topic


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis of this test's own, which it may stop."""
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory))
        try:
            yield server
        finally:
            server.stop()


def pool_at(url: str) -> RedisPool:
    return RedisPool(RedisSettings(url=SecretStr(url), environment=Environment.LOCAL))


def test_an_event_is_heard_in_every_process_once(start: StartServer) -> None:
    one, other = start(), start()
    with one.socket() as here, other.socket() as there:
        for number in range(20):
            one.publish(own_topic(), number)
        other.publish(own_topic(), "end")

        heard_there = [there.hear()["data"] for _ in range(21)]
        heard_here = [here.hear()["data"] for _ in range(21)]
    assert [data for data in heard_here if data != "end"] == list(range(20))
    assert [data for data in heard_there if data != "end"] == list(range(20))


def test_a_worker_announces(start: StartServer, redis_url: str) -> None:
    with start().socket() as socket:
        announce(pool_at(redis_url), own_topic(), {"order": 7})
        assert socket.hear()["data"] == {"order": 7}


def test_a_principal_is_sent_away_from_every_process(start: StartServer) -> None:
    one, other = start(), start()
    with one.socket("alice") as here, other.socket("alice") as there, other.socket("bob") as bob:
        one.http.post("/farewells", headers={"X-Name": "alice"})
        assert here.closing_code() == there.closing_code() == 3000
        assert bob.closing_code(0.3) is None


def test_without_redis_events_are_heard_in_their_process_and_the_others_are_told_of_a_gap(
    start: StartServer, own_redis: RedisServer
) -> None:
    one, other = start(own_redis.url), start(own_redis.url)
    with one.socket() as here, other.socket() as there:
        own_redis.stop()
        started = time.monotonic()
        one.publish(own_topic(), "while redis is gone")
        assert here.hear()["data"] == "while redis is gone"
        assert time.monotonic() - started < 1
        assert one.buy().status_code == 503

        own_redis.start()
        assert here.hear(10)["type"] == "gap"
        # What waited is sent when Redis is back; whether the other one listens again by then, nobody can say.
        while there.hear(10)["type"] != "gap":
            pass
        one.publish(own_topic(), "after")
        heard = [there.hear()]
        while heard[-1]["data"] != "after":
            heard.append(there.hear())
        assert len(heard) <= 2


def test_what_waits_for_redis_is_bounded(own_redis: RedisServer) -> None:
    fan_out = FanOut(pool_at(own_redis.url), 10, print, print)
    for number in range(100):
        fan_out.send(Envelope(kind="event", id=str(number), data=number))
    assert [envelope.data for _, envelope in fan_out._waiting] == list(range(90, 100))


def test_a_message_that_is_not_ours_harms_nobody(start: StartServer, redis_url: str) -> None:
    with start().socket() as socket:
        pool = pool_at(redis_url)
        for message in (b"", b"no json", b"{}", b'{"kind":"end","id":"1"}', b'{"kind":"admin","id":"1"}'):
            pool.sync_client.publish(channel_of(pool), message)
        envelope = Envelope(kind="event", id="twice", topic=own_topic(), data="once").model_dump_json()
        pool.sync_client.publish(channel_of(pool), envelope)
        pool.sync_client.publish(channel_of(pool), envelope)
        announce(pool, own_topic(), "end")

        assert [socket.hear()["data"], socket.hear()["data"]] == ["once", "end"]


def test_an_event_that_is_too_large_is_the_publisher_s_error(start: StartServer) -> None:
    server = start()
    answer = server.http.post(
        "/events", json={"topic": "room:kitchen", "data": "x" * 70_000}, headers={"X-Name": "bob"}
    )
    assert answer.status_code == 500


def test_a_silent_redis_is_noticed(start: StartServer, own_redis: RedisServer) -> None:
    server = start(own_redis.url)
    own_redis.stop()
    assert eventually(lambda: not server.sockets.fan_out.listening.is_set(), 10)


def test_an_application_runs_in_one_event_loop_after_the_other(start: StartServer) -> None:
    server = start()
    server.stop()
    for _ in range(2):
        with TestClient(server.app):
            assert eventually(server.sockets.fan_out.listening.is_set)
