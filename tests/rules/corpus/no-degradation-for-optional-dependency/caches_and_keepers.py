"""Caches in front of something, and what only Redis keeps."""

import contextlib
import json
import logging

import redis.asyncio as redis
from fastapi import APIRouter, FastAPI, HTTPException
from redis.exceptions import RedisError

client = redis.Redis()
logger = logging.getLogger(__name__)
router = APIRouter()
app = FastAPI()


def make_report(name: str) -> dict:
    return {"name": name}


class Cache:
    async def get(self, key: str) -> bytes | None:
        return await client.get(key)

    async def set(self, key: str, value: str) -> None:
        await client.set(key, value, ex=60)


class PatientCache:
    async def get(self, key: str) -> bytes | None:
        try:
            return await client.get(key)
        except RedisError:
            logger.warning("no cache", exc_info=True)
            return None

    async def set(self, key: str, value: str) -> None:
        with contextlib.suppress(RedisError):
            await client.set(key, value, ex=60)


cache = Cache()
patient = PatientCache()


@router.get("/direct/{name}")
async def direct(name: str) -> dict:
    kept = await client.get(f"report:{name}")  # finding: no-degradation-for-optional-dependency
    if kept:
        return json.loads(kept)
    report = make_report(name)
    await client.set(f"report:{name}", json.dumps(report), ex=60)
    return report


@router.get("/wrapped/{name}")
async def wrapped(name: str) -> dict:
    kept = await cache.get(f"wrapped:{name}")  # finding: no-degradation-for-optional-dependency
    if kept:
        return json.loads(kept)
    report = make_report(name)
    await cache.set(f"wrapped:{name}", json.dumps(report))
    return report


@router.get("/raised/{name}")
async def raised(name: str) -> dict:
    try:
        kept = await client.get(f"raised:{name}")  # finding: no-degradation-for-optional-dependency
        if kept:
            return json.loads(kept)
        report = make_report(name)
        await client.set(f"raised:{name}", json.dumps(report), ex=60)
        return report
    except Exception as error:
        raise HTTPException(500, "no report") from error


@router.get("/patient/{name}")
async def patiently(name: str) -> dict:
    kept = await patient.get(f"patient:{name}")  # silent: the cache catches what Redis raises
    if kept:
        return json.loads(kept)
    report = make_report(name)
    await patient.set(f"patient:{name}", json.dumps(report))
    return report


@router.get("/caught/{name}")
async def caught(name: str) -> dict:
    try:
        kept = await client.get(f"caught:{name}")  # silent: caught here
    except RedisError:
        kept = None
    report = json.loads(kept) if kept else make_report(name)
    with contextlib.suppress(RedisError):
        await client.set(f"caught:{name}", json.dumps(report), ex=60)
    return report


@router.get("/sessions/{token}")
async def session(token: str) -> str:
    owner = await client.get(f"session:{token}")  # silent: nobody else knows it
    if owner is None:
        raise HTTPException(401)
    return owner.decode()


@router.post("/jobs/{job}")
async def start(job: str) -> str:
    if await client.get(f"job:{job}"):  # silent: a mark that only Redis keeps
        return "known"
    await client.set(f"job:{job}", "1", ex=60)
    return "started"


@router.post("/plugins/{plugin}")
async def switch(plugin: str) -> dict:
    kept = await client.get(f"plugin:{plugin}")  # silent: what is kept goes on from what was read
    state = json.loads(kept or "{}")
    state["on"] = not state.get("on")
    await client.set(f"plugin:{plugin}", json.dumps(state))
    return state


@router.post("/visits/{page}")
async def visit(page: str) -> None:
    seen = await client.get(f"visits:{page}")  # silent: nothing is answered with it
    await client.set(f"visits:{page}", int(seen or 0) + 1)


app.include_router(router)
