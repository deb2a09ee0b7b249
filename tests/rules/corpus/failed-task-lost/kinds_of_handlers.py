"""A bare `except`, a tuple, and a shared task that asks for retries it never gets."""

import logging

import httpx
from celery import Celery, shared_task

celery_app = Celery("shop", broker="redis://localhost")
logger = logging.getLogger(__name__)


@celery_app.task(name="ship")
def ship(order_id: int) -> None:
    try:
        httpx.post("https://carrier.example/parcels", json={"order": order_id}).raise_for_status()
    except:  # noqa: E722  # finding: failed-task-lost
        logger.exception("order %s was not shipped", order_id)


@shared_task(autoretry_for=(httpx.HTTPError,), max_retries=3)
def bill(order_id: int) -> None:
    url = "https://bank.example/charges"
    try:
        httpx.post(url, json={"order": order_id}).raise_for_status()
    except (ValueError, Exception) as exc:  # finding: failed-task-lost
        logger.warning(f"not billed: {exc}")
