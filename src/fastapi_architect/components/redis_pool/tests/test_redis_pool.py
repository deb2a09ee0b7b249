"""What a request pays when Redis is well, slow, silent or gone."""

import asyncio
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError
from redis.exceptions import RedisError, ResponseError, WatchError

from fastapi_architect.components.redis_pool import CircuitOpen, CircuitState, RedisPool, RedisSettings
from fastapi_architect.components.redis_pool.client import GuardedPipeline
from fastapi_architect.components.redis_pool.tests.example import create_app
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.fault_proxy import FaultProxy, fault_proxy
from fastapi_architect.components.testing.servers import RedisServer, free_port


def pool_at(url: str, **settings: object) -> RedisPool:
    return RedisPool(
        RedisSettings.model_validate({"url": url, "environment": Environment.LOCAL, **settings}),
    )


@asynccontextmanager
async def open_pool(url: str, **settings: object) -> AsyncIterator[RedisPool]:
    pool = pool_at(url, **settings)
    try:
        yield pool
    finally:
        await pool.client.aclose()
        await pool.client.connection_pool.disconnect()


@pytest.fixture
def proxy(redis_url: str) -> Iterator[FaultProxy]:
    with fault_proxy(urlsplit(redis_url).port or 6379) as proxy:
        yield proxy


def test_a_request_gets_the_client_of_the_process(redis_pool: RedisPool) -> None:
    with TestClient(create_app(redis_pool)) as client:
        assert [client.get("/visits").json() for _ in range(3)] == [1, 2, 3]


def test_the_service_starts_and_answers_without_redis() -> None:
    pool = pool_at(f"redis://127.0.0.1:{free_port()}/0")
    with TestClient(create_app(pool)) as client:
        assert client.get("/visits").json() is None


def test_keys_carry_the_prefix_of_the_service(redis_url: str) -> None:
    assert pool_at(redis_url, prefix="shop").key("cache", "books") == "shop:cache:books"
    assert pool_at(redis_url).key("cache", "books") == "cache:books"


def queued(pool: RedisPool) -> GuardedPipeline:
    pipeline = pool.client.pipeline()
    pipeline.get("key")
    return pipeline


@pytest.mark.anyio
async def test_a_silent_redis_costs_a_timeout_and_then_nothing(proxy: FaultProxy) -> None:
    proxy.swallows = True
    async with open_pool(
        f"redis://127.0.0.1:{proxy.port}/0", timeout=0.1, breaker_failures=3, breaker_pause=60
    ) as pool:
        for _ in range(3):
            with pytest.raises(RedisError):
                await pool.client.get("key")
        assert pool.breaker.state is CircuitState.OPEN

        began = time.perf_counter()
        for _ in range(200):
            with pytest.raises(CircuitOpen):
                await pool.client.get("key")
            with pytest.raises(CircuitOpen):
                await queued(pool).execute()
        assert time.perf_counter() - began < 0.1
        assert proxy.accepted <= 3


@pytest.mark.anyio
async def test_many_at_once_at_a_silent_redis_wait_for_one_timeout(proxy: FaultProxy) -> None:
    proxy.swallows = True
    async with open_pool(f"redis://127.0.0.1:{proxy.port}/0", timeout=0.1, max_connections=10) as pool:
        began = time.perf_counter()
        results = await asyncio.gather(*(pool.client.get("key") for _ in range(200)), return_exceptions=True)
        assert all(isinstance(result, RedisError) for result in results)
        assert time.perf_counter() - began < 1


