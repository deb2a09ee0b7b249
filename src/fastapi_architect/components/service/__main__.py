"""`python -m app.components.service app.main:create_app` serves the application that the function makes."""

import sys

from uvicorn.importer import import_from_string

from .serving import ServeSettings, serve

USAGE = "usage: python -m app.components.service MODULE:FUNCTION, such as app.main:create_app"


def main(arguments: list[str]) -> None:
    """Serve what the arguments name."""
    if len(arguments) != 1 or ":" not in arguments[0]:
        raise SystemExit(USAGE)
    sys.path.insert(0, "")
    serve(import_from_string(arguments[0])(), ServeSettings())


if __name__ == "__main__":
    main(sys.argv[1:])
