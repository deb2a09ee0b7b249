"""Updates of a user's orders as they happen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from redis.asyncio import Redis

from app.order_updates.schemas import OrderUpdate, channel_of


class OrderUpdateService:
    """Listens to what the workers publish."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    @asynccontextmanager
    async def subscribe(self, user_id: UUID) -> AsyncIterator[AsyncIterator[OrderUpdate]]:
        """Give the updates of a user's orders from now on.

        What was published while nobody listened is gone; clients read their orders after connecting.
        """
        async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(channel_of(user_id))

            async def updates() -> AsyncIterator[OrderUpdate]:
                while True:
                    message = await subscription.get_message(timeout=10.0)
                    if message is not None:
                        yield OrderUpdate.model_validate_json(message["data"])

            yield updates()
