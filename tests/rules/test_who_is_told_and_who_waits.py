"""The same defect weighs less where only the operator meets it, where one parent bounds it, or where it was done on purpose."""

from __future__ import annotations

import pytest
from tests.rules.kit import weights_of

from fastapi_architect.findings.severity import Confidence, Severity

FIRM, TENTATIVE, CERTAIN = Confidence.FIRM, Confidence.TENTATIVE, Confidence.CERTAIN
MINOR, IMPORTANT, CRITICAL = Severity.MINOR, Severity.IMPORTANT, Severity.CRITICAL

_GUARDED = """
    import secrets
    from typing import Annotated

    import httpx
    from fastapi import Depends, FastAPI, HTTPException
    from fastapi.security import HTTPBasic, HTTPBasicCredentials
    from pydantic_settings import BaseSettings
    from sqlalchemy import create_engine, text


    class Settings(BaseSettings):
        username: str
        password: str


    settings = Settings()
    password = settings.password
    engine = create_engine("postgresql://db/shop")


    def signed_in(credentials: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> str:
        {known}
        if not secrets.compare_digest(credentials.password.encode("utf8"), expected):
            raise HTTPException(401)
        return credentials.username


    app = FastAPI()


    @app.get("/rates", dependencies=[Depends(signed_in)])
    def rates() -> int:
        try:
            return httpx.get("http://rates.internal/", timeout=5).status_code
        except Exception as exc:
            raise HTTPException(500, str(exc)) from exc
"""


_LOOKED_UP = """with engine.connect() as connection:
            expected = connection.execute(text("SELECT password FROM users")).scalar_one().encode()"""


@pytest.mark.parametrize(
    ("known", "severity"),
    [
        ('expected = f"{password}".encode("utf8")', MINOR),
        (
            _LOOKED_UP,
            IMPORTANT,
        ),
    ],
)
def test_the_text_of_an_exception_is_minor_where_the_one_operator_reads_it(
    known: str, severity: Severity
) -> None:
    found = weights_of("exception-text-returned-to-client", {"main.py": _GUARDED.replace("{known}", known)})
    assert found == [(severity, FIRM)]


_LIBRARY = """
    import invoices
    import httpx
    from fastapi import FastAPI, HTTPException

    app = FastAPI()


    @app.get("/invoices/{code}")
    def read(code: str) -> str:
        try:
            return invoices.fetch(code)
        except {caught} as exc:
            raise HTTPException({status}, str(exc)) from exc
"""


@pytest.mark.parametrize(
    ("caught", "status", "sure"),
    [
        ("invoices.InvoiceException", 400, TENTATIVE),
        ("invoices.InvoiceException", 500, CERTAIN),
        ("httpx.HTTPError", 400, CERTAIN),
    ],
)
def test_the_error_of_a_library_that_is_no_client_may_be_feedback(
    caught: str, status: int, sure: Confidence
) -> None:
    text = _LIBRARY.replace("{caught}", caught).replace("{status}", str(status))
    assert [found for _, found in weights_of("exception-text-returned-to-client", {"main.py": text})] == [
        sure
    ]


_STARTED = """
    import asyncio
    import logging

    from fastapi import FastAPI

    app = FastAPI()
    logger = logging.getLogger(__name__)


    async def send(number: int) -> None:
        {body}


    @app.post("/orders/{{number}}")
    async def order(number: int) -> None:
        asyncio.create_task(send(number))
"""
_CAUGHT = """logger.info("sending")
        try:
            await asyncio.sleep(number)
        except Exception:
            logger.exception("not sent")"""


def test_a_task_that_catches_whatever_goes_wrong_is_minor() -> None:
    rule = "fire-and-forget-task"
    assert weights_of(rule, {"main.py": _STARTED.format(body=_CAUGHT)}) == [(MINOR, CERTAIN)]
    open_start = _CAUGHT.replace('logger.info("sending")', "seconds = int(str(number))")
    assert weights_of(rule, {"main.py": _STARTED.format(body=open_start)}) == [(IMPORTANT, CERTAIN)]


_RELAYED = """
    import httpx
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse

    app = FastAPI()


    @app.get("/logs")
    async def logs() -> StreamingResponse:
        async def lines():
            async with httpx.AsyncClient(timeout=None) as client:
                {use}
                    yield b"end"

        return StreamingResponse(lines())
"""


def test_a_client_without_limit_that_only_relays_a_stream_is_tentative() -> None:
    rule = "outbound-call-without-timeout"
    streamed = 'async with client.stream("GET", "http://machine/logs") as answer:'
    asked = 'if (await client.get("http://machine/logs")).is_success:'
    assert weights_of(rule, {"main.py": _RELAYED.format(use=streamed)}) == [(IMPORTANT, TENTATIVE)]
    assert (IMPORTANT, CERTAIN) in weights_of(rule, {"main.py": _RELAYED.format(use=asked)})


_IMPORTED = """
    import importlib
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/controllers/{{name}}")
    def controller(name: str) -> str:
        paths = [{paths}]
        for path in paths:
            module = importlib.import_module(path)
        return module.__name__
"""


def test_the_name_of_a_module_inside_one_package_is_tentative() -> None:
    rule = "code-execution-from-request"
    inside = _IMPORTED.format(paths='f"controllers.{name}", f"controllers.{name}.{name}"')
    assert [sure for _, sure in weights_of(rule, {"main.py": inside})] == [TENTATIVE]
    anywhere = weights_of(rule, {"main.py": _IMPORTED.format(paths="name")})
    assert [sure for _, sure in anywhere if sure is not TENTATIVE]


_LISTED = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite://")


    class Base(DeclarativeBase):
        pass


    class Event(Base):
        __tablename__ = "events"

        id: Mapped[int] = mapped_column(primary_key=True)
        parent: Mapped[str]


    @app.get("{path}")
    def events(parent: str, limit: int = 10) -> list[int]:
        with Session(engine) as session:
            found = select(Event).where(Event.parent == parent).limit(limit)
            return [event.id for event in session.scalars(found)]
"""


@pytest.mark.parametrize(
    ("path", "severity"),
    [("/positions/{parent}/events", MINOR), ("/users/{parent}/events", IMPORTANT), ("/events", IMPORTANT)],
)
def test_a_limit_without_bound_is_minor_below_one_parent(path: str, severity: Severity) -> None:
    found = weights_of("list-endpoint-without-pagination", {"main.py": _LISTED.replace("{path}", path)})
    assert [weight for weight, _ in found] == [severity]


_LOOPED = """
    import httpx
    from fastapi import FastAPI
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("postgresql://db/shop")


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        price: Mapped[int]


    @app.post("/quotes")
    def quote(book_ids: list[int]) -> int:
        total = 0
        {loop}
        return total
"""
_ONE = """with Session(engine) as session:
            for book_id in book_ids:
                total += session.get(Book, book_id).price"""
_APART = """for book_id in book_ids:
            try:
                with Session(engine) as session:
                    total += session.get(Book, book_id).price
            except Exception:
                continue"""
_ASKED = """with Session(engine) as session:
            for book_id in book_ids:
                total += session.get(Book, book_id).price
                httpx.post("http://prices.example", timeout=5)"""


@pytest.mark.parametrize(("loop", "sure"), [(_ONE, FIRM), (_APART, TENTATIVE), (_ASKED, TENTATIVE)])
def test_a_query_for_each_is_tentative_where_rounds_are_kept_apart_or_ask_another_host(
    loop: str, sure: Confidence
) -> None:
    found = weights_of("query-inside-loop", {"main.py": _LOOPED.replace("{loop}", loop)})
    assert [confidence for _, confidence in found] == [sure]
