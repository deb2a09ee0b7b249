"""How many statements something costs, and the guard against lists that cost one more for each row."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine


class Statements:
    """The statements that were executed, in their order."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.texts)

    def repeated(self) -> list[str]:
        """Return those that came more than once, the most frequent one first."""
        return [f"{number} x {text}" for text, number in Counter(self.texts).most_common() if number > 1]


@contextmanager
def statements(engine: AsyncEngine | Engine) -> Iterator[Statements]:
    """Count the statements of an engine, whichever thread or task executes them.

    with statements(database.engine) as counted:
        client.get("/orders")
    assert counted.count == 2
    """
    found = Statements()
    listened = engine.sync_engine if isinstance(engine, AsyncEngine) else engine

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        found.texts.append(" ".join(statement.split()))

    event.listen(listened, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(listened, "before_cursor_execute", note)


def statement_growth(
    engine: AsyncEngine | Engine,
    add_rows: Callable[[int], object],
    read: Callable[[], object],
    *,
    few: int = 1,
    many: int = 20,
) -> list[str]:
    """Return the statements that a list repeats when it has more rows; an empty list is right.

        assert statement_growth(database.engine, add_orders, lambda: client.get("/orders")) == []

    Args:
        engine: of the database.
        add_rows: adds this many rows to the list.
        read: reads the whole list once.
        few: rows of the first reading.
        many: rows of the second one.
    """
    add_rows(few)
    # What happens once in a process, such as asking for the server's version, is over then.
    read()
    with statements(engine) as at_first:
        read()
    if not at_first.count:
        raise ValueError(
            "reading executed no statement: it reads from elsewhere, or it failed before it read"
        )
    add_rows(many - few)
    with statements(engine) as then:
        read()
    if then.count == at_first.count:
        return []
    return [f"{few} rows: {at_first.count} statements, {many} rows: {then.count}", *then.repeated()]
