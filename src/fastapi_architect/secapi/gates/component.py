"""Gates as a component: how often workers look whether something is no longer accepted."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from fastapi_architect.components.outbox import Periodic
from fastapi_architect.components.service import Component

#: Every so often: judge the branches anew whose findings were accepted until now.
EXPIRE = "gates.expire"


class Gates(Component):
    """Lists the task of gates for workers."""

    task_modules: Sequence[str] = (f"{__package__}.tasks",)
    schedule: Mapping[str, Periodic] = MappingProxyType(
        {"gates.expire": Periodic(EXPIRE, every=timedelta(minutes=5))}
    )
