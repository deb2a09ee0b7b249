"""Scans as a component: what its requests and its workers are configured with."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from fastapi_architect.components.outbox import Periodic
from fastapi_architect.components.service import Component

from ..settings import SecApiSettings
from .telling import EVENTS
from .work import REAP


class Scans(Component):
    """Lists the tasks of scans for workers, and what owners can subscribe to.

    Args:
        settings: SECAPI_*.
    """

    task_modules: Sequence[str] = (f"{__package__}.tasks",)
    schedule: Mapping[str, Periodic] = MappingProxyType(
        {"scans.reap": Periodic(REAP, every=timedelta(seconds=15))}
    )
    webhook_events: Mapping[str, str] = EVENTS

    def __init__(self, settings: SecApiSettings) -> None:
        self.settings = settings
