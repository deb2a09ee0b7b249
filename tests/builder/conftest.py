"""A project as `architect new` makes them, at its smallest."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from fastapi_architect.builder.lock import LOCK, Lock
from fastapi_architect.builder.placing import Place
from fastapi_architect.builder.wiring import registry_text

PYPROJECT = """[project]
name = "shop"
requires-python = ">=3.11"
dependencies = [
    "fastapi>=0.136",
    "uvicorn>=0.30",  # serves
]

[dependency-groups]
dev = ["pytest>=8"]
"""

MAIN = '''"""The shop."""

from fastapi import FastAPI

from app.components.service import install
from app.registry import components


def create_app() -> FastAPI:
    """Return the application."""
    app = FastAPI(title="Shop")
    install(app, components())
    return app
'''


def commit(root: Path) -> None:
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with a registry and a lock that know no components yet."""
    root = tmp_path / "shop"
    package, tests = Place.of("app/components"), Place.of("tests/components")
    lock = Lock(package=package, tests=tests, registry="app/registry.py")
    write(
        root,
        {
            "pyproject.toml": PYPROJECT,
            "app/__init__.py": "",
            "app/main.py": MAIN,
            "app/registry.py": registry_text([], "app.components.service"),
            "tests/__init__.py": "",
            LOCK: msgspec.json.encode(lock).decode(),
        },
    )
    commit(root)
    return root
