"""Rows for tests: each valid, each different, and only what the test is about is written in the test."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Column, String, inspect
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

Row = TypeVar("Row")


class RowFactory(Generic[Row]):
    """Makes rows of one model.

        notes = RowFactory(Note, owner_id=owner.id, title=lambda number: f"note {number}")
        await notes.create(session, 20, is_pinned=True)

    Args:
        model: of the rows.
        values: of columns or relationships; a function gets the number of the row. A column that needs a value and has
            none gets one of its type, and a foreign key has to be given.
    """

    def __init__(self, model: type[Row], **values: Any) -> None:
        self.model = model
        self._values = values
        self._numbers = count(1)

    def build(self, **values: Any) -> Row:
        """Return a row that belongs to no session yet.

        Raises:
            LookupError: a column needs a value that nobody can make up, such as a foreign key.
        """
        number = next(self._numbers)
        chosen = self._values | values
        made = {name: value(number) if callable(value) else value for name, value in chosen.items()}
        for name, column in inspect(self.model).columns.items():
            if name not in made and _needs_value(column) and not self._has_relationship(made, column):
                made[name] = _value(self.model, name, column, number)
        return self.model(**made)

    async def create(self, session: AsyncSession, rows: int = 1, **values: Any) -> list[Row]:
        """Add rows to the session and flush; the test commits if somebody else is to see them."""
        made = [self.build(**values) for _ in range(rows)]
        session.add_all(made)
        await session.flush()
        return made

    def _has_relationship(self, made: dict[str, Any], column: "Column[Any]") -> bool:
        relationships = inspect(self.model).relationships
        return any(
            name in made and column in relation.local_columns for name, relation in relationships.items()
        )


def _needs_value(column: "Column[Any]") -> bool:
    filled = column.default is not None or column.server_default is not None or column.computed is not None
    return not (column.nullable or filled or (column.primary_key and column.autoincrement is True))


def _value(model: type[Any], name: str, column: "Column[Any]", number: int) -> Any:
    if column.foreign_keys:
        raise LookupError(f"{model.__name__}.{name} refers to another row: give it to the factory")
    kind = column.type.python_type
    if issubclass(kind, Enum):
        return next(iter(kind))
    if issubclass(kind, str):
        longest = column.type.length if isinstance(column.type, String) and column.type.length else 200
        return f"{name} {number}"[-longest:]
    make = _MADE.get(kind)
    if make is None:
        raise LookupError(f"{model.__name__}.{name} is of type {column.type!r}: give it to the factory")
    return make(number)


_MADE: dict[type[Any], Callable[[int], Any]] = {
    bool: lambda _: False,
    bytes: lambda number: str(number).encode(),
    date: lambda _: datetime.now(UTC).date(),
    datetime: lambda _: datetime.now(UTC),
    Decimal: Decimal,
    dict: lambda _: {},
    float: float,
    int: int,
    UUID: lambda _: uuid7(),
}
