"""Addresses put together from pieces, methods as text, and a handler called by itself."""

from fastapi.testclient import TestClient
from main import app, place_order

API = "/api"
client = TestClient(app)


def test_routes() -> None:
    order = 7
    assert client.get(f"{API}/health").status_code == 200
    assert client.get(API + "/books").status_code == 200
    assert client.request("GET", "/api/orders").status_code == 401
    assert client.put(f"{API}/orders/{order}").status_code == 401
    assert client.delete(f"{API}/orders/{order}/lines/1?force=1").status_code == 401
    assert place_order() == "placed"
