"""The session is a cookie too, and CORS middleware does not look at sockets."""

from fastapi import FastAPI, WebSocket
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.sessions import SessionMiddleware

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key="k", https_only=True)
app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_credentials=True)


@app.websocket("/feed")
async def feed(websocket: WebSocket) -> None:  # finding: websocket-origin-unchecked
    if "user" not in websocket.session:
        await websocket.close(code=1008)
        return
    await websocket.accept()
    await websocket.send_text("news")
