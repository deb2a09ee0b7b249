"""Middleware and applications that are written against ASGI itself."""

from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse

PAGES = Path("/srv/pages")


class PageMiddleware:
    def __init__(self, app, directory: str):
        self.app = app
        self.directory = Path(directory)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith("/pages/"):
            response = FileResponse(self._page(path[len("/pages/") :]))
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _page(self, name: str) -> Path:
        page = self.directory / f"{name.rstrip('/')}.html"
        page.read_bytes()  # finding: path-traversal-read-or-delete
        return PAGES / "empty.html"


async def downloads(scope, receive, send):
    request = Request(scope)
    name = request.query_params["name"]
    response = FileResponse(PAGES / name)  # finding: path-traversal-read-or-delete
    await response(scope, receive, send)


async def checked_downloads(scope, receive, send):
    path = (PAGES / Request(scope).query_params["name"]).resolve()
    if path.is_relative_to(PAGES):
        await FileResponse(path)(scope, receive, send)


async def own_page(scope, receive, send):
    """The method and the server's own state are not the client's."""
    root = Request(scope).app.state.pages
    await FileResponse(Path(root) / scope["type"])(scope, receive, send)


class ToolMiddleware:
    """Of another protocol: nothing says that its context is a request."""

    async def on_call(self, context, call_next):
        Path(context.body.root).read_text()
        return await call_next(context)


class Fallback(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        response = await call_next(request)
        if response.status_code == 404:
            return FileResponse(PAGES / request.url.path.lstrip("/"))  # finding: path-traversal-read-or-delete
        return response


app = FastAPI()
app.mount("/downloads", downloads)
