"""Looked for where the last request has put it, and made only when it is not there; or made and put away each time."""

import aiohttp
from fastapi import FastAPI, Request

app = FastAPI()
_sessions: dict[str, aiohttp.ClientSession] = {}


async def shared(request: Request) -> aiohttp.ClientSession:
    session: aiohttp.ClientSession | None = getattr(request.app.state, "session", None)
    if session is not None and not session.closed:
        return session
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=9))
    request.app.state.session = session
    return session


async def of_a_region(region: str) -> aiohttp.ClientSession:
    session = _sessions.get(region)
    if session is not None:
        return session
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=9))
    _sessions[region] = session
    return session


async def renewed(request: Request) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=9))  # finding: client-created-per-request
    request.state.last = session.headers
    return session


@app.get("/pods")
async def pods(request: Request) -> int:
    answer = await (await shared(request)).get("https://cluster.example/pods")
    return answer.status


@app.get("/rates")
async def rates() -> int:
    answer = await (await of_a_region("eu")).get("https://rates.example/")
    return answer.status


@app.get("/news")
async def news(request: Request) -> int:
    answer = await (await renewed(request)).get("https://news.example/")
    return answer.status
