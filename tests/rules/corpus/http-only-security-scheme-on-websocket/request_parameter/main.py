"""The dependency takes a Request, and an older FastAPI has none to give during a handshake."""

from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket


def session_user(request: Request) -> str:
    if "user" not in request.session:
        raise HTTPException(401)
    return request.session["user"]


app = FastAPI()


@app.websocket("/feed", dependencies=[Depends(session_user)])
async def feed(websocket: WebSocket) -> None:  # finding: http-only-security-scheme-on-websocket
    await websocket.accept()
