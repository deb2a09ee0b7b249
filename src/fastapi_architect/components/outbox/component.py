"""The outbox as a component: its settings, its clean-up, and the runtime of workers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ..service import Component, ComponentSettings
from .execution import Listener, Observer, Runtime
from .schedule import Periodic


class OutboxSettings(ComponentSettings):
    """OUTBOX_*: how patient the outbox is."""

    model_config = SettingsConfigDict(env_prefix="OUTBOX_")

    #: Seconds between two looks into the table, when the last one found nothing.
    poll_interval: Annotated[float, Field(ge=0.01, le=60)] = 0.25
    batch: Annotated[int, Field(ge=1, le=1000)] = 100
    #: Seconds without a sign of life after which another worker may take an event.
    lease: Annotated[float, Field(ge=1, le=3600)] = 30.0
    #: Seconds that one attempt may take.
    time_limit: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    #: Seconds that one statement of a handler may take.
    statement_timeout: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    #: Seconds after which an event that nobody began is put into the broker again; doubles each time.
    publish_again_after: Annotated[float, Field(ge=1, le=3600)] = 60.0
    #: How many turns ahead of the present one a relay puts events of lanes into the broker.
    window: Annotated[int, Field(ge=1, le=10_000)] = 20
    #: Seconds after which what waits counts as one step more urgent, so that nothing waits for ever.
    aging: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    #: Days that finished events and dead letters are kept.
    keep_done_days: Annotated[float, Field(ge=0)] = 7.0
    keep_dead_days: Annotated[float, Field(ge=1)] = 90.0


class Outbox(Component):
    """Events that are committed together with their cause, and handled at least once.

    Args:
        settings: OUTBOX_*.
        observers: told of every attempt in a worker: the topic, and how it ended.
        listeners: the same with its number, how long it took, and whether the one before had died.
    """

    task_modules: Sequence[str] = (f"{__package__}.tasks",)
    schedule: Mapping[str, Periodic] = {"outbox.clean": Periodic("outbox.clean", every=timedelta(hours=1))}

    def __init__(
        self,
        settings: OutboxSettings,
        *,
        observers: Sequence[Observer] = (),
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.settings = settings
        self.observers = observers
        self.listeners = listeners

    def runtime(self, components: Sequence[Component]) -> Runtime:
        """Return what a worker process needs to handle the events of a service."""
        return Runtime.of(
            components,
            timedelta(seconds=self.settings.lease),
            timedelta(seconds=self.settings.time_limit),
            timedelta(seconds=self.settings.statement_timeout),
            self.observers,
            self.listeners,
            timedelta(seconds=self.settings.aging),
        )
