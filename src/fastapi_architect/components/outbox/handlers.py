"""Who acts upon which event."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from secrets import SystemRandom
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from ..service import Component, component_in

Kind = TypeVar("Kind")
_random = SystemRandom()


class PermanentFailure(Exception):
    """Trying again cannot help: the event goes to the dead letters at once."""


class RetryLater(Exception):
    """It did not work now, which was to be expected: the log has one line, and no traceback.

    Args:
        reason: why, for the row and the log.
        after: when to come back, if the other side said so.
    """

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Priority(IntEnum):
    """What overtakes what in a queue; the numbers are those of Celery on Redis, where 0 comes first."""

    HIGH = 0
    NORMAL = 3
    LOW = 6


@dataclass(frozen=True, slots=True)
class Retries:
    """How often something is tried, and with which pauses: each twice the one before, with jitter."""

    attempts: int = 8
    #: Seconds.
    first: float = 5.0
    longest: float = 3600.0

    def delay(self, attempt: int) -> timedelta:
        """Return the pause after that attempt, at random between half of it and the whole.

        What failed together, such as when a mail server was down, is so not tried together.
        """
        whole = min(self.longest, self.first * 2 ** min(attempt - 1, 30))
        return timedelta(seconds=_random.uniform(whole / 2, whole))


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """What a handler may use.

    A worker is synchronous, and so is the session. Its transaction begins with the first query and also finishes the
    event: what a handler does in it happens once, however often the event is delivered. A handler that calls
    another service does so before its first query, as a transaction must not wait for a network.
    """

    #: The same for every delivery of the event: the idempotency key for whatever is called.
    event_id: UUID
    topic: str
    #: From 1.
    attempt: int
    is_last_attempt: bool
    request_id: str
    session: Session
    #: What the service is made of.
    components: Sequence[Component] = field(repr=False)

    def component(self, kind: type[Kind]) -> Kind:
        """Return the component of that class.

        Raises:
            LookupError: there is none.
        """
        return component_in(self.components, kind)


HandlerFunction = Callable[[HandlerContext, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that acts upon the events of a topic."""

    topic: str
    name: str
    function: HandlerFunction
    retries: Retries
    queue: str
    priority: Priority


_handlers: dict[str, dict[str, Handler]] = {}


def handles(
    topic: str,
    *,
    retries: Retries = Retries(),
    queue: str = "default",
    priority: Priority = Priority.NORMAL,
) -> Callable[[HandlerFunction], HandlerFunction]:
    """Let a function act upon the events of a topic: `@handles("accounts.registered")`.

    It runs at least once for each event, in a worker, possibly again after a failure or a lost connection.

    Args:
        topic: what has happened. Several functions may handle it; each is tried by itself.
        retries: how often, and with which pauses.
        queue: the queue in which it waits; workers may be told to serve some of them.
        priority: what it overtakes, unless the event says so itself.

    Raises:
        ValueError: another function of this name handles the topic.
    """

    def register(function: HandlerFunction) -> HandlerFunction:
        name = f"{function.__module__}.{function.__qualname__}"
        known = _handlers.setdefault(topic, {})
        if name in known and known[name].function.__code__ != function.__code__:
            raise ValueError(f"two functions named {name} handle {topic!r}: rename one")
        known[name] = Handler(topic, name, function, retries, queue, priority)
        return function

    return register


def handlers_of(topic: str) -> tuple[Handler, ...]:
    """Return the handlers of a topic, ordered by name."""
    return tuple(handler for _, handler in sorted(_handlers.get(topic, {}).items()))


def all_handlers() -> tuple[Handler, ...]:
    """Return every handler, ordered by topic and name."""
    return tuple(handler for topic in sorted(_handlers) for handler in handlers_of(topic))
