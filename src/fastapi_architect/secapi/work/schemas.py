"""How dead letters look from outside. What an event carries is never shown."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from fastapi_architect.components.database import InputModel, OutputModel
from fastapi_architect.components.outbox import EventState


class DeadLetterQuery(InputModel):
    """Which dead letters."""

    topic: Annotated[
        str | None, Field(pattern=r"^[a-z._]{1,100}$", description="Of this kind of work only.")
    ] = None
    before: Annotated[UUID | None, Field(description="The `id` of the last one that was seen.")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 20


class DeadLetter(OutputModel):
    """A piece of work that was given up after its last attempt, or what became of it since."""

    id: UUID
    #: What kind of work it is.
    topic: str
    #: `dead` until somebody replays it.
    state: EventState
    attempts: int
    #: How the last attempt ended.
    last_error: str | None
    #: The scan that it belongs to.
    scan_id: UUID | None
    #: The task that took its place when it was replayed.
    replayed_as: UUID | None
    #: The request that caused it; the logs of API and workers carry it too.
    request_id: str
    created_at: AwareDatetime
    dead_at: AwareDatetime | None
