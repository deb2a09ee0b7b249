"""One small backend with two flaws, and a workspace around it."""

from __future__ import annotations

import os
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from fastapi_architect.workbench.workspace import Workspace

APP = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, text

    app = FastAPI()
    engine = create_engine("sqlite://")

    @app.get("/books")
    def search(title: str) -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(text(f"SELECT title FROM books WHERE title = '{title}'")))

    @app.get("/books/{title}")
    def describe(title: str) -> list[str]:
        with engine.connect() as connection:
            return list(connection.scalars(text(f"SELECT text FROM books WHERE title = '{title}'")))

    @app.get("/health")
    def health() -> str:
        return "up"
"""
RAW_SQL = "sql-injection-raw-statement"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A served folder that holds one backend, `shop`."""
    shop = tmp_path / "served" / "shop"
    shop.mkdir(parents=True)
    (shop / "main.py").write_text(textwrap.dedent(APP), encoding="utf-8")
    return shop.parent


@pytest.fixture
def workspace(folder: Path) -> Workspace:
    """A workspace in which nothing may change."""
    return Workspace(folder)


@pytest.fixture
def writable(folder: Path) -> Workspace:
    """The same, in which files may change."""
    return Workspace(folder, writes=True)


@pytest.fixture
def git(folder: Path) -> Callable[..., str]:
    """git in the served folder, which it makes a repository with everything committed."""

    def run(*arguments: str) -> str:
        identity = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | identity,
        )
        return done.stdout

    run("init", "--quiet")
    run("add", "--all")
    run("commit", "--quiet", "--message", "Begin")
    return run


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }
