"""How dead letters look from outside. What an event carries is never shown."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "018f0000-0000-7000-8000-000000000007",
                    "topic": "scans.requested.normal",
                    "state": "dead",
                    "attempts": 3,
                    "last_error": "the process that worked on it died or ran out of time",
                    "scan_id": "018f0000-0000-7000-8000-000000000002",
                    "request_id": "5c1f4a52-9a3e-4c65-a6dc-0a5c2e0d9d10",
                    "created_at": "2026-11-22T03:00:00Z",
                    "dead_at": "2026-11-22T03:10:00Z",
                }
            ]
        }
    )

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
