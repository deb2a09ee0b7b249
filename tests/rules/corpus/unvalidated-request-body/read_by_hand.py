"""The body is read from the request, or passed on to a task with all its keys."""

from typing import Any

from celery import Celery
from fastapi import Body, FastAPI, Request

app = FastAPI()
celery = Celery("shop")


@celery.task
def store(order: dict[str, Any]) -> None: ...


@app.post("/a")
async def by_hand(request: Request) -> str:  # finding: unvalidated-request-body
    data = await request.json()
    return data["name"]


@app.post("/b")
def passed_on(order: dict = Body(...)) -> None:  # finding: unvalidated-request-body
    store.delay(order)
