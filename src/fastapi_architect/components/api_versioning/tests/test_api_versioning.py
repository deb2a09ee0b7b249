"""A caller gets the version that was asked for, and learns in time that it ends."""

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fastapi_architect.components.api_versioning import ApiVersion, ApiVersioning
from fastapi_architect.components.api_versioning.tests.example import VERSIONS, create_app

OLD, NEW = {"name": "Emma"}, {"title": "Emma"}
SHOP_1, SHOP_2 = "application/vnd.shop.v1+json", "application/vnd.shop.v2+json"


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(default="2"))


@pytest.mark.parametrize(
    ("path", "headers", "book", "version"),
    [
        ("/api/v1/books/Emma", {}, OLD, "1"),
        ("/api/v2/books/Emma", {}, NEW, "2"),
        ("/api/books/Emma", {"API-Version": "1"}, OLD, "1"),
        ("/api/books/Emma", {"API-Version": "2"}, NEW, "2"),
        ("/api/books/Emma", {"Accept": SHOP_1}, OLD, "1"),
        ("/api/books/Emma", {"Accept": f"text/html, {SHOP_2.upper()};q=0.9"}, NEW, "2"),
        ("/api/books/Emma", {"Accept": f"application/vnd.shop.v9+json, {SHOP_1}"}, OLD, "1"),
        ("/api/books/Emma", {"Accept": "application/vnd.other.v7+json"}, NEW, "2"),
        ("/api/books/Emma", {}, NEW, "2"),
        ("/api/v1/books/Emma", {"API-Version": "1", "Accept": SHOP_1}, OLD, "1"),
    ],
)
def test_a_version_is_named_by_path_header_or_media_type(
    client: TestClient, path: str, headers: dict[str, str], book: dict[str, str], version: str
) -> None:
    answer = client.get(path, headers=headers)

    assert (answer.status_code, answer.json()) == (200, book)
    assert answer.headers["api-version"] == version


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v9/books/Emma", {}, 404),
        ("/api/v99999/books/Emma", {}, 404),
        ("/api/v1e1/books/Emma", {}, 404),
        ("/api/books/Emma", {"API-Version": "9"}, 400),
        ("/api/books/Emma", {"API-Version": "1, 2"}, 400),
        ("/api/books/Emma", {"API-Version": "<script>"}, 400),
        ("/api/books/Emma", {"API-Version": ""}, 400),
        ("/api/books/Emma", {"Accept": "application/vnd.shop.v9+json"}, 406),
        ("/api/books/Emma", {"API-Version": "1", "Accept": SHOP_2}, 400),
        ("/api/v2/books/Emma", {"API-Version": "1"}, 400),
    ],
)
def test_a_version_that_is_not_there_is_a_clear_problem(
    client: TestClient, path: str, headers: dict[str, str], status: int
) -> None:
    answer = client.get(path, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "script" not in answer.text


def test_the_problem_says_which_versions_there_are(client: TestClient) -> None:
    answer = client.get("/api/v9/books/Emma").json()

    assert (answer["detail"], answer["versions"]) == ("There is no version 9 of this API.", ["1", "2"])


def test_two_headers_are_not_one(client: TestClient) -> None:
    answer = client.get("/api/books/Emma", headers=[("API-Version", "1"), ("API-Version", "2")])

    assert answer.status_code == 400


def test_a_version_that_ends_says_so(client: TestClient) -> None:
    answer = client.get("/api/v1/books/Emma")

    assert answer.headers["deprecation"] == "@1767225600"
    assert answer.headers["sunset"] == "Thu, 31 Dec 2026 00:00:00 GMT"
    assert answer.headers.get_list("link") == [
        '</next>; rel="next"',
        '</api/v2/books/Emma>; rel="successor-version", <https://shop.example/v2>; rel="deprecation"; type="text/html"',
    ]


def test_the_present_version_says_nothing_of_the_kind(client: TestClient) -> None:
    answer = client.get("/api/v2/books/Emma")

    assert not {"deprecation", "sunset", "link"} & set(answer.headers)


def test_errors_of_a_version_that_ends_say_so_too(client: TestClient) -> None:
    assert client.get("/api/v1/nowhere").headers["deprecation"] == "@1767225600"


def test_a_version_that_has_ended_is_gone() -> None:
    client = TestClient(create_app(now=lambda: datetime(2027, 1, 1, tzinfo=UTC)))

    answer = client.get("/api/v1/books/Emma")

    assert (answer.status_code, answer.json()["detail"]) == (
        410,
        "Version 1 of this API has ended. Use version 2.",
    )
    assert answer.headers["sunset"]
    assert client.get("/api/v2/books/Emma").status_code == 200


def test_caches_keep_versions_apart(client: TestClient) -> None:
    assert client.get("/api/books/Emma").headers["vary"].lower() == "api-version, accept"
    assert "vary" not in client.get("/api/v2/books/Emma").headers
    assert (
        client.get("/api/books/Emma", headers={"API-Version": "9"}).headers["vary"].lower()
        == "api-version, accept"
    )


def test_a_media_type_of_ours_is_answered_with_it(client: TestClient) -> None:
    answer = client.get("/api/books/Emma", headers={"Accept": SHOP_1})
    refused = client.get("/api/nowhere", headers={"Accept": SHOP_1})

    assert answer.headers["content-type"] == SHOP_1
    assert refused.headers["content-type"] == "application/problem+json"


def test_without_a_default_other_paths_stay_what_they_are() -> None:
    client = TestClient(create_app())

    assert client.get("/api/health").json() == "alive"
    assert client.get("/api/books/Emma").status_code == 404
    assert client.get("/api/books/Emma", headers={"API-Version": "2"}).json() == NEW
    assert client.get("/apiary").status_code == 404


@pytest.mark.parametrize(
    "path", ["/api/v1/a%0d%0aX-Forged:%201", "/api/v1/%3E%3B%20rel=%22x%22", "/api/v1/%00"]
)
def test_a_path_cannot_forge_a_header(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert "x-forged" not in answer.headers
    assert answer.headers["link"].count("rel=") == 2


@pytest.mark.parametrize("root_path", ["", "/behind/a/proxy"])
def test_it_works_below_a_root_path(root_path: str) -> None:
    client = TestClient(create_app(default="1"), root_path=root_path)
    answer = client.get(f"{root_path}/api/books/Emma")

    assert answer.json() == OLD
    assert f"<{root_path}/api/v2/books/Emma>" in answer.headers["link"]


def test_a_websocket_has_a_version_too(client: TestClient) -> None:
    for url, headers in (("/api/v2/talk", {}), ("/api/talk", {"API-Version": "2"})):
        with client.websocket_connect(url, headers=headers) as websocket:
            assert websocket.receive_text() == "hello"
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/api/v9/talk"):
        pass
    assert refused.value.reason == "There is no version 9 of this API."


def test_a_long_list_of_media_types_costs_nothing(client: TestClient) -> None:
    accept = "application/vnd.shop.v9+json," * 300

    assert client.get("/api/books/Emma", headers={"Accept": accept}).status_code == 406


def test_the_documentation_marks_what_ends() -> None:
    paths = create_app().openapi()["paths"]
    before, now = paths["/api/v1/books/{title}"]["get"], paths["/api/v2/books/{title}"]["get"]

    assert before["deprecated"]
    assert set(before["responses"]["200"]["headers"]) == {"Deprecation", "Sunset"}
    assert "deprecated" not in now


@pytest.mark.parametrize(
    "values",
    [
        {"name": "v1"},
        {"name": "1", "deprecated_at": datetime(2026, 1, 1)},
        {"name": "1", "sunset_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {
            "name": "1",
            "deprecated_at": datetime(2027, 1, 1, tzinfo=UTC),
            "sunset_at": datetime(2026, 1, 1, tzinfo=UTC),
        },
    ],
)
def test_a_version_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="version"):
        ApiVersion(**values)


@pytest.mark.parametrize(
    ("versions", "default"), [((), None), ((VERSIONS[1], VERSIONS[1]), None), (VERSIONS, "3")]
)
def test_versions_that_cannot_be_are_refused(versions: tuple[ApiVersion, ...], default: str | None) -> None:
    with pytest.raises(ValueError, match="version"):
        ApiVersioning(versions, default=default)
