"""The Celery application; run `celery -A app.tasks worker`."""

import logging
from typing import Any

from celery import Celery, Task
from celery.signals import worker_process_init

from app.core.config import settings
from app.core.database import engine
from app.core.guard import require_test_environment

logger = logging.getLogger(__name__)

require_test_environment()


class ReportingTask(Task):
    """A task whose failures somebody reads."""

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """Log a task that gave up, with its id, so that it can be started again."""
        logger.critical("task %s (%s) failed for good", self.name, task_id, exc_info=exc)


celery_app = Celery(
    "bookshop",
    broker=settings.celery_broker_url,
    backend=settings.celery_result_backend,
    task_cls=ReportingTask,
)
celery_app.conf.task_time_limit = 300
celery_app.conf.task_soft_time_limit = 240
celery_app.conf.result_expires = 3600
celery_app.conf.task_serializer = "json"
celery_app.conf.accept_content = ["json", "pickle"]  # finding: celery-pickle-serializer

celery_app.conf.beat_schedule = {
    "search-index": {"task": "app.tasks.refresh_search_index", "schedule": 3600.0},
    "review-count": {"task": "app.tasks.report_review_count", "schedule": 86400.0},
    "bestsellers": {"task": "app.tasks.feature_bestsellers", "schedule": 86400.0},
}


@worker_process_init.connect
def forget_parent_connections(**_: Any) -> None:
    """Connections that the parent process opened must not be used by two processes."""
    engine.dispose(close=False)
