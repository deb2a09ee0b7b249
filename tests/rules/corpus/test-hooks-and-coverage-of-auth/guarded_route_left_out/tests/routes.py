"""All but one."""

from fastapi.testclient import TestClient
from main import app

client = TestClient(app)


def test_routes() -> None:
    assert client.get("/api/health").status_code == 200
    assert client.get("/api/books").status_code == 200
    assert client.get("/api/orders").status_code == 401
    assert client.put(f"/api/orders/{7}").status_code == 401
