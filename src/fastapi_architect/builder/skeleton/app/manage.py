"""What an administrator types: `python -m app.manage COMMAND`. Components have commands of their own; see their READMEs."""

import argparse
import os
import sys
from collections.abc import Sequence

from sqlalchemy import URL, make_url

from app.components.database.roles import Login, excessive_powers, prepare_database


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.manage", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "prepare-database",
        help="make the database and its two roles where they are missing, as DATABASE_OWNER_URL and DATABASE_URL name "
        "them; SUPERUSER_URL says who may",
    )
    commands.add_parser(
        "check-role", help="say what the role of DATABASE_URL may do although a service must not"
    )
    options = parser.parse_args(arguments)
    if options.command == "check-role":
        return check_role(os.environ["DATABASE_URL"])
    prepare(os.environ["SUPERUSER_URL"], os.environ["DATABASE_OWNER_URL"], os.environ["DATABASE_URL"])
    return 0


def prepare(superuser_url: str, owner_url: str, application_url: str) -> None:
    """Make the database of these URLs and their roles."""
    owner, application = make_url(owner_url), make_url(application_url)
    if owner.database is None or owner.database != application.database:
        sys.exit("DATABASE_OWNER_URL and DATABASE_URL have to name the same database.")
    prepare_database(superuser_url, owner.database, owner=_login(owner), application=_login(application))


def check_role(application_url: str) -> int:
    """Print what the role may do too much, and return 1 if that is anything."""
    found = excessive_powers(application_url)
    for sentence in found:
        sys.stdout.write(f"{make_url(application_url).username}: {sentence}\n")
    return 1 if found else 0


def _login(url: URL) -> Login:
    return Login(url.username or "", url.password or "")


if __name__ == "__main__":
    sys.exit(main())
