"""A lock in two commands, a lock without end, and a sum that is written back."""

from fastapi import FastAPI
from redis.asyncio import Redis

app = FastAPI()
redis = Redis(decode_responses=True)


@app.post("/export")
async def export() -> bool:
    if await redis.setnx("lock:export", "1"):  # finding: non-atomic-redis-counter-or-lock
        await redis.expire("lock:export", 30)
        return True
    return False


@app.post("/import")
async def start_import() -> bool:
    return bool(await redis.setnx("lock:import", "1"))  # finding: non-atomic-redis-counter-or-lock


@app.post("/visits")
async def visit() -> None:
    visits = await redis.get("visits")  # finding: non-atomic-redis-counter-or-lock
    await redis.set("visits", int(visits or 0) + 1)
