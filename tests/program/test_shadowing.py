"""A folder or file that is called like a library hides the library only where Python would let it."""

from __future__ import annotations

import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.program.import_graph import ImportGraph, resolve_relative


def found(importer: str, name: str, *paths: str) -> str | None:
    graph = ImportGraph([*paths, importer], {"alembic", "redis"}.__contains__)
    folder = importer.rpartition("/")[0].replace("/", ".")
    return graph.find(folder, name)


@pytest.mark.parametrize(
    "paths",
    [
        ("alembic/env.py",),
        ("src/app/__init__.py", "src/app/alembic/__init__.py"),
        ("redis.py",),
    ],
    ids=["folder without __init__", "inside a package", "file"],
)
def test_the_library_is_meant(paths: tuple[str, ...]) -> None:
    name = "redis" if paths == ("redis.py",) else "alembic"
    assert found("src/app/alembic/versions/one.py", name, *paths) is None


def test_a_package_at_the_top_hides_a_library() -> None:
    assert found("app/main.py", "redis", "redis/__init__.py", "redis/client.py") == "redis"


@pytest.mark.parametrize(
    ("path", "target", "meant"),
    [
        ("orders/router.py", "..service", "service"),
        ("orders/router.py", ".service", "orders.service"),
        ("router.py", ".service", "service"),
        ("router.py", "..service", None),
        ("orders/router.py", "...service", None),
    ],
)
def test_what_lies_above_the_tree_is_not_what_is_called_alike_in_it(
    path: str, target: str, meant: str | None
) -> None:
    module = program_of({path: "", "service.py": ""}).modules[path]

    assert resolve_relative(module, target) == meant
