"""Middleware against ASGI: what the client sent, and an answer that a template escapes."""

from fastapi import FastAPI
from fastapi.templating import Jinja2Templates
from starlette.requests import Request
from starlette.responses import HTMLResponse

templates = Jinja2Templates("templates")


class DisabledMiddleware:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["path"].startswith("/off/"):
            await self._off(scope)(scope, receive, send)
        elif scope["path"].startswith("/gone/"):
            page = HTMLResponse(f"<p>{scope['path']} is gone</p>")  # finding: html-response-xss
            await page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _off(self, scope) -> HTMLResponse:
        return HTMLResponse(templates.TemplateResponse(Request(scope), "off.html", {"name": "shop"}).body)


app = FastAPI()
app.add_middleware(DisabledMiddleware)
