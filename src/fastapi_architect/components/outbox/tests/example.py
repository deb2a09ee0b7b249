"""The smallest service with an outbox: whoever is greeted gets a note, written by a worker."""

import os
import signal
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from fastapi_architect.components.database import Database, DatabaseSettings
from fastapi_architect.components.outbox import (
    HandlerContext,
    Outbox,
    OutboxSettings,
    PermanentFailure,
    Retries,
    RetryLater,
    handles,
)
from fastapi_architect.components.service import Component

notes = Table(
    "example_notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", String, nullable=False),
)
#: Pauses too short to wait for in a test.
QUICKLY = Retries(attempts=3, first=0.01, longest=0.02)


@handles("greetings.asked", retries=QUICKLY)
def greet(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Write a note."""
    context.session.execute(insert(notes).values(text=f"hello {payload['name']}"))


@handles("greetings.in_bulk", retries=QUICKLY, queue="bulk")
def greet_in_bulk(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Write a note, where what takes long is done."""
    greet(context, payload)


@handles("greetings.slow", retries=QUICKLY)
def greet_slowly(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Write a note that begins long before it ends."""
    time.sleep(payload["seconds"])
    context.session.execute(
        insert(notes).values(text=f"hello {payload['name']} at attempt {context.attempt}")
    )


@handles("greetings.failing", retries=QUICKLY)
def fail(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Write a note, and fail."""
    context.session.execute(insert(notes).values(text="never seen"))
    raise RuntimeError("no luck\x00")


@handles("greetings.unspeakable", retries=QUICKLY)
def fail_unspeakably(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Fail with a reason that no database can hold."""
    raise RuntimeError("no luck\x00\ud800")


@handles("greetings.hopeless", retries=QUICKLY)
def fail_for_good(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Refuse for ever."""
    raise PermanentFailure("there is no such person")


@handles("greetings.later", retries=QUICKLY)
def ask_to_come_back(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Be busy."""
    raise RetryLater("busy", timedelta(hours=2))


@handles("greetings.poison", retries=QUICKLY)
def kill_the_worker(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Kill the process, as a bug in a C library or the out-of-memory killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


@handles("greetings.to_two", retries=QUICKLY)
def greet_one(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Write a note."""
    context.session.execute(insert(notes).values(text="one"))


@handles("greetings.to_two", retries=QUICKLY)
def greet_another(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Fail at first."""
    if context.attempt == 1:
        raise RuntimeError("not yet")
    context.session.execute(insert(notes).values(text="another"))


def components() -> Sequence[Component]:
    """Return what the service is made of, from the environment."""
    return [Database(DatabaseSettings()), Outbox(OutboxSettings())]
