"""The first key of a service comes from the command line."""

import os
import subprocess
import sys

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.api_keys import __main__ as command
from fastapi_architect.components.api_keys.tests.example import create_app
from fastapi_architect.components.database import Database


def call(database_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "API_KEY_PREFIX": "shop",
        "ENVIRONMENT": "local",
    }
    return subprocess.run(
        [sys.executable, "-m", command.__package__ or "", "create", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_first_key_gets_in_and_makes_others(database_url: str, database: Database) -> None:
    done = call(database_url, "--scope", "api_keys:manage", "--scope", "items:read")
    key = {"X-API-Key": done.stdout.strip()}

    with TestClient(create_app(database)) as client:
        assert client.get("/items", headers=key).status_code == 200
        body = {"name": "next", "scopes": ["items:read"], "for_service": True}
        assert client.post("/api/v1/api-keys", json=body, headers=key).status_code == 201


def test_it_is_made_once_when_asked_so(database_url: str) -> None:
    first, second = call(database_url, "--once"), call(database_url, "--once")

    assert first.stdout.startswith("shop_")
    assert second.stdout == ""
    assert "already" in second.stderr
    assert second.returncode == 0


@pytest.mark.parametrize("arguments", [["--days", "x"], ["--nonsense"]])
def test_a_mistyped_command_says_how_it_is_used(database_url: str, arguments: list[str]) -> None:
    assert call(database_url, *arguments).returncode == 2
