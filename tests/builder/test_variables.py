"""A project that `architect new` did not make is told of the variables that components do not start without."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.builder.test_grafting import MODULE_LEVEL, REQUIREMENTS, add, project

from fastapi_architect.__main__ import main

ENV = "SECRET_KEY=do-not-show\nNAME=shop\n"
STRICT = """
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env")

    name: str
"""


def test_the_readme_gets_a_table_of_them_which_grows(tmp_path: Path) -> None:
    root = project(tmp_path, MODULE_LEVEL, {"README.md": "# Shop\n\nOurs."})

    assert add(root, "cache") == 0

    text = (root / "README.md").read_text()
    assert text.startswith("# Shop\n\nOurs.\n\n## Components\n\n`shop/components` holds components;")
    assert text.count("| `REDIS_URL` | Where Redis is:") == 1
    assert add(root, "rate_limiting", "--allow-dirty") == 0
    assert (root / "README.md").read_text() == text
    assert add(root, "outgoing_http", "--allow-dirty") == 0
    assert (root / "README.md").read_text() == text


def test_no_readme_is_made(tmp_path: Path) -> None:
    root = project(tmp_path, MODULE_LEVEL)

    assert add(root, "cache") == 0
    assert not (root / "README.md").exists()


def test_a_committed_env_gets_them_and_nothing_else_of_it_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, MODULE_LEVEL, {".env": ENV})
    (root / ".env").chmod(0o600)

    assert add(root, "cache", "--diff") == 0

    assert (root / ".env").read_text().startswith(ENV + "\n# Redis\n")
    assert "\nREDIS_URL=redis://127.0.0.1:6379/0\n" in (root / ".env").read_text()
    assert "REDIS_TIMEOUT" not in (root / ".env").read_text()
    assert (root / ".env").stat().st_mode & 0o777 == 0o600
    said = capsys.readouterr().out
    assert "+REDIS_URL=" in said
    assert "do-not-show" not in said
    assert "NAME=shop" not in said


@pytest.mark.parametrize(
    ("env", "files"),
    [
        (ENV, {".gitignore": ".env\n"}),
        (ENV, {"shop/settings.py": STRICT}),
        (ENV.rstrip("\n"), {}),
    ],
    ids=["ignored by git", "settings that refuse what they do not know", "a last line without an end"],
)
def test_an_env_that_is_not_ours_to_edit_stays(tmp_path: Path, env: str, files: dict[str, str]) -> None:
    root = project(tmp_path, MODULE_LEVEL, {".env": env, **files})

    assert add(root, "cache") == 0
    assert (root / ".env").read_text() == env


def test_the_plan_says_that_the_application_does_not_start_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, MODULE_LEVEL)

    assert main(["add", "cache", "--dry-run", "--path", str(root)]) == 0
    assert (
        "Set REDIS_URL where the service and its tests run, which do not start without"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("pin", "becomes"),
    [("redis<6,>=5.0.1", "redis>=5.3,<6"), ("redis~=5.3.1", "redis~=5.3.1"), ("redis<7", "redis>=5.3,<7")],
)
def test_a_project_that_keeps_to_an_older_redis_py_keeps_its_cap(
    tmp_path: Path, pin: str, becomes: str
) -> None:
    root = project(tmp_path, MODULE_LEVEL, {"requirements.txt": f"{REQUIREMENTS}{pin}\n"})

    assert add(root, "rate_limiting", "cache") == 0
    assert becomes in (root / "requirements.txt").read_text().splitlines()


def test_what_was_not_tried_is_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = project(tmp_path, MODULE_LEVEL, {"requirements.txt": f"{REQUIREMENTS}redis<5.3\n"})

    assert add(root, "cache") == 2
    assert "redis<5.3, and redis>=5.3 is needed; raise it" in capsys.readouterr().err
