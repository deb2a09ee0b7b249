"""Orders that a list may be asked for, and the cursors that continue them."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Numeric,
    Select,
    SmallInteger,
    String,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from ..problem_details import InvalidInput

_LONGEST_TEXT = 500


class Order:
    """One order of a list: by a column, and by identifier where two rows have the same value.

    An index on both columns makes each page equally fast, however deep it lies.

    Args:
        column: it must not be nullable, because a comparison with NULL would lose rows.
        descending: whether the largest value comes first.

    Raises:
        ValueError: a cursor cannot hold values of this column.
    """

    def __init__(self, column: InstrumentedAttribute[Any], *, descending: bool = False) -> None:
        definition = column.property.columns[0]
        if definition.nullable:
            raise ValueError(f"{column} may be NULL: rows without a value would be missing from the list")
        self.column = column
        self.descending = descending
        name = Annotated[str, Field(max_length=100)]
        place: Any = tuple.__class_getitem__((name, _value_type(definition.type), UUID))
        self._adapter: TypeAdapter[tuple[str, Any, UUID]] = TypeAdapter(place)

    def arrange(self, statement: Select[Any], identifier: InstrumentedAttribute[UUID]) -> Select[Any]:
        """Sort the statement."""
        columns = (self.column, identifier)
        return statement.order_by(*(column.desc() if self.descending else column.asc() for column in columns))

    def after(self, name: str, cursor: str, identifier: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
        """Return the condition that leaves only the rows after the cursor.

        Raises:
            InvalidInput: the cursor was not made for this order.
        """
        value, last_id = self._decode(name, cursor)
        place = tuple_(self.column, identifier)
        return place < (value, last_id) if self.descending else place > (value, last_id)

    def cursor(self, name: str, row: Any) -> str:
        """Return the cursor that continues after this row."""
        place = (name, getattr(row, self.column.key), row.id)
        return urlsafe_b64encode(self._adapter.dump_json(place)).decode().rstrip("=")

    def _decode(self, name: str, cursor: str) -> tuple[Any, UUID]:
        try:
            text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            made_for, value, last_id = self._adapter.validate_json(text)
        except (ValidationError, binascii.Error, ValueError) as error:
            raise InvalidInput("The cursor is not one that this list handed out.") from error
        if made_for != name:
            raise InvalidInput("The cursor belongs to another order of this list; begin again without it.")
        return value, last_id


def _value_type(column_type: TypeEngine[Any]) -> Any:
    """Return the type whose values fit into the column: a cursor comes from the client."""
    if isinstance(column_type, SmallInteger):
        return _integer(15)
    if isinstance(column_type, BigInteger):
        return _integer(63)
    if isinstance(column_type, Integer):
        return _integer(31)
    if isinstance(column_type, Numeric) and column_type.asdecimal and column_type.precision:
        return Annotated[
            Decimal,
            Field(max_digits=column_type.precision, decimal_places=column_type.scale, allow_inf_nan=False),
        ]
    if isinstance(column_type, DateTime):
        if not column_type.timezone:
            raise ValueError("an order by time needs DateTime(timezone=True)")
        return AwareDatetime
    kind = column_type.python_type
    if issubclass(kind, str) and not issubclass(kind, Enum):
        return _text(column_type)
    if kind in {bool, date, UUID} or issubclass(kind, Enum):
        return kind
    raise ValueError(f"a list cannot be sorted by a column of type {column_type!r}")


def _integer(bits: int) -> Any:
    return Annotated[int, Field(strict=True, ge=-(2**bits), le=2**bits - 1)]


def _text(column_type: TypeEngine[Any]) -> Any:
    longest = column_type.length if isinstance(column_type, String) else None
    if longest is None or longest > _LONGEST_TEXT:
        raise ValueError(f"a cursor repeats the text: sort by a String of at most {_LONGEST_TEXT} characters")
    return Annotated[str, Field(max_length=longest, pattern=r"^[^\x00]*$")]
