"""Calls of one function, recorded while it still runs."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import Any

from fastapi_architect.proving.canaries.waiting import owner_of


@dataclass(frozen=True, slots=True)
class Call:
    """One call: positional and keyword arguments; `self` stands first for methods."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def spy(target: str) -> list[Call]:
    """Record calls of `module:function` or `module:Class.method` from now on.

    Raises:
        ImportError: there is no such module.
        AttributeError: there is no such class or function.
    """
    owner, name = owner_of(target)
    real, calls = getattr(owner, name), []

    @functools.wraps(real)
    def recorded(*arguments: Any, **options: Any) -> Any:
        calls.append(Call(arguments, options))
        return real(*arguments, **options)

    # A coroutine function has to look like one: frameworks ask before they call.
    made = inspect.markcoroutinefunction(recorded) if hasattr(inspect, "markcoroutinefunction") else recorded
    setattr(owner, name, made if inspect.iscoroutinefunction(real) else recorded)
    return calls
