"""Caches and Redis."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class RedisCommand(Concept, frozen=True, eq=False):
    """A command sent to Redis.

    Attributes:
        command: its name in lower case, as the method is called (`delete`, `setex`).
        key: its first argument.
        args: every positional argument.
        keywords: every keyword argument.
        client: the client or pipeline.
        is_async: to be awaited.
        pipelined: collected, sent later.
    """

    command: str
    key: ir.Expr | None = None
    args: tuple[ir.Expr, ...] = ()
    keywords: tuple[ir.Keyword, ...] = ()
    client: ir.Expr | None = None
    is_async: bool = False
    pipelined: bool = False


class CacheRead(Concept, frozen=True, eq=False):
    """A value is looked up; None when it is not there."""

    key: ir.Expr | None = None
    cache: ir.Expr | None = None


class CacheWrite(Concept, frozen=True, eq=False):
    """A value is kept; `ttl` None when for ever."""

    key: ir.Expr | None = None
    value: ir.Expr | None = None
    ttl: ir.Expr | None = None
    cache: ir.Expr | None = None


class CacheDelete(Concept, frozen=True, eq=False):
    """Values are dropped; `everything` for a whole cache or database."""

    key: ir.Expr | None = None
    everything: bool = False
    cache: ir.Expr | None = None


class CacheDecorator(Concept, frozen=True, eq=False):
    """Results of a function are kept, by a decorator that is called.

    Attributes:
        ttl: how long; None when for ever.
        size: how many; None when not written down.
        key: what makes the key.
        shared: kept outside the process.
        of_response: it keeps whole HTTP responses.
    """

    ttl: ir.Expr | None = None
    size: ir.Expr | None = None
    key: ir.Expr | None = None
    shared: bool = False
    of_response: bool = False


class DistributedLock(Concept, frozen=True, eq=False):
    """A lock held in Redis; `ttl` None when it never expires."""

    key: ir.Expr | None = None
    ttl: ir.Expr | None = None
    is_async: bool = False
