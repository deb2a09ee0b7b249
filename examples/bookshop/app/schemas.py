"""What all request and response models share."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

# PostgreSQL's text type cannot hold NUL, and a control character in a name is somebody's attack on a log.
SINGLE_LINE = r"^[^\x00-\x1F\x7F]*$"
MANY_LINES = r"^[^\x00]*$"

ShortText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=SINGLE_LINE)
]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000, pattern=MANY_LINES)
]


class InputModel(BaseModel):
    """A request: an unknown field is an error, and an error never repeats the input."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ChangeModel(InputModel):
    """A partial change: an absent field stays as it is, and null, which no column can hold, is refused."""

    @model_validator(mode="after")
    def refuse_null(self) -> Self:
        """Refuse a field that was sent as null."""
        if any(getattr(self, name) is None for name in self.model_fields_set):
            raise ValueError("leave a field out to keep it; null is no value")
        return self


class OutputModel(BaseModel):
    """A response: only the fields that are declared leave the house."""

    model_config = ConfigDict(from_attributes=True, frozen=True)
