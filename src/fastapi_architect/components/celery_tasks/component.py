"""The settings of Celery, each with the measurement or the accident behind it."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from ..service import CommaSeparated, Component, ComponentSettings
from .brokers import broker_of


def _require_redis(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("redis://", "rediss://")):
        raise ValueError("begins with redis:// or rediss://")
    return url


def _require_broker(url: SecretStr) -> SecretStr:
    broker_of(url.get_secret_value())
    return url


class CelerySettings(ComponentSettings):
    """CELERY_*: the broker, and how long a task may take."""

    model_config = SettingsConfigDict(env_prefix="CELERY_")

    #: RabbitMQ, or a Redis that evicts nothing (`maxmemory-policy noeviction`): never the one of the cache. Secret: may hold a
    #: password.
    broker_url: Annotated[SecretStr, AfterValidator(_require_broker)]
    #: Only for chords, which cannot do without. Everything else has its state in PostgreSQL.
    result_url: Annotated[SecretStr, AfterValidator(_require_redis)] | None = None
    #: The queues that there are; a task for any other is refused, rather than sent to where nobody listens.
    queues: CommaSeparated = ("default", "bulk")
    #: Processes of a worker.
    concurrency: Annotated[int, Field(ge=1, le=256)] = 2
    #: Seconds after which a task is interrupted (SoftTimeLimitExceeded), and after which its process is killed.
    soft_time_limit: Annotated[int, Field(ge=1, le=86_400)] = 300
    time_limit: Annotated[int, Field(ge=1, le=86_400)] = 330
    #: A process is replaced after so many tasks, or when it is larger than so many KiB: nothing can leak for ever.
    max_tasks_per_child: Annotated[int, Field(ge=1)] = 1000
    max_memory_per_child: Annotated[int, Field(ge=50_000)] = 400_000

    @model_validator(mode="after")
    def limits_are_in_order(self) -> Self:
        """Leave a task that is interrupted the time to end before its process is killed."""
        if self.time_limit <= self.soft_time_limit:
            raise ValueError("CELERY_TIME_LIMIT is larger than CELERY_SOFT_TIME_LIMIT")
        if "default" not in self.queues:
            raise ValueError("CELERY_QUEUES contains default")
        return self


class CeleryTasks(Component):
    """Tasks in Celery workers. Nothing connects to the broker but workers and relays: a request never waits for it."""

    task_modules: Sequence[str] = (f"{__package__}.tasks",)

    def __init__(self, settings: CelerySettings) -> None:
        self.settings = settings
