"""What the oracle says of a made-up application, asked of the FastAPI that is installed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ORACLE = Path(__file__).parents[2] / "ecosystem" / "oracle.py"

APP = """
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, FastAPI, File, Form, Header, Query, Security, UploadFile
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, Field

scheme = OAuth2PasswordBearer(tokenUrl="token")


class Filters(BaseModel):
    term: str
    page_size: int = Field(20, alias="pageSize")


class Item(BaseModel):
    name: str


class Tenant:
    def __init__(self, x_tenant: Annotated[str, Header()]) -> None:
        self.name = x_tenant


class Limit:
    def __call__(self, limit: int = 10) -> int:
        return limit


def current_user(token: Annotated[str, Depends(scheme)]) -> str:
    return token


def require(role: str):
    def check(user: Annotated[str, Depends(current_user)]) -> str:
        return user

    return check


def named(prefix: str, q: str) -> str:
    return prefix + q


router = APIRouter(prefix="/items", dependencies=[Depends(Tenant)])


@router.get("/{item_id}")
def read(
    item_id: int, filters: Annotated[Filters, Query()], session: Annotated[str, Cookie()] = ""
) -> None: ...


@router.post("")
def create(item: Item, user: Annotated[str, Security(require("editor"), scopes=["items"])]) -> None: ...


@router.put("/{item_id}/file")
def store(
    item_id: int,
    upload: UploadFile,
    note: Annotated[str, Form()],
    limit: Annotated[int, Depends(Limit())],
    q: Annotated[str, Depends(partial(named, "x"))],
) -> None: ...


@router.websocket("/live")
async def live(websocket) -> None: ...


outer = APIRouter(prefix="/v1")
outer.include_router(router)
inner = FastAPI()


@inner.api_route("/ping", methods=["GET", "POST"])
def ping() -> None: ...


def create_app() -> FastAPI:
    app = FastAPI()
    app.include_router(outer, prefix="/api")
    app.mount("/inner", inner)
    app.add_route("/plain", lambda request: None)
    return app
"""


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(APP)
    command = [
        sys.executable,
        str(ORACLE),
        "shop:create_app()",
        "--directory",
        str(folder),
        "--root",
        str(folder),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


def operation(truth: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    [found] = [o for o in truth["operations"] if (o["method"], o["path"]) == (method, path)]
    return found


def parameters(found: dict[str, Any]) -> set[tuple[str, str, bool]]:
    return {(p["name"], p["kind"], p["required"]) for p in found["parameters"]}


def test_nested_prefixes_and_mounts_are_in_the_path(truth: dict[str, Any]) -> None:
    assert [(o["method"], o["path"]) for o in truth["operations"]] == [
        ("POST", "/api/v1/items"),
        ("GET", "/api/v1/items/{item_id}"),
        ("PUT", "/api/v1/items/{item_id}/file"),
        ("GET", "/inner/ping"),
        ("POST", "/inner/ping"),
    ]


def test_websockets_plain_routes_and_mounts_are_listed_apart(truth: dict[str, Any]) -> None:
    assert [w["path"] for w in truth["websockets"]] == ["/api/v1/items/live"]
    assert [(r["method"], r["path"]) for r in truth["plain_routes"]] == [("GET", "/plain")]
    assert truth["mounts"] == [{"path": "/inner", "application": "fastapi.applications.FastAPI"}]


def test_a_query_model_is_taken_apart_and_headers_of_dependencies_are_included(truth: dict[str, Any]) -> None:
    assert parameters(operation(truth, "GET", "/api/v1/items/{item_id}")) == {
        ("item_id", "path", True),
        ("term", "query", True),
        ("pageSize", "query", False),
        ("session", "cookie", False),
        ("x-tenant", "header", True),
    }


def test_files_forms_and_parameters_of_callable_instances_and_partials_are_found(
    truth: dict[str, Any],
) -> None:
    assert parameters(operation(truth, "PUT", "/api/v1/items/{item_id}/file")) == {
        ("item_id", "path", True),
        ("upload", "file", True),
        ("note", "form", True),
        ("limit", "query", False),
        ("q", "query", True),
        ("x-tenant", "header", True),
    }


def test_dependencies_are_flattened_and_named_by_their_definition(truth: dict[str, Any]) -> None:
    created = operation(truth, "POST", "/api/v1/items")
    assert created["dependencies"] == [
        "fastapi.security.oauth2.OAuth2PasswordBearer",
        "shop.Tenant",
        "shop.current_user",
        "shop.require.<locals>.check",
    ]
    assert created["security_schemes"] == ["OAuth2PasswordBearer"]
    assert created["scopes"] == ["items"]
    stored = operation(truth, "PUT", "/api/v1/items/{item_id}/file")
    assert stored["dependencies"] == ["shop.Limit", "shop.Tenant", "shop.named"]


def test_the_place_of_a_handler_is_relative_to_the_tree(truth: dict[str, Any]) -> None:
    found = operation(truth, "POST", "/api/v1/items")
    assert found["file"] == "shop.py"
    assert APP.splitlines()[found["line"] - 1] == '@router.post("")'
