"""Methods of services, `super()`, constructors, properties, context managers, callable objects and generators."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, FastAPI

app = FastAPI()


def wait() -> None:
    time.sleep(0.1)


class Store:
    def __init__(self) -> None:
        self.name = "store"

    def load(self) -> str:
        wait()
        return self.name


class BookStore(Store):
    def load(self) -> str:
        return super().load().upper()

    @property
    def size(self) -> int:
        wait()
        return 3


class Connection:
    def __init__(self) -> None:
        wait()


class PooledConnection(Connection):
    pass


class Counter:
    def __call__(self) -> int:
        wait()
        return 1


@contextmanager
def opened() -> Iterator[str]:
    wait()
    yield "open"


def rows() -> Iterator[int]:
    wait()
    yield 1


count = Counter()


def get_store() -> BookStore:
    return BookStore()


StoreDep = Annotated[BookStore, Depends(get_store)]


@app.get("/super")
async def through_super(store: StoreDep) -> str:
    return store.load()  # finding: blocking-call-through-sync-helper


@app.get("/property")
async def through_a_property(store: StoreDep) -> int:
    return store.size  # finding: blocking-call-through-sync-helper


@app.get("/constructor")
async def through_an_inherited_constructor() -> bool:
    return PooledConnection() is not None  # finding: blocking-call-through-sync-helper


@app.get("/callable")
async def through_a_callable_object() -> int:
    return count()  # finding: blocking-call-through-sync-helper


@app.get("/manager")
async def through_a_context_manager() -> str:
    with opened() as state:  # finding: blocking-call-through-sync-helper
        return state


@app.get("/generator")
async def through_a_generator() -> list[int]:
    return [row for row in rows()]  # finding: blocking-call-through-sync-helper


@app.get("/both")
async def twice(store: StoreDep) -> str:
    wait()  # finding: blocking-call-through-sync-helper
    return store.load()
