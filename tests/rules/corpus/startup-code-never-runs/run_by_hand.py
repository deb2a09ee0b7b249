"""The outer lifespan runs the inner application's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def inner_lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


inner = FastAPI(lifespan=inner_lifespan)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with inner.router.lifespan_context(inner):
        yield


app = FastAPI(lifespan=lifespan)
app.mount("/inner", inner)
