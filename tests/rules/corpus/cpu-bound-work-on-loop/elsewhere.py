"""Threads, plain operations, fast digests, and what is small and known."""

import asyncio
import gzip
import hashlib

import bcrypt
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

app = FastAPI()


@app.post("/thread")
async def on_a_thread(password: str) -> bytes:
    salt = await asyncio.to_thread(bcrypt.gensalt)
    return await run_in_threadpool(bcrypt.hashpw, password.encode(), salt)


@app.post("/plain")
def plain(password: str) -> bytes:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())


@app.get("/digest")
async def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@app.get("/small")
async def small() -> bytes:
    return gzip.compress(b"hello")
