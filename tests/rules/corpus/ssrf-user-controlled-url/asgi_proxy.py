"""Proxies that are written against ASGI: who chooses the host?"""

from urllib.parse import urlsplit, urlunparse, urlunsplit

import httpx
from fastapi import FastAPI
from starlette.requests import Request

UPSTREAM = "http://runtime.internal:8000/v1"


async def answer(address: str, send) -> None:
    async with httpx.AsyncClient() as client:
        await client.get(address)  # finding: ssrf-user-controlled-url


class OpenProxy:
    async def __call__(self, scope, receive, send):
        _, port, *rest = scope["path"].split("/")
        await answer(f"http://localhost:{port}/{'/'.join(rest)}", send)
        host = Request(scope).query_params["host"]
        await answer(urlunsplit(("https", host, "/", "", "")), send)


class FixedProxy:
    async def __call__(self, scope, receive, send):
        base = urlsplit(UPSTREAM)
        query = scope["query_string"].decode("latin-1")
        address = urlunsplit((base.scheme, base.netloc, scope["path"], query, ""))
        async with httpx.AsyncClient() as client:
            await client.get(address)
            await client.get(urlunparse(("https", "api.example.com", scope["path"], "", query, "")))


app = FastAPI()
app.mount("/open", OpenProxy())
app.mount("/fixed", FixedProxy())
