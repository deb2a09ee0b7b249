"""What a mounted application prepares at its start; and handlers for the stop beside a lifespan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def reports_lifespan(_: FastAPI) -> AsyncIterator[None]:  # finding: startup-code-never-runs
    yield


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


reports = FastAPI(lifespan=reports_lifespan)
admin = FastAPI()
app = FastAPI(lifespan=lifespan)
app.mount("/reports", reports)
app.mount("/admin", admin)


@admin.on_event("startup")
def load_admins() -> None:  # finding: startup-code-never-runs
    print("loaded")


def close() -> None:  # finding: startup-code-never-runs
    print("closed")


app.add_event_handler("shutdown", close)
