"""A return type says enough, whatever the function returns; a websocket has no response."""

from fastapi import FastAPI, WebSocket

app = FastAPI()


@app.get("/a")
def any_kind() -> dict[str, int]:
    return {"a": 1}


@app.websocket("/b")
async def socket(socket: WebSocket):
    await socket.accept()
