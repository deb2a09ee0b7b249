"""Events from workers, which have no sockets and are synchronous."""

import secrets

from pydantic import JsonValue

from ..redis_pool import RedisPool
from .fan_out import Envelope, channel_of


def announce(redis: RedisPool, topic: str, data: JsonValue) -> None:
    """Give an event to everybody who hears the topic, in every process that serves sockets.

    Raises:
        redis.RedisError: Redis does not take it; a task tries again.
    """
    envelope = Envelope(kind="event", id=secrets.token_hex(8), topic=topic, data=data)
    redis.sync_client.publish(channel_of(redis), envelope.model_dump_json())
