"""The relay that puts events into Celery."""

from collections.abc import Sequence
from datetime import timedelta

from ..outbox import Outbox, Relay
from ..service import Component, component_in
from .brokers import broker_of
from .publisher import CeleryPublisher
from .worker import create_worker, service_of


def create_relay(components: Sequence[Component]) -> Relay:
    """Return the relay of a service; any number of them may run."""
    celery_app = create_worker(components, "relay")
    patience = broker_of(celery_app.conf.broker_url).impatient()
    options = celery_app.conf.broker_transport_options | patience
    celery_app.conf.update(broker_transport_options=options, task_publish_retry=False)
    service = service_of(celery_app)
    settings = component_in(components, Outbox).settings
    return Relay(
        service.runtime.sessions,
        CeleryPublisher(celery_app),
        batch=settings.batch,
        again_after=timedelta(seconds=settings.publish_again_after),
        poll_interval=settings.poll_interval,
        schedules=service.schedules,
        window=settings.window,
        aging=timedelta(seconds=settings.aging),
    )
