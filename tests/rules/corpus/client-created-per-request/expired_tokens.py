"""A token is fetched anew when it has expired, by a client of its own; another is fetched for every request."""

import time

import httpx
from fastapi import FastAPI

app = FastAPI()


class Token:
    value = ""
    expires_at = 0.0


token = Token()


async def fetch() -> str:
    async with httpx.AsyncClient(timeout=5) as client:
        return (await client.post("https://accounts.maps.example/token")).text


async def fetch_again() -> str:
    async with httpx.AsyncClient(timeout=5) as client:  # finding: client-created-per-request
        return (await client.post("https://accounts.maps.example/token")).text


@app.get("/maps/{name}")
async def read_map(name: str) -> str:
    if token.expires_at < time.time() + 60:
        token.value = await fetch()
        token.expires_at = time.time() + 3600
    return name + token.value


@app.get("/routes/{name}")
async def read_route(name: str) -> str:
    if name:
        return name + await fetch_again()
    return name
