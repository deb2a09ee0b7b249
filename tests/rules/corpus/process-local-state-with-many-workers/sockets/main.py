"""One manager of sockets for each of four workers, started from Python."""

import uvicorn
from fastapi import FastAPI, WebSocket

app = FastAPI()


class Manager:
    def __init__(self) -> None:
        self.active: list[WebSocket] = []

    async def broadcast(self, text: str) -> None:
        for socket in list(self.active):
            await socket.send_text(text)


manager = Manager()  # finding: process-local-state-with-many-workers


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    await socket.accept()
    manager.active.append(socket)
    async for text in socket.iter_text():
        await manager.broadcast(text)


if __name__ == "__main__":
    uvicorn.run("main:app", workers=4)
