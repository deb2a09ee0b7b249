"""The configuration of the Celery application, for any broker. Figures in comments were measured with Celery and kombu 5.7."""

from typing import Any

from ..outbox import Priority
from .brokers import broker_of
from .component import CelerySettings


def configuration(settings: CelerySettings) -> dict[str, Any]:
    """Return the configuration of a Celery application."""
    # Redis delivers a message again that is not acknowledged in time, also to a second worker while the first one works.
    visibility_timeout = 2 * settings.time_limit
    url = settings.broker_url.get_secret_value()
    broker = broker_of(url)
    return {
        "broker_url": url,
        **broker.configuration(visibility_timeout),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        **_results(settings),
        # Whoever can write to the broker could run code in the workers, were pickle accepted.
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        # A worker that dies leaves the message to another one. Only with attempts counted in PostgreSQL: a task that
        # kills its process was otherwise seen to start 13 times in 40 s, for ever.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_failure_or_timeout": True,
        "worker_prefetch_multiplier": 1,
        "worker_concurrency": settings.concurrency,
        "task_soft_time_limit": settings.soft_time_limit,
        "task_time_limit": settings.time_limit,
        "worker_max_tasks_per_child": settings.max_tasks_per_child,
        "worker_max_memory_per_child": settings.max_memory_per_child,
        # What is done when the connection to the broker breaks is done; a second delivery finds it finished.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_soft_shutdown_timeout": 20.0,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "task_queues": {name: {"exchange": name, "routing_key": name} for name in settings.queues},
        "task_default_queue": "default",
        "task_create_missing_queues": False,
        "task_default_priority": broker.priority(Priority.NORMAL),
        "task_publish_retry": True,
        "task_publish_retry_policy": {
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
            "interval_max": 0.2,
        },
        "beat_scheduler": f"{__package__}.scheduler:SlotScheduler",
        "timezone": "UTC",
        "enable_utc": True,
    }


def _results(settings: CelerySettings) -> dict[str, Any]:
    # With a result backend a send blocks for 20 s while Redis is down, and a task whose end coincides with an outage
    # is called a failure although its work is done. So there is none, unless somebody wants chords.
    if settings.result_url is None:
        return {"result_backend": None, "task_ignore_result": True}
    return {
        "result_backend": settings.result_url.get_secret_value(),
        "task_ignore_result": True,
        "result_expires": 3600,
        "redis_socket_timeout": 5.0,
        "redis_socket_connect_timeout": 2.0,
        "redis_retry_on_timeout": True,
        "result_backend_always_retry": True,
        "result_backend_max_retries": 5,
    }
