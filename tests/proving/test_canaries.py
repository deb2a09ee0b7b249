"""Each canary counts an effect, and only of the example."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.proving.kit import holds

DATABASE = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, text
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_engine("postgresql+psycopg2://user:pw@db/shop", pool_size=3, connect_args={"sslmode": "require"})
    async_engine = create_async_engine("postgresql+asyncpg://user:pw@db/shop", isolation_level="REPEATABLE READ")
    app = FastAPI()

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE item (id INTEGER PRIMARY KEY, stock INTEGER)"))
        connection.execute(text("INSERT INTO item VALUES (1, 1)"))

    @app.get("/sync")
    def sync() -> int:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            connection.rollback()
            return 1

    @app.post("/buy")
    def buy() -> bool:
        with engine.begin() as connection:
            stock = connection.execute(text("SELECT stock FROM item")).scalar_one()
            if stock:
                connection.execute(text("UPDATE item SET stock = :left"), {"left": stock - 1})
            return stock > 0

    @app.post("/buy-async")
    async def buy_async() -> bool:
        async with async_engine.begin() as connection:
            stock = (await connection.execute(text("SELECT stock FROM item"))).scalar_one()
            if stock:
                await connection.execute(text("UPDATE item SET stock = :left"), {"left": stock - 1})
            return stock > 0

    @app.post("/buy-once")
    def buy_once() -> bool:
        with engine.begin() as connection:
            return connection.execute(text("UPDATE item SET stock = stock - 1 WHERE stock > 0")).rowcount > 0
"""


def test_statements_of_any_engine_are_counted(tmp_path: Path) -> None:
    demonstration = """
        proof.client
        before = proof.commits
        with proof.count_statements() as counted:
            proof.client.get("/sync")
        assert counted.statements == ["SELECT 1"], counted
        assert proof.commits == before
        assert proof.rollbacks == 1
        with proof.count_statements() as counted:
            assert proof.client.post("/buy-async").json() is True
        assert counted.count == 2
        assert proof.commits == before + 1
        assert [e.asked.partition(":")[0] for e in proof.engines] == ["postgresql+psycopg2", "postgresql+asyncpg"]
        assert proof.engines[0].options["connect_args"] == {"sslmode": "require"}
        assert proof.files == []
    """
    holds(tmp_path, demonstration, DATABASE)


@pytest.mark.parametrize("path", ["/buy", "/buy-async"])
def test_a_race_happens_every_time(tmp_path: Path, path: str) -> None:
    demonstration = f"""
        buy = lambda: proof.client.post("{path}").json()
        assert proof.race(buy, buy, meet="SELECT stock") == [True, True]
    """
    holds(tmp_path, demonstration, DATABASE)


def test_a_race_is_lost_where_the_statement_is_atomic(tmp_path: Path) -> None:
    demonstration = """
        buy = lambda: proof.client.post("/buy-once").json()
        assert sorted(proof.race(buy, buy, meet="UPDATE item")) == [False, True]
    """
    holds(tmp_path, demonstration, DATABASE)


def test_a_race_may_meet_at_a_function(tmp_path: Path) -> None:
    example = """
        from fastapi import FastAPI

        app = FastAPI()
        left = 1

        async def read() -> int:
            return left

        @app.post("/")
        async def take() -> bool:
            global left
            seen = await read()
            left = seen - 1
            return seen > 0
    """
    demonstration = """
        take = lambda: proof.client.post("/").json()
        assert proof.race(take, take, meet="main:read") == [True, True]
        assert proof.client.post("/").json() is False
    """
    holds(tmp_path, demonstration, example)


OUTBOUND = """
    import socket
    import urllib.request

    import httpx
    import requests
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/httpx")
    async def by_httpx(url: str) -> str:
        async with httpx.AsyncClient(timeout=None, follow_redirects=True) as client:
            return (await client.get(url)).text

    @app.get("/requests")
    def by_requests(url: str) -> str:
        return requests.get(url, timeout=(1, 7)).text

    @app.get("/urllib")
    def by_urllib(url: str) -> str:
        return urllib.request.urlopen(url).read().decode()

    @app.get("/socket")
    def by_socket(host: str) -> str:
        try:
            socket.create_connection((host, 25), timeout=3)
        except OSError as error:
            return type(error).__name__
        return "connected"

    @app.get("/resolve")
    def resolve(host: str) -> list[str]:
        return [socket.gethostbyname(host), socket.getaddrinfo(host, 443)[0][4][0]]
"""


