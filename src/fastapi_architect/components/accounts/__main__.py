"""`python -m app.components.accounts create ada@example.com --role admin`: opens an account and prints its password."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from ..database import Database, DatabaseSettings
from .emails import deliverable
from .initial_passwords import LIFETIME
from .opening import open_account, set_roles
from .passwords import PasswordHashing


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    database = Database(DatabaseSettings())
    try:
        if options.command == "create":
            return await _create(database, options)
        if await set_roles(database, options.email, options.roles):
            return 0
        sys.stderr.write(f"There is no account of {options.email}.\n")
        return 1
    finally:
        await database.engine.dispose()


async def _create(database: Database, options: argparse.Namespace) -> int:
    password = await open_account(
        database, PasswordHashing(), options.email, options.roles, one_time=options.one_time
    )
    if password is None:
        sys.stderr.write(f"{options.email} has an account already.\n")
        return 0 if options.once else 1
    sys.stdout.write(f"{password}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="open an account, and print the password made for it")
    create.add_argument("email", type=deliverable)
    create.add_argument("--once", action="store_true", help="that there is one already is no error")
    create.add_argument(
        "--one-time",
        action="store_true",
        help=f"the password is good for {LIFETIME.days} days, and only to choose another (PUT /me/password)",
    )
    change = commands.add_parser("roles", help="give an account these roles and no others")
    change.add_argument("email")
    for command in (create, change):
        command.add_argument(
            "--role", dest="roles", action="append", default=[], help="repeat it for several"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
