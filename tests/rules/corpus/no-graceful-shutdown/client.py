"""A client that is opened and left open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.client = httpx.AsyncClient()  # finding: no-graceful-shutdown
    yield


app = FastAPI(lifespan=lifespan)
