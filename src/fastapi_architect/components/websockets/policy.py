"""What sockets may hear and say: the decisions that a service makes its own."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from pydantic import JsonValue

from ..service import Principal

#: Tells whether a principal may hear a topic. It is asked when they subscribe, and again while they listen.
MayListen = Callable[[Principal, str], Awaitable[bool]]
#: Takes what a client says, and returns an answer to it, or None. A ServiceError is told to the client.
Handler = Callable[[Principal, JsonValue], Awaitable[JsonValue]]


def topic_of(principal_id: UUID) -> str:
    """Return the topic that every socket of a principal hears from the beginning."""
    return f"principal:{principal_id}"


async def nothing_else(principal: Principal, topic: str) -> bool:
    """Let nobody hear more than their own topic."""
    return False


async def not_understood(principal: Principal, data: JsonValue) -> JsonValue:
    """Answer nothing: this service only speaks."""
    return None
