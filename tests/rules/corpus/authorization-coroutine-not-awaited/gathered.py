"""Both checks run: they are gathered, and a third is a plain function."""

import asyncio

from fastapi import FastAPI, HTTPException


async def has_role(user: str) -> bool:
    return user == "alice"


async def is_member(user: str) -> bool:
    return user == "alice"


def can_read(user: str) -> bool:
    return user != ""


app = FastAPI()


@app.get("/pages/{page}")
async def read_page(page: int, user: str) -> str:
    role, member = await asyncio.gather(has_role(user), is_member(user))
    if not role or not member or not can_read(user):
        raise HTTPException(403)
    return "page"