def test_outbound_requests_are_recorded_and_answered(tmp_path: Path) -> None:
    demonstration = """
        proof.answer("http://169.254.169.254/", text="the role's key")
        proof.answer("https://start.example/", status=302, headers={"location": "http://169.254.169.254/latest"})
        assert proof.client.get("/httpx", params={"url": "https://start.example/a"}).json() == "the role's key"
        assert proof.client.get("/requests", params={"url": "https://start.example/b"}).json() == "the role's key"
        assert proof.client.get("/urllib", params={"url": "https://start.example/c"}).json() == "the role's key"
        assert proof.client.get("/socket", params={"host": "mail.example"}).json() == "ConnectionRefusedError"
        assert [(o.library, o.timeout) for o in proof.outbound] == [
            ("httpx", None), ("httpx", None), ("requests", 7), ("requests", 7), ("urllib", None), ("urllib", None),
            ("socket", 3.0),
        ]
        assert proof.outbound[0].url == "https://start.example/a"
        assert [o.url for o in proof.outbound][-1] == "tcp://mail.example:25"
        proof.answer("https://slow.example", error="timeout")
        assert proof.client.get("/httpx", params={"url": "https://slow.example"}).status_code == 500
    """
    holds(tmp_path, demonstration, OUTBOUND)


def test_a_name_may_resolve_differently_the_second_time(tmp_path: Path) -> None:
    demonstration = """
        proof.resolve("rebind.example", "93.184.215.14", "127.0.0.1")
        ask = lambda host: proof.client.get("/resolve", params={"host": host}).json()
        assert ask("rebind.example") == ["93.184.215.14", "127.0.0.1"]
        assert ask("localhost") == ["127.0.0.1", "127.0.0.1"]
        assert ask("2130706433") == ["127.0.0.1", "127.0.0.1"]
        assert ask("anything.example")[0] == "93.184.215.14"
    """
    holds(tmp_path, demonstration, OUTBOUND)


BLOCKING = """
    import asyncio
    import sqlite3
    import time
    from pathlib import Path
    from time import sleep

    import requests
    from fastapi import FastAPI
    from fastapi.responses import FileResponse

    app = FastAPI()

    def slowly() -> None:
        sleep(3600)

    @app.get("/bad")
    async def bad() -> None:
        slowly()
        time.sleep(3600)
        requests.get("https://other.example", timeout=5)
        Path("note.txt").write_text("hello")
        database = sqlite3.connect(":memory:")
        database.execute("SELECT 1")

    @app.get("/sync")
    def sync() -> None:
        slowly()

    @app.get("/thread")
    async def thread() -> None:
        await asyncio.to_thread(slowly)

    @app.get("/polite")
    async def polite() -> None:
        await asyncio.sleep(3600)

    @app.get("/file")
    async def file() -> FileResponse:
        return FileResponse("main.py")
"""


def test_blocking_calls_on_the_loop_are_named(tmp_path: Path) -> None:
    demonstration = """
        proof.client.get("/bad").raise_for_status()
        assert proof.blocked == [
            "time.sleep", "time.sleep", "requests.request", "open", "sqlite3.Cursor.execute"
        ], proof.blocked
        assert proof.files == ["note.txt"]
    """
    holds(tmp_path, demonstration, BLOCKING)


def test_blocking_calls_in_threads_hold_nobody_up(tmp_path: Path) -> None:
    demonstration = """
        proof.client.get("/sync")
        proof.client.get("/thread")
        assert proof.client.get("/file").text.startswith("import asyncio")
        assert (proof.blocked, proof.in_threads) == ([], ["time.sleep", "time.sleep"])
    """
    holds(tmp_path, demonstration, BLOCKING)


def test_the_loop_turns_while_a_polite_example_waits_and_never_else(tmp_path: Path) -> None:
    demonstration = """
        ticks = {p: proof.loop_ticks(lambda: proof.client.get(p)) for p in ("/bad", "/sync", "/thread", "/polite")}
        assert ticks["/bad"] == 0
        assert min(ticks["/sync"], ticks["/thread"], ticks["/polite"]) >= 3
    """
    holds(tmp_path, demonstration, BLOCKING)


def test_any_function_may_be_watched_or_spied_upon(tmp_path: Path) -> None:
    example = """
        from fastapi import FastAPI

        app = FastAPI()

        def crunch(size: int) -> int:
            return sum(range(size))

        @app.get("/")
        async def root() -> int:
            return crunch(10)
    """
    demonstration = """
        proof.watch("main:crunch")
        calls = proof.spy("main:crunch")
        assert proof.client.get("/").json() == 45
        assert proof.blocked == ["main.crunch"]
        assert [c.args for c in calls] == [(10,)]
    """
    holds(tmp_path, demonstration, example)


def test_files_logs_output_and_warnings_are_kept(tmp_path: Path) -> None:
    example = """
        import logging, warnings
        from pathlib import Path
        from fastapi import FastAPI

        app = FastAPI()
        logger = logging.getLogger("shop")

        @app.post("/files/{name:path}")
        def save(name: str) -> str:
            logger.debug("saving %s", name)
            print("saved")
            warnings.warn("careful", stacklevel=1)
            Path("uploads").mkdir(exist_ok=True)
            old = Path("uploads", name).read_text() if Path("uploads", name).exists() else ""
            Path("uploads", name).write_text("new")
            return old
    """
    demonstration = """
        proof.plant("secret.txt", "the canary")
        proof.place("uploads/here.txt", "mine")
        assert proof.client.post("/files/%2e%2e/%2e%2e/secret.txt").json() == "the canary"
        assert proof.client.post("/files/here.txt").json() == "mine"
        proof.client.post("/files/%2e%2e/%2e%2e/escaped.txt")
        proof.client.post("/files/inside.txt")
        assert proof.files == ["../escaped.txt", "uploads/inside.txt"], proof.files
        assert proof.logs[0] == "DEBUG shop saving ../../secret.txt"
        assert proof.log_records[0].name == "shop"
        assert "saved" in proof.printed
        assert "UserWarning: careful" in proof.warnings
    """
    holds(tmp_path, demonstration, example)


