"""What all tasks share: a failure is never silent."""

import logging
from typing import Any

from celery import Task

logger = logging.getLogger(__name__)


class ShopTask(Task):
    """A task whose final failure is logged with its traceback; its event stays open in the outbox."""

    def on_failure(
        self, exc: Exception, task_id: str, args: tuple[Any, ...], kwargs: dict[str, Any], einfo: Any
    ) -> None:
        """Log the failure after the last retry."""
        logger.error("task failed", exc_info=exc, extra={"task": self.name, "task_id": task_id})
