"""An HTTPConnection is what requests and sockets share."""

from fastapi import Depends, FastAPI, WebSocket, WebSocketException
from fastapi.requests import HTTPConnection


def session_user(connection: HTTPConnection) -> str:
    if "user" not in connection.session:
        raise WebSocketException(code=1008)
    return connection.session["user"]


app = FastAPI()


@app.websocket("/feed", dependencies=[Depends(session_user)])
async def feed(websocket: WebSocket) -> None:
    await websocket.accept()
