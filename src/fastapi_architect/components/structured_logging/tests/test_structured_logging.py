"""Every record of the process is one line of JSON with its request, and nobody can forge one."""

import http.client
import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient

from fastapi_architect.components.service import Environment, bind_request_id
from fastapi_architect.components.structured_logging import LoggingSettings, configure_logging
from fastapi_architect.components.structured_logging.configuration import (
    SERVER_ACCESS_LOGGERS,
    SERVER_LOGGERS,
)
from fastapi_architect.components.structured_logging.tests import serving
from fastapi_architect.components.structured_logging.tests.example import CALLER, create_app
from fastapi_architect.components.testing.servers import ADDRESS, free_port

SECRET = "pl4nted-S3cret_value"


class Log:
    """What was written up to now."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self.capture = capture
        self.written = ""

    def getvalue(self) -> str:
        self.written += self.capture.readouterr().out
        return self.written

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["logger"] == name]


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    """What is written, with every logger put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield Log(capsys)
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    for name in (*SERVER_LOGGERS, *SERVER_ACCESS_LOGGERS):
        logging.getLogger(name).propagate = True


def settings(**values: Any) -> LoggingSettings:
    return LoggingSettings(environment=Environment.LOCAL, **values)


@pytest.fixture
def client(log: Log) -> TestClient:
    return TestClient(create_app(settings()), raise_server_exceptions=False)


def test_both_ways_to_log_give_the_same_line(client: TestClient, log: Log) -> None:
    client.get("/api/books/Emma", headers={"X-Request-ID": "request-of-mine"})

    standard, native = log.of("shop")[0], log.of("shop.structlog")[0]
    for line in (standard, native):
        assert list(line)[:5] == ["at", "level", "logger", "message", "request_id"]
        assert line["level"] == "info"
        assert line["message"] == "book read"
        assert line["title"] == "Emma"
        assert line["request_id"] == "request-of-mine"
        assert line["principal"] == str(CALLER.id)
        assert line["tenant"] == str(CALLER.tenant_id)
        assert line["at"].endswith("Z")


def test_a_request_is_noted_once_with_its_template_and_without_its_query(
    client: TestClient, log: Log
) -> None:
    client.get(f"/api/books/Emma?access_token={SECRET}&title=private")

    (line,) = log.of("access")
    assert (line["method"], line["path"], line["route"]) == ("GET", "/api/books/Emma", "/api/books/{title}")
    assert (line["status"], line["bytes"], line["client"]) == (200, 6, "testclient")
    assert line["principal"] == str(CALLER.id)
    assert SECRET not in log.getvalue()
    assert "private" not in log.getvalue()


def test_credentials_of_a_request_are_never_written(client: TestClient, log: Log) -> None:
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}", "X-Api-Key": SECRET}

    client.get("/api/books/Emma", headers=headers)

    assert SECRET not in log.getvalue()
    assert log.of("shop")[0]["authorization"] == "***"


def test_a_secret_in_a_traceback_is_never_written(client: TestClient, log: Log) -> None:
    answer = client.post("/api/books/Emma")

    (line,) = [line for line in log.lines() if line["level"] == "error"]
    assert "ConnectionError" in line["exception"]
    assert "hunter2" not in log.getvalue()
    assert line["request_id"] == answer.headers["x-request-id"]
    assert log.of("access")[0]["level"] == "warning"


@pytest.mark.parametrize(
    "forged",
    [
        'x\n{"level": "error", "message": "forged"}',
        "x\r\nforged",
        "x\u2028forged",
        "x\x1b[31mred",
        "x\x00",
        "\ud800",
    ],
    ids=ascii,
)
def test_a_value_cannot_forge_a_line(log: Log, forged: str) -> None:
    logging.getLogger().handlers.clear()  # pytest would keep half a character in its report, which cannot be sent
    configure_logging(settings())

    logging.getLogger("shop").warning("bought %s", forged, extra={"title": forged, forged: 1})

    (line,) = log.getvalue().removesuffix("\n").split("\n")
    assert line.isascii()
    assert json.loads(line)["title"] == forged
    assert json.loads(line)["level"] == "warning"


