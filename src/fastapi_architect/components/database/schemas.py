"""What models of input and output share, and pages of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Row = TypeVar("Row")
Item = TypeVar("Item")

LARGEST_PAGE = 100
#: Characters of a cursor.
LONGEST_CURSOR = 2_000


class InputModel(BaseModel):
    """A request: an unknown field is an error, no text is endless, and an error never repeats the input."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, str_max_length=10_000, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def refuse_nul(cls, data: Any) -> Any:
        """Refuse NUL in any text, which PostgreSQL cannot store."""
        waiting = [data]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str) and "\x00" in value:
                raise ValueError("text must not contain NUL")
            if isinstance(value, dict):
                waiting.extend(value.keys())
                waiting.extend(value.values())
            elif isinstance(value, list | tuple):
                waiting.extend(value)
        return data


class OutputModel(BaseModel):
    """A response: only the fields that are declared leave the service."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class PageQuery(InputModel):
    """Which page of a list the caller wants. A subclass adds filters, and `sort` with the names of the orders."""

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE, description="How many at most.")] = 20
    cursor: Annotated[
        str | None,
        Field(
            max_length=LONGEST_CURSOR,
            pattern="^[A-Za-z0-9_-]+$",
            description="`next_cursor` of the page before.",
        ),
    ] = None


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """The rows of one page, and where the next one begins."""

    items: Sequence[Row]
    next_cursor: str | None


class Page(OutputModel, Generic[Item]):
    """A page of a list; without `next_cursor` it is the last one."""

    items: Annotated[list[Item], Field(max_length=LARGEST_PAGE)]
    next_cursor: str | None = None

    @classmethod
    def of(cls, rows: Slice[Any]) -> Self:
        """Return the page of these rows."""
        return cls.model_validate(rows, from_attributes=True)
