"""The sockets of a process, and who of them hears what."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from .closing import Closing
from .connection import Connection

Key = TypeVar("Key")


class Hub:
    """Keeps the sockets by topic and by principal. It belongs to one event loop, and nothing in it waits."""

    def __init__(self) -> None:
        self._connections: set[Connection] = set()
        self._by_topic: defaultdict[str, set[Connection]] = defaultdict(set)
        self._by_principal: defaultdict[UUID, set[Connection]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._connections)

    def enter(self, connection: Connection) -> None:
        """Add a socket."""
        self._connections.add(connection)
        self._by_principal[connection.principal.id].add(connection)

    def leave(self, connection: Connection) -> None:
        """Forget a socket with all its topics."""
        for topic in list(connection.topics):
            self.unsubscribe(connection, topic)
        self._connections.discard(connection)
        _discard(self._by_principal, connection.principal.id, connection)

    def subscribe(self, connection: Connection, topic: str) -> None:
        """Let a socket hear a topic; whether it may was decided before."""
        connection.topics.add(topic)
        self._by_topic[topic].add(connection)

    def unsubscribe(self, connection: Connection, topic: str) -> None:
        """Let it not hear it any more."""
        connection.topics.discard(topic)
        _discard(self._by_topic, topic, connection)

    def deliver(self, topic: str, text: str) -> None:
        """Give a message to everybody here who hears the topic."""
        self._offer(self._by_topic.get(topic, ()), text)

    def tell_everybody(self, text: str) -> None:
        """Give a message to every socket of this process."""
        self._offer(self._connections, text)

    def end_principal(self, principal_id: UUID, closing: Closing) -> None:
        """End every socket of a principal in this process."""
        for connection in list(self._by_principal.get(principal_id, ())):
            connection.end(closing)

    def end_everybody(self, closing: Closing) -> None:
        """End every socket of this process."""
        for connection in list(self._connections):
            connection.end(closing)

    def _offer(self, connections: Iterable[Connection], text: str) -> None:
        for connection in list(connections):
            connection.offer(text)


def _discard(index: dict[Key, set[Connection]], key: Key, connection: Connection) -> None:
    found = index.get(key, set())
    found.discard(connection)
    if not found:
        index.pop(key, None)  # else the names of topics that nobody hears any more would fill the memory
