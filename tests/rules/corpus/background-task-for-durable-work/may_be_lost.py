"""Logs, caches and reads may be lost; what only hands work to the queue is safe soon."""

import logging

import httpx
from celery import shared_task
from fastapi import BackgroundTasks, FastAPI
from redis import Redis

app = FastAPI()
redis = Redis()
logger = logging.getLogger(__name__)


@shared_task
def report(order_id: int) -> None:
    return None


def note(order_id: int) -> None:
    logger.info("order %s", order_id)


def remember(order_id: int) -> None:
    redis.set(f"seen:{order_id}", "1", ex=60)


def prefetch(order_id: int) -> None:
    httpx.get(f"https://covers.example/{order_id}", timeout=5)


def queue(order_id: int) -> None:
    report.delay(order_id)


@app.post("/orders/{order_id}")
def order(order_id: int, tasks: BackgroundTasks) -> None:
    tasks.add_task(note, order_id)
    tasks.add_task(remember, order_id)
    tasks.add_task(prefetch, order_id)
    tasks.add_task(queue, order_id)
