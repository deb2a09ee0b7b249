"""Tasks that write notes, and one of each kind of trouble."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import shared_task
from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from fastapi_architect.components.celery_tasks import DurableTask, queue_task
from fastapi_architect.components.outbox import (
    HandlerContext,
    Priority,
    Retries,
    complete_part,
    handles,
)

notes = Table(
    "example_task_notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", String, nullable=False),
)
#: Pauses too short to wait for in a test.
QUICKLY = Retries(attempts=3, first=0.1, longest=0.2)


class NoteTask(DurableTask):
    """What the tasks of this example share."""

    abstract = True
    retries = QUICKLY

    def note(self, text: str) -> None:
        """Write a note in the transaction that ends the task."""
        self.context.session.execute(insert(notes).values(text=text))


@handles("notes.asked", retries=QUICKLY)
def write_note(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Write a note, as the handler of an event does."""
    context.session.execute(insert(notes).values(text=payload["text"]))


@handles("notes.urgent", retries=QUICKLY, priority=Priority.HIGH)
def write_urgent_note(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Write a note before all others."""
    write_note(context, payload)


@shared_task(base=NoteTask, bind=True, name="notes.write")
def write(self: NoteTask, text: str) -> str:
    """Write a note that says at which attempt."""
    self.note(f"{text} {self.context.attempt}")
    return text


@shared_task(base=NoteTask, bind=True, name="notes.write_slowly")
def write_slowly(self: NoteTask, text: str, seconds: float, pid_file: str) -> None:
    """Write a note, after saying which process it is that takes so long."""
    Path(pid_file).write_text(str(os.getpid()))
    time.sleep(seconds)
    self.note(f"{text} {self.context.attempt}")


@shared_task(base=NoteTask, bind=True, name="notes.in_bulk", queue_name="bulk")
def write_in_bulk(self: NoteTask, text: str) -> None:
    """Write a note, when there is time."""
    self.note(text)


@shared_task(base=NoteTask, bind=True, name="notes.whose")
def note_request(self: NoteTask) -> None:
    """Write down which request caused this."""
    self.note(self.context.request_id)


@shared_task(base=NoteTask, bind=True, name="notes.unlucky")
def fail_at_first(self: NoteTask, text: str) -> str:
    """Fail once."""
    self.note("never seen" if self.context.attempt == 1 else text)
    if self.context.attempt == 1:
        raise RuntimeError("not yet")
    return text


@shared_task(base=NoteTask, bind=True, name="notes.poison")
def kill_the_worker(self: NoteTask) -> None:
    """Kill the process, as a bug in a C library or the out-of-memory killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(base=NoteTask, bind=True, name="notes.part")
def write_part(self: NoteTask, text: str, fan_in_id: str) -> None:
    """Write a note that is one of many."""
    self.note(text)
    complete_part(self.context.session, fan_in_id)


@shared_task(base=NoteTask, bind=True, name="notes.first")
def write_first(self: NoteTask, text: str) -> None:
    """Write a note and start what follows, both with the commit that ends this task."""
    self.note(text)
    queue_task(self.context.session, write, text="then")
    if self.context.attempt == 1:
        raise RuntimeError("not yet")


@shared_task(base=NoteTask, bind=True, name="notes.add", ignore_result=False)
def add(self: NoteTask, first: int, second: int) -> int:
    """Add two numbers; a chord needs the result."""
    return first + second


@shared_task(base=NoteTask, bind=True, name="notes.total", ignore_result=False)
def note_total(self: NoteTask, numbers: list[int]) -> None:
    """Write down a sum."""
    self.note(f"total {sum(numbers)}")
