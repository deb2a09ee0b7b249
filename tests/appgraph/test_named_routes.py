"""How a person names a route, clumsily too, and what is answered when nothing is meant."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.named_routes import NoSuchRoute, routes_named
from fastapi_architect.review import reading
from fastapi_architect.review.config import Config
from fastapi_architect.source.tree import SourceTree

SHOP = """
    from fastapi import APIRouter, FastAPI

    router = APIRouter(prefix="/api/v1")

    @router.get("/orders")
    def list_orders(): ...

    @router.post("/orders")
    def place_order(): ...

    @router.get("/orders/latest")
    def read_latest(): ...

    @router.get("/orders/{order_id}")
    def read_order(order_id: int): ...

    @router.get("/files/{name}")
    def read_flat_file(name: str): ...

    @router.get("/files/{name:path}")
    def read_file(name: str): ...

    @router.websocket("/updates")
    async def updates(websocket): ...

    app = FastAPI()
    app.include_router(router)
"""
BACK_OFFICE = """
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/orders")
    def every_order(): ...
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> AppGraph:
    root = tmp_path_factory.mktemp("shop")
    (root / "shop.py").write_text(textwrap.dedent(SHOP), "utf-8")
    return reading.read(SourceTree.open(root), Config(), cache=False).graph


def named(graph: AppGraph, wanted: str) -> list[str]:
    return [name for each in routes_named(graph, wanted) for name in each.names]


@pytest.mark.parametrize(
    "wanted",
    [
        "GET /api/v1/orders/{order_id}",
        "get /api/v1/orders/{id}",
        "GET /api/v1/orders/17",
        "GET/api/v1/orders/17",
        "  GET   https://shop.example:8000/api/v1/orders/17?full=1#top ",
        "/orders/{order_id}",
        "orders/17",
        "read_order",
        "shop.read_order",
    ],
)
def test_one_route_by_any_of_its_names(graph: AppGraph, wanted: str) -> None:
    assert named(graph, wanted) == ["GET /api/v1/orders/{order_id}"]


def test_without_a_method_all_are_meant(graph: AppGraph) -> None:
    assert named(graph, "/api/v1/orders") == ["GET /api/v1/orders", "POST /api/v1/orders"]


def test_a_clients_path_is_answered_by_the_route_that_the_router_chooses(graph: AppGraph) -> None:
    assert named(graph, "GET /api/v1/orders/latest") == ["GET /api/v1/orders/latest"]
    assert named(graph, "/api/v1/files/a.txt") == ["GET /api/v1/files/{name}"]
    assert named(graph, "/api/v1/files/a/b/c.txt") == ["GET /api/v1/files/{name:path}"]


def test_a_websocket_is_named_by_its_kind(graph: AppGraph) -> None:
    assert (
        named(graph, "ws /updates")
        == named(graph, "WEBSOCKET /api/v1/updates")
        == ["WEBSOCKET /api/v1/updates"]
    )


def test_a_near_miss_is_named_with_all_there_are(graph: AppGraph) -> None:
    with pytest.raises(NoSuchRoute) as caught:
        routes_named(graph, "GET /api/v1/oders")
    assert "did you mean 'GET /api/v1/orders'" in str(caught.value)
    assert "  WEBSOCKET /api/v1/updates" in str(caught.value).splitlines()
    assert caught.value.near[0] == "GET /api/v1/orders"


def test_another_method_of_the_path_is_the_nearest(graph: AppGraph) -> None:
    with pytest.raises(NoSuchRoute) as caught:
        routes_named(graph, "DELETE /api/v1/orders")
    assert caught.value.near == ("GET /api/v1/orders", "POST /api/v1/orders")


@pytest.mark.parametrize("wanted", ["", "GET", "/", "\x1b[2J", "GET " + "/a" * 5000, "{", "/{", "(.*)"])
def test_nonsense_is_answered_and_does_not_steer_the_terminal(graph: AppGraph, wanted: str) -> None:
    with pytest.raises(NoSuchRoute) as caught:
        routes_named(graph, wanted)
    assert "\x1b" not in str(caught.value)


def test_several_applications_are_all_meant_until_one_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(textwrap.dedent(SHOP), "utf-8")
    (tmp_path / "office.py").write_text(textwrap.dedent(BACK_OFFICE), "utf-8")
    graph = reading.read(SourceTree.open(tmp_path), Config(), cache=False).graph
    assert named(graph, "GET /orders") == ["GET /orders"]  # literally, before what a prefix is left out of
    found = routes_named(graph, "GET /orders", application="shop:app")
    assert [name for each in found for name in each.names] == ["GET /api/v1/orders"]
    with pytest.raises(NoSuchRoute, match=r"there are: office\.py:app, shop\.py:app"):
        routes_named(graph, "GET /orders", application="bakery")


def test_a_mounted_application_is_named_by_where_it_is_mounted(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        textwrap.dedent("""
            from fastapi import FastAPI

            inner = FastAPI()

            @inner.get("/orders")
            def every_order(): ...

            app = FastAPI()
            app.mount("/office", inner)
        """),
        "utf-8",
    )
    graph = reading.read(SourceTree.open(tmp_path), Config(), cache=False).graph
    assert named(graph, "GET /office/orders") == named(graph, "GET /orders") == ["GET /office/orders"]
