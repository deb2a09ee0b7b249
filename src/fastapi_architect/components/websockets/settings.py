"""WEBSOCKETS_*: who may open a socket, how many, and how much goes through it."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ..service import CommaSeparated, ComponentSettings

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1)]


class WebSocketSettings(ComponentSettings):
    """Without origins no browser gets in."""

    model_config = SettingsConfigDict(env_prefix="WEBSOCKETS_")

    #: Websites whose pages may open sockets: `https://app.example.com`. Compared whole.
    allowed_origins: CommaSeparated = ()
    #: Whether programs that are no browsers, and so send no Origin, may open sockets with a ticket.
    allow_without_origin: bool = False
    #: For how long a ticket is good.
    ticket_seconds: Annotated[int, Field(ge=1, le=300)] = 30
    #: After this time a socket is closed, and opened again with a fresh ticket.
    max_seconds: Seconds = 900.0
    #: How often the server asks whether the client is still there, and looks whether it still may be.
    heartbeat_seconds: Seconds = 25.0
    recheck_seconds: Seconds = 60.0
    #: How long one message may take to leave, and how many may wait, before a client counts as too slow.
    send_seconds: Seconds = 5.0
    queue_size: Count = 100
    #: Of one message of the client.
    max_message_bytes: Count = 16 * 1024
    #: Of one event of the service.
    max_event_bytes: Count = 64 * 1024
    #: Messages of one client: on average, and at once.
    messages_per_second: Annotated[float, Field(gt=0)] = 5.0
    burst: Count = 20
    #: Over all processes.
    sockets_per_principal: Count = 5
    #: In this process.
    max_sockets: Count = 1000
    topics_per_socket: Count = 50
    #: How many events wait for Redis while it is gone; then the oldest are dropped.
    fan_out_buffer: Count = 1000
