"""The Celery application of a service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable

from celery import Celery, signals

from ..database import Database
from ..outbox import Outbox, Periodic, Runtime, collect_schedule
from ..outbox.contributions import SetsUpLogging, set_up_logging, task_modules_of
from ..outbox.handlers import all_handlers
from ..service import Component, component_in
from ..service.request_id import bind_request_id, current_request_id
from .brokers import Broker, broker_of
from .component import CeleryTasks
from .configuration import configuration

_ATTRIBUTE = "_service_in_worker"


@runtime_checkable
class HasWorkerResources(Protocol):
    """A component that opens something in each worker process, after the fork, and closes it there."""

    def open_in_worker(self) -> None:
        """Open it."""

    def close_in_worker(self) -> None:
        """Close it."""


@dataclass(frozen=True, slots=True)
class ServiceInWorker:
    """What the tasks of a Celery application find in it."""

    components: Sequence[Component]
    runtime: Runtime
    schedules: Mapping[str, Periodic]


def create_worker(components: Sequence[Component], name: str = "worker") -> Celery:
    """Return the Celery application of a service. It connects to nothing yet.

    Args:
        components: of the registry; `Database`, `Outbox` and `CeleryTasks` are among them.
        name: as logs and monitors show it.

    Raises:
        LookupError: one of the three is missing.
        ValueError: a handler or a task names a queue that the settings do not have.
    """
    settings = component_in(components, CeleryTasks).settings
    celery_app = Celery(name)
    celery_app.conf.update(configuration(settings))
    runtime = component_in(components, Outbox).runtime(components)
    runtime = replace(runtime, time_limit=timedelta(seconds=settings.time_limit))
    setattr(celery_app, _ATTRIBUTE, ServiceInWorker(components, runtime, collect_schedule(components)))
    celery_app.finalize()
    celery_app.conf.task_routes = _routes(celery_app, broker_of(celery_app.conf.broker_url))
    _refuse_unknown_queues(celery_app, components, settings.queues)
    _connect_signals(celery_app, components)
    return celery_app


def service_of(celery_app: Any) -> ServiceInWorker:
    """Return what `create_worker` put into the application.

    Raises:
        LookupError: another function made it.
    """
    found: ServiceInWorker | None = getattr(celery_app, _ATTRIBUTE, None)
    if found is None:
        raise LookupError("this Celery application was not made by create_worker(components())")
    return found


def _routes(celery_app: Any, broker: Broker) -> dict[str, dict[str, Any]]:
    return {
        task.name: {"queue": task.queue_name, "priority": broker.priority(task.queue_priority)}
        for task in celery_app.tasks.values()
        if hasattr(task, "queue_name")
    }


def _refuse_unknown_queues(celery_app: Any, components: Sequence[Component], queues: Sequence[str]) -> None:
    # Of these components: what another service registered may be in this process too, in tests.
    modules = set(task_modules_of(components))
    named = {
        handler.name: handler.queue for handler in all_handlers() if handler.function.__module__ in modules
    }
    named |= {
        name: route["queue"]
        for name, route in celery_app.conf.task_routes.items()
        if celery_app.tasks[name].run.__module__ in modules
    }
    for who, queue in named.items():
        if queue not in queues:
            raise ValueError(
                f"{who} names the queue {queue!r}: add it to CELERY_QUEUES ({', '.join(queues)})"
            )


def _connect_signals(celery_app: Any, components: Sequence[Component]) -> None:
    # Signals are the process's, not the application's: each receiver asks whose it is.
    def open_resources(**_: Any) -> None:
        # Connections that the parent may have opened are the parent's.
        component_in(components, Database).sync_engine.dispose(close=False)
        for component in components:
            if isinstance(component, HasWorkerResources):
                component.open_in_worker()

    def close_resources(**_: Any) -> None:
        for component in reversed(components):
            if isinstance(component, HasWorkerResources):
                component.close_in_worker()
        component_in(components, Database).sync_engine.dispose()

    def log_as_the_service_does(**_: Any) -> None:
        set_up_logging(components)

    def bind_request(task: Any = None, **_: Any) -> None:
        if task is not None and task.app is celery_app:
            bind_request_id(getattr(task.request, "request_id", None) or "-")

    if any(isinstance(component, SetsUpLogging) for component in components):
        signals.setup_logging.connect(log_as_the_service_does, weak=False)
    signals.worker_process_init.connect(open_resources, weak=False)
    signals.worker_process_shutdown.connect(close_resources, weak=False)
    signals.task_prerun.connect(bind_request, weak=False)
    signals.before_task_publish.connect(_send_request_id, dispatch_uid=f"{__name__}.request_id")


def _send_request_id(headers: Any = None, **_: Any) -> None:
    if isinstance(headers, dict):
        headers.setdefault("request_id", current_request_id())
