"""Bounded time, bounded answers, repeated with care."""

import time

import anyio
import pytest

from fastapi_architect.components.outgoing_http import (
    AnswerRefused,
    AnswerTooLate,
    CircuitBreakers,
    CircuitOpen,
    GuardedClient,
    HostUnreachable,
    OutgoingHttp,
    OutgoingHttpSettings,
)
from fastapi_architect.components.outgoing_http.circuit_breaker import Outcome
from fastapi_architect.components.outgoing_http.retries import RetryPolicy
from fastapi_architect.components.outgoing_http.tests.conftest import Names, calling, settings_for
from fastapi_architect.components.outgoing_http.tests.hosts import Partner, drip, hang_up, raw_server
from fastapi_architect.components.service.request_id import bind_request_id

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["large", "endless", "bomb"])
async def test_an_answer_that_is_too_large_is_refused(
    outgoing: OutgoingHttp, partner: Partner, path: str
) -> None:
    with pytest.raises(AnswerRefused):
        await outgoing.get(f"{partner.base}/{path}")
    assert (await outgoing.get(f"{partner.base}/")).text == "hello"


@pytest.mark.parametrize("path", ["large", "endless", "bomb"])
def test_a_worker_refuses_it_too(client: GuardedClient, partner: Partner, path: str) -> None:
    with pytest.raises(AnswerRefused):
        client.get(f"{partner.base}/{path}")
    assert client.get(f"{partner.base}/").text == "hello"


async def test_a_host_that_drips_cannot_outlast_the_deadline(names: Names) -> None:
    with raw_server(drip) as port:
        url = f"http://partner.example:{port}/"
        settings = settings_for(url, total_timeout=0.5, attempts=1)
        started = time.monotonic()
        async with calling(OutgoingHttp(settings, resolver=names.ask_later)) as outgoing:
            with pytest.raises(AnswerTooLate):
                await outgoing.get(url)
        with GuardedClient(settings, resolver=names.ask) as client, pytest.raises(AnswerTooLate):
            client.get(url)
        assert time.monotonic() - started < 4


async def test_a_resolver_that_hangs_does_not_hold_up_the_call(partner: Partner) -> None:
    async def hang(host: str, port: int) -> list[str]:
        await anyio.sleep(60)
        return []

    settings = settings_for(partner.base, connect_timeout=0.2, attempts=1)
    async with calling(OutgoingHttp(settings, resolver=hang)) as outgoing:
        with pytest.raises(AnswerTooLate) as refusal:
            await outgoing.get(f"{partner.base}/")
    assert not refusal.value.sent


async def test_the_next_address_is_tried_when_one_takes_no_connection(partner: Partner, names: Names) -> None:
    names.answers["partner.example"] = [["127.0.0.9", "127.0.0.1"]]
    settings = settings_for(partner.base, allowed_networks=("127.0.0.0/8",), attempts=1)

    async with calling(OutgoingHttp(settings, resolver=names.ask_later)) as outgoing:
        assert (await outgoing.get(f"{partner.base}/")).text == "hello"
    with GuardedClient(settings, resolver=names.ask) as client:
        assert client.get(f"{partner.base}/").text == "hello"


def test_lists_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTGOING_HTTP_PORTS", "443, 8443")
    monkeypatch.setenv("OUTGOING_HTTP_ALLOWED_NETWORKS", "10.20.0.0/16,fd12::/16")

    settings = OutgoingHttpSettings()

    assert settings.ports == {443, 8443}
    assert [str(network) for network in settings.allowed_networks] == ["10.20.0.0/16", "fd12::/16"]


async def test_what_is_idempotent_is_sent_again(outgoing: OutgoingHttp, partner: Partner) -> None:
    partner.script = [503, 502]

    assert (await outgoing.get(f"{partner.base}/script")).status_code == 200
    assert len(partner.requests) == 3


async def test_the_last_answer_is_the_answer(outgoing: OutgoingHttp, partner: Partner) -> None:
    partner.script = [503] * 5

    assert (await outgoing.get(f"{partner.base}/script")).status_code == 503
    assert len(partner.requests) == 3


async def test_a_post_is_sent_once(outgoing: OutgoingHttp, partner: Partner) -> None:
    partner.script = [503]

    assert (await outgoing.post(f"{partner.base}/script", json={})).status_code == 503
    assert len(partner.requests) == 1


