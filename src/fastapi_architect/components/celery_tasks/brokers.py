"""What Redis and RabbitMQ differ in: their order, their patience, and how one learns that they came back empty."""

from typing import Any, Protocol

from ..outbox import Priority

#: In the broker, and gone when its messages are: it was restarted without what it kept, or emptied.
MARK = "outbox.relay"
#: Seconds that a broker has to accept a message.
PATIENCE = 5.0


class Broker(Protocol):
    """How work travels to workers."""

    def configuration(self, visibility_timeout: int) -> dict[str, Any]:
        """Return what Celery has to be told about it."""

    def impatient(self) -> dict[str, Any]:
        """Return options of the transport for a relay: it tries again by itself, and has to hear soon that it should stop."""

    def priority(self, priority: Priority) -> int:
        """Return a priority as this broker counts."""

    def has_forgotten(self, celery_app: Any) -> bool:
        """Tell whether it has lost our mark, and with it every message."""

    def remember(self, celery_app: Any) -> None:
        """Leave our mark in it."""


class Redis:
    """A list for each queue and priority; 0 is looked at first. Figures were measured with Celery and kombu 5.7."""

    def configuration(self, visibility_timeout: int) -> dict[str, Any]:
        """Lists of their own for each priority, and sockets that do not wait for ever."""
        options = {
            # A broker that accepts connections and never answers otherwise blocks for more than 30 s.
            "socket_timeout": PATIENCE,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "visibility_timeout": visibility_timeout,
            # By default unacknowledged messages are looked for every 100 s.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "priority_steps": [int(priority) for priority in Priority],
            "queue_order_strategy": "priority",
            "health_check_interval": 10,
            "retry_on_timeout": True,
            "max_retries": 1,
        }
        return {"broker_transport_options": options, "visibility_timeout": visibility_timeout}

    def impatient(self) -> dict[str, Any]:
        """Shorter timeouts."""
        return {"socket_timeout": 2, "socket_connect_timeout": 1}

    def priority(self, priority: Priority) -> int:
        """As it is."""
        return int(priority)

    def has_forgotten(self, celery_app: Any) -> bool:
        """Ask for a key."""
        with celery_app.producer_pool.acquire(block=True) as producer:
            return not producer.channel.client.exists(MARK)

    def remember(self, celery_app: Any) -> None:
        """Write a key."""
        with celery_app.producer_pool.acquire(block=True) as producer:
            producer.channel.client.set(MARK, "1")


class RabbitMq:
    """Durable queues with `x-max-priority`, in which the larger number comes first. Tested with RabbitMQ 3.10."""

    def configuration(self, visibility_timeout: int) -> dict[str, Any]:
        """Let a publication count as one only when the broker has confirmed it."""
        del visibility_timeout  # what a worker that is gone did not acknowledge is delivered again at once
        return {
            "broker_transport_options": {"confirm_publish": True, "max_retries": 1},
            "broker_connection_timeout": 2,
            # A peer that is gone without a word is noticed after two of these.
            "broker_heartbeat": 10,
            "task_queue_max_priority": int(Priority.LOW),
        }

    def impatient(self) -> dict[str, Any]:
        """Do not wait for ever where a broker accepts connections and never answers."""
        return {"read_timeout": 2, "write_timeout": 2}

    def priority(self, priority: Priority) -> int:
        """The other way round."""
        return int(Priority.LOW) - int(priority)

    def has_forgotten(self, celery_app: Any) -> bool:
        """Ask for a queue that nobody writes to."""
        with celery_app.pool.acquire(block=True) as connection:
            # The broker closes the channel in which somebody asks for what it does not have.
            channel = connection.channel()
            try:
                channel.queue_declare(MARK, passive=True)
            except connection.channel_errors:
                return True
            channel.close()
            return False

    def remember(self, celery_app: Any) -> None:
        """Make that queue."""
        with celery_app.pool.acquire(block=True) as connection, connection.channel() as channel:
            channel.queue_declare(MARK, durable=True, auto_delete=False)


def broker_of(url: str) -> Broker:
    """Return the broker of a URL.

    Raises:
        ValueError: it is neither Redis nor RabbitMQ.
    """
    scheme = url.partition("://")[0]
    if scheme in ("redis", "rediss"):
        return Redis()
    if scheme in ("amqp", "amqps"):
        return RabbitMq()
    raise ValueError("begins with redis://, rediss://, amqp:// or amqps://")
