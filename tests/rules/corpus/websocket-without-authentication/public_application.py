"""Nothing of this application asks who is calling: that is another matter than one forgotten socket."""

from fastapi import FastAPI, WebSocket

app = FastAPI()


@app.get("/rates")
def rates() -> list[int]:
    return [1]


@app.websocket("/rates/feed")
async def feed(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("1")
