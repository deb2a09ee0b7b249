"""Retention as a component: how often workers look for what is old."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from fastapi_architect.components.outbox import Periodic
from fastapi_architect.components.service import Component

#: Every so often: delete what is old.
SWEEP = "retention.sweep"


class Retention(Component):
    """Lists the task of retention for workers."""

    task_modules: Sequence[str] = (f"{__package__}.tasks",)
    schedule: Mapping[str, Periodic] = MappingProxyType(
        {"retention.sweep": Periodic(SWEEP, every=timedelta(hours=1))}
    )
