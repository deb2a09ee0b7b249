"""The comparison of a static answer with the truth, on made-up applications."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load(name: str) -> ModuleType:
    path = Path(__file__).parents[2] / "ecosystem" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"ecosystem_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


accuracy = load("accuracy")


def operation(method: str, path: str, **more: Any) -> dict[str, Any]:
    return {
        "method": method,
        "path": path,
        "handler": "shop.api.read",
        "file": "shop/api.py",
        "parameters": [],
        "dependencies": [],
        **more,
    }


def truth(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"operations": list(operations), "plain_routes": []}


def by_subject(document: dict[str, Any], *applications: list[dict[str, Any]]) -> dict[str, Any]:
    stated = [{"name": "app", "operations": operations} for operations in applications]
    return {c.subject: c for c in accuracy.compare(document, stated)}


def test_a_route_is_the_same_whatever_its_parameter_is_called() -> None:
    result = by_subject(truth(operation("GET", "/items/{item_id}")), [operation("get", "/items/{id}")])
    assert (result["routes"].right, result["routes"].misses, result["routes"].extras) == (1, (), ())


def test_a_trailing_slash_makes_another_route() -> None:
    result = by_subject(truth(operation("GET", "/items/")), [operation("GET", "/items")])
    assert result["routes"].misses == (("GET", "/items/"),)
    assert result["routes"].extras == (("GET", "/items"),)


def test_recall_and_precision_are_shares_of_truth_and_of_answer() -> None:
    document = truth(*(operation("GET", f"/{n}") for n in range(4)))
    result = by_subject(document, [operation("GET", f"/{n}") for n in (0, 1, 2, 7, 8)])["routes"]
    assert (result.recall, result.precision, result.passes) == (0.75, 0.6, False)


def test_routes_of_installed_packages_and_documentation_pages_count_neither_way() -> None:
    document = truth(operation("GET", "/"), operation("GET", "/metrics", file=None))
    result = by_subject(
        document, [operation("GET", "/"), operation("GET", "/metrics"), operation("GET", "/docs")]
    )
    assert (result["routes"].recall, result["routes"].precision) == (1.0, 1.0)


def test_a_parameter_of_another_kind_is_missed_and_extra() -> None:
    def with_kind(kind: str) -> dict[str, Any]:
        return operation("POST", "/x", parameters=[{"name": "q", "kind": kind, "required": True}])

    result = by_subject(truth(with_kind("query")), [with_kind("body")])["parameters"]
    assert result.misses == (("POST", "/x", "q", "query", True),)
    assert result.extras == (("POST", "/x", "q", "body", True),)


def test_parameters_of_a_missed_route_are_missed_too() -> None:
    hidden = operation("GET", "/x", parameters=[{"name": "q", "kind": "query", "required": False}])
    result = by_subject(truth(operation("GET", "/"), hidden), [operation("GET", "/")])
    assert result["parameters"].recall == 0.0


def test_header_names_are_compared_without_case() -> None:
    def with_header(name: str) -> dict[str, Any]:
        return operation("GET", "/", parameters=[{"name": name, "kind": "header", "required": False}])

    assert by_subject(truth(with_header("X-Token")), [with_header("x-token")])["parameters"].passes


@pytest.mark.parametrize(
    ("true", "stated"),
    [
        ("shop.auth.require.<locals>.check", "shop.auth.require.check"),
        ("shop.auth.user", "backend.shop.auth.user"),
        ("fastapi.security.oauth2.OAuth2PasswordBearer", "fastapi.security.OAuth2PasswordBearer"),
    ],
)
def test_a_dependency_is_the_same_under_its_other_spelling(true: str, stated: str) -> None:
    document = truth(operation("GET", "/", dependencies=[true]))
    assert by_subject(document, [operation("GET", "/", dependencies=[stated])])["guards"].right == 1


def test_a_missing_guard_is_missed() -> None:
    document = truth(operation("GET", "/", dependencies=["shop.auth.user", "shop.db.session"]))
    result = by_subject(document, [operation("GET", "/", dependencies=["shop.db.session"])])["guards"]
    assert result.misses == (("GET", "/", "shop.auth.user"),)


def test_the_class_of_a_class_based_view_is_not_a_guard() -> None:
    view = operation("GET", "/", handler="shop.api.Items.read", dependencies=["shop.api.Items"])
    assert by_subject(truth(view), [{**view, "dependencies": []}])["guards"].misses == ()


def test_the_application_that_shares_most_operations_is_compared() -> None:
    document = truth(operation("GET", "/a"), operation("GET", "/b"))
    worker = [operation("GET", "/a"), operation("POST", "/run")]
    result = by_subject(document, worker, [operation("GET", "/a"), operation("GET", "/b")])["routes"]
    assert (result.recall, result.precision) == (1.0, 1.0)


def test_an_empty_answer_recalls_nothing() -> None:
    assert by_subject(truth(operation("GET", "/")))["routes"].recall == 0.0


def test_the_stored_truth_is_of_the_pinned_commits() -> None:
    pinned = {p.name: p.commit for p in accuracy.load_projects() if p.accuracy is not None}
    stored = {
        path.stem: accuracy.json.loads(path.read_text("utf-8"))["commit"]
        for path in accuracy.TRUTH.glob("*.json")
    }
    assert stored == pinned
