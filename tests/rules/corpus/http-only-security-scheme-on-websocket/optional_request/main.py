"""The dependency does without a Request when there is none."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request, WebSocket


class Tokens:
    def __init__(self, request: Request = None) -> None:
        self.request = request


app = FastAPI()


@app.websocket("/feed")
async def feed(websocket: WebSocket, tokens: Annotated[Tokens, Depends()]) -> None:
    await websocket.accept()
