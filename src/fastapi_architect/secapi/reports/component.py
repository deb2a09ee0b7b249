"""Reports as a component: what its requests and its workers are configured with."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from fastapi_architect.components.outbox import Periodic
from fastapi_architect.components.service import Component

from ..settings import SecApiSettings
from .work import REAP


class Reports(Component):
    """Lists the tasks of reports for workers.

    Args:
        settings: SECAPI_*.
    """

    task_modules: Sequence[str] = (f"{__package__}.tasks",)
    schedule: Mapping[str, Periodic] = MappingProxyType(
        {"reports.reap": Periodic(REAP, every=timedelta(minutes=1))}
    )

    def __init__(self, settings: SecApiSettings) -> None:
        self.settings = settings
