"""SecAPI works as a role that owns nothing, on tables that its migrations made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from fastapi_architect.components.database.roles import excessive_powers

ALEMBIC = """
import sys
from alembic import command
from fastapi_architect.secapi.migrating import alembic_config
for name in sys.argv[1:]:
    getattr(command, name)(alembic_config(), *{"downgrade": ["base"], "upgrade": ["head"]}.get(name, []))
"""


def alembic(environment: Mapping[str, str], *commands: str) -> None:
    """Run Alembic as a process of its own: the models of other tests stand in this one's metadata."""
    done = subprocess.run(
        [sys.executable, "-c", ALEMBIC, *commands],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_role_of_the_service_may_do_no_more_than_a_service_does(
    service_environment: Mapping[str, str],
) -> None:
    assert excessive_powers(service_environment["DATABASE_URL"]) == []


def test_the_migrations_make_what_the_models_say_and_can_be_undone(
    service_environment: Mapping[str, str],
) -> None:
    alembic(service_environment, "check", "downgrade", "upgrade", "check")
