"""A ticket in the query is nothing that a browser sends by itself."""

from typing import Annotated

from fastapi import FastAPI, Query, WebSocket, WebSocketException

TICKETS: set[str] = set()
app = FastAPI()


@app.websocket("/feed")
async def feed(websocket: WebSocket, ticket: Annotated[str, Query()]) -> None:
    if ticket not in TICKETS:
        raise WebSocketException(code=1008)
    await websocket.accept()
    await websocket.send_text("news")
