"""An outer middleware that writes the CORS headers of its own answer, in a mapping that it fills first."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OpenToEverybody:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in asked:
            headers = {
                "access-control-allow-origin": "*",
                "access-control-allow-methods": "GET, POST",
            }
            response = PlainTextResponse("OK", headers=headers)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


class Closed:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {"retry-after": "3600"}
        if scope["path"].startswith("/closed"):
            response = PlainTextResponse("closed", 503, headers=headers)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def make(origins: list[str]) -> FastAPI:
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=origins)
    app.add_middleware(OpenToEverybody)
    return app


def make_closed(origins: list[str]) -> FastAPI:
    closed_app = FastAPI()
    closed_app.add_middleware(CORSMiddleware, allow_origins=origins)  # finding: cors-or-error-middleware-order
    closed_app.add_middleware(Closed)
    return closed_app


app = make(["https://shop.example"])
closed = make_closed(["https://shop.example"])
