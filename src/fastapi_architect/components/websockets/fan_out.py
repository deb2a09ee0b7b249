"""Carries events to the other processes over Redis, and theirs here.

Redis is a help: an event is given to the sockets of this process first, and then waits, in a bounded buffer, for Redis.
What was published while a process did not listen is lost for its sockets; they are told so, and read again what they show.
"""

import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Literal
from uuid import UUID

import anyio
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from ..redis_pool import RedisPool

logger = logging.getLogger(__name__)

#: An event that waited longer is not news.
STALE_SECONDS = 30.0
#: After so much silence Redis is asked whether it is still there.
SILENCE_SECONDS = 5.0
_PAUSE = 0.5
_REMEMBERED = 2000


class Envelope(BaseModel):
    """What travels between processes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: An event for a topic, or the end of all sockets of a principal.
    kind: Literal["event", "end"]
    id: str
    #: The process it comes from, which has delivered it already; empty: a worker, which has no sockets.
    sender: str = ""
    topic: str = ""
    data: JsonValue = None
    principal_id: UUID | None = None


def channel_of(redis: RedisPool) -> str:
    """Return the channel that all processes of the service share."""
    return redis.key("websockets", "events")


class FanOut:
    """The link of one process to the others.

    Args:
        redis: the pool of the process.
        buffer: how many events may wait; with one more the oldest is dropped.
        deliver: takes what others sent.
        lost: is called when others may have sent something that did not arrive.
    """

    def __init__(
        self, redis: RedisPool, buffer: int, deliver: Callable[[Envelope], None], lost: Callable[[], None]
    ) -> None:
        self.sender = secrets.token_hex(8)
        self._redis = redis
        self._deliver = deliver
        self._lost = lost
        self._waiting: deque[tuple[float, Envelope]] = deque(maxlen=buffer)
        self._news = anyio.Event()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._missed = False
        #: Set while this process hears the others.
        self.listening = anyio.Event()

    def send(self, envelope: Envelope) -> None:
        """Let an event wait for its turn; nobody waits here for Redis."""
        if len(self._waiting) == self._waiting.maxlen:
            logger.warning("an event for other processes was dropped: redis takes none")
        self._waiting.append((time.monotonic(), envelope))
        self._news.set()

    async def run(self) -> None:
        """Carry events until cancelled."""
        # Events belong to an event loop, and a test may run the application in one after the other.
        self._news = anyio.Event()
        self.listening = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._publish)
            tasks.start_soon(self._listen)

    async def _publish(self) -> None:
        while True:
            if not self._waiting:
                self._news = anyio.Event()
                await self._news.wait()
                continue
            since, envelope = self._waiting[0]
            if time.monotonic() - since < STALE_SECONDS:
                try:
                    await self._redis.client.publish(channel_of(self._redis), envelope.model_dump_json())
                except Exception as error:
                    logger.debug("an event waits for redis", exc_info=error)
                    await anyio.sleep(_PAUSE)
                    continue
            # It may have been dropped from the full buffer meanwhile.
            if self._waiting and self._waiting[0][1] is envelope:
                self._waiting.popleft()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.client.pubsub() as subscription:
                    await subscription.subscribe(channel_of(self._redis))
                    await self._hear(subscription)
            except Exception as error:
                # Whatever it was, sockets are served on: they do not need the others.
                if self.listening.is_set():
                    logger.warning("other processes are not heard", exc_info=error)
                    self.listening = anyio.Event()
                self._missed = True
                await anyio.sleep(_PAUSE)

    async def _hear(self, subscription: PubSub) -> None:
        asked = False
        while True:
            message = await subscription.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                # A peer that vanished without a word looks like one that has nothing to say.
                if asked:
                    raise RedisConnectionError("redis does not answer")
                await subscription.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "subscribe":
                self._begin()
            elif message["type"] == "message":
                self._receive(message["data"])

    def _begin(self) -> None:
        if self._missed:
            self._missed = False
            self._lost()
        self.listening.set()

    def _receive(self, data: bytes) -> None:
        try:
            envelope = Envelope.model_validate_json(data)
        except ValidationError:
            logger.warning("a message on the channel of events is not one of ours")
            return
        # What timed out may have arrived, and was sent again.
        if envelope.sender == self.sender or envelope.id in self._seen:
            return
        self._seen[envelope.id] = None
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        self._deliver(envelope)
