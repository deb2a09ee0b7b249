"""How endpoints and deliveries look from outside."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.config import JsonDict

from ..database import InputModel, OutputModel, PageQuery
from .models import DeliveryState

EventType = Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
Url = Annotated[str, Field(min_length=1, max_length=2048)]
Description = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
EventTypes = Annotated[list[EventType], Field(min_length=1, max_length=100)]

_ENDPOINT: JsonDict = {
    "id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f11",
    "url": "https://hooks.partner.example/shop",
    "description": "accounting",
    "event_types": ["order.placed"],
    "enabled": True,
    "disabled_reason": None,
    "failing_since": None,
    "created_at": "2026-11-21T20:00:00Z",
}
_DELIVERY: JsonDict = {
    "id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f12",
    "message_id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f13",
    "event_type": "order.placed",
    "state": "failed",
    "attempts": 14,
    "reason": "the endpoint answered 500",
    "created_at": "2026-11-21T20:00:00Z",
    "delivered_at": None,
}

_SHOWN_ONCE = "secret"


def _example(*values: JsonDict) -> dict[str, Any]:
    return {"examples": list(values)}


class EndpointCreation(InputModel):
    """An endpoint to create."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            {
                "url": "https://hooks.partner.example/shop",
                "description": "accounting",
                "event_types": ["order.placed"],
            }
        )
    )

    url: Url
    description: Description = ""
    #: Null: all of them.
    event_types: EventTypes | None = None


class EndpointChange(InputModel):
    """What is to change of an endpoint; what is left out stays."""

    model_config = ConfigDict(json_schema_extra=_example({"enabled": True}))

    url: Url | None = None
    description: Description | None = None
    event_types: EventTypes | None = None
    #: True also forgets that it failed.
    enabled: bool | None = None


class EndpointRecord(OutputModel):
    """An endpoint, without its secret."""

    model_config = ConfigDict(json_schema_extra=_example(_ENDPOINT))

    id: UUID
    url: str
    description: str
    event_types: list[str] | None
    enabled: bool
    disabled_reason: str | None
    failing_since: AwareDatetime | None
    created_at: AwareDatetime


class CreatedEndpoint(EndpointRecord):
    """An endpoint that was just created, with its secret: the only time that it is shown."""

    model_config = ConfigDict(json_schema_extra=_example(_ENDPOINT | {_SHOWN_ONCE: "whsec_…"}))

    secret: str


class RotatedSecret(OutputModel):
    """A new secret, which is shown once."""

    model_config = ConfigDict(
        json_schema_extra=_example({_SHOWN_ONCE: "whsec_…", "previous_until": "2026-11-22T20:00:00Z"})
    )

    secret: str
    #: Until then deliveries are signed with the secret before too.
    previous_until: AwareDatetime


class EventTypeRecord(OutputModel):
    """Something that an endpoint can be told of."""

    model_config = ConfigDict(
        json_schema_extra=_example({"name": "order.placed", "description": "An order was placed."})
    )

    name: str
    description: str


class DeliveryQuery(PageQuery):
    """Which deliveries the caller wants, newest first."""

    state: DeliveryState | None = None
    sort: Literal["newest"] = "newest"


class EndpointQuery(PageQuery):
    """Which endpoints the caller wants, newest first."""

    sort: Literal["newest"] = "newest"


class DeliveryRecord(OutputModel):
    """One message on its way to one endpoint."""

    model_config = ConfigDict(json_schema_extra=_example(_DELIVERY))

    id: UUID
    message_id: UUID
    event_type: str
    state: DeliveryState
    attempts: int
    reason: str | None
    created_at: AwareDatetime
    delivered_at: AwareDatetime | None


class AttemptRecord(OutputModel):
    """One call of an endpoint."""

    began_at: AwareDatetime
    milliseconds: int
    status: int | None
    answer: str | None
    error: str | None


class DeliveryDetails(DeliveryRecord):
    """A delivery with what was sent and every attempt."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            _DELIVERY
            | {
                "data": {"order_id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f14"},
                "log": [
                    {
                        "began_at": "2026-11-21T20:00:01Z",
                        "milliseconds": 120,
                        "status": 500,
                        "answer": "Internal Server Error",
                        "error": "the endpoint answered 500",
                    }
                ],
            }
        )
    )

    data: dict[str, Any]
    #: The last fifty, oldest first.
    log: Annotated[list[AttemptRecord], Field(max_length=50)]


class QueuedMessage(OutputModel):
    """A message that is on its way."""

    model_config = ConfigDict(
        json_schema_extra=_example({"message_id": "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f13"})
    )

    message_id: UUID
