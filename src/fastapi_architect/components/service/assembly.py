"""Installs components into an application, and finds them again."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from fastapi import FastAPI

from .component import Component
from .request_id import RequestIdMiddleware

ComponentType = TypeVar("ComponentType")


def install(app: FastAPI, components: Sequence[Component]) -> None:
    """Make the components part of the application.

    Their order is the order of everything: the first one is opened first and closed last, and its middleware
    stands outermost. What the application's own lifespan opens is open before any component starts.

    Args:
        app: any FastAPI application that has not served a request yet.
        components: what the service is made of; of each class at most one.

    Raises:
        ValueError: two components are of the same class.
    """
    known = list(components_of(app))
    for component in components:
        if any(type(component) is type(other) for other in known):
            raise ValueError(
                f"{type(component).__name__} is installed twice; keep one of them in the registry"
            )
        known.append(component)
    app.state.components = tuple(known)
    # `add_middleware` puts the newest outermost, so that the first component has to come last.
    for component in reversed(components):
        component.install(app)
    _identify_requests(app)
    _run_with_lifespan(app, components)


def components_of(app: FastAPI) -> tuple[Component, ...]:
    """Return the components of an application in their order."""
    found: tuple[Component, ...] = getattr(app.state, "components", ())
    return found


def installed(app: FastAPI, kind: type[ComponentType]) -> ComponentType:
    """Return the component of that class, or of a subclass.

    Raises:
        LookupError: the application has none.
    """
    return component_in(components_of(app), kind)


def component_in(components: Sequence[Component], kind: type[ComponentType]) -> ComponentType:
    """Return the component of that class, or of a subclass: for workers, which have no application.

    Raises:
        LookupError: there is none.
    """
    for component in components:
        if isinstance(component, kind):
            return component
    raise LookupError(f"{kind.__name__} is not installed: add it to the list of components in the registry")


def _identify_requests(app: FastAPI) -> None:
    once: object = RequestIdMiddleware
    app.user_middleware = [middleware for middleware in app.user_middleware if middleware.cls is not once]
    app.add_middleware(RequestIdMiddleware)


def _run_with_lifespan(app: FastAPI, components: Sequence[Component]) -> None:
    own_lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with AsyncExitStack() as stack:
            state = await stack.enter_async_context(own_lifespan(running)) or {}
            for component in components:
                await stack.enter_async_context(component.run(running))
            yield state

    app.router.lifespan_context = lifespan
