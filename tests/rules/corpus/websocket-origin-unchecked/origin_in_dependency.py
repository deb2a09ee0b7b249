"""The Origin is compared in a dependency."""

from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, WebSocket, WebSocketException

ALLOWED = {"https://app.example.com"}
app = FastAPI()


def own_page(websocket: WebSocket) -> None:
    if websocket.headers.get("Origin") not in ALLOWED:
        raise WebSocketException(code=1008)


@app.websocket("/feed", dependencies=[Depends(own_page)])
async def feed(websocket: WebSocket, session: Annotated[str, Cookie()]) -> None:
    if session != "s":
        raise WebSocketException(code=1008)
    await websocket.accept()
