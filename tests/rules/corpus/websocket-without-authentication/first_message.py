"""The first message carries the token, and whoever sends none in time is sent away."""

import asyncio
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, WebSocket

TOKENS = {"t": "alice"}
app = FastAPI()


def current_user(authorization: Annotated[str, Header()]) -> str:
    if authorization not in TOKENS:
        raise HTTPException(401)
    return TOKENS[authorization]


@app.get("/me")
def me(user: Annotated[str, Depends(current_user)]) -> str:
    return user


@app.websocket("/chat")
async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    first = await asyncio.wait_for(websocket.receive_json(), timeout=5)
    if first["value"] not in TOKENS:
        await websocket.close(code=1008)
        return
    await websocket.send_text("hello")
