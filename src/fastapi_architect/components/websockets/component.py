"""Websockets as a part of a service."""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import anyio
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import JsonValue

from ..access import PermissionSource
from ..database import Database
from ..redis_pool import RedisPool
from ..service import Component, Principal, components_of, installed, is_draining
from . import closing, messages
from .attendance import Attendance, Feed
from .connection import Connection
from .fan_out import Envelope, FanOut
from .hub import Hub
from .places import Places
from .policy import Handler, MayListen, not_understood, nothing_else, topic_of
from .settings import WebSocketSettings
from .tickets import Admission, TicketOffice

logger = logging.getLogger(__name__)

_CLOSE_SECONDS = 2.0
_LOOK_SECONDS = 0.2


class WebSockets(Component):
    """Sockets that callers open with a ticket, and the events that they hear.

    Args:
        settings: origins and limits.
        may_listen: which topics a caller may hear besides their own; None: no others.
        handler: answers what clients say; None: nothing is answered.
        prefix: of the routes.
    """

    def __init__(
        self,
        settings: WebSocketSettings,
        *,
        may_listen: MayListen = nothing_else,
        handler: Handler = not_understood,
        prefix: str = "/api/v1",
    ) -> None:
        self.settings = settings
        self.hub = Hub()
        self._may_listen = may_listen
        self._handler = handler
        self._prefix = prefix

    async def publish(self, topic: str, data: JsonValue) -> None:
        """Give an event to everybody who hears the topic, here at once and in other processes soon.

        Raises:
            ValueError: it is larger than an event may be.
        """
        text = messages.event(topic, data)
        if len(text.encode()) > self.settings.max_event_bytes:
            raise ValueError("an event is small: send an identifier, and let clients read the rest")
        self.hub.deliver(topic, text)
        self.fan_out.send(
            Envelope(
                kind="event", id=secrets.token_hex(8), sender=self.fan_out.sender, topic=topic, data=data
            )
        )

    async def end_sockets_of(self, principal_id: UUID) -> None:
        """End every socket of a principal, in all processes: they signed out everywhere, or lost their access."""
        self.hub.end_principal(principal_id, closing.NOT_AUTHORISED)
        self.fan_out.send(
            Envelope(
                kind="end", id=secrets.token_hex(8), sender=self.fan_out.sender, principal_id=principal_id
            )
        )

    def install(self, app: FastAPI) -> None:
        """Add the routes. Redis keeps tickets, and carries events between processes."""
        from .router import router

        redis = installed(app, RedisPool)
        self.tickets = TicketOffice(redis, self.settings.ticket_seconds)
        self.fan_out = FanOut(redis, self.settings.fan_out_buffer, self._receive, self._tell_gap)
        self._places = Places(redis, self.settings.sockets_per_principal, 3 * self.settings.heartbeat_seconds)
        app.include_router(router, prefix=self._prefix)

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Carry events, and send clients elsewhere when the process is about to end."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.fan_out.run)
            tasks.start_soon(self._go_away, app)
            try:
                yield
            finally:
                self.hub.end_everybody(closing.GOING_AWAY)
                tasks.cancel_scope.cancel()

    async def attend(self, websocket: WebSocket, admission: Admission, feed: Feed | None = None) -> None:
        """Accept a socket and attend to it until its end.

        Args:
            websocket: not accepted yet.
            admission: whom it belongs to.
            feed: what this socket alone is told, such as what happened since a cursor, read from the database.
        """
        principal = admission.principal()
        socket_id = secrets.token_hex(8)
        has_place = await self._places.take(principal.id, socket_id)
        refusal = self._refusal(websocket.app, principal) if has_place else closing.TOO_MANY
        if refusal is not None:
            await self._places.give_back(principal.id, socket_id)
            await self.refuse(websocket, refusal)
            return
        connection = Connection(principal, self.settings.queue_size)
        # At once after it was counted, without waiting, so that no other one is counted in between. And before it is accepted:
        # what is published once the client knows that it listens must not be lost.
        self.hub.enter(connection)
        self.hub.subscribe(connection, topic_of(principal.id))
        try:
            await websocket.accept()
            await Attendance(
                websocket,
                connection,
                self.hub,
                self.settings,
                may_listen=self._may_listen,
                handler=self._handler,
                recheck=lambda present: self._recheck(websocket.app, present, admission),
                renew=lambda: self._places.renew(principal.id, socket_id),
                seconds=self._seconds(principal),
                feed=feed,
            ).attend()
        finally:
            self.hub.leave(connection)
            connection.release()
            with anyio.CancelScope(shield=True):
                await self._places.give_back(principal.id, socket_id)
                await _close(websocket, connection.closing or closing.GOING_AWAY)

    async def refuse(self, websocket: WebSocket, why: closing.Closing) -> None:
        """Accept a socket and close it at once: a browser learns the reason from an open socket, and from no other."""
        await websocket.accept()
        await _close(websocket, why)

    async def can_be_rechecked(self, app: FastAPI, principal: Principal) -> bool:
        """Tell whether somebody knows later whether this principal still has access."""
        return await _permissions(app, principal) is not None

    def _refusal(self, app: FastAPI, principal: Principal) -> closing.Closing | None:
        if is_draining(app):
            return closing.GOING_AWAY
        if self._seconds(principal) <= 0:
            return closing.OVER
        return closing.TOO_MANY if len(self.hub) >= self.settings.max_sockets else None

    def _seconds(self, principal: Principal) -> float:
        if principal.expires_at is None:
            return self.settings.max_seconds
        return min(self.settings.max_seconds, (principal.expires_at - datetime.now(UTC)).total_seconds())

    async def _recheck(self, app: FastAPI, principal: Principal, admission: Admission) -> Principal | None:
        if not admission.can_be_rechecked:
            return principal
        present = await _permissions(app, principal)
        # An API key may have fewer permissions than its owner: what the ticket did not have is not added.
        return None if present is None else replace(principal, permissions=admission.permissions & present)

    def _receive(self, envelope: Envelope) -> None:
        if envelope.kind == "event":
            self.hub.deliver(envelope.topic, messages.event(envelope.topic, envelope.data))
        elif envelope.principal_id is not None:
            self.hub.end_principal(envelope.principal_id, closing.NOT_AUTHORISED)

    def _tell_gap(self) -> None:
        self.hub.tell_everybody(messages.GAP)

    async def _go_away(self, app: FastAPI) -> None:
        # uvicorn would say 1012 and cut; while it still drains, clients learn that they should connect elsewhere.
        while not is_draining(app):
            await anyio.sleep(_LOOK_SECONDS)
        self.hub.end_everybody(closing.GOING_AWAY)


async def _permissions(app: FastAPI, principal: Principal) -> frozenset[str] | None:
    for component in components_of(app):
        if isinstance(component, PermissionSource):
            async with installed(app, Database).sessions() as session:
                return await component.permissions_of(principal.id, session)
    return None


async def _close(websocket: WebSocket, why: closing.Closing) -> None:
    # A client that reads nothing would hold us here; and one that is gone cannot be told.
    with anyio.move_on_after(_CLOSE_SECONDS), suppress(RuntimeError, WebSocketDisconnect):
        await websocket.close(why.code, why.reason)
