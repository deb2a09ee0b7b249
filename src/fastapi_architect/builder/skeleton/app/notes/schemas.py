"""How notes look from outside."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Field,
    StringConstraints,
    computed_field,
    model_validator,
)

from app.components.database import InputModel, OutputModel, PageQuery

EXCERPT = 80


def _on_one_line(text: str) -> str:
    """Return the text with single spaces, as it is searched and sorted by."""
    return " ".join(text.split())


# A pattern and not a validator says what is refused, because a pattern stands in the API's contract.
Title = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
    ),
    AfterValidator(_on_one_line),
]
Text = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


class NewNote(InputModel):
    """A note to write."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"title": "Groceries", "text": "Bread, olives", "is_pinned": False}]}
    )

    title: Title
    text: Text = ""
    is_pinned: bool = False


class NoteChange(InputModel):
    """The fields of a note to change; an absent one stays as it is."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "examples": [{"is_pinned": True}]})

    # Factories, because a default would stand in the contract as if it were what an absent field is set to.
    title: Annotated[Title, Field(default_factory=str)]
    text: Annotated[Text, Field(default_factory=str)]
    is_pinned: Annotated[bool, Field(default_factory=bool)]

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """Refuse a change of nothing."""
        if not self.model_fields_set:
            raise ValueError("name at least one field")
        return self


class NoteOrder(StrEnum):
    """Orders of the list."""

    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"


class NoteQuery(PageQuery):
    """Which notes, in which order."""

    sort: NoteOrder = NoteOrder.NEWEST
    is_pinned: bool | None = None
    title: Annotated[
        str | None,
        Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="A part of the title."),
    ] = None


class PublishedNote(OutputModel):
    """A note as it is read."""

    id: UUID
    title: str
    text: str
    is_pinned: bool
    created_at: AwareDatetime
    updated_at: AwareDatetime
    #: Counted up by each change; the ETag repeats it.
    version: Annotated[int, Field(ge=1)]

    @computed_field(description="The first words of the text.")  # type: ignore[prop-decorator]
    @property
    def excerpt(self) -> str:
        """Return the beginning of the text on one line."""
        line = " ".join(self.text.split())
        return line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"
