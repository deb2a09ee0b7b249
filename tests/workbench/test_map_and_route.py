"""The map of a backend, and one of its routes."""

from __future__ import annotations

import pytest

from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.explain_rule import explain_rule
from fastapi_architect.workbench.map_backend import map_backend
from fastapi_architect.workbench.show_route import show_route
from fastapi_architect.workbench.workspace import Workspace


def test_the_map_lists_routes_and_can_be_narrowed(workspace: Workspace) -> None:
    answer = map_backend(workspace, "shop")
    assert [each["route"] for each in answer.operations] == [
        "GET /books",
        "GET /books/{title}",
        "GET /health",
    ]
    assert answer.applications == ("main.py:app",)
    narrowed = map_backend(workspace, "shop", route="/health", without_authentication=True)
    assert [each["route"] for each in narrowed.operations] == ["GET /health"]


def test_a_route_is_shown_with_its_parameters_queries_and_findings(workspace: Workspace) -> None:
    answer = show_route(workspace, "GET /books/{title}", "shop")
    assert (answer.folder, answer.total, answer.next) == ("shop", 1, None)
    route = answer.routes[0]
    assert route["route"] == "GET /books/{title}"
    assert [each["name"] for each in route["parameters"]] == ["title"]
    assert [each["rule"] for each in route["findings"]] == ["sql-injection-raw-statement"]
    assert "findings" not in show_route(workspace, "GET /books/{title}", "shop", findings=False).routes[0]


@pytest.mark.parametrize(
    ("route", "path", "says"),
    [
        ("GET /boks", "shop", "/books"),
        ("", "shop", "map_backend lists them"),
        ("GET /books", "shop/main.py", "name the folder"),
        ("GET /books", "..", "outside the served folder"),
    ],
)
def test_a_route_that_is_none_is_answered_with_the_next_step(
    workspace: Workspace, route: str, path: str, says: str
) -> None:
    with pytest.raises(WorkbenchError, match=says):
        show_route(workspace, route, path)


def test_a_rule_is_explained_as_a_page() -> None:
    answer = explain_rule("sql-injection-raw-statement")
    assert (answer.cwe, answer.cvss_score) == ("CWE-89", 9.8)
    assert "## Bad" in answer.page


def test_an_unknown_rule_is_answered_with_near_ones() -> None:
    with pytest.raises(WorkbenchError, match="sql-injection-raw-statement"):
        explain_rule("sql-injection-raw")
