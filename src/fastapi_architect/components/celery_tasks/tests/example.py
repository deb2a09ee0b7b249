"""The smallest service with Celery."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from fastapi_architect.components.celery_tasks import CelerySettings, CeleryTasks
from fastapi_architect.components.celery_tasks.tests import tasks
from fastapi_architect.components.database import Database, DatabaseSettings
from fastapi_architect.components.outbox import Outbox, OutboxSettings, Periodic
from fastapi_architect.components.service import Component


class Notes(Component):
    """Contributes these tasks to the workers."""

    task_modules: Sequence[str] = (tasks.__name__,)


class Ticking(Component):
    """Contributes a note a second."""

    schedule: Mapping[str, Periodic] = {
        "notes.tick": Periodic("notes.asked", every=timedelta(seconds=1), payload={"text": "tick"})
    }


def components_that_tick() -> Sequence[Component]:
    """Return the same, with periodic work."""
    return [*components(), Ticking()]


def components() -> Sequence[Component]:
    """Return what the service is made of, from the environment."""
    return [
        Database(DatabaseSettings()),
        CeleryTasks(CelerySettings()),
        Outbox(OutboxSettings()),
        Notes(),
    ]
