"""A manager with a dictionary; the handler catches the wrong thing, the broadcast nothing."""

from fastapi import FastAPI, WebSocket

app = FastAPI()


class Manager:
    def __init__(self) -> None:
        self.rooms: dict[str, list[WebSocket]] = {}

    def connect(self, room: str, socket: WebSocket) -> None:
        self.rooms.setdefault(room, []).append(socket)

    async def broadcast(self, room: str, text: str) -> None:
        for socket in self.rooms[room]:
            await socket.send_json({"text": text})  # finding: websocket-disconnect-mishandled


manager = Manager()
by_user: dict[int, WebSocket] = {}


@app.websocket("/rooms/{room}")
async def join(socket: WebSocket, room: str) -> None:
    await socket.accept()
    manager.connect(room, socket)
    while True:
        try:
            data = await socket.receive_json()  # finding: websocket-disconnect-mishandled
        except ValueError:
            continue
        await manager.broadcast(room, data["text"])


@app.websocket("/users/{user_id}")
async def listen(socket: WebSocket, user_id: int) -> None:
    await socket.accept()
    by_user[user_id] = socket
    while True:
        await socket.receive_text()  # finding: websocket-disconnect-mishandled
