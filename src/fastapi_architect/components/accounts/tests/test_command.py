"""The first administrator comes from the command line."""

import os
import subprocess
import sys

from fastapi.testclient import TestClient

from fastapi_architect.components.accounts import __main__ as command
from fastapi_architect.components.accounts.tests.asking import ACCOUNTS, bearer, log_in
from fastapi_architect.components.accounts.tests.example import Service


def call(database_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", command.__package__ or "", *arguments],
        env=os.environ | {"DATABASE_URL": database_url, "ENVIRONMENT": "local"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_created_administrator_signs_in(service: Service, client: TestClient, database_url: str) -> None:
    done = call(database_url, "create", "Root@example.com", "--role", "admin")
    password = done.stdout.strip()

    assert (
        client.get(ACCOUNTS, headers=bearer(log_in(client, "root@example.com", password))).status_code == 200
    )
    again = call(database_url, "create", "root@example.com")
    assert (again.returncode, again.stdout) == (1, "")
    assert call(database_url, "create", "root@example.com", "--once").returncode == 0


def test_roles_are_given(service: Service, client: TestClient, database_url: str) -> None:
    service.register(client)

    assert call(database_url, "roles", "ada@example.com", "--role", "admin").returncode == 0
    assert client.get(ACCOUNTS, headers=bearer(log_in(client))).status_code == 200
    assert call(database_url, "roles", "nobody@example.com").returncode == 1


def test_what_is_no_address_is_refused(database_url: str) -> None:
    done = call(database_url, "create", "nonsense")

    assert done.returncode == 2
    assert "nonsense" in done.stderr
