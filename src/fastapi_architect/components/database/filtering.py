"""Filters that a list may be asked for. What is not declared cannot be asked."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

#: Turns what the caller asks for into a condition.
Filter = Callable[[Any], ColumnElement[bool]]


def equals(column: InstrumentedAttribute[Any]) -> Filter:
    """The column has this value."""
    return lambda value: column == value


def one_of(column: InstrumentedAttribute[Any]) -> Filter:
    """The column has one of these values."""
    return column.in_


def at_least(column: InstrumentedAttribute[Any]) -> Filter:
    """The column has this value or a larger one."""
    return lambda value: column >= value


def at_most(column: InstrumentedAttribute[Any]) -> Filter:
    """The column has this value or a smaller one."""
    return lambda value: column <= value


def contains(column: InstrumentedAttribute[Any]) -> Filter:
    """The text contains this one, in upper or lower case; `%` and `_` mean themselves."""
    return lambda value: column.icontains(value, autoescape=True)


def starts_with(column: InstrumentedAttribute[Any]) -> Filter:
    """The text begins with this one; `%` and `_` mean themselves."""
    return lambda value: column.startswith(value, autoescape=True)
