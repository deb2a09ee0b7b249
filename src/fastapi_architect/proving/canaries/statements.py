"""SQL statements, commits and rollbacks of every SQLAlchemy engine, sync and async."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Counted:
    """Statements executed inside a `with` block.

    Attributes:
        statements: their texts, in order; complete when the block has ended, growing before.
    """

    statements: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many."""
        return len(self.statements)


class Statements:
    """Listens to every engine that is or will be made in this process.

    Attributes:
        executed: texts in order, with placeholders; one for an `executemany`.
        commits: transactions committed; a commit without a transaction is none.
        rollbacks: transactions rolled back, also by closing a session.
        after: functions called with each text once it has been executed (for meeting points).
    """

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.commits = 0
        self.rollbacks = 0
        self.after: list[Callable[[str], None]] = []
        self._open: list[Counted] = []

    def install(self) -> None:
        """Start to listen; needs SQLAlchemy."""
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        event.listen(Engine, "before_cursor_execute", self._executing)
        event.listen(Engine, "after_cursor_execute", self._executed)
        event.listen(Engine, "commit", self._committed)
        event.listen(Engine, "rollback", self._rolled_back)

    @contextmanager
    def counting(self) -> Iterator[Counted]:
        """Collect the statements executed inside the block."""
        counted = Counted()
        self._open.append(counted)
        try:
            yield counted
        finally:
            self._open.remove(counted)

    def _executing(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.executed.append(statement)
        for counted in self._open:
            counted.statements.append(statement)

    def _executed(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        for function in self.after:
            function(statement)

    def _committed(self, _connection: Any) -> None:
        self.commits += 1

    def _rolled_back(self, _connection: Any) -> None:
        self.rollbacks += 1