def test_the_lifespan_runs_and_websockets_and_the_document_are_at_hand(tmp_path: Path) -> None:
    example = """
        from contextlib import asynccontextmanager
        from fastapi import FastAPI, WebSocket

        @asynccontextmanager
        async def lifespan(app):
            app.state.started = True
            yield

        app = FastAPI(lifespan=lifespan)

        @app.websocket("/ws")
        async def talk(socket: WebSocket) -> None:
            await socket.accept()
            await socket.send_text(socket.headers["x-token"])

        @app.get("/started")
        def started() -> bool:
            return app.state.started
    """
    demonstration = """
        assert proof.client.get("/started").json() is True
        with proof.websocket("/ws", X_Token="t") as socket:
            assert socket.receive_text() == "t"
        assert list(proof.openapi()["paths"]) == ["/started"]
        other = proof.client_for(proof.app, base_url="https://else.example")
        assert str(other.get("/started").url) == "https://else.example/started"
    """
    holds(tmp_path, demonstration, example)


def test_celery_messages_are_kept_serialised_and_delivered_on_request(tmp_path: Path) -> None:
    example = """
        from celery import Celery, shared_task
        from fastapi import FastAPI

        celery = Celery("shop", broker="redis://broker:6379/0")
        app = FastAPI()
        sent = []

        @celery.task(name="mail")
        def mail(to: list[str], subject: str = "") -> int:
            sent.append((to, subject))
            if subject == "boom":
                raise ValueError(subject)
            return len(to)

        @app.post("/")
        def root(subject: str = "hello") -> str:
            return mail.apply_async((("a", "b"),), {"subject": subject}, countdown=5).id

        @app.post("/wrong")
        def wrong() -> None:
            mail.delay(object())
    """
    demonstration = """
        proof.client.post("/").raise_for_status()
        message = proof.celery_messages[0]
        assert (message.task, message.args, message.kwargs) == ("mail", [["a", "b"]], {"subject": "hello"})
        assert message.options["countdown"] == 5
        assert proof.module().sent == []
        assert [r.result for r in proof.deliver()] == [2]
        proof.deliver(message)
        assert len(proof.module().sent) == 2
        proof.client.post("/", params={"subject": "boom"})
        assert proof.deliver()[0].state == "FAILURE"
        assert proof.client.post("/wrong").status_code == 500
    """
    holds(tmp_path, demonstration, example)


def test_any_redis_client_reaches_the_redis_in_memory(tmp_path: Path) -> None:
    example = """
        import redis
        import redis.asyncio
        from fastapi import FastAPI

        store = redis.Redis.from_url("redis://cache.internal:6379/0", decode_responses=True)
        async_store = redis.asyncio.Redis(host="cache")
        app = FastAPI()

        @app.put("/{key}")
        def put(key: str, value: str) -> None:
            with store.pipeline() as pipe:
                pipe.set(key, value, ex=60)
                pipe.incr("writes")
                pipe.execute()

        @app.get("/{key}")
        async def get(key: str) -> str | None:
            value = await async_store.get(key)
            return value and value.decode()
    """
    demonstration = """
        proof.client.put("/a", params={"value": "1"}).raise_for_status()
        assert proof.client.get("/a").json() == "1"
        assert proof.redis.commands == [["SET", "a", "1", "EX", "60"], ["INCRBY", "writes", "1"], ["GET", "a"]]
        assert proof.redis.ttl("a") == 60
        proof.redis.pass_time(61)
        assert proof.client.get("/a").json() is None
        assert proof.redis.data == {"writes": b"1"}
        proof.redis.forget()
        assert proof.redis.data == {}
        assert proof.outbound == []
    """
    holds(tmp_path, demonstration, example)


def test_memory_and_cpu_time_are_counted(tmp_path: Path) -> None:
    example = """
        import re
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/bad")
        def bad(text: str) -> bool:
            return re.fullmatch(r"(a+)+", text) is not None

        @app.get("/good")
        def good(text: str) -> bool:
            return re.fullmatch(r"a+", text) is not None
    """
    demonstration = """
        text = "a" * 60 + "!"
        assert proof.exhausts(lambda: proof.client.get("/bad", params={"text": text}), cpu_seconds=1)
        assert not proof.exhausts(lambda: proof.client.get("/good", params={"text": text}), cpu_seconds=1)
        assert proof.client.get("/good", params={"text": "aa"}).json() is True
        assert not proof.exhausts(lambda: proof.client.get("/good", params={"text": text}), cpu_seconds=1)
        assert proof.peak_memory(lambda: bytearray(5_000_000)) > 5_000_000 > proof.peak_memory(lambda: None)
    """
    holds(tmp_path, demonstration, example)
