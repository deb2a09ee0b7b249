"""A project without a task queue has nowhere else to put it."""

import httpx
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()


def call_partner(order_id: int) -> None:
    httpx.post("https://partner.example/hooks", json={"order": order_id}, timeout=5)


@app.post("/orders/{order_id}")
def order(order_id: int, tasks: BackgroundTasks) -> None:
    tasks.add_task(call_partner, order_id)
