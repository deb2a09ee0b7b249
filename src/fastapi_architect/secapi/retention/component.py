"""Retention as a component: how often workers look for what is old."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from fastapi_architect.components.outbox import Periodic
from fastapi_architect.components.service import Component

from ..settings import SecApiSettings

#: Every so often: delete what is old, and bytes of archives that no upload names.
SWEEP, ORPHANS = "retention.sweep", "retention.orphans"


class Retention(Component):
    """Lists the tasks of retention for workers.

    Args:
        settings: SECAPI_*.
    """

    task_modules: Sequence[str] = (f"{__package__}.tasks",)
    schedule: Mapping[str, Periodic] = MappingProxyType(
        {
            "retention.sweep": Periodic(SWEEP, every=timedelta(hours=1)),
            "retention.orphans": Periodic(ORPHANS, every=timedelta(hours=6)),
        }
    )

    def __init__(self, settings: SecApiSettings) -> None:
        self.settings = settings
