"""The Celery application: `celery -A app.worker worker` and `celery -A app.worker beat`."""

from celery import Celery
from celery.signals import setup_logging

from app.logs import configure_logging
from app.settings import get_settings

settings = get_settings()

celery_app = Celery(
    "bookshop",
    broker=settings.redis_url.get_secret_value(),
    include=["app.auth.tasks", "app.orders.tasks", "app.outbox.tasks"],
)
celery_app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    # Nobody waits for a result: what a task has done stands in the database.
    task_ignore_result=True,
    task_soft_time_limit=40,
    task_time_limit=60,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=1_000,
    broker_connection_retry_on_startup=True,
    # Longer than any time limit, retry delay or countdown, or Redis would deliver a running task again.
    broker_transport_options={"visibility_timeout": 3_600},
    timezone="UTC",
    beat_schedule={
        "relay": {"task": "outbox.relay", "schedule": 2.0, "options": {"expires": 10}},
        "sweep": {"task": "outbox.sweep", "schedule": 3_600.0},
        "delete-expired-tokens": {"task": "auth.delete_expired_tokens", "schedule": 3_600.0},
    },
)


@setup_logging.connect
def set_up_logging(**_: object) -> None:
    """Log as the API does; connected, this keeps Celery from installing its own format."""
    configure_logging(settings)
