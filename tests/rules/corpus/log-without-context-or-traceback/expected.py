# ruff: noqa: TRY400
"""Errors that are expected and named need no traceback; a command prints, and a warning is no error."""

import logging
import sys

from fastapi import FastAPI

logger = logging.getLogger(__name__)
app = FastAPI()


def work(n: int) -> int:
    return 1 // n


@app.get("/a")
def a(n: int) -> int:
    try:
        return work(n)
    except ZeroDivisionError:
        logger.error("nothing to divide by")
        return 0


@app.get("/b")
def b(n: int) -> int:
    try:
        return work(n)
    except Exception:
        logger.info("no result, as on every first day")
        return 0


def main() -> None:
    print(work(3))
    print("done", file=sys.stderr)


if __name__ == "__main__":
    main()
