"""Turns of the event loop while the example waits, and meeting points that make races happen every time.

A wait is a blocking function (see `blocking`) or `asyncio.sleep`. In a thread beside the loop a wait lasts
until the loop has turned some times; on the loop itself nobody else can turn, whatever the machine's load.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import importlib
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from fastapi_architect.proving.canaries.callers import on_event_loop

#: Turns that a wait beside the loop, or an `asyncio.sleep`, lasts.
_TURNS = 3
#: A thread gives up waiting for turns after this time: then there is no loop left to turn.
_PATIENCE = 5.0

_participant: contextvars.ContextVar[int | None] = contextvars.ContextVar("participant", default=None)


class Ticks:
    """Counts turns that the loop gives to others during waits of the example."""

    def __init__(self) -> None:
        self.counted = 0
        self._turns = 0
        self._turned = threading.Condition()
        self._running = False

    async def tick(self) -> None:
        """The other coroutine: turns as often as the loop lets it."""
        self._running = True
        try:
            while self._running:
                await asyncio.sleep(0)
                with self._turned:
                    self._turns += 1
                    self._turned.notify_all()
        finally:
            self._running = False

    def stop(self) -> None:
        """End the other coroutine at its next turn."""
        self._running = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around a blocking call of the example."""
        before = self._turns
        yield
        if not self._running:
            return
        if not on_event_loop():
            with self._turned:
                self._turned.wait_for(lambda: self._turns >= before + _TURNS or not self._running, _PATIENCE)
        self.counted += self._turns - before

    async def sleep(self, real: Callable[..., Any]) -> None:
        """Instead of an `asyncio.sleep` of the example."""
        before = self._turns
        for _ in range(_TURNS):
            await real(0)
        self.counted += self._turns - before


def count_ticks(
    client: Any, call: Callable[[], Any], around: Callable[[Any], AbstractContextManager[Any]]
) -> int:
    """Turns that others got while the example waited during `call`.

    Args:
        client: a started test client, whose loop is watched.
        call: sends requests with it.
        around: makes the blocking canaries use a `waiting`.
    """
    ticks = Ticks()
    real = asyncio.sleep

    async def sleep(delay: float, result: Any = None) -> Any:
        if delay <= 0:
            return await real(0, result)
        await ticks.sleep(real)
        return result

    asyncio.sleep = sleep
    try:
        ticking = client.portal.start_task_soon(ticks.tick)
        with around(ticks.waiting):
            call()
        ticks.stop()
        ticking.result(_PATIENCE)
    finally:
        asyncio.sleep = real
    return ticks.counted


class Race:
    """Calls made at once, each held at a meeting point until all have got there.

    Args:
        calls: what to call, each in a thread of its own.
        patience: seconds after which a call goes on alone: the others cannot come while it holds a lock. An
        example that
            races never waits so long, since nothing keeps the others from coming.
    """

    def __init__(self, calls: tuple[Callable[[], Any], ...], patience: float = 1.5) -> None:
        self._calls = calls
        self._patience = patience
        self._here: set[int] = set()
        self._arrived = threading.Condition()

    def run(self) -> list[Any]:
        """Results in the order of the calls; what a call raised stands in its place."""

        def one(number: int) -> Any:
            _participant.set(number)
            try:
                return self._calls[number]()
            except Exception as error:
                return error
            finally:
                self._arrive(number)

        with ThreadPoolExecutor(max(len(self._calls), 1)) as pool:
            return list(pool.map(one, range(len(self._calls))))

    def _arrive(self, number: int) -> None:
        with self._arrived:
            self._here.add(number)
            self._arrived.notify_all()

    def _all_here(self) -> bool:
        return len(self._here) == len(self._calls)

    def meet(self) -> None:
        """Wait here, once a call, in a thread beside the loop."""
        number = _participant.get()
        if number is None or number in self._here:
            return
        self._arrive(number)
        with self._arrived:
            self._arrived.wait_for(self._all_here, self._patience)

    async def meet_on_loop(self) -> None:
        """Wait here, once a call, without holding up the loop."""
        number = _participant.get()
        if number is None or number in self._here:
            return
        self._arrive(number)
        for _ in range(int(self._patience / 0.005)):
            if self._all_here():
                return
            await asyncio.sleep(0.005)

    def after_statement(self, fragment: str) -> Callable[[str], None]:
        """A listener that meets after a statement that contains `fragment`, in any case of letters."""
        wanted = fragment.lower()

        def listener(statement: str) -> None:
            if wanted not in statement.lower():
                return
            if not on_event_loop():
                self.meet()
                return
            from sqlalchemy.util import concurrency

            if concurrency.in_greenlet():
                # SQLAlchemy 2.0 calls it await_only.
                wait = getattr(concurrency, "await_", None) or concurrency.await_only
                wait(self.meet_on_loop())

        return listener

    @contextmanager
    def after_function(self, target: str) -> Iterator[None]:
        """Meet after calls of `module:function` or `module:Class.method`."""
        owner, name = owner_of(target)
        real = getattr(owner, name)

        @functools.wraps(real)
        async def later(*arguments: Any, **options: Any) -> Any:
            result = await real(*arguments, **options)
            await self.meet_on_loop()
            return result

        @functools.wraps(real)
        def now(*arguments: Any, **options: Any) -> Any:
            result = real(*arguments, **options)
            if not on_event_loop():
                self.meet()
            return result

        setattr(owner, name, later if inspect.iscoroutinefunction(real) else now)
        try:
            yield
        finally:
            setattr(owner, name, real)


def owner_of(target: str) -> tuple[Any, str]:
    """The object that holds `module:function` or `module:Class.method`, and the last name.

    Raises:
        ImportError: there is no such module.
        AttributeError: there is no such class or function.
    """
    module, _, path = target.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, last = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    getattr(owner, last)
    return owner, last