async def test_a_post_is_sent_again_when_asked(client: GuardedClient, partner: Partner) -> None:
    partner.script = [503]

    assert client.post(f"{partner.base}/script", json={}, retry=True).status_code == 200
    assert len(partner.requests) == 2


async def test_a_post_that_may_have_arrived_is_not_sent_again(names: Names) -> None:
    arrived: list[int] = []

    def behave(connection: object) -> None:
        arrived.append(1)
        hang_up(connection)  # type: ignore[arg-type]

    with raw_server(behave) as port:
        url = f"http://partner.example:{port}/"
        async with calling(OutgoingHttp(settings_for(url), resolver=names.ask_later)) as outgoing:
            with pytest.raises(HostUnreachable):
                await outgoing.post(url, content=b"pay")
            assert len(arrived) == 1
            with pytest.raises(HostUnreachable):
                await outgoing.get(url)
            assert len(arrived) == 4


async def test_a_request_to_wait_is_kept_to(outgoing: OutgoingHttp, partner: Partner) -> None:
    partner.script, partner.retry_after = [429], "1"
    started = time.monotonic()

    assert (await outgoing.get(f"{partner.base}/script")).status_code == 200
    assert time.monotonic() - started >= 1


async def test_a_long_wait_is_the_caller_s_to_decide(outgoing: OutgoingHttp, partner: Partner) -> None:
    partner.script, partner.retry_after = [429], "3600"

    assert (await outgoing.get(f"{partner.base}/script")).status_code == 429
    assert len(partner.requests) == 1


async def test_a_failing_host_is_left_alone_and_tried_again(partner: Partner, names: Names) -> None:
    settings = settings_for(partner.base, attempts=1, breaker_failures=3, breaker_seconds=0.3)
    partner.script = [500, 500, 500]
    async with calling(OutgoingHttp(settings, resolver=names.ask_later)) as outgoing:
        for _ in range(3):
            assert (await outgoing.get(f"{partner.base}/script")).status_code == 500
        with pytest.raises(CircuitOpen) as refusal:
            await outgoing.get(f"{partner.base}/script")
        assert refusal.value.status == 503
        assert "Retry-After" in refusal.value.headers
        assert len(partner.requests) == 3
        await anyio.sleep(0.35)
        assert (await outgoing.get(f"{partner.base}/script")).status_code == 200
        assert (await outgoing.get(f"{partner.base}/script")).status_code == 200


async def test_the_request_s_identifier_is_passed_on(outgoing: OutgoingHttp, partner: Partner) -> None:
    bind_request_id("request-7")

    await outgoing.get(f"{partner.base}/")

    assert partner.requests[0].headers["x-request-id"] == "request-7"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fail(breakers: CircuitBreakers, host: str = "a") -> None:
    with breakers.watch(host) as watch:
        watch.outcome = Outcome.BAD


def test_one_probe_decides() -> None:
    clock = Clock()
    breakers = CircuitBreakers(failures=2, open_seconds=10, clock=clock)
    fail(breakers)
    fail(breakers)
    with pytest.raises(CircuitOpen):
        fail(breakers)
    clock.now = 11
    with breakers.watch("a"), pytest.raises(CircuitOpen):
        fail(breakers)  # a second one while the probe is under way
    fail(breakers)  # the first probe was cancelled: somebody else may try, and fails
    with pytest.raises(CircuitOpen):
        fail(breakers)
    clock.now = 22
    with breakers.watch("a") as watch:
        watch.outcome = Outcome.GOOD
    fail(breakers)  # closed again: counted from the beginning


def test_an_old_answer_does_not_close_a_circuit() -> None:
    breakers = CircuitBreakers(failures=1)
    with breakers.watch("a") as watch:
        fail(breakers)
        watch.outcome = Outcome.GOOD
    with pytest.raises(CircuitOpen):
        fail(breakers)


def test_hosts_do_not_fill_the_memory() -> None:
    breakers = CircuitBreakers(failures=2, capacity=10)
    for number in range(100):
        fail(breakers, f"host-{number}")
    assert len(breakers._circuits) == 10


def test_waits_grow_and_differ() -> None:
    policy = RetryPolicy(attempts=4, first_wait=1, longest_wait=3, chance=lambda: 0.5)

    assert [policy.wait(attempt) for attempt in (1, 2, 3, 4)] == [0.5, 1.0, 1.5, None]
