"""A task that makes its own engine each time, and one that finds what the first call has kept."""

from celery import Celery
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine

app = FastAPI()
worker = Celery("shop")
URL = "postgresql+psycopg://shop@db/shop"


class Engines:
    def __init__(self) -> None:
        self.orders: Engine = create_engine(URL)


_engines: Engines | None = None


def get_engines() -> Engines:
    global _engines
    if _engines is None:
        _engines = Engines()
    return _engines


class Reports:
    def __init__(self) -> None:
        self.engine: Engine = create_engine(URL)  # finding: engine-created-per-call


@worker.task
def count_orders() -> int:
    return get_engines().orders.pool.size()  # type: ignore[attr-defined]


@worker.task
def write_report() -> None:
    Reports().engine.connect()