@pytest.mark.anyio
async def test_it_recovers_by_itself_when_redis_is_back(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    try:
        async with open_pool(server.url, breaker_failures=2, breaker_pause=0.1) as pool:
            await pool.client.set("key", "value")
            server.stop()
            for _ in range(4):
                with pytest.raises(RedisError):
                    await pool.client.get("key")
            server.start()
            await asyncio.sleep(0.12)

            assert await pool.client.get("key") is None
            assert pool.breaker.state is CircuitState.CLOSED
    finally:
        server.stop()


@pytest.mark.anyio
async def test_a_restart_between_two_requests_is_not_noticed(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    try:
        async with open_pool(server.url, timeout=5) as pool:
            await asyncio.gather(*(pool.client.ping() for _ in range(20)))
            server.stop()
            server.start()
            # The loop of a service has seen the end of the connections by now; this one was blocked above.
            await asyncio.sleep(0.05)

            assert await asyncio.gather(*(pool.client.ping() for _ in range(20))) == [True] * 20
    finally:
        server.stop()


@pytest.mark.anyio
async def test_idle_connections_that_died_silently_are_dropped_together(proxy: FaultProxy) -> None:
    async with open_pool(
        f"redis://127.0.0.1:{proxy.port}/0", timeout=0.5, breaker_failures=1, breaker_pause=0.05
    ) as pool:
        await asyncio.gather(*(pool.client.ping() for _ in range(20)))
        proxy.forget_connections()
        with pytest.raises(RedisError):
            await pool.client.ping()
        await asyncio.sleep(0.06)

        # The first one asks for all; without the drop the others would meet the connections that died.
        assert await pool.client.ping()
        assert await asyncio.gather(*(pool.client.ping() for _ in range(20))) == [True] * 20


@pytest.mark.anyio
async def test_an_answer_that_is_an_error_does_not_open_it(redis_pool: RedisPool) -> None:
    await redis_pool.client.set("text", "value")
    for _ in range(20):
        with pytest.raises(ResponseError):
            await redis_pool.client.lpush("text", "value")
    assert redis_pool.breaker.state is CircuitState.CLOSED


@pytest.mark.anyio
async def test_transactions_and_watches_work_under_the_breaker(redis_pool: RedisPool) -> None:
    async with redis_pool.client.pipeline() as pipeline:
        await pipeline.watch("balance")
        await redis_pool.client.set("balance", 1)
        pipeline.multi()  # type: ignore[no-untyped-call]
        pipeline.set("balance", 2)
        with pytest.raises(WatchError):
            await pipeline.execute()
    assert await redis_pool.client.get("balance") == b"1"


async def read(pool: RedisPool, key: str) -> bytes | str | None:
    return await pool.client.get(key)


@pytest.mark.anyio
async def test_a_cancelled_command_does_not_give_its_answer_to_the_next(proxy: FaultProxy) -> None:
    async with open_pool(
        f"redis://127.0.0.1:{proxy.port}/0", max_connections=1, timeout=1, breaker_failures=100
    ) as pool:
        await pool.client.mset({"mine": "my secret", "yours": "your secret"})
        proxy.delay = 0.1
        task = asyncio.create_task(read(pool, "mine"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        proxy.delay = 0

        assert await pool.client.get("yours") == b"your secret"


@pytest.mark.anyio
async def test_a_cancelled_probe_does_not_leave_redis_out_for_ever(proxy: FaultProxy) -> None:
    async with open_pool(
        f"redis://127.0.0.1:{proxy.port}/0", timeout=1, breaker_failures=1, breaker_pause=0.01
    ) as pool:
        pool.breaker.failed(is_probe=False)
        await asyncio.sleep(0.02)
        proxy.delay = 0.2
        probe = asyncio.create_task(read(pool, "key"))
        await asyncio.sleep(0.05)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)

        assert await pool.client.ping()


@pytest.mark.anyio
async def test_a_command_whose_answer_is_lost_is_not_sent_again(proxy: FaultProxy, redis_url: str) -> None:
    async with open_pool(f"redis://127.0.0.1:{proxy.port}/0") as pool:
        await pool.client.ping()
        proxy.loses_answers = True
        with pytest.raises(RedisError):
            await pool.client.incr("sent")
    with redis.Redis.from_url(redis_url) as client:
        assert client.get("sent") == b"1"


@pytest.mark.anyio
async def test_readiness_depends_on_redis_only_where_the_service_does() -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    async with open_pool(nowhere) as pool:
        await pool.check()
    async with open_pool(nowhere, required=True) as pool:
        with pytest.raises(RedisError):
            await pool.check()


def test_workers_have_a_synchronous_client(redis_pool: RedisPool) -> None:
    redis_pool.sync_client.set("key", "value")
    assert redis_pool.sync_client.get("key") == b"value"


@pytest.mark.anyio
async def test_a_user_of_redis_is_named_in_the_url(redis_url: str) -> None:
    port = urlsplit(redis_url).port
    with redis.Redis.from_url(redis_url) as administrator:
        administrator.execute_command("ACL", "SETUSER", "shop", "on", ">a%20b", "~shop:*", "+@all")
    async with open_pool(f"redis://shop:a%2520b@127.0.0.1:{port}/0", prefix="shop") as pool:
        await pool.client.set(pool.key("mine"), "1")
        with pytest.raises(ResponseError):
            await pool.client.get("other:key")


@pytest.mark.parametrize("url", ["http://127.0.0.1", "127.0.0.1:6379", ""])
def test_other_addresses_are_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RedisSettings(url=SecretStr(url))
    assert url == "" or url not in str(caught.value)


def test_certificates_are_not_turned_off_in_production() -> None:
    with pytest.raises(ValidationError, match="ssl_ca_certs"):
        RedisSettings(url=SecretStr("rediss://redis:6379/0?ssl_cert_reqs=none"))


@asynccontextmanager
async def tls_in_front_of(port: int, directory: Path) -> AsyncIterator[tuple[int, Path]]:
    """Yield the port of a TLS server that passes everything on, and the certificate to trust."""
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    request = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    command = [*request, *names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], certificate
    finally:
        server.close()


@pytest.mark.anyio
async def test_tls_checks_the_certificate(redis_url: str, tmp_path: Path) -> None:
    async with tls_in_front_of(urlsplit(redis_url).port or 6379, tmp_path) as (port, certificate):
        async with open_pool(
            f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}", timeout=2, environment="production"
        ) as pool:
            assert await pool.client.ping()
        async with open_pool(f"rediss://127.0.0.1:{port}/0", timeout=2) as pool:
            with pytest.raises(RedisError, match="certificate"):
                await pool.client.ping()
