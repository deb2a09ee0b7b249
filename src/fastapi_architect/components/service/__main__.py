"""`python -m app.components.service app.main:create_app` serves the application, or the one that the function makes."""

import sys
from collections.abc import Callable

from fastapi import FastAPI
from uvicorn.importer import import_from_string

from .serving import ServeSettings, serve

USAGE = "usage: python -m app.components.service MODULE:NAME, such as app.main:create_app or app.main:app"


def main(arguments: list[str]) -> None:
    """Serve what the argument names."""
    if len(arguments) != 1 or ":" not in arguments[0]:
        raise SystemExit(USAGE)
    sys.path.insert(0, "")
    found: FastAPI | Callable[[], FastAPI] = import_from_string(arguments[0])
    serve(found if isinstance(found, FastAPI) else found(), ServeSettings())


if __name__ == "__main__":
    main(sys.argv[1:])
