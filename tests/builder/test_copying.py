"""Copies are the same bytes; tests get the project's names and stay sorted."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastapi_architect.builder.catalog import ComponentSpec
from fastapi_architect.builder.copying import copy_component, rewrite_test, shared_files
from fastapi_architect.builder.import_block import insert_import, sort_imports
from fastapi_architect.builder.placing import Place

PACKAGE = Place.of("src/shop/components", "src")
TESTS = Place.of("tests/components")


@pytest.fixture
def limits(tmp_path: Path) -> ComponentSpec:
    folder = tmp_path / "limits"
    (folder / "tests" / "deep").mkdir(parents=True)
    (folder / "__pycache__").mkdir()
    for name, text in {
        "__init__.py": '"""x"""\r\n',
        "README.md": "# x\n",
        "component.toml": "",
        "__pycache__/a.pyc": "",
        "tests/__init__.py": "",
        "tests/example.py": "from fastapi_architect.components.limits import Limits\n",
        "tests/deep/test_it.py": "from fastapi_architect.components.limits.tests.example import app\n",
    }.items():
        (folder / name).write_bytes(text.encode())
    return ComponentSpec(name="limits", title="", summary="", group="traffic", version="1.0", folder=folder)


def test_sources_are_the_same_bytes_and_tests_lie_apart(limits: ComponentSpec) -> None:
    copied = {new.path: new for new in copy_component(limits, PACKAGE, TESTS)}

    assert list(copied) == [
        "src/shop/components/limits/README.md",
        "src/shop/components/limits/__init__.py",
        "tests/components/limits/__init__.py",
        "tests/components/limits/deep/test_it.py",
        "tests/components/limits/example.py",
    ]
    assert copied["src/shop/components/limits/__init__.py"].data == b'"""x"""\r\n'
    assert copied["tests/components/limits/example.py"].id == "limits/tests/example.py"
    assert copied["tests/components/limits/example.py"].data == b"from shop.components.limits import Limits\n"
    assert copied["tests/components/limits/deep/test_it.py"].data == b"from ..example import app\n"


def test_tests_can_be_left_out(limits: ComponentSpec) -> None:
    assert not any("tests" in new.path for new in copy_component(limits, PACKAGE, None))


def test_a_test_names_the_project_and_its_imports_are_sorted_anew() -> None:
    ours = '''"""It limits."""

import pytest
from fastapi import FastAPI

from fastapi_architect.components.access.tests.example import PEOPLE
from fastapi_architect.components.limits.tests import example
from fastapi_architect.components.limits.tests.example import app
from fastapi_architect.components.redis_pool import (
    RedisPool,
    RedisSettings,
)

TARGET = "fastapi_architect.components.limits.tests.example:app"
'''
    assert (
        rewrite_test(ours, "limits", PACKAGE, TESTS)
        == '''"""It limits."""

import pytest
from fastapi import FastAPI

from shop.components.redis_pool import (
    RedisPool,
    RedisSettings,
)

from ..access.example import PEOPLE
from . import example
from .example import app

TARGET = "tests.components.limits.example:app"
'''
    )


def test_a_file_that_names_nothing_of_ours_is_left_alone() -> None:
    odd = "import b\nimport a  # fastapi_architect\n"

    assert rewrite_test(odd, "limits", PACKAGE, TESTS) == odd


def test_the_fixtures_of_all_tests_are_the_projects_own() -> None:
    conftest = {new.path: new.data for new in shared_files(PACKAGE, TESTS)}["tests/components/conftest.py"]

    assert b"from shop.components.testing.fixtures import *" in conftest


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""x."""\n\nX = 1\n', '"""x."""\n\nfrom app.b import c\n\nX = 1\n'),
        ("X = 1\n", "from app.b import c\n\nX = 1\n"),
        ("import os\n\nX = 1\n", "import os\n\nfrom app.b import c\n\nX = 1\n"),
        ("from app.b import c\n", "from app.b import c\n"),
        ("from app.b import D, a\n", "from app.b import D, a, c\n"),
        ("from app.c import d\nfrom app.a import b\n", "from app.a import b\nfrom app.b import c\nfrom app.c import d\n"),
        ("from app.b import a  # why\n", "from app.b import a  # why\nfrom app.b import c\n"),
    ],
)  # fmt: skip
def test_an_import_is_put_where_it_belongs(before: str, after: str) -> None:
    assert insert_import(before, "from app.b import c", {"app"}) == after


def test_comments_go_with_the_import_below_them() -> None:
    text = "from app.c import d\n\n# first of all\nfrom app.a import b\n"

    assert sort_imports(text, {"app"}) == "# first of all\nfrom app.a import b\nfrom app.c import d\n"
