"""The service works as a role that owns nothing, on tables that its migrations made."""

import subprocess
import sys

from app.components.database import DatabaseSettings
from app.components.database.roles import excessive_powers
from development import ROOT


def test_the_role_of_the_service_may_do_no_more_than_a_service_does(settings: None) -> None:
    assert excessive_powers(DatabaseSettings().url.get_secret_value()) == []


def alembic(*arguments: str) -> None:
    """Run Alembic as a process of its own: the models of other tests stand in this one's metadata."""
    subprocess.run([sys.executable, "-m", "alembic", *arguments], cwd=ROOT, check=True)


def test_the_migrations_make_what_the_models_say(settings: None) -> None:
    alembic("check")


def test_every_migration_can_be_undone_and_done_again(settings: None) -> None:
    alembic("downgrade", "base")
    alembic("upgrade", "head")
    alembic("check")
