# ruff: noqa: TRY400
"""Errors that end in a handler, whatever is answered or done afterwards; prints that a request makes."""

import logging

from fastapi import FastAPI, HTTPException

logger = logging.getLogger(__name__)
app = FastAPI()


def work(n: int) -> int:
    print("working", n)  # finding: log-without-context-or-traceback
    return 1 // n


@app.get("/a")
def a(n: int) -> int:
    try:
        return work(n)
    except Exception as error:
        logger.error("failed: %s", error)  # finding: log-without-context-or-traceback
        raise HTTPException(502, "later") from error


@app.get("/b")
def b(n: int) -> int:
    try:
        return work(n)
    except:  # noqa: E722
        logger.critical("failed")  # silent: counted with the first of this file
        return 0
