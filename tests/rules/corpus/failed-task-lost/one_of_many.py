"""One item of many may fail without stopping the others; a narrow handler knows what it forgives."""

import logging

import httpx
from celery import Celery

celery_app = Celery("shop", broker="redis://localhost")
logger = logging.getLogger(__name__)


@celery_app.task
def notify(addresses: list[str]) -> None:
    for address in addresses:
        try:
            httpx.post(address)
        except Exception:
            logger.exception("%s was not notified", address)


@celery_app.task
def clean(path: str) -> None:
    try:
        open(path).close()  # noqa: PTH123
    except FileNotFoundError:
        logger.info("already gone")


@celery_app.task
def ship(order_id: int) -> None:
    try:
        httpx.post("https://metrics.example/orders")
    except Exception:
        logger.warning("not counted")
    httpx.post("https://carrier.example/parcels", json={"order": order_id})
