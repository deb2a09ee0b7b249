"""What a component contributes to the workers: modules with tasks, and schedules.

A component says it by attributes of these names; it need not inherit anything.
"""

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from ..service import Component
from .schedule import Periodic


@runtime_checkable
class HasTasks(Protocol):
    """A component with handlers or Celery tasks: `task_modules = (f"{__package__}.tasks",)`."""

    @property
    def task_modules(self) -> Sequence[str]:
        """Absolute names of modules that are imported by workers and relays."""


@runtime_checkable
class HasSchedule(Protocol):
    """A component with periodic work: `schedule = {"books.recount": Periodic("books.recount", every=...)}`."""

    @property
    def schedule(self) -> Mapping[str, Periodic]:
        """What is done periodically, by a name that no other component uses."""


@runtime_checkable
class SetsUpLogging(Protocol):
    """A component that puts the logs of a process in order, also where there is no application."""

    def set_up_logging(self) -> None:
        """Configure the loggers of this process."""


def set_up_logging(components: Sequence[Component]) -> bool:
    """Let the components put the logs of this process in order; False: none of them does."""
    found = [component for component in components if isinstance(component, SetsUpLogging)]
    for component in found:
        component.set_up_logging()
    return bool(found)


def set_up_logging_or_basic(components: Sequence[Component]) -> None:
    """Put the logs of this process in order, in the simplest way if no component does."""
    if not set_up_logging(components):
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def task_modules_of(components: Sequence[Component]) -> list[str]:
    """Return the names of the task modules of all components."""
    return [
        module
        for component in components
        if isinstance(component, HasTasks)
        for module in component.task_modules
    ]


def import_task_modules(components: Sequence[Component]) -> None:
    """Import the task modules of all components, which registers their handlers."""
    for module in task_modules_of(components):
        importlib.import_module(module)


def collect_schedule(components: Sequence[Component]) -> dict[str, Periodic]:
    """Return the periodic work of all components.

    Raises:
        ValueError: two components use the same name.
    """
    found: dict[str, Periodic] = {}
    for component in components:
        if isinstance(component, HasSchedule):
            for name, periodic in component.schedule.items():
                if name in found:
                    raise ValueError(f"two schedules are named {name!r}: rename one")
                found[name] = periodic
    return found


def load_components(reference: str) -> Sequence[Component]:
    """Return the components that a function makes, such as `app.registry:components`.

    Raises:
        ValueError: that is no reference to a function.
    """
    module, _, name = reference.partition(":")
    function: Callable[[], Sequence[Component]] | None = getattr(importlib.import_module(module), name, None)
    if function is None:
        raise ValueError(f"{reference!r} is not module:function; write for example app.registry:components")
    return function()


def default_registry(package: str) -> str:
    """Return the reference to the registry of the project in which this package lies: `app.registry:components`."""
    return f"{package.split('.components.', maxsplit=1)[0]}.registry:components"
