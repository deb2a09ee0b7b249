"""The support chat."""

import asyncio
import contextlib
from typing import Annotated

from fastapi import APIRouter, Path, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from app.core.config import settings
from app.schemas.review import ChatMessage

router = APIRouter(prefix="/support-rooms", tags=["support"])

MESSAGES_PER_CONNECTION = 1000
MESSAGE_CHARACTERS = 8000


class Rooms:
    """Who talks with whom: a room for every client, as long as somebody is in it."""

    def __init__(self) -> None:
        self._members: dict[str, set[WebSocket]] = {}

    def enter(self, client_id: str, websocket: WebSocket) -> None:
        """Let a connection into the room of a client."""
        self._members.setdefault(client_id, set()).add(websocket)

    def leave(self, client_id: str, websocket: WebSocket) -> None:
        """Forget a connection, and the room with the last one."""
        members = self._members.get(client_id, set())
        members.discard(websocket)
        if not members:
            self._members.pop(client_id, None)

    def members(self, client_id: str) -> list[WebSocket]:
        """Who is in the room of a client now."""
        return list(self._members.get(client_id, set()))


rooms = Rooms()


async def broadcast(client_id: str, text: str) -> None:
    """Send a message to everybody in a room; whoever has gone does not matter."""
    for peer in rooms.members(client_id):
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await peer.send_text(text)


@router.websocket("/{client_id}")
async def chat(websocket: WebSocket, client_id: Annotated[str, Path(max_length=64)]) -> None:  # finding: websocket-without-authentication
    """Talk to the support about one's own account."""
    await websocket.accept()
    rooms.enter(client_id, websocket)
    try:
        for _ in range(MESSAGES_PER_CONNECTION):
            raw = await asyncio.wait_for(websocket.receive_text(), timeout=settings.support_idle_seconds)
            if len(raw) > MESSAGE_CHARACTERS:
                await websocket.close(code=1009)
                return
            message = ChatMessage.model_validate_json(raw)
            await broadcast(client_id, message.text)
    except ValidationError:
        await websocket.close(code=1007)
    except (WebSocketDisconnect, TimeoutError):
        return
    finally:
        rooms.leave(client_id, websocket)
