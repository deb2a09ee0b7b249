"""One small backend with two flaws, which is a repository."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tests.workbench.conftest import APP


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    """A served folder that holds one backend, `shop`, with everything committed."""
    shop = tmp_path / "served" / "shop"
    shop.mkdir(parents=True)
    (shop / "main.py").write_text(textwrap.dedent(APP), encoding="utf-8")
    (shop / "pyproject.toml").write_text(
        f"[tool.fastapi-architect]\ntest_command = \"'{sys.executable}' -c 'print(41 + 1)'\"\n"
    )
    git(shop.parent, "init", "--quiet")
    commit(shop.parent)
    return shop.parent


def git(folder: Path, *arguments: str) -> None:
    """Run git."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def commit(folder: Path) -> None:
    """Commit everything."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Keep")
