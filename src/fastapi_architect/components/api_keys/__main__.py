"""`python -m app.components.api_keys create --name first --scope api_keys:manage`: prints a new key of a service."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from ..database import Database, DatabaseSettings
from .issue import add_service_key, service_key
from .service import NewKey
from .settings import ApiKeySettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    settings = ApiKeySettings()
    options = _parser(settings).parse_args(arguments)
    wanted = service_key(options.name, options.scopes, options.days)
    text = asyncio.run(_create(settings, wanted, once=options.once))
    if text is None:
        sys.stderr.write(f"There is a key named {options.name!r} already.\n")
    else:
        sys.stdout.write(f"{text}\n")
    return 0


async def _create(settings: ApiKeySettings, wanted: NewKey, *, once: bool) -> str | None:
    database = Database(DatabaseSettings())
    try:
        return await add_service_key(database, settings, wanted, once=once)
    finally:
        await database.engine.dispose()


def _parser(settings: ApiKeySettings) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="print a new key of a service; it is shown this once")
    create.add_argument("--name", default="first", help="what it is for (default: first)")
    create.add_argument(
        "--scope", dest="scopes", action="append", default=[], help="what it may do; repeat it"
    )
    create.add_argument("--days", type=int, default=settings.default_days, help="how long it is good for")
    create.add_argument("--once", action="store_true", help="only if there is no good key of that name")
    return parser


if __name__ == "__main__":
    sys.exit(main())
