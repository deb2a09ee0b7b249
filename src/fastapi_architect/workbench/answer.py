"""What all answers have in common."""

from __future__ import annotations

from typing import Any, ClassVar


class Answer:
    """Base of the answers, which are frozen dataclasses.

    The string below a field is its description. Doors that publish a schema read it there: pydantic does, on the strength of
    the attribute below, for dataclasses as they are.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"use_attribute_docstrings": True}
