"""Each call goes to whatever host the data names, so that no connection would serve twice; a written host is always the same."""

from typing import Any
from urllib.parse import urlparse, urlunparse

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
REPORTS = "https://reports.example"


class Site(BaseModel):
    website: str
    pages: list[str]


def normalized_url(address: str) -> str:
    return address.strip()


async def is_reachable(address: str) -> bool:
    current = normalized_url(address)
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.get(current)).is_success


async def deliver(url: str, address: str) -> int:
    parsed = urlparse(url)
    pinned = urlunparse(parsed._replace(netloc=address))
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.post(pinned)).status_code


async def fetch(url: str) -> str:
    async with httpx.AsyncClient(timeout=5) as client:  # finding: client-created-per-request
        return (await client.get(url)).text


def open_client(addresses: tuple[str, ...], **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(**options)  # finding: client-created-per-request


@app.post("/sites")
async def check(site: Site) -> bool:
    return await is_reachable(site.website)


@app.post("/hooks")
async def deliver_hook(url: str) -> int:
    return await deliver(url, "203.0.113.7")


@app.get("/pages")
async def read_page(host: str) -> str:
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.get(f"https://{host}/page")).text


@app.get("/reports/{report_id}")
async def read_report(report_id: int) -> str:
    return await fetch(f"{REPORTS}/{report_id}")


@app.get("/previews")
async def read_preview(url: str) -> str:
    return await fetch(url)


@app.get("/pinned")
async def read_pinned() -> str:
    async with open_client(("203.0.113.7",)) as client:
        return (await client.get(REPORTS)).text
