"""An ASGI middleware that sends a refusal is added behind CORS, next to one that only adds a header."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Limit:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/busy":
            answer = JSONResponse({"detail": "later"}, status_code=429)
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)


def create() -> FastAPI:
    app = FastAPI()
    app.add_middleware(CORSMiddleware, allow_origins=["*"])  # finding: cors-or-error-middleware-order
    app.add_middleware(Limit)
    return app


app = create()
