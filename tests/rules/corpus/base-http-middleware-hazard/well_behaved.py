"""Headers and times, an exception that is caught here, ASGI middleware that answers itself, errors of handlers."""

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.types import ASGIApp, Receive, Scope, Send

app = FastAPI()


class Headers(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        try:
            if "x-key" not in request.headers:
                raise HTTPException(401)
        except HTTPException as error:
            return JSONResponse({"detail": error.detail}, error.status_code)
        response = await call_next(request)
        response.headers["x-frame-options"] = "deny"
        return response


class Pure:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


app.add_middleware(Headers)
app.add_middleware(Pure)


@app.get("/books/{book_id}")
def read_book(book_id: int) -> int:
    if book_id > 10:
        raise HTTPException(404)
    return book_id
