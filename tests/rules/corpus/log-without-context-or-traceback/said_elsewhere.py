# ruff: noqa: TRY400
"""The traceback is in the record, in another record, or in the log of whoever catches the error next."""

import logging
import traceback

from fastapi import FastAPI

logger = logging.getLogger(__name__)
app = FastAPI()


def work(n: int) -> int:
    return 1 // n


@app.get("/a")
def a(n: int) -> int:
    try:
        return work(n)
    except Exception:
        logger.error("failed", exc_info=True)
        return 0


@app.get("/b")
def b(n: int) -> int:
    try:
        return work(n)
    except Exception as error:
        logger.error("failed: %s", error)  # silent: raised on
        raise RuntimeError("work") from error


@app.get("/c")
def c(n: int) -> int:
    try:
        return work(n)
    except Exception:
        logger.error("failed: %s", traceback.format_exc())
        return 0


@app.get("/d")
def d(n: int) -> int:
    try:
        return work(n)
    except Exception:
        logger.error("failed for a customer")
        logger.debug("details", exc_info=True)  # silent: here they are
        return 0
