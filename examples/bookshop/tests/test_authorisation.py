"""Who may call what: every operation, each role."""

from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.auth.dependencies import get_current_user
from app.auth.principal import Principal
from app.users.models import Role

HOST = "api.bookshop.invalid"
IDENTIFIER = "6f1c2f5e-3b0e-4e57-9d4b-0c1f6f0d7a11"

#: Open to strangers, each for a reason: the way in, the shop window, the provider with its signature.
PUBLIC = {
    ("POST", "/api/v1/auth/register"),
    ("POST", "/api/v1/auth/verify-email"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/forgot-password"),
    ("POST", "/api/v1/auth/reset-password"),
    ("GET", "/api/v1/books"),
    ("GET", "/api/v1/books/{book_id}"),
    ("GET", "/api/v1/books/{book_id}/cover"),
    ("GET", "/api/v1/books/{book_id}/reviews"),
    ("POST", "/api/v1/webhooks/payments"),
}

MEMBERS = {
    ("POST", "/api/v1/auth/logout"),
    ("GET", "/api/v1/users/me"),
    ("PATCH", "/api/v1/users/me"),
    ("PUT", "/api/v1/users/me/password"),
    ("POST", "/api/v1/orders"),
    ("GET", "/api/v1/orders"),
    ("GET", "/api/v1/orders/{order_id}"),
    ("PUT", "/api/v1/orders/{order_id}/cancellation"),
    ("POST", "/api/v1/order-updates/tickets"),
    ("POST", "/api/v1/books/{book_id}/reviews"),
    ("GET", "/api/v1/reviews/{review_id}"),
    ("PATCH", "/api/v1/reviews/{review_id}"),
    ("DELETE", "/api/v1/reviews/{review_id}"),
}

ADMINS = {
    ("GET", "/api/v1/admin/users"),
    ("PATCH", "/api/v1/admin/users/{user_id}"),
    ("POST", "/api/v1/admin/books"),
    ("PATCH", "/api/v1/admin/books/{book_id}"),
    ("DELETE", "/api/v1/admin/books/{book_id}"),
    ("PUT", "/api/v1/admin/books/{book_id}/cover"),
    ("GET", "/api/v1/admin/orders"),
    ("PATCH", "/api/v1/admin/orders/{order_id}"),
}


def operations(app: FastAPI) -> set[tuple[str, str]]:
    return {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}


def call(client: TestClient, method: str, path: str, token: str | None = None) -> tuple[int, str]:
    for name in ("book_id", "order_id", "review_id", "user_id"):
        path = path.replace("{" + name + "}", IDENTIFIER)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = client.request(method, path, headers=headers)
    return response.status_code, response.headers["content-type"]


def test_every_operation_has_its_place_in_these_lists(app: FastAPI) -> None:
    assert operations(app) == PUBLIC | MEMBERS | ADMINS


@pytest.mark.parametrize(("method", "path"), sorted(MEMBERS | ADMINS))
def test_a_stranger_is_refused(client: TestClient, method: str, path: str) -> None:
    assert call(client, method, path) == (401, "application/problem+json")


@pytest.mark.parametrize(("method", "path"), sorted(MEMBERS | ADMINS))
def test_a_forged_token_is_refused(client: TestClient, method: str, path: str) -> None:
    assert call(client, method, path, token="forged") == (401, "application/problem+json")


@pytest.mark.parametrize(("method", "path"), sorted(ADMINS))
def test_a_customer_is_no_admin(app: FastAPI, client: TestClient, method: str, path: str) -> None:
    customer = Principal(user_id=uuid4(), role=Role.CUSTOMER)
    app.dependency_overrides[get_current_user] = lambda: customer
    assert call(client, method, path) == (403, "application/problem+json")


def test_a_webhook_without_signature_is_refused(client: TestClient) -> None:
    response = client.post(
        "/api/v1/webhooks/payments", content=b"{}", headers={"Payment-Signature": "t=1,v1=0"}
    )
    assert response.status_code == 401


def test_a_websocket_of_a_foreign_origin_is_refused(client: TestClient) -> None:
    url = f"wss://{HOST}/api/v1/order-updates?ticket={'x' * 43}"
    with (
        pytest.raises(WebSocketDisconnect) as refusal,
        client.websocket_connect(url, headers={"Origin": "https://evil.invalid"}),
    ):
        pytest.fail("it was let in")
    assert refusal.value.code == 1008


def test_credentials_are_not_checked_while_nobody_can_count_the_attempts(client: TestClient) -> None:
    response = client.post(
        "/api/v1/auth/login", json={"email": "anna@bookshop.invalid", "password": "whatever it is"}
    )
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
