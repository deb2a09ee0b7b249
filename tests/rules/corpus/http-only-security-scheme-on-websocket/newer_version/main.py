"""From 0.144 on the schemes take any connection."""

from fastapi import Depends, FastAPI, WebSocket
from fastapi.security import HTTPBearer

app = FastAPI()


@app.websocket("/feed", dependencies=[Depends(HTTPBearer())])
async def feed(websocket: WebSocket) -> None:
    await websocket.accept()
