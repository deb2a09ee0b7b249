"""Attends to one open socket: tasks that end together."""

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

import anyio
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..problem_details import ServiceError
from ..service import Principal
from . import closing, messages
from .connection import Connection, MessageBudget
from .hub import Hub
from .policy import Handler, MayListen, topic_of
from .settings import WebSocketSettings

logger = logging.getLogger(__name__)

#: Returns the principal with the permissions they have now; None if they have no access any more.
Recheck = Callable[[Principal], Awaitable[Principal | None]]
#: Writes to one socket for as long as it is open, each message by `Connection.put`, and ends it by `finish` or `end`.
Feed = Callable[[Connection], Awaitable[None]]
#: So many looks in a row may fail before a socket is closed whose rights nobody knows.
_UNKNOWN_AT_MOST = 3


class Attendance:
    """What happens between the first and the last message of a socket.

    Args:
        websocket: accepted.
        connection: its place in the hub.
        hub: of the process.
        settings: limits.
        may_listen, handler: decisions of the service.
        recheck: looks whether the principal still has access.
        renew: keeps the place of the socket.
        seconds: until the socket is over.
        feed: what this socket alone is told.
    """

    def __init__(
        self,
        websocket: WebSocket,
        connection: Connection,
        hub: Hub,
        settings: WebSocketSettings,
        *,
        may_listen: MayListen,
        handler: Handler,
        recheck: Recheck,
        renew: Callable[[], Awaitable[None]],
        seconds: float,
        feed: Feed | None = None,
    ) -> None:
        self._websocket = websocket
        self._connection = connection
        self._hub = hub
        self._settings = settings
        self._may_listen = may_listen
        self._handler = handler
        self._recheck = recheck
        self._renew = renew
        self._seconds = seconds
        self._feed = feed
        self._heard_at = time.monotonic()

    async def attend(self) -> None:
        """Carry messages until somebody ends it."""
        tasks: list[Callable[[], Awaitable[None]]] = [
            self._write,
            self._read,
            self._beat,
            self._look_again,
            self._run_out,
        ]
        if self._feed is not None:
            tasks.append(partial(self._feed, self._connection))
        with self._connection.run_until_end():
            async with anyio.create_task_group() as group:
                for task in tasks:
                    group.start_soon(self._guarded, task)

    async def _guarded(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except WebSocketDisconnect:
            self._connection.end(closing.GONE)
        except Exception:
            logger.exception("a socket failed")
            self._connection.end(closing.FAILED)

    async def _write(self) -> None:
        async for text in self._connection.outbox:
            with anyio.move_on_after(self._settings.send_seconds) as waiting:
                await self._websocket.send_text(text)
            if waiting.cancelled_caught:
                self._connection.end(closing.TOO_SLOW)
        if self._connection.finishing is not None:
            self._connection.end(self._connection.finishing)

    async def _read(self) -> None:
        settings = self._settings
        budget = MessageBudget(settings.messages_per_second, settings.burst, time.monotonic)
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            self._heard_at = time.monotonic()
            text = message.get("text")
            if text is None:
                self._connection.end(closing.NOT_TEXT)
            elif len(text) > settings.max_message_bytes or len(text.encode()) > settings.max_message_bytes:
                self._connection.end(closing.TOO_LARGE)
            elif not budget.take():
                self._connection.end(closing.TOO_OFTEN)
            else:
                await self._understand(text)

    async def _understand(self, text: str) -> None:
        try:
            message = messages.CLIENT_MESSAGE.validate_json(text)
        except ValidationError:
            self._connection.end(closing.NOT_UNDERSTOOD)
            return
        if isinstance(message, messages.Subscribe):
            await self._subscribe(message.topic)
        elif isinstance(message, messages.Unsubscribe):
            self._hub.unsubscribe(self._connection, message.topic)
            self._connection.offer(messages.about_topic("unsubscribed", message.topic))
        elif isinstance(message, messages.Said):
            await self._answer(message)

    async def _subscribe(self, topic: str) -> None:
        connection = self._connection
        has_room = len(connection.topics) < self._settings.topics_per_socket
        if has_room and await self._may_hear(topic):
            self._hub.subscribe(connection, topic)
            connection.offer(messages.about_topic("subscribed", topic))
        else:
            connection.offer(messages.about_topic("refused", topic))

    async def _answer(self, said: messages.Said) -> None:
        try:
            answer = await self._handler(self._connection.principal, said.data)
        except ServiceError as refusal:
            answer = {"error": refusal.detail, "status": int(refusal.status)}
        if answer is not None:
            self._connection.offer(messages.answer(answer))

    async def _beat(self) -> None:
        # The server's own pings (`--ws-ping-interval`) see that a machine answers; this sees that the program does.
        interval = self._settings.heartbeat_seconds
        while True:
            await anyio.sleep(interval)
            if time.monotonic() - self._heard_at > 2 * interval:
                self._connection.end(closing.SILENT)
            self._connection.offer(messages.PING)
            await self._renew()

    async def _look_again(self) -> None:
        unknown = 0
        while True:
            await anyio.sleep(self._settings.recheck_seconds)
            try:
                principal = await self._recheck(self._connection.principal)
            except Exception:
                logger.warning("whether a socket may stay open is not known", exc_info=True)
                unknown += 1
                if unknown >= _UNKNOWN_AT_MOST:
                    self._connection.end(closing.TRY_LATER)
                continue
            unknown = 0
            if principal is None:
                self._connection.end(closing.NOT_AUTHORISED)
                continue
            self._connection.principal = principal
            await self._drop_topics()

    async def _drop_topics(self) -> None:
        for topic in list(self._connection.topics):
            if not await self._may_hear(topic):
                self._hub.unsubscribe(self._connection, topic)
                self._connection.offer(messages.about_topic("refused", topic))

    async def _may_hear(self, topic: str) -> bool:
        principal = self._connection.principal
        return topic == topic_of(principal.id) or await self._may_listen(principal, topic)

    async def _run_out(self) -> None:
        await anyio.sleep(self._seconds)
        self._connection.end(closing.OVER)
