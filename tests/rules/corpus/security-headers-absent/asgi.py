"""Plain ASGI middleware sets them from a table at module level."""

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders

HEADERS = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff"}


class Harden:
    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        async def send_with(message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with)


app = FastAPI()
app.add_middleware(Harden)


@app.get("/")
def home() -> HTMLResponse:
    return HTMLResponse("<p>hello</p>")
