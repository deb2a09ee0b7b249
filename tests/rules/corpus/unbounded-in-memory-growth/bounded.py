"""Entries are removed, the keys are few, or the container lives as long as the request."""

from enum import Enum
from functools import lru_cache

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


class Shelf(Enum):
    NEW = "new"
    OLD = "old"


visits: dict[Shelf, int] = {}
running: dict[str, int] = {}
recent: list[str] = []
handlers: dict[str, type] = {}
titles: dict[str, str] = {}


def register(cls: type) -> type:
    handlers[cls.__name__] = cls  # silent: filled at import
    return cls


@register
class Mail: ...


class Sockets:
    def __init__(self) -> None:
        self.open: list[WebSocket] = []

    async def connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.open.append(websocket)

    def disconnect(self, websocket: WebSocket) -> None:
        self.open.remove(websocket)


sockets = Sockets()


@lru_cache
def slug(title: str) -> str:  # silent: 128 entries
    return title.lower()


@app.get("/visit/{shelf}")
def visit(shelf: Shelf) -> int:
    visits[shelf] = visits.get(shelf, 0) + 1  # silent: two keys
    return visits[shelf]


@app.get("/run/{name}")
def run(name: str) -> str:
    running[name] = 1
    try:
        return slug(name)
    finally:
        del running[name]


@app.get("/search")
def search(q: str) -> list[str]:
    recent.append(q)
    if len(recent) > 10:
        recent[:] = recent[-10:]
    found: dict[str, str] = {}
    found[q] = q
    return list(found)


@app.on_event("startup")
def load() -> None:
    for number in range(3):
        titles[str(number)] = "Emma"


@app.websocket("/w")
async def talk(websocket: WebSocket) -> None:
    await sockets.connect(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        sockets.disconnect(websocket)
