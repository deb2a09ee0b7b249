"""A task class of the project runs coroutines; so does a decorator between the task and the function."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from celery import Celery, Task


class AsyncTask(Task):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return asyncio.run(self.run(*args, **kwargs))


app = Celery("shop", broker="redis://broker")


def runs(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return asyncio.run(function(*args, **kwargs))

    return wrapper


@app.task(base=AsyncTask)
async def with_a_class(to: str) -> None:
    print(to)


@app.task
@runs
async def with_a_decorator(to: str) -> None:
    print(to)
