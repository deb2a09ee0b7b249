"""What travels over a socket, as JSON."""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

Topic = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9:._-]+$")]


class _ClientMessage(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Pong(_ClientMessage):
    """The client is still there."""

    type: Literal["pong"]


class Subscribe(_ClientMessage):
    """The client wants the events of a topic."""

    type: Literal["subscribe"]
    topic: Topic


class Unsubscribe(_ClientMessage):
    """The client does not want them any more."""

    type: Literal["unsubscribe"]
    topic: Topic


class Said(_ClientMessage):
    """The client says something to the service, whose handler knows what it means."""

    type: Literal["message"]
    data: JsonValue


ClientMessage = Annotated[Pong | Subscribe | Unsubscribe | Said, Field(discriminator="type")]
CLIENT_MESSAGE: TypeAdapter[Pong | Subscribe | Unsubscribe | Said] = TypeAdapter(ClientMessage)

PING = '{"type":"ping"}'
#: Events may have been lost: the client reads again what it shows.
GAP = '{"type":"gap"}'


def event(topic: str, data: JsonValue) -> str:
    """Return what subscribers of a topic get."""
    return _encode({"type": "event", "topic": topic, "data": data})


def answer(data: JsonValue) -> str:
    """Return what a handler says to the client."""
    return _encode({"type": "message", "data": data})


def about_topic(kind: Literal["subscribed", "unsubscribed", "refused"], topic: str) -> str:
    """Return what became of a topic."""
    return _encode({"type": kind, "topic": topic})


def _encode(message: dict[str, JsonValue]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
