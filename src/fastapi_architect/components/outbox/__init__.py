"""The transactional outbox: what a request causes elsewhere is committed with it, and done at least once."""

from .component import Outbox, OutboxSettings
from .contributions import HasSchedule, HasTasks, collect_schedule, import_task_modules, load_components
from .events import add_event
from .execution import Ended, Listener, Observer, Outcome, Runtime
from .fan_in import begin_fan_in, complete_part, unfinished
from .handlers import (
    Handler,
    HandlerContext,
    PermanentFailure,
    Priority,
    Retries,
    RetryLater,
    handlers_of,
    handles,
)
from .models import EventState, FanIn, OutboxEvent
from .relay import Publisher, Relay
from .repository import Backlog, Publication, dead_letters, measure, notice, replay, settle, unnoticed
from .schedule import Periodic, queue_due
from .worker import DirectWorker

__all__ = [
    "Backlog",
    "DirectWorker",
    "Ended",
    "EventState",
    "FanIn",
    "Handler",
    "HandlerContext",
    "HasSchedule",
    "HasTasks",
    "Listener",
    "Observer",
    "Outbox",
    "OutboxEvent",
    "OutboxSettings",
    "Outcome",
    "Periodic",
    "PermanentFailure",
    "Priority",
    "Publication",
    "Publisher",
    "Relay",
    "Retries",
    "RetryLater",
    "Runtime",
    "add_event",
    "begin_fan_in",
    "collect_schedule",
    "complete_part",
    "dead_letters",
    "handlers_of",
    "handles",
    "import_task_modules",
    "load_components",
    "measure",
    "notice",
    "queue_due",
    "replay",
    "settle",
    "unfinished",
    "unnoticed",
]
