"""The check runs as a task that is awaited before its answer counts."""

import asyncio

from fastapi import FastAPI, HTTPException


async def is_allowed(user: str) -> bool:
    return user == "alice"


app = FastAPI()


@app.get("/pages/{page}")
async def read_page(page: int, user: str) -> str:
    check = asyncio.create_task(is_allowed(user))
    await asyncio.sleep(0)
    if not await check:
        raise HTTPException(403)
    return "page"
