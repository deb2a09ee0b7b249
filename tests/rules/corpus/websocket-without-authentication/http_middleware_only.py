"""The middleware that tests callers is one for HTTP: sockets pass it."""

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware


class Keys(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        if request.headers.get("X-API-Key") != "k":
            return JSONResponse({}, status_code=401)
        return await call_next(request)


app = FastAPI()
app.add_middleware(Keys)


@app.get("/prices")
def read_prices() -> list[int]:
    return [1]


@app.websocket("/orders")
async def stream_orders(websocket: WebSocket) -> None:  # finding: websocket-without-authentication
    await websocket.accept()
    await websocket.send_json({"order": 1})
