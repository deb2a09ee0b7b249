"""Celery workers that lose nothing: PostgreSQL holds the truth, and the broker is only how work travels."""

from .component import CelerySettings, CeleryTasks
from .publisher import CeleryPublisher, queue_task
from .relaying import create_relay
from .tasks import DurableTask, TaskGivenUp
from .worker import HasWorkerResources, ServiceInWorker, create_worker, service_of

__all__ = [
    "CeleryPublisher",
    "CelerySettings",
    "CeleryTasks",
    "DurableTask",
    "HasWorkerResources",
    "ServiceInWorker",
    "TaskGivenUp",
    "create_relay",
    "create_worker",
    "queue_task",
    "service_of",
]