def test_no_field_can_pretend_to_be_another(log: Log) -> None:
    configure_logging(settings())
    bind_request_id("the-true-request")

    logging.getLogger("shop").info("true", extra={"level": "error", "request_id": "forged", "at": "never"})
    structlog.get_logger("shop").info("true", message="forged", request_id="forged", level="error")
    bind_request_id("-")

    for line in log.lines():
        assert (line["level"], line["message"], line["request_id"]) == ("info", "true", "the-true-request")
        assert line["at"] != "never"


def test_records_of_libraries_and_servers_look_the_same(log: Log) -> None:
    for name in SERVER_LOGGERS:
        logging.getLogger(name).addHandler(logging.StreamHandler(io.StringIO()))
        logging.getLogger(name).propagate = False
        logging.getLogger(name).setLevel(logging.ERROR)
    configure_logging(settings())

    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "\x1b[32mStarted"})
    logging.getLogger("sqlalchemy.engine").warning("slow")
    logging.getLogger("uvicorn.access").info("GET /?token=%s", SECRET)
    logging.getLogger("httpx").info("GET https://api.example/?token=%s", SECRET)

    assert [line["logger"] for line in log.lines()] == ["uvicorn.error", "sqlalchemy.engine"]
    assert "color_message" not in log.getvalue()


def test_two_configurations_write_each_record_once_and_leave_handlers_of_others(log: Log) -> None:
    class Theirs(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None: ...

    theirs = Theirs()
    logging.getLogger().addHandler(theirs)
    logging.getLogger().addHandler(logging.StreamHandler())
    configure_logging(settings())
    configure_logging(settings())

    logging.getLogger("shop").info("once")

    assert len(log.lines()) == 1
    assert theirs in logging.getLogger().handlers


@pytest.mark.parametrize("root_path", ["", "/shop"])
def test_a_probe_that_succeeds_is_not_noted_and_a_slow_request_is_a_warning(log: Log, root_path: str) -> None:
    client = TestClient(create_app(settings(slow=1e-9)), root_path=root_path)

    client.get(f"{root_path}/health/live")
    client.get(f"{root_path}/api/books/Emma")

    assert [(line["path"], line["level"]) for line in log.of("access")] == [("/api/books/Emma", "warning")]


def test_a_level_may_be_written_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")

    assert LoggingSettings().level == "DEBUG"


def test_the_level_and_the_access_log_are_settings(log: Log) -> None:
    client = TestClient(create_app(settings(level="ERROR", access=False)))

    client.get("/api/books/Emma")

    assert log.lines() == []


def test_the_console_is_clean_too(log: Log) -> None:
    configure_logging(settings(format="console", redact="iban"))

    logging.getLogger("shop").info("paid", extra={"iban": SECRET, "password": SECRET})

    assert "paid" in log.getvalue()
    assert SECRET not in log.getvalue()
    assert "\x1b" not in log.getvalue()


@pytest.fixture(scope="module")
def written() -> str:
    """What a real server writes about two requests on one connection, of which only the first has a caller."""
    port = free_port()
    code = f"from {serving.__name__} import main; main({ADDRESS!r}, {port})"
    # These tests lie where pytest found them.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    server = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        with closing(_connected(port)) as connection:
            for path in (f"/api/books/Emma?token={SECRET}", "/nowhere"):
                connection.request("GET", path)
                connection.getresponse().read()
    finally:
        server.terminate()
        output, _ = server.communicate(timeout=20)
    return output


def test_every_line_of_a_real_server_is_json(written: str) -> None:
    lines = [json.loads(line) for line in written.splitlines()]

    assert {"uvicorn.error", "access", "shop"} <= {line["logger"] for line in lines}
    assert len([line for line in lines if line.get("path") == "/api/books/Emma"]) == 1
    assert SECRET not in written


def test_a_caller_does_not_stay_behind_on_the_connection(written: str) -> None:
    noted = {
        line["path"]: line for line in map(json.loads, written.splitlines()) if line["logger"] == "access"
    }

    assert "principal" in noted["/api/books/Emma"]
    assert "principal" not in noted["/nowhere"]
    assert noted["/nowhere"]["request_id"] != noted["/api/books/Emma"]["request_id"]


def _connected(port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=5)
        try:
            connection.connect()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return connection
