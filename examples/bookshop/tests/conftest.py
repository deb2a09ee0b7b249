"""An application without database and Redis: who is refused must be refused before they are asked."""

import secrets
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

HOST = "api.bookshop.invalid"
ENVIRONMENT = {
    "BOOKSHOP_DATABASE_URL": "postgresql+psycopg://bookshop@127.0.0.1:1/bookshop",
    "BOOKSHOP_REDIS_URL": "redis://127.0.0.1:1/0",
    "BOOKSHOP_MAIL_API_URL": "https://mail.invalid",
    "BOOKSHOP_MAIL_SENDER": "shop@bookshop.invalid",
    "BOOKSHOP_WEBSITE_URL": "https://bookshop.invalid/",
    "BOOKSHOP_ALLOWED_HOSTS": f'["{HOST}"]',
    "BOOKSHOP_ALLOWED_ORIGINS": '["https://bookshop.invalid"]',
    "BOOKSHOP_COVER_DIRECTORY": "covers",
}


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    from app.main import create_app
    from app.settings import get_settings

    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("ACCESS_TOKEN_KEY", "PAYMENT_WEBHOOK_KEY", "MAIL_API_KEY"):
        monkeypatch.setenv(f"BOOKSHOP_{name}", secrets.token_urlsafe(48))
    get_settings.cache_clear()
    app = create_app()
    yield app
    app.dependency_overrides.clear()
    get_settings.cache_clear()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=f"https://{HOST}") as client:
        yield client
