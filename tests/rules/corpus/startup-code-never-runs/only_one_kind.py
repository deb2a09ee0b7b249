"""Handlers without a lifespan run; so does a lifespan without handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

events = FastAPI()


@events.on_event("startup")
def load() -> None:
    print("loaded")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


app = FastAPI(lifespan=lifespan)
