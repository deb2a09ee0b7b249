"""Handlers that raise, retry, store a state, or answer with a value lose nothing."""

import logging

import httpx
from celery import Celery
from celery.app.task import Task

celery_app = Celery("shop", broker="redis://localhost")
logger = logging.getLogger(__name__)
failed: list[int] = []


@celery_app.task
def ship(order_id: int) -> None:
    try:
        httpx.post("https://carrier.example/parcels", json={"order": order_id})
    except Exception:
        logger.exception("order %s was not shipped", order_id)
        raise


@celery_app.task(bind=True)
def bill(self: Task, order_id: int) -> None:
    try:
        httpx.post("https://bank.example/charges", json={"order": order_id})
    except Exception as exc:
        raise self.retry(exc=exc) from exc


@celery_app.task
def pack(order_id: int) -> None:
    try:
        httpx.post("https://warehouse.example/orders", json={"order": order_id})
    except Exception:
        failed.append(order_id)


@celery_app.task
def count(order_id: int) -> dict[str, str]:
    try:
        httpx.post("https://warehouse.example/orders", json={"order": order_id})
    except Exception:
        return {"state": "failed"}
    return {"state": "done"}
