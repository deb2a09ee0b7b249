"""ASGI middleware tests the key of sockets as well."""

from fastapi import FastAPI, WebSocket
from starlette.datastructures import Headers
from starlette.responses import JSONResponse


class Keys:
    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if Headers(scope=scope).get("X-API-Key") != "k":
            await JSONResponse({}, status_code=401)(scope, receive, send)
            return
        await self.app(scope, receive, send)


app = FastAPI()
app.add_middleware(Keys)


@app.get("/prices")
def read_prices() -> list[int]:
    return [1]


@app.websocket("/orders")
async def stream_orders(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json({"order": 1})
