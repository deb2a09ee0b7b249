"""The outbox keeps itself small."""

import logging
from datetime import timedelta
from typing import Any

from . import repository
from .component import Outbox
from .handlers import HandlerContext, Priority, handles

logger = logging.getLogger(__name__)

#: So many rows in one transaction; the next hour takes the rest.
MOST_AT_ONCE = 50_000
FORGOTTEN_AFTER = timedelta(days=1)


@handles("outbox.clean", priority=Priority.LOW)
def clean(context: HandlerContext, payload: dict[str, Any]) -> None:
    """Delete what is done with, and complain about what was given up."""
    settings = context.component(Outbox).settings
    deleted = repository.delete_finished(
        context.session,
        timedelta(days=settings.keep_done_days),
        timedelta(days=settings.keep_dead_days),
        MOST_AT_ONCE,
    )
    forgotten = repository.bury_forgotten(context.session, FORGOTTEN_AFTER)
    backlog = repository.measure(context.session)
    level = logging.ERROR if backlog.dead else logging.INFO
    extra = {
        "deleted": deleted,
        "forgotten": forgotten,
        "open": backlog.open,
        "dead": backlog.dead,
        "lag": backlog.lag,
    }
    logger.log(level, "the outbox was cleaned", extra=extra)
